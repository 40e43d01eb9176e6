const SHOWN_ROWS = 200;  // of the table; a saved file has all
const SHOWN_CELLS = 3;  // of each row, to know it again

// CSV as cells by row, as the server reads it: a quote opens a cell only at its beginning, and
// an empty line is a row where there is one column.
function csvRows(text, separator, most = Infinity) {
  const rows = [];
  let cells = [], cell = "", quoted = false, closed = false;
  const endCell = () => { cells.push(cell); cell = ""; closed = false; };
  let place = 0;
  for (; place < text.length && rows.length < most; place++) {
    const mark = text[place];
    if (quoted) {
      if (mark !== '"') cell += mark;
      else if (text[place + 1] === '"') { cell += '"'; place++; }
      else { quoted = false; closed = true; }
    } else if (mark === separator) endCell();
    else if (mark === "\n" || mark === "\r") {
      if (mark === "\r" && text[place + 1] === "\n") place++;
      endCell();
      rows.push(cells);
      cells = [];
    } else if (mark === '"' && !cell.trim()) { cell = ""; quoted = true; }
    else if (!closed) cell += mark;
  }
  if (cells.length || cell || closed) { endCell(); rows.push(cells); }
  while (rows.length > 1 && rows[0].length > 1 && rows.at(-1).join("") === "" && rows.at(-1).length === 1) rows.pop();
  return rows;
}

const nameOf = (cell, place) => cell.trim() || `Unnamed: ${place}`;

// What the server does to find a header: all cells are columns of training, all that it needs among them.
function isHeader(cells) {
  const names = new Set(cells.map(nameOf));
  return names.size === cells.length && inputs.every(({ name }) => names.has(name))
    && schema.columns.filter(({ name }) => names.has(name)).length === names.size;
}

// The names of the columns and the cells by row, of text that the server has scored.
function table(text) {
  const plain = text.replace(/^\uFEFF/, "");
  const { required, all } = schema.widths;
  const fits = (mark) => {
    const [first] = csvRows(plain, mark, 1);
    return isHeader(first) || (first.length === required || first.length === all) && (first.length > 1 || mark === ",");
  };
  const rows = csvRows(plain, [",", ";", "\t"].find(fits) || ",");
  if (isHeader(rows[0])) return [rows[0].map(nameOf), rows.slice(1)];
  const columns = rows[0].length === required ? inputs : schema.columns;
  return [columns.map(({ name }) => name), rows];
}

let scored = [];  // of each row its number, cells, score and label
let heads = [];
let sentRows = null;  // the text that was scored last, and what was sent of it

function outputText(score, label) {
  if (schema.task === "multiclass") {
    return Array.isArray(score) ? `${label} (${percent(Math.max(...score))})` : String(label);
  }
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
    const texts = [outputText(one.score, one.label), ...(hasLabel ? [one.label] : []), ...heads.slice(0, SHOWN_CELLS).map((_, place) => one.cells[place] ?? "")];
    return make("tr", {}, make("td", {}, open), ...texts.map((text) => make("td", { textContent: String(text) })));
  });
  at("rows-table").replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines)));
}

function countText(isOrdered) {
  const order = isOrdered && scored.length > 1 ? ", the highest score first" : "";
  const cutOff = scored.length > SHOWN_ROWS ? `, the first ${SHOWN_ROWS} are shown` : "";
  return `${counted(scored.length, "row")}${order}${cutOff}`;
}

async function scoreRows() {
  at("rows-told").textContent = "";
  const [file] = at("rows-file").files;
  const text = file ? await file.text() : at("rows-text").value;
  // of a file that is not UTF-8 the server says so; its text would hold other letters
  const body = text.includes("\uFFFD") && file ? file : text;
  sentRows = { text, body };
  await scoreSent();
}

// Asks the server for the labels again: they follow the threshold of the slider.
function labelRows() {
  if (sentRows) scoreSent();
}

let latestRows = 0;
async function scoreSent() {
  const number = ++latestRows, { text, body } = sentRows;
  const answer = await predictions(request(body, "text/csv", "score", "predicted_label"));
  if (number !== latestRows) return;
  const problem = answer.problem || (answer.rows.length ? null : { message: "There are no rows", hint: "Paste some, or choose a file" });
  at("rows-problem").hidden = !problem;
  at("rows-problem").replaceChildren(...(problem ? problemText(problem) : []));
  at("rows-table").hidden = at("rows-save").hidden = Boolean(problem);
  if (problem) {
    at("rows-told").textContent = "";
    sentRows = null;
    return;
  }
  const [names, cells] = table(text);
  heads = names;
  scored = answer.rows.map(({ score, predicted_label: label }, place) => ({ number: place + 1, cells: cells[place], score, label }));
  const isOne = schema.task !== "multiclass" && scored.every((one) => !Array.isArray(one.score));
  const ordered = isOne ? [...scored].sort((a, b) => b.score - a.score) : scored;
  showTable(ordered);
  const told = countText(isOne);
  if (at("rows-told").textContent !== told) at("rows-told").textContent = told;  // or it is read out again
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
  // text or a file: a field of text would make other line ends of a file's
  at("rows-text").addEventListener("input", () => { at("rows-file").value = ""; });
  at("rows-file").addEventListener("change", () => {
    if (!at("rows-file").files.length) return;
    at("rows-text").value = "";
    scoreRows();
  });
}
