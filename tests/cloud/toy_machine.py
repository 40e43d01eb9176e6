"""A machine for the desk without Docker: jobs are small programs, a server is a thread."""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from local_test.cloud.pipeline.containers import Ended, Server


class Model(BaseHTTPRequestHandler):
    """Scores each row .5, and refuses those with a certain amount as the image does."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rows = rows if isinstance(rows, list) else [rows]  # a line of JSON Lines
        wrong = any(row.get("amount") == "refuse" for row in rows)
        said: object = {"predictions": [{"score": 0.5}] * len(rows)}
        if wrong:
            said = {"message": "column 'a' is missing"}
        body = json.dumps(said).encode()
        self.send_response(422 if wrong else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class ToyMachine:
    """`job` runs its command's words as a Python program in /opt/ml; `fails` ends serving so.

    A look for drift finds some.
    """

    fails: str = ""
    running: dict[str, ThreadingHTTPServer] = field(default_factory=dict)

    def job(self, command: Sequence[str], opt_ml: Path, environment: Mapping[str, str]) -> Ended:
        if command[0] == "sagetree":
            found = {"feature_name": "amount", "description": "it has moved"}
            results = opt_ml / "processing" / "resultdata"
            (results / "constraint_violations.json").write_text(json.dumps({"violations": [found]}))
            return Ended(0, "")
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", " ".join(command)],
            cwd=opt_ml, env=dict(environment), capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return Ended(done.returncode, done.stderr)

    def serve(self, model: Path, environment: Mapping[str, str]) -> Server | Ended:
        if self.fails:
            return Ended(1, self.fails)
        server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        name = f"toy-{server.server_port}"
        self.running[name] = server
        return Server(name, f"http://127.0.0.1:{server.server_port}")

    def close(self) -> None:
        for server in [*self.running]:
            self._stop(server)

    def remove(self, server: Server) -> None:
        self._stop(server.name)

    def _stop(self, name: str) -> None:
        stopped = self.running.pop(name)
        stopped.shutdown()
        stopped.server_close()
