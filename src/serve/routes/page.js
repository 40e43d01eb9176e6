"use strict";
const model = JSON.parse(document.getElementById("model").textContent);
const { schema, example } = model;
const at = (id) => document.getElementById(id);
const BARS = 8;  // of the reasons, the strongest; the others are summed up
const OTHER = "\u0000other";
const inputs = schema.columns.filter((column) => column.required);

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element[name] = value;
  element.append(...children);
  return element;
}

function choices(column) {
  if (column.kind === "boolean") return ["true", "false"];
  return column.kind === "mixed" ? null : column.categories || null;
}

function breakable(name) {
  return name.split(/(?<=_)/).flatMap((part) => [part, document.createElement("wbr")]);
}

function field(column, number) {
  const options = choices(column);
  const value = example[column.name];
  const text = value === null || value === undefined ? "" : String(value);
  let control;
  if (options) {
    control = make("select", {}, make("option", { value: "", textContent: "missing" }));
    const listed = options.includes(text) || text === "" ? options : [...options, text];
    for (const option of listed) control.append(make("option", { value: option, textContent: option }));
    if (column.kind !== "boolean") control.append(make("option", { value: OTHER, textContent: "never seen in training" }));
    for (const option of control.options) option.defaultSelected = option.value === text;
  } else {
    control = make("input", { type: "text", defaultValue: text, placeholder: "missing", autocomplete: "off" });
    if (column.kind === "number") control.inputMode = "decimal";
  }
  control.id = `field-${number}`;
  control.dataset.column = column.name;
  return make("label", { htmlFor: control.id },
    make("div", { className: "name" }, make("b", {}, ...breakable(column.name)), make("i", { textContent: column.kind })),
    control);
}

function cell(column, text) {
  if (text === "") return null;
  if (text === OTHER) return "never seen in training";
  if (column.kind === "boolean") return text === "true";
  if (column.kind === "number") {
    const number = Number(text.trim());
    return Number.isFinite(number) && text.trim() !== "" ? number : text;
  }
  return text;
}

function row() {
  return Object.fromEntries(inputs.map((column, number) => [column.name, cell(column, at(`field-${number}`).value)]));
}

function asked() {
  const wanted = ["score", "predicted_label", "threshold", "contributions", "reasons"];
  return wanted.filter((key) => schema.keys.includes(key)).join(",");
}

function request() {
  return {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "Accept": "application/json",
      "X-Amzn-SageMaker-Custom-Attributes": `inference_output=${asked()}`,
    },
    body: JSON.stringify([row()]),
  };
}

function shell(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function command({ headers, body }) {
  const address = new URL("invocations", location.href).href;
  const lines = Object.entries(headers).map(([name, value]) => `  -H ${shell(`${name}: ${value}`)}`);
  return [`curl ${shell(address)}`, ...lines, `  -d ${shell(body)}`].join(" \\\n");
}

function short(number) {
  if (number === 0) return "0";
  const size = Math.abs(number);
  const text = size >= 1e6 || size < 1e-4 ? size.toExponential(2) : String(Number(size.toPrecision(4)));
  return number < 0 ? `−${text}` : text;
}

function percent(share) {
  return `${(share * 100).toFixed(share >= 0.995 || share < 0.0995 ? 2 : 1)} %`;
}

function gauge(share, threshold) {
  const point = (value, radius) => {
    const angle = Math.PI * (1 - value);
    return [60 + radius * Math.cos(angle), 58 - radius * Math.sin(angle)].map((x) => x.toFixed(2));
  };
  const arc = "M 14 58 A 46 46 0 0 1 106 58";
  const length = Math.PI * 46;
  let tick = "";
  if (threshold !== undefined) {
    const [x1, y1] = point(threshold, 38), [x2, y2] = point(threshold, 54);
    tick = `<line class="tick" stroke-width="1.5" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
  }
  at("gauge").innerHTML = `<svg viewBox="0 0 120 70" role="img" aria-label="${percent(share)}">
    <path class="track" d="${arc}" fill="none" stroke-width="10"/>
    <path class="arc" d="${arc}" fill="none" stroke-width="10"
      stroke-dasharray="${length} 400" stroke-dashoffset="${length * (1 - share)}"/>${tick}
    <text x="14" y="65" text-anchor="middle">0</text><text x="106" y="65" text-anchor="middle">1</text></svg>`;
  at("gauge").hidden = false;
}

function bar(name, told, start, width, kind, split) {
  const fill = make("u", { className: kind });
  fill.style.left = `${start}%`;
  fill.style.width = `${Math.max(width, 0.6)}%`;
  return make("li", {},
    make("div", {}, make("span", { textContent: name }), make("em", { textContent: told })),
    make("div", { className: split ? "bar split" : "bar" }, fill));
}

function showClasses(scores) {
  const names = schema.classes || scores.map((_, number) => number);
  at("classes").replaceChildren(...scores.map((share, number) =>
    bar(String(names[number]), percent(share), 0, share * 100, "plain", false)));
  at("classes").hidden = false;
}

function showScore(found) {
  const score = found.score;
  at("classes").hidden = at("gauge").hidden = true;
  if (Array.isArray(score)) {
    at("value").textContent = "predicted_label" in found ? String(found.predicted_label) : score.map(short).join(", ");
    at("score-title").textContent = "predicted_label" in found ? "Predicted label" : "Scores";
    if (schema.score === "probabilities") showClasses(score);
    return;
  }
  const probable = schema.score === "probability";
  at("score-title").textContent = schema.probability || "Score";
  at("value").textContent = probable ? percent(score) : short(score);
  if (probable) gauge(score, found.threshold);
  const told = [];
  if ("predicted_label" in found) told.push("Predicted label ", make("b", { textContent: String(found.predicted_label) }));
  if ("threshold" in found) told.push(`, the threshold is ${percent(found.threshold)}`);
  at("verdict").replaceChildren(...told);
}

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

// What the bars show, and the words above them; several outputs that are not classes have no bars.
function explained(found) {
  const parts = found.contributions;
  if (!parts) return [{}, ""];
  if (!Array.isArray(parts)) {
    const unit = schema.score === "probability" ? " in log-odds" : "";
    return [parts.columns, `What moves the score up (right) and down (left)${unit}, from ${short(parts.base_value)}`];
  }
  if (schema.task !== "multiclass") return [{}, ""];
  const label = found.predicted_label;
  return [classEffects(parts, label), `What moves the probability of ${label} up (right) and down (left) in log-odds`];
}

function showReasons(found, cells) {
  const [columns, legend] = explained(found);
  const sentences = found.reasons || [];
  at("why").hidden = !legend && !sentences.length;
  const moving = Object.entries(columns).filter(([, value]) => value !== 0);
  const all = moving.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const shown = all.slice(0, BARS), rest = all.slice(BARS);
  const named = shown.map(([name, value]) => [`${name} = ${cells[name] ?? "missing"}`, value]);
  if (rest.length) named.push([`${rest.length} more columns`, rest.reduce((sum, [, value]) => sum + value, 0)]);
  const largest = Math.max(...named.map(([, value]) => Math.abs(value)), 1e-12);
  at("reasons").replaceChildren(...named.map(([name, value]) => {
    const width = Math.abs(value) / largest * 50;
    const told = value >= 0 ? `+${short(value)}` : short(value);
    return bar(name, told, value >= 0 ? 50 : 50 - width, width, value >= 0 ? "up" : "down", true);
  }));
  at("why").querySelector(".legend").textContent = legend;
  at("sentences").replaceChildren(...sentences.map((text) => make("li", { textContent: text })));
}

function showProblem(problem) {
  for (const control of at("fields").querySelectorAll("input, select")) {
    const wrong = (problem?.violations || []).some(({ column }) => column === control.dataset.column);
    control.setAttribute("aria-invalid", String(wrong));
  }
  at("problem").hidden = !problem;
  if (!problem) return;
  const place = problem.where ? `${problem.where}: ` : "";
  at("problem").replaceChildren(
    make("p", {}, make("b", { textContent: `${place}${problem.message}` })),
    make("p", { textContent: problem.hint || "" }));
  at("value").textContent = "–";
  at("gauge").hidden = at("classes").hidden = at("why").hidden = true;
  at("verdict").replaceChildren();
}

let latest = 0;
async function score() {
  const number = ++latest, cells = row(), sent = request();
  at("curl").textContent = command(sent);
  let answer, told;
  try {
    answer = await fetch("invocations", sent);
    told = await answer.json();
  } catch {
    answer = { ok: false };
    told = { message: "The server does not answer", hint: "Is it running still?" };
  }
  if (number !== latest) return;  // a newer row is on its way
  if (!answer.ok) return showProblem(told);
  showProblem(null);
  showScore(told.predictions[0]);
  showReasons(told.predictions[0], cells);
}

let waiting;
function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(score, 200);
}

const begun = Object.values(example).some((value) => value !== null)
  ? "A row of training to begin with: change a field and see what follows."
  : "All fields are missing to begin with: fill some in and see what follows.";
at("about").textContent = `${inputs.length} columns, ${schema.objective}. ${begun}`;
at("fields").append(...inputs.map(field));
at("form").addEventListener("submit", (event) => { event.preventDefault(); score(); });
for (const event of ["input", "change"]) at("form").addEventListener(event, soon);
at("form").addEventListener("reset", () => setTimeout(score));
at("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(at("curl").textContent);
    at("copy").textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(at("curl"));
    at("copy").textContent = "Selected";
  }
});
score();
