"""The real server as a process: started on a free port, stopped by its pid."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.serve.artifacts import INPUTS, client_for
from tests.serve.rows import csv_body, records

ROWS = records(5, seed=31)
CSV = csv_body(INPUTS, ROWS, header=False)

PROGRAM = (sys.executable, "-c", "import sys; from sagetree.cli import main; sys.exit(main())")

# A start takes 1-2 s; the bound is for a machine that is busy with other tests.
START_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class ServerProcess:
    """A running server."""

    process: "subprocess.Popen[bytes]"
    log: Path
    port: int

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def get(self, path: str) -> Answer:
        return self.request("GET", path, None, {})

    def post(self, body: object, kind: str = "text/csv", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", "/invocations", body, {"Content-Type": kind} | named)

    def request(self, method: str, path: str, body: object, headers: dict[str, str]) -> Answer:
        connection = self.connect()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def workers(self) -> set[int]:
        """The pids of the workers."""
        pid = self.process.pid
        return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Tell the server to end and return its exit code."""
        self.process.send_signal(signal_number)
        return self.process.wait(30)

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()


def environment(base_dir: Path, **variables: str) -> dict[str, str]:
    """The environment of a server process; what a developer's shell has set does not count."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SAGEMAKER_")}
    kept.pop("OMP_NUM_THREADS", None)
    chosen = {"SAGEMAKER_BASE_DIR": str(base_dir), "SAGEMAKER_MODEL_SERVER_WORKERS": "2"}
    return kept | chosen | variables


@contextmanager
def serving(
    base_dir: Path, log: Path, *options: str, cwd: Path | None = None, **variables: str
) -> Iterator[ServerProcess]:
    """Run `sagetree serve` on loopback; it is listening, its model may not be there yet."""
    command = [*PROGRAM, "serve", "--host", "127.0.0.1", "--port", "0", *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment(base_dir, **variables),
            cwd=cwd,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # for Ctrl-C, which goes to a whole session
        )
    try:
        yield ServerProcess(process, log, _port(process, log))
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        found = re.search(r"serving http://127\.0\.0\.1:(\d+) ", log.read_text())
        if found:
            return int(found[1])
        assert process.poll() is None, log.read_text()
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def eventually(check: Callable[[], bool], seconds: float = START_SECONDS) -> None:
    """Wait until `check` holds; a bounded time."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def healthy(server: ServerProcess) -> bool:
    """Whether the worker that answers /ping has its model."""
    return server.get("/ping").status == 200


def complete(server: ServerProcess) -> bool:
    """Whether both workers have their model."""
    return server.log.read_text().count("model ready") == 2


def scores_in_process(folder: Path) -> bytes:
    """What the application answers to CSV when it runs in this process."""
    return client_for(folder).post("/invocations", data=CSV, content_type="text/csv").data


def ask(server: ServerProcess, method: str, path: str, body: bytes | None = None) -> Answer:
    """Send any request, its body as CSV."""
    return server.request(method, path, body, {"Content-Type": "text/csv"})


def load(server: ServerProcess, name: str, folder: Path) -> int:
    """Load a model into a server of many; return the status."""
    body = json.dumps({"model_name": name, "url": str(folder)}).encode()
    return ask(server, "POST", "/models", body).status
