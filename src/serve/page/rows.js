const SHOWN_ROWS = 200;  // of the table; a saved file has all
const SHOWN_CELLS = 3;  // of each row, to know it again

// CSV as cells by row, by the separator that the first line has most of.
function csvRows(text) {
  const first = text.slice(0, text.search(/\r|\n|$/));
  const separators = [",", ";", "\t"].map((mark) => [first.split(mark).length, mark]);
  const separator = separators.sort((a, b) => b[0] - a[0])[0][1];
  const rows = [];
  let cells = [], cell = "", quoted = false;
  const endRow = () => {
    if (cells.length || cell) rows.push([...cells, cell]);
    cells = [];
    cell = "";
  };
  for (let place = 0; place < text.length; place++) {
    const mark = text[place];
    if (quoted && mark === '"' && text[place + 1] === '"') { cell += '"'; place++; }
    else if (quoted || mark === '"') { if (mark === '"') quoted = !quoted; else cell += mark; }
    else if (mark === separator) { cells.push(cell); cell = ""; }
    else if (mark === "\n" || mark === "\r") endRow();
    else cell += mark;
  }
  endRow();
  return rows;
}

let scored = [];  // of each row its number, cells, score and label
let heads = [];

function outputText({ score }) {
  return Array.isArray(score) ? score.map(scoreText).join(", ") : scoreText(score);
}

function openRow({ cells }) {
  fill(Object.fromEntries(heads.map((name, place) => [name, cells[place]])));
  at("form").scrollIntoView();
  at("field-0").focus();
  score();
}

function showTable(found) {
  const hasLabel = found[0].label !== undefined;
  const titles = ["row", "score", ...(hasLabel ? ["label"] : []), ...heads.slice(0, SHOWN_CELLS)];
  const head = make("tr", {}, ...titles.map((name) => make("th", { scope: "col", textContent: name })));
  const lines = found.slice(0, SHOWN_ROWS).map((one) => {
    const open = make("button", { type: "button", textContent: one.number });
    open.setAttribute("aria-label", `Open row ${one.number} in the form`);
    open.addEventListener("click", () => openRow(one));
    const texts = [outputText(one), ...(hasLabel ? [one.label] : []), ...heads.slice(0, SHOWN_CELLS).map((_, place) => one.cells[place] ?? "")];
    return make("tr", {}, make("td", {}, open), ...texts.map((text) => make("td", { textContent: String(text) })));
  });
  at("rows-table").replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines)));
}

async function scoreRows() {
  const text = at("rows-text").value;
  const answer = await predictions(request(text, "text/csv", "score", "predicted_label"));
  const problem = answer.problem || (answer.rows.length ? null : { message: "There are no rows", hint: "Paste some, or choose a file" });
  at("rows-problem").hidden = !problem;
  at("rows-problem").replaceChildren(...(problem ? problemText(problem) : []));
  at("rows-table").hidden = at("rows-save").hidden = Boolean(problem);
  at("rows-told").textContent = "";
  if (problem) return;
  const cells = csvRows(text), hasHead = cells.length > answer.rows.length;
  heads = hasHead ? cells.shift() : inputs.map(({ name }) => name);
  scored = answer.rows.map(({ score, predicted_label: label }, place) => ({ number: place + 1, cells: cells[place] || [], score, label }));
  const isOne = scored.every((one) => !Array.isArray(one.score));
  const ordered = isOne ? [...scored].sort((a, b) => b.score - a.score) : scored;
  showTable(ordered);
  const cutOff = scored.length > SHOWN_ROWS ? `, the first ${SHOWN_ROWS} are shown` : "";
  at("rows-told").textContent = `${scored.length} rows${isOne ? ", the highest score first" : ""}${cutOff}`;
}

// Scores in the order of the rows, to be pasted beside them.
function saveScores() {
  const quote = (value) => (/[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  const labels = scored.some(({ label }) => label !== undefined);
  const many = Array.isArray(scored[0].score) ? scored[0].score.map((_, number) => `score_${number}`) : ["score"];
  const lines = scored.map(({ score, label }) => [score, ...(labels ? [label] : [])].flat().map(quote).join(","));
  const text = [[...many, ...(labels ? ["predicted_label"] : [])].join(","), ...lines, ""].join("\n");
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  make("a", { href: address, download: "scores.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

function startRows() {
  at("rows-score").addEventListener("click", scoreRows);
  at("rows-save").addEventListener("click", saveScores);
  at("rows-file").addEventListener("change", async () => {
    const [file] = at("rows-file").files;
    if (!file) return;
    at("rows-text").value = await file.text();
    scoreRows();
  });
}
