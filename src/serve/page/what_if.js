// A class by its number says nothing of how near another one is: its margins do.
const lineKeys = schema.score === "class" && schema.task === "multiclass" ? ["raw_scores"] : ["score"];
const POINTS = 41;  // of a line over a column of numbers

// The numbers a column is tried with: those of training from the least to the greatest.
function numbersOf({ name }) {
  const seen = examples.map((row) => row[name]).filter((value) => typeof value === "number");
  const [low, high] = Object.hasOwn(ranges, name) ? ranges[name] : [Math.min(...seen), Math.max(...seen)];
  if (!(high > low)) return null;
  const isWhole = Number.isInteger(low) && Number.isInteger(high) && seen.every(Number.isInteger);
  const count = isWhole ? Math.min(high - low + 1, POINTS) : POINTS;
  const values = Array.from({ length: count }, (_, place) => low + (high - low) * place / (count - 1));
  return isWhole ? values.map(Math.round) : values;
}

function triedValues(column) {
  const listed = choices(column);
  if (listed) return column.kind === "boolean" ? [false, true, null] : [...listed, null];
  return column.kind === "number" ? numbersOf(column) : null;
}

// The one score of a row that a line can show: of classes the predicted one's probability.
function lineScore(found, label) {
  const scores = found.raw_scores || found.score;
  if (!Array.isArray(scores)) return scores;
  if (schema.task !== "multiclass") return scores[at("why-output").value || explainedOutput];
  const chosen = (schema.classes || scores.map((_, number) => number)).findIndex((name) => String(name) === String(label));
  return found.raw_scores ? 1 / (1 + Math.exp(-logOdds(scores, chosen))) : scores[chosen];
}

const lineText = (score) => (schema.task === "multiclass" ? percent(score) : scoreText(score));

// What a line or the bars are of, where a row has several scores.
function lineOf(label) {
  if (schema.task === "multiclass") return `Probability of ${label}: from`;
  return outputs.length > 1 ? `${outputs[at("why-output").value || explainedOutput]}: from` : "From";
}

// A cell is told by all its digits where four of them would name another one.
function cellText(value) {
  if (value === null) return "missing";
  if (typeof value !== "number") return String(value);
  return Number.isInteger(value) || Math.abs(value) >= 1e9 ? String(value) : short(value);
}

function line(values, scores, here, words) {
  const [width, height, left, right, low] = [at("what-if-line").clientWidth, 220, 76, 10, 180];
  const least = Math.min(...scores), most = Math.max(...scores);
  const x = (value) => left + (width - left - right) * (value - values[0]) / (values[values.length - 1] - values[0]);
  const y = (score) => (most > least ? low - 150 * (score - least) / (most - least) : 105);
  const path = values.map((value, place) => `${place ? "L" : "M"} ${x(value).toFixed(1)} ${y(scores[place]).toFixed(1)}`).join(" ");
  const inside = here && here.value >= values[0] && here.value <= values[values.length - 1];
  const point = inside ? `<circle class="here" r="6" stroke-width="2" cx="${x(here.value).toFixed(1)}" cy="${y(here.score).toFixed(1)}"/>` : "";
  const text = (place, level, anchor, content) => make("text", { textContent: content }).outerHTML
    .replace("<text>", `<text x="${place}" y="${level}" text-anchor="${anchor}">`);
  at("what-if-line").innerHTML = `<svg viewBox="0 0 ${width} ${height}" role="img">
    <path class="axis" d="M ${left} 20 V ${low + 10} H ${width - right}" fill="none"/>
    <path class="line" d="${path}" fill="none" stroke-width="2.5" stroke-linejoin="round"/>${point}
    ${most > least ? text(left - 8, 34, "end", lineText(most)) : ""}${text(left - 8, y(least) + 4, "end", lineText(least))}
    ${text(left, 210, "start", cellText(values[0]))}${text(width - right, 210, "end", cellText(values[values.length - 1]))}</svg>`;
  at("what-if-line").firstChild.setAttribute("aria-label", words);
}

function bars(values, scores) {
  const most = Math.max(...scores.map(Math.abs), 1e-12);
  at("what-if-bars").replaceChildren(...values.map((value, place) =>
    bar(cellText(value), lineText(scores[place]), 0, Math.abs(scores[place]) / most * 100, "plain", false)));
}

let latestWhatIf = 0;
// Scores the row once for each value of the chosen column, all in one request.
async function whatIf(cells, found) {
  const number = ++latestWhatIf;
  const column = inputs[at("what-if-column").value];
  const values = triedValues(column);
  const tried = values.map((value) => ({ ...cells, [column.name]: value }));
  const answer = await predictions(rowsRequest(tried, ...lineKeys));
  if (number !== latestWhatIf || answer.problem) return;
  const scores = answer.rows.map((row) => lineScore(row, found.predicted_label));
  const best = scores.indexOf(Math.max(...scores)), worst = scores.indexOf(Math.min(...scores));
  const said = (place) => `${lineText(scores[place])} (${column.name} = ${cellText(values[place])})`;
  const words = scores[best] === scores[worst]
    ? `The score does not change with ${column.name}`
    : `${lineOf(found.predicted_label)} ${said(worst)} to ${said(best)}, all else as above`;
  const isLine = !choices(column);
  at("what-if-line").hidden = !isLine;
  at("what-if-bars").hidden = isLine;
  const value = cells[column.name];
  const here = typeof value === "number" ? { value, score: lineScore(found, found.predicted_label) } : null;
  if (isLine) line(values, scores, here, words);
  else bars(values, scores);
  at("what-if-told").textContent = words;
}

function startWhatIf(changed) {
  const usable = inputs.map((column, number) => [column, number]).filter(([column]) => triedValues(column));
  if (!usable.length) return false;
  at("what-if-column").append(...usable.map(([{ name }, number]) => make("option", { value: number, textContent: name })));
  at("what-if-column").addEventListener("change", changed);
  at("what-if").hidden = false;
  return true;
}
