function showProblem(problem) {
  for (const control of at("fields").querySelectorAll("input, select")) {
    const wrong = (problem?.violations || []).some(({ column }) => column === control.dataset.column);
    control.setAttribute("aria-invalid", String(wrong));
    if (wrong) control.setAttribute("aria-describedby", "problem");
    else control.removeAttribute("aria-describedby");
  }
  at("problem").hidden = !problem;
  if (!problem) return;
  at("problem").replaceChildren(...problemText(problem));
  at("value").textContent = "–";
  at("gauge").hidden = at("classes").hidden = at("why").hidden = true;
  at("verdict").replaceChildren();
}

let latest = 0, hasWhatIf = false;
async function score() {
  const number = ++latest, cells = row();
  const sent = rowsRequest([cells], "score", "predicted_label", "threshold", "contributions", "reasons", ...lineKeys);
  at("curl").textContent = command(sent);
  const answer = await predictions(sent);
  if (number !== latest) return;  // a newer row is on its way
  showProblem(answer.problem);
  if (answer.problem) return;
  const [found] = answer.rows;
  showScore(found);
  showReasons(found, cells);
  if (hasWhatIf) whatIf(cells, found);
}

// What is typed or moved is sent once it has rested.
function rested(send) {
  let waiting;
  return () => {
    clearTimeout(waiting);
    waiting = setTimeout(send, 200);
  };
}

// Says of each row to begin with what it scores, so that one can choose a high or a low one.
async function nameExamples() {
  const answer = await predictions(rowsRequest(examples, "score", "predicted_label"));
  if (answer.problem) return;
  answer.rows.forEach((found, place) => { at("example").options[place].textContent += `: ${outputText(found.score, found.predicted_label)}`; });
}

function start() {
  const begun = Object.values(examples[0]).some((value) => value !== null)
    ? "A row of training to begin with: change a field and see what follows."
    : "All fields are missing to begin with: fill some in and see what follows.";
  const meaning = schema.probability ? `The score is ${schema.probability}, the probability.` : "";
  at("about").textContent = [`${counted(inputs.length, "column")}, ${schema.objective}.`, meaning, begun].filter(Boolean).join(" ");
  at("fields").append(...inputs.map(field));
  at("example").append(...examples.map((_, place) => make("option", { value: place, textContent: `row ${place + 1}` })));
  const begin = () => { fill(examples[at("example").value]); score(); };
  at("form").addEventListener("submit", (event) => { event.preventDefault(); score(); });
  at("form").addEventListener("reset", (event) => { event.preventDefault(); begin(); });
  at("example").addEventListener("change", begin);
  const soon = rested(score), labelsSoon = rested(labelRows);
  for (const event of ["input", "change"]) at("fields").addEventListener(event, soon);
  if (curve) startThreshold(() => { soon(); labelsSoon(); });
  if (outputs.length > 1 && schema.task !== "multiclass" && schema.keys.includes("contributions")) startOutputs(score);
  hasWhatIf = startWhatIf(score);
  startRows();
  at("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(at("curl").textContent);
      at("copy").textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(at("curl"));
      at("copy").textContent = "Selected";
    }
  });
  begin();
  nameExamples();
}

start();
