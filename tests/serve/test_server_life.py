"""How the server starts and ends: stop, crash, loading, reload, on the real gunicorn."""

import http.client
import json
import os
import select
import shutil
import signal
import socket
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from sagetree.bundle.bundle import SCHEMA_FILE, ModelBundle
from sagetree.bundle.file_names import MODEL_FILE
from sagetree.serve.cli import main
from sagetree.serve.http.worker import GRACEFUL_SECONDS
from sagetree.serve.server import OWN_PACKAGE
from tests.serve.server_process import (
    CSV,
    START_SECONDS,
    ServerProcess,
    complete,
    eventually,
    healthy,
    scores_in_process,
    serving,
)

SOURCES = Path(__file__).parents[2] / "src"


class SlowRequest:
    """A request whose body comes in two parts: it runs until `finish`."""

    def __init__(self, server: ServerProcess) -> None:
        self._connection = server.connect()
        self._connection.putrequest("POST", "/invocations")
        self._connection.putheader("Content-Type", "text/csv")
        self._connection.putheader("Content-Length", str(len(CSV)))
        self._connection.endheaders(CSV[:10])
        time.sleep(0.2)  # a worker has taken it

    def finish(self) -> tuple[int, bytes]:
        """Send the rest and return status and body of the answer."""
        self._connection.send(CSV[10:])
        answer = self._connection.getresponse()
        found = answer.status, answer.read()
        self._connection.close()
        return found


@pytest.mark.parametrize(
    "whom",
    [
        "SIGTERM to the master",
        pytest.param("SIGINT to all, as Ctrl-C sends it", marks=pytest.mark.long),
    ],
)
def test_running_requests_are_finished_before_the_end(base_dir: Path, tmp_path: Path, whom: str):
    with serving(base_dir, tmp_path / "log") as server:
        eventually(lambda: healthy(server))
        requests = [SlowRequest(server) for _ in range(3)]
        start = time.monotonic()
        if whom.startswith("SIGTERM"):
            server.process.terminate()
        else:
            os.killpg(server.process.pid, signal.SIGINT)
        time.sleep(0.5)
        assert server.process.poll() is None
        expected = scores_in_process(base_dir / "model")
        for request in requests:
            assert request.finish() == (200, expected)
        assert server.process.wait(20) == 0
        assert time.monotonic() - start < GRACEFUL_SECONDS
        with pytest.raises(ConnectionRefusedError):
            server.get("/ping")


@pytest.mark.long
def test_an_idle_connection_stays_open_as_long_as_it_was_told(base_dir: Path, tmp_path: Path):
    variables = {"SAGETREE_KEEPALIVE_SECONDS": "2"}
    with (
        serving(base_dir, tmp_path / "log", **variables) as server,
        closing(server.connect()) as one,
    ):
        for _ in range(2):  # each answer begins the time anew
            begin = time.monotonic()
            one.request("GET", "/ping")
            one.getresponse().read()
            assert not select.select([one.sock], [], [], 1.5)[0]
        assert one.sock.recv(1) == b""
        assert 2 <= time.monotonic() - begin < 10


@pytest.mark.long
def test_under_load_no_request_is_lost(base_dir: Path, tmp_path: Path):
    """Whoever could connect is answered, also after SIGTERM."""
    answers: list[bytes] = []
    lost: list[Exception] = []

    def ask(server: ServerProcess) -> None:
        connection = server.connect()
        while True:
            try:
                connection.connect()
            except OSError:  # it does not take requests any more
                return
            try:
                connection.request("POST", "/invocations", CSV, {"Content-Type": "text/csv"})
                answers.append(connection.getresponse().read())
            except (OSError, http.client.HTTPException) as error:
                lost.append(error)
            connection.close()

    with serving(base_dir, tmp_path / "log") as server:
        eventually(lambda: healthy(server))
        threads = [threading.Thread(target=ask, args=(server,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(answers) > 200)
        assert server.stop() == 0
        for thread in threads:
            thread.join(20)
    assert lost == []
    assert set(answers) == {scores_in_process(base_dir / "model")}
    logged = sum("POST /invocations 200" in line for line in server.lines())
    assert logged == len(answers)


@pytest.mark.long  # a server of its own
def test_connections_that_are_open_at_the_end_get_one_more_answer(base_dir: Path, tmp_path: Path):
    expected = scores_in_process(base_dir / "model")
    with serving(base_dir, tmp_path / "log") as server:
        eventually(lambda: complete(server))
        kept, fresh = server.connect(), server.connect()
        kept.request("POST", "/invocations", CSV, {"Content-Type": "text/csv"})
        assert kept.getresponse().read() == expected
        fresh.connect()
        server.process.terminate()
        time.sleep(0.4)  # what a client needs to learn that it should go elsewhere
        for connection in (kept, fresh):
            connection.request("POST", "/invocations", CSV, {"Content-Type": "text/csv"})
            answer = connection.getresponse()
            assert (answer.read(), answer.getheader("Connection")) == (expected, "close")
            connection.close()
        assert server.process.wait(20) == 0


def test_ping_is_503_while_the_model_loads_and_requests_wait(own_base_dir: Path, tmp_path: Path):
    """The model is a pipe: who reads it first, its trial, waits for who writes it."""
    path = own_base_dir / "model" / MODEL_FILE
    content = path.read_bytes()
    expected = scores_in_process(own_base_dir / "model")
    path.unlink()
    os.mkfifo(path)
    with serving(own_base_dir, tmp_path / "log", SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        answer = server.get("/ping")
        assert answer.status == 503
        problem = json.loads(answer.body)
        assert problem["message"] == "the model is being loaded"
        answers: list[bytes] = []
        waiting = threading.Thread(target=lambda: answers.append(server.post(CSV).body))
        waiting.start()
        time.sleep(0.2)
        assert server.get("/ping").status == 503
        assert not answers
        with path.open("wb") as pipe:
            path.unlink()
            path.write_bytes(content)
            pipe.write(content)
        waiting.join(20)
        assert answers == [expected]
        assert healthy(server)


def test_a_damaged_model_keeps_the_server_up_and_is_told(own_base_dir: Path, tmp_path: Path):
    (own_base_dir / "model" / SCHEMA_FILE).write_text("{}")
    parts = (
        "the file is not the one that was saved",
        "sagetree/schema.json",
        "Copy the artifact again, or train again",
    )
    with serving(own_base_dir, tmp_path / "log") as server:
        eventually(lambda: server.log.read_text().count("/ping answers 503: ") == 2)
        for answer in (server.get("/ping"), server.post(CSV)):
            problem = json.loads(answer.body)
            assert answer.status == 503
            assert problem["error"] == "NotReadyError"
            assert (problem["message"], problem["where"], problem["hint"]) == parts
        workers = server.workers()
        assert server.stop() == 0
    expected = {
        f"worker {pid}: /ping answers 503: {parts[1]}: {parts[0]}. {parts[2]}" for pid in workers
    }
    assert {
        line for line in server.lines() if "worker" in line and "serving" not in line
    } == expected


@pytest.mark.long
def test_reload_takes_up_a_model(bundle: ModelBundle, other_bundle: ModelBundle, tmp_path: Path):
    folder = tmp_path / "ml" / "model"
    with serving(tmp_path / "ml", tmp_path / "log", "--reload") as server:
        eventually(lambda: b"there is no model" in server.get("/ping").body)
        bundle.save(folder)
        eventually(lambda: "/ping answers 503" in server.log.read_text() and healthy(server))
        workers = server.workers()
        eventually(lambda: server.log.read_text().count("model ready") == 2)
        assert server.post(CSV).body == scores_in_process(folder)
        other_bundle.save(folder)
        eventually(lambda: server.log.read_text().count("model ready") == 4)
        expected = scores_in_process(folder)
        assert [server.post(CSV).body for _ in range(10)] == [expected] * 10
        assert server.workers() == workers
        assert server.stop() == 0


@pytest.mark.long
def test_reload_takes_up_code(base_dir: Path, tmp_path: Path):
    package = tmp_path / "src" / OWN_PACKAGE
    shutil.copytree(SOURCES / OWN_PACKAGE, package)
    encoders = package / "serve" / "answers" / "encoders.py"
    variables = {"PYTHONPATH": str(tmp_path / "src"), "SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
    with serving(base_dir, tmp_path / "log", "--reload", **variables) as server:
        eventually(lambda: healthy(server))
        before = server.workers()
        assert server.post(CSV).body == scores_in_process(base_dir / "model")
        encoders.write_text(encoders.read_text().replace(r'"\n"', r'" new\n"'))
        end = time.monotonic() + START_SECONDS
        while not (server.workers().isdisjoint(before) and len(server.workers()) == 1):
            assert time.monotonic() < end
            time.sleep(1.5)  # more than between two looks of the reloader
            if server.workers() == before:  # its first look came after the change
                encoders.touch()
        assert server.post(CSV).body.splitlines()[0].endswith(b" new")
        assert server.stop() == 0


def refusal(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """What it says before it ends without having listened."""
    assert main(["--host", "127.0.0.1", *options]) == 1
    return capsys.readouterr().out


def test_a_port_in_use_is_one_plain_sentence(capsys: pytest.CaptureFixture[str]):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert refusal(capsys, "--port", str(port)) == (
            f"sagetree serve cannot start: 127.0.0.1 port {port}: the server cannot listen on "
            "it: Address already in use. Stop the process that listens there, or choose "
            "another port with --port "
            "or SAGEMAKER_BIND_TO_PORT\n"
        )


def test_an_address_of_another_machine_is_one_plain_sentence(capsys: pytest.CaptureFixture[str]):
    assert refusal(capsys, "--host", "192.0.2.1", "--port", "0") == (
        "sagetree serve cannot start: 192.0.2.1 port 0: the server cannot listen on it: Cannot "
        "assign requested address. Stop the process that listens there, or choose another "
        "port with --port or SAGEMAKER_BIND_TO_PORT\n"
    )


def test_faulty_settings_end_it_before_it_listens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("SAGEMAKER_BIND_TO_PORT", "http")
    monkeypatch.setenv("SAGEMAKER_BATCH", "maybe")
    assert refusal(capsys) == (
        "sagetree serve cannot start: SAGEMAKER_BIND_TO_PORT is 'http' and must be a port number "
        "up to 65535 (0: any free port); SAGEMAKER_BATCH is 'maybe' and must be true or false. "
        "Correct all 2\n"
    )
