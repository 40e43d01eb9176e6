"use strict";
const model = JSON.parse(document.getElementById("model").textContent);
const { schema, examples, ranges, curve, outputs, explained: explainedOutput } = model;
const at = (id) => document.getElementById(id);

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element[name] = value;
  element.append(...children);
  return element;
}

function breakable(name) {
  return name.split(/(?<=_)/).flatMap((part) => [part, document.createElement("wbr")]);
}

function short(number) {
  if (number === 0) return "0";
  const size = Math.abs(number);
  const rounded = size >= 1e4 ? Math.round(size) : Number(size.toPrecision(4));
  const text = size >= 1e9 || size < 1e-4 ? size.toExponential(2) : String(rounded);
  return number < 0 ? `−${text}` : text;
}

function percent(share) {
  return `${(share * 100).toFixed(share >= 0.995 || share < 0.0995 ? 2 : 1)} %`;
}

const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

const isProbability = schema.score === "probability" || schema.score === "probabilities";
const scoreText = (score) => (isProbability ? percent(score) : short(score));

// A bar in a list: what it is of, what it says, and from where to where it goes in per cent.
function bar(name, text, start, width, kind, split) {
  const fill = make("u", { className: kind });
  fill.style.left = `${start}%`;
  fill.style.width = `${Math.max(width, 0.6)}%`;
  return make("li", {},
    make("div", {}, make("span", { textContent: name }), make("em", { textContent: text })),
    make("div", { className: split ? "bar split" : "bar" }, fill));
}
