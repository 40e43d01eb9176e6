const BARS = 8;  // of the reasons, the strongest; the others are added up

function logOdds(margins, chosen) {
  const others = margins.filter((_, number) => number !== chosen).map((margin) => margin - margins[chosen]);
  const largest = Math.max(...others);
  return -largest - Math.log(others.reduce((sum, margin) => sum + Math.exp(margin - largest), 0));
}

// Of several classes, what each column adds to the log-odds of the predicted one, as in the reasons.
function classEffects(parts, label) {
  const names = schema.classes || parts.map((_, number) => number);
  const chosen = names.findIndex((name) => String(name) === String(label));
  const margins = parts.map(({ base_value, columns }) =>
    Object.values(columns).reduce((sum, value) => sum + value, base_value));
  const before = (name) => logOdds(margins.map((margin, number) => margin - parts[number].columns[name]), chosen);
  const reached = logOdds(margins, chosen);
  return Object.fromEntries(Object.keys(parts[0].columns).map((name) => [name, reached - before(name)]));
}

// What the bars show, and the words above them. Of several outputs that are not classes the bars
// are of the one that is chosen below "Why", at first the one that the sentences are about.
function explained(found) {
  const parts = found.contributions;
  if (!parts) return [{}, ""];
  if (!Array.isArray(parts)) {
    const unit = schema.score === "probability" ? " in log-odds" : "";
    return [parts.columns, `What moves the score up (right) and down (left)${unit}, from ${short(parts.base_value)}`];
  }
  if (schema.task !== "multiclass") {
    const { columns, base_value } = parts[at("why-output").value];
    return [columns, `What moves it up (right) and down (left), from ${short(base_value)}`];
  }
  const label = found.predicted_label;
  return [classEffects(parts, label), `What moves the probability of ${label} up (right) and down (left) in log-odds`];
}

function startOutputs(changed) {
  at("why-output").append(...outputs.map((name, number) => make("option", { value: number, textContent: name })));
  at("why-output").value = explainedOutput;
  at("why-output").addEventListener("change", changed);
  at("why-of").hidden = false;
}

function showReasons(found, cells) {
  const [columns, legend] = explained(found);
  const sentences = found.reasons || [];
  at("why").hidden = !legend && !sentences.length;
  const moving = Object.entries(columns).filter(([, value]) => value !== 0);
  const all = moving.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const shown = all.slice(0, BARS), rest = all.slice(BARS);
  const named = shown.map(([name, value]) => [`${name} = ${cells[name] ?? "missing"}`, value]);
  if (rest.length) named.push([counted(rest.length, "more column"), rest.reduce((sum, [, value]) => sum + value, 0)]);
  const largest = Math.max(...named.map(([, value]) => Math.abs(value)), 1e-12);
  at("reasons").replaceChildren(...named.map(([name, value]) => {
    const width = Math.abs(value) / largest * 50;
    const text = value >= 0 ? `+${short(value)}` : short(value);
    return bar(name, text, value >= 0 ? 50 : 50 - width, width, value >= 0 ? "up" : "down", true);
  }));
  at("why").querySelector(".legend").textContent = legend;
  at("sentences").replaceChildren(...sentences.map((text) => make("li", { textContent: text })));
}
