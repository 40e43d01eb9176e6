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
  at("score-title").textContent = schema.probability || "Score";
  at("value").textContent = scoreText(score);
  if (schema.score === "probability") gauge(score, found.threshold);
  const words = [];
  if ("predicted_label" in found) words.push("Predicted label ", make("b", { textContent: String(found.predicted_label) }));
  if ("threshold" in found) words.push(`, the threshold is ${percent(found.threshold)}`);
  at("verdict").replaceChildren(...words);
}

// What a threshold gives on the rows that it was chosen on: the slider's words.
function cutText(place) {
  const { thresholds, precision, recall, alerts } = curve;
  return `At ${percent(thresholds[place])}: precision ${percent(precision[place])}, ` +
    `recall ${percent(recall[place])}, ${percent(alerts[place])} of all rows are called positive`;
}

// The slider goes along the curve's thresholds, the least on the left.
function startThreshold(changed) {
  const last = curve.thresholds.length - 1;
  const distance = (place) => Math.abs(curve.thresholds[place] - schema.threshold);
  const chosen = curve.thresholds.reduce((best, _, place) => (distance(place) < distance(best) ? place : best), 0);
  const begun = (text) => (distance(chosen)
    ? `The threshold is ${percent(schema.threshold)}, ${curve.chosen}. The nearest that was tried: ${text.replace("At", "at")}.`
    : `${text}. It is ${curve.chosen}.`);
  const slider = at("cut");
  const show = () => {
    const text = cutText(last - slider.valueAsNumber);
    slider.setAttribute("aria-valuetext", text);
    at("cut-told").textContent = cut === null ? begun(text) : `${text}.`;
  };
  slider.max = String(last);
  slider.value = String(last - chosen);
  slider.addEventListener("input", () => {
    cut = curve.thresholds[last - slider.valueAsNumber];
    show();
    changed();
  });
  at("threshold").hidden = false;
  show();
}
