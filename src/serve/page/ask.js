let cut = null;  // the threshold that the slider has set, if it has

function attributes(...wanted) {
  const keys = [...new Set(wanted)].filter((key) => schema.keys.includes(key)).join(",");
  return `inference_output=${keys}${cut === null ? "" : `;decision=${cut}`}`;
}

function request(body, type, ...wanted) {
  return {
    method: "POST",
    headers: {
      "Content-Type": type,
      "Accept": "application/json",
      "X-Amzn-SageMaker-Custom-Attributes": attributes(...wanted),
    },
    body,
  };
}

function rowsRequest(rows, ...wanted) {
  return request(JSON.stringify(rows), "application/json", ...wanted);
}

// The answer's predictions, or the problem that stands in their place.
async function predictions(sent) {
  try {
    const answer = await fetch("invocations", sent);
    const found = answer.status === 204 ? { predictions: [] } : await answer.json();
    return answer.ok ? { rows: found.predictions } : { problem: found };
  } catch {
    return { problem: { message: "The server does not answer", hint: "Is it still running?" } };
  }
}

function problemText({ where, message, hint }) {
  return [
    make("p", {}, make("b", { textContent: `${where ? `${where}: ` : ""}${message}` })),
    make("p", { textContent: hint || "" }),
  ];
}

function shell(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function command({ headers, body }) {
  const address = new URL("invocations", location.href).href;
  const lines = Object.entries(headers).map(([name, value]) => `  -H ${shell(`${name}: ${value}`)}`);
  return [`curl ${shell(address)}`, ...lines, `  -d ${shell(body)}`].join(" \\\n");
}
