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
    control.filled = { shown: control.value, text };  // a field of one line drops line ends
  });
}

function cell(column, text) {
  if (text === "") return null;
  if (text === OTHER) return UNSEEN;
  if (column.kind === "boolean" && ["true", "false"].includes(text)) return text === "true";
  if (column.kind === "number") {
    const number = /^\s*[-+.\de]+\s*$/i.test(text) ? Number(text) : NaN;  // 0x10 is the server's to refuse
    return Number.isFinite(number) ? number : text;
  }
  return text;
}

function row() {
  return Object.fromEntries(inputs.map((column, number) => {
    const { value, filled } = at(`field-${number}`);
    return [column.name, cell(column, value === filled?.shown ? filled.text : value)];
  }));
}
