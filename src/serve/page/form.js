const OTHER = "\u0000other";
const UNSEEN = "never seen in training";
const inputs = schema.columns.filter((column) => column.required);

function choices(column) {
  if (column.kind === "boolean") return ["true", "false"];
  return column.kind === "mixed" ? null : column.categories || null;
}

function field(column, number) {
  const options = choices(column);
  let control;
  if (options) {
    control = make("select", {}, make("option", { value: "", textContent: "missing" }));
    for (const option of options) control.append(make("option", { value: option, textContent: option }));
    if (column.kind !== "boolean") control.append(make("option", { value: OTHER, textContent: UNSEEN }));
  } else {
    control = make("input", { type: "text", placeholder: "missing", autocomplete: "off" });
    if (column.kind === "number") control.inputMode = "decimal";
  }
  control.id = `field-${number}`;
  control.dataset.column = column.name;
  return make("label", { htmlFor: control.id },
    make("div", { className: "name" }, make("b", {}, ...breakable(column.name)), make("i", { textContent: column.kind })),
    control);
}

// Puts a row into the fields; a category that is not listed becomes a choice of its own.
function fill(row) {
  inputs.forEach(({ name }, number) => {
    const control = at(`field-${number}`), value = row[name];
    const text = value === null || value === undefined ? "" : String(value);
    if (control.options && ![...control.options].some((option) => option.value === text))
      control.append(make("option", { value: text, textContent: text }));
    control.value = text;
  });
}

function cell(column, text) {
  if (text === "") return null;
  if (text === OTHER) return UNSEEN;
  if (column.kind === "boolean" && ["true", "false"].includes(text)) return text === "true";
  if (column.kind === "number") {
    const number = Number(text.trim());
    return Number.isFinite(number) && text.trim() !== "" ? number : text;
  }
  return text;
}

function row() {
  return Object.fromEntries(inputs.map((column, number) => [column.name, cell(column, at(`field-${number}`).value)]));
}
