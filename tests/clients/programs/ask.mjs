// Node's fetch, and its http module with connections that are kept.
import { readFileSync } from "node:fs";
import http from "node:http";

const [server, file] = process.argv.slice(2);
const rows = readFileSync(file, "utf8").trim().split("\n");
const post = (body, more = {}) =>
  fetch(`${server}/invocations`, { method: "POST", headers: { "Content-Type": "text/csv" }, body, ...more });
const show = async (way, answer) => console.log(way, answer.status, (await answer.text()).trim());

for (const row of rows) await show("text", await post(row));
for (const row of rows) await show("chunked", await post(new Blob([row]).stream(), { duplex: "half" }));
for (const answer of await Promise.all(rows.map((row) => post(row)))) await show("together", answer);

const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
const kept = (row) =>
  new Promise((resolve, reject) => {
    const headers = { "Content-Type": "text/csv", Expect: "100-continue" };
    const request = http.request(`${server}/invocations`, { method: "POST", agent, headers }, (answer) => {
      answer.setEncoding("utf8");
      let text = "";
      answer.on("data", (piece) => (text += piece));
      answer.on("end", () => resolve(`kept ${answer.statusCode} ${text.trim()}`));
    });
    request.on("error", reject);
    request.on("continue", () => request.end(row));
    request.flushHeaders();
  });
for (const line of await Promise.all(rows.map(kept))) console.log(line);
agent.destroy();
await show("ping", await fetch(`${server}/ping`));
