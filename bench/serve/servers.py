"""The servers that are compared: how each is started, asked and measured."""

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson

WORKERS = 2
START_SECONDS = 120.0

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Model:
    """A trained folder (`root` stands for /opt/ml) and one row of its table in each form."""

    name: str
    root: Path
    row: bytes
    record: bytes
    numbers: tuple[float, ...]


@dataclass(frozen=True)
class Server:
    """A server of the comparison: its command, with PORT in place of the port."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    path: str = "/invocations"
    ready: str = "/ping"


def ours(model: Model) -> Server:
    """Return the server of this project."""
    return Server(
        "sagetree",
        (str(BIN / "sagetree"), "serve", "--host", "127.0.0.1", "--port", "PORT"),
        {"SAGEMAKER_BASE_DIR": str(model.root)},
    )


def of_many(model: Model) -> Server:
    """Return the server of this project as a multi-model endpoint; `load_into` gives it a model."""
    one = ours(model)
    environment = {**one.environment, "SAGEMAKER_MULTI_MODEL": "true"}
    return replace(one, name="many models", environment=environment, path="/models/m/invoke")


def _gunicorn(name: str, *options: str) -> Server:
    command = (
        str(BIN / "gunicorn"), "--bind", "127.0.0.1:PORT", "--workers", str(WORKERS),
        "--no-control-socket", *options, f"bench.serve.rivals.{name}:app",
    )  # fmt: skip
    return Server(name, command)


def rivals(model: Model, mlserver: Path | None) -> Iterator[Server]:
    """Yield the others; `mlserver` is the environment MLServer and its XGBoost runtime are in."""
    environment = {"BENCH_MODEL": str(model.root / "rival")}
    for server in (
        _gunicorn("obvious", "--worker-class", "gthread", "--threads", "8"),
        _gunicorn("handwritten", "--worker-class", "sync"),
        _gunicorn("constant", "--worker-class", "asgi"),
    ):
        yield Server(server.name, server.command, environment)
    if mlserver is not None:
        folder = model.root / "mlserver"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        settings = {
            "name": "m",
            "implementation": "mlserver_xgboost.XGBoostModel",
            "parameters": {"uri": str(model.root / "rival" / "xgboost-model.ubj")},
        }
        (folder / "model-settings.json").write_bytes(orjson.dumps(settings))
        yield Server(
            "mlserver",
            (str(mlserver / "bin" / "mlserver"), "start", str(folder)),
            {
                "MLSERVER_PARALLEL_WORKERS": str(WORKERS),
                "MLSERVER_HTTP_PORT": "PORT",
                "MLSERVER_GRPC_PORT": str(free_port()),
                "MLSERVER_METRICS_PORT": str(free_port()),
                "MLSERVER_HOST": "127.0.0.1",
            },
            path="/v2/models/m/infer",
            ready="/v2/models/m/ready",
        )


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Running:
    """A server that runs; `seconds` is from its start to the first good answer."""

    server: Server
    process: "subprocess.Popen[bytes]"
    port: int
    seconds: float

    def processes(self) -> list[int]:
        """Return the master's process id and those below it."""
        found, new = [], [self.process.pid]
        while new:
            pid = new.pop()
            found.append(pid)
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                new += map(int, task.read_text().split())
        return found

    def cpu_seconds(self) -> float:
        """Return the processor time all its processes have used."""
        ticks = 0
        for pid in self.processes():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def worker_memory(self) -> list[float]:
        """Return the proportional set size of each process below the master, in MB."""
        sizes = []
        for pid in self.processes()[1:]:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            sizes.append(int(re.findall(r"^Pss:\s+(\d+)", text, re.MULTILINE)[0]) / 1024)
        return sizes

    def ask(self, body: bytes, kind: str, path: str | None = None, **headers: str) -> bytes:
        """Return the answer to one request, by default to the server's path; it has to be good."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        asked = path or self.server.path
        connection.request("POST", asked, body, {"Content-Type": kind, **headers})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{self.server.name} answers {answer.status}: {text[:300]!r}")
        return text


def load_into(server: Running, model: Model) -> None:
    """Load the model into a multi-model endpoint under the name that its path has."""
    body = orjson.dumps({"model_name": "m", "url": str(model.root / "model")})
    server.ask(body, "application/json", "/models")


@contextmanager
def running(server: Server, log: Path) -> Iterator[Running]:
    """Run a server until the end of the block."""
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    environment = inherited | {
        name: value.replace("PORT", str(port)) for name, value in server.environment.items()
    }
    environment["SAGEMAKER_MODEL_SERVER_WORKERS"] = str(WORKERS)
    command = [part.replace("PORT", str(port)) for part in server.command]
    begin = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        while not _is_ready(port, server.ready):
            if process.poll() is not None or time.monotonic() - begin > START_SECONDS:
                raise RuntimeError(f"{server.name} does not start: {log.read_text()[-2000:]}")
            time.sleep(0.01)
        yield Running(server, process, port, time.monotonic() - begin)
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_ready(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
