"""The programs of one point of a ladder, and what each of them takes.

Whoever imports this stays small: a process that it starts counts its memory as its own.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

PROGRAM = str(Path(sys.executable).with_name("sagetree"))
SETTINGS = ("preset=xgboost", "max_depth=6", "num_round=20", "eval_metric=auc", "target=y")

# A request of the server: as much as a batch transform job sends at once unless it is told.
BODY = 6_000_000

# More columns than these need more than the 1 GB that the database of `prepare` may hold.
USUAL_COLUMNS, WIDE_MEMORY = 1000, ("--memory-limit", "4GB")

# Seconds that a server may take to load its model.
LOADING = 300.0


class Cost(NamedTuple):
    """What one program took: processor seconds of all its processes, MB of the largest one."""

    seconds: float
    megabytes: float


def generate(root: Path, rows: int, columns: int) -> None:
    """Write the tables of a point."""
    words = ["-m", "bench.scale.tables", str(root), str(rows), str(columns)]
    subprocess.run([sys.executable, *words], check=True)


def programs(root: Path, columns: int) -> Mapping[str, Callable[[], Cost]]:
    """Return what runs each program on the point's tables, in the order that they need."""
    model, test = str(root / "memory"), str(root / "test")
    memory = WIDE_MEMORY if columns > USUAL_COLUMNS else ()
    return {
        "prepare": lambda: run(["prepare", str(root / "tables" / "features.csv"),
                                str(root / "tables" / "labels.csv"), "--key", "id",
                                "--label", "y", "--out", str(root / "prepared"), *memory]),
        "train": lambda: run(_train(root, "memory", "external_memory=false")),
        "train, disk": lambda: run(_train(root, "disk", "external_memory=true")),
        "evaluate": lambda: run(["evaluate", model, test, "--out", str(root / "evaluated")]),
        "predict": lambda: run(["predict", "--model", model, test,
                                "--output", str(root / "scores.csv")]),
        "serve": lambda: serve(Path(model), root / "test" / "data.csv"),
    }  # fmt: skip


def _train(root: Path, name: str, way: str) -> list[str]:
    words = [word for setting in (*SETTINGS, way) for word in ("--set", setting)]
    channels = [str(root / "train"), "--validation", str(root / "validation")]
    return ["train", *channels, "--out", str(root / name), *words]


def run(words: Sequence[str]) -> Cost:
    """Run `sagetree` to its end and return what it took."""
    process = subprocess.Popen([PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.stdout.read() if process.stdout else b""
    cost, code = _ended(process)
    if code:
        sys.exit(f"sagetree {' '.join(words)} failed:\n{output.decode()}")
    return cost


def _ended(process: subprocess.Popen[bytes]) -> tuple[Cost, int]:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024), process.returncode


def serve(model: Path, rows: Path) -> Cost:
    """Send all rows of a file to a server, and return what it took beside its start."""
    idle, _ = _served(model, [])
    taken, megabytes = _served(model, bodies(rows))
    return Cost(max(taken - idle, 0.0), megabytes)


def _served(model: Path, sent: Iterator[bytes] | list[bytes]) -> Cost:
    port = 8765
    environment = {**os.environ, "SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
    command = [PROGRAM, "serve", str(model), "--host", "127.0.0.1", "--port", str(port)]
    with (model / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait_until_ready(port)
        connection = HTTPConnection("127.0.0.1", port, timeout=120)
        for body in sent:
            connection.request("POST", "/invocations", body, {"Content-Type": "text/csv"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                sys.exit(f"the server answers {answer.status}: {text[:500].decode()}")
        connection.close()
    finally:
        process.send_signal(signal.SIGTERM)
        cost, _ = _ended(process)
    return cost


def _wait_until_ready(port: int) -> None:
    end = time.monotonic() + LOADING
    while time.monotonic() < end:
        with suppress(OSError):
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/ping")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.2)
    sys.exit("the server did not load its model")


def bodies(file: Path) -> Iterator[bytes]:
    """Yield the rows of a CSV file in bodies of some MB, each with the header, without the label.

    The label is the file's first column, of one character.
    """
    with file.open("rb") as lines:
        header = lines.readline().split(b",", 1)[1]
        body, size = [header], 0
        for line in lines:
            body.append(line[2:])
            size += len(line)
            if size >= BODY:
                yield b"".join(body)
                body, size = [header], 0
    if size:
        yield b"".join(body)
