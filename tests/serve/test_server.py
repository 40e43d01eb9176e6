"""What the server does with clients of every kind, on the real gunicorn."""

import json
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagetree.serve.http.worker import GRACEFUL_SECONDS
from tests.serve.server_process import (
    CSV,
    ROWS,
    ServerProcess,
    complete,
    eventually,
    healthy,
    scores_in_process,
    serving,
)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The places a program may write to without being asked: home, temporary, current folder."""
    folder = tmp_path_factory.mktemp("homes")
    for name in ("home", "tmp", "cwd"):
        (folder / name).mkdir()
    return folder


@pytest.fixture(scope="module")
def server(
    base_dir: Path, homes: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("server") / "log"
    variables = {"HOME": str(homes / "home"), "TMPDIR": str(homes / "tmp")}
    with serving(base_dir, log, cwd=homes / "cwd", **variables) as server:
        eventually(lambda: complete(server))
        yield server


@pytest.fixture(scope="module")
def single(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with one worker that takes at most 1 MB."""
    log = tmp_path_factory.mktemp("single") / "log"
    variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "1"}
    with serving(base_dir, log, **variables) as server:
        eventually(lambda: healthy(server))
        yield server


def test_it_answers_with_the_scores_of_the_model(server: ServerProcess, base_dir: Path):
    expected = scores_in_process(base_dir / "model")
    answer = server.post(CSV, Accept="text/csv")
    assert (answer.status, answer.body) == (200, expected)
    assert answer.headers["Content-Type"] == "text/csv"
    answer = server.post(json.dumps(ROWS), "application/json", Accept="text/csv")
    assert (answer.status, answer.body) == (200, expected)
    ping = server.get("/ping")
    assert (ping.status, ping.body) == (200, b"")
    assert server.get("/execution-parameters").body == (
        b'{"MaxConcurrentTransforms":2,"BatchStrategy":"MULTI_RECORD","MaxPayloadInMB":6}'
    )


def test_a_body_in_chunks_is_read(server: ServerProcess, base_dir: Path):
    lines = iter(CSV.splitlines(keepends=True))
    answer = server.post(lines, Accept="text/csv")
    assert (answer.status, answer.body) == (200, scores_in_process(base_dir / "model"))


def test_all_workers_give_equal_answers_to_many_at_once(server: ServerProcess, base_dir: Path):
    expected = scores_in_process(base_dir / "model")
    answers: list[bytes] = []

    def ask() -> None:
        connection = server.connect()
        for _ in range(20):
            connection.request("POST", "/invocations", CSV, {"Content-Type": "text/csv"})
            answers.append(connection.getresponse().read())
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 160


def mapped_files(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


def test_workers_hold_no_library_they_do_not_need(server: ServerProcess):
    def any_has(name: str) -> bool:
        return any(f"/{name}/" in mapped_files(pid) for pid in server.workers())

    assert len(server.workers()) == 2
    assert any_has("xgboost")
    assert any_has("numpy")
    assert not any_has("sklearn")
    assert not any_has("pandas")
    bulk = server.post(CSV * 600)
    assert (bulk.status, bulk.body.count(b"\n")) == (200, 3000)
    assert not any_has("sklearn")
    assert not any_has("pandas")


@pytest.mark.long  # a server of its own
def test_a_small_request_needs_no_arrow(base_dir: Path, tmp_path: Path):
    """On a server of its own: others here send large bodies."""
    with serving(base_dir, tmp_path / "log", SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        eventually(lambda: healthy(server))
        (worker,) = server.workers()
        assert server.post(CSV).status == 200
        assert "/pyarrow/" not in mapped_files(worker)
        assert server.post(CSV * 600).status == 200
        assert "/pyarrow/" in mapped_files(worker)


def test_nothing_is_written_anywhere(server: ServerProcess, homes: Path):
    assert server.post(CSV * 600).status == 200
    assert [path for path in homes.rglob("*") if path.parent != homes] == []


def test_a_body_above_the_limit_leaves_the_connection_usable(single: ServerProcess):
    connection = single.connect()
    for body, status in [(CSV * 8000, 413), (CSV, 200)]:
        connection.request("POST", "/invocations", body, {"Content-Type": "text/csv"})
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (status, True)
    connection.close()
    in_chunks = single.post(iter([CSV * 100] * 80))
    problem = json.loads(in_chunks.body)
    assert (in_chunks.status, problem["message"]) == (413, "it is larger than 1 MB")


def raw(server: ServerProcess, *parts: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    connection.sendall(b"".join(parts))
    return connection


POST = b"POST /invocations HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/csv\r\n"


BROKEN_OFF = ("it ends too early", "Send it again")
WRONG_SIZE = (
    "its chunks cannot be read: Invalid character in chunk size",
    "Send chunks as RFC 9112 says",
)


@pytest.mark.parametrize(
    ("head_and_body", "told"),
    [
        (b"Content-Length: 1000\r\n\r\n" + CSV, BROKEN_OFF),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n1,2\r\n", WRONG_SIZE),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\n1,2\r\n", BROKEN_OFF),
    ],
)
def test_a_body_that_breaks_off_is_not_scored(
    server: ServerProcess, head_and_body: bytes, told: tuple[str, str]
):
    connection = raw(server, POST, head_and_body)
    connection.shutdown(socket.SHUT_WR)
    answer = b"".join(iter(lambda: connection.recv(65536), b""))
    connection.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    problem = json.loads(body)
    assert (problem["error"], problem["message"], problem["hint"]) == ("DecodingError", *told)


def ask_raw(server: ServerProcess, *parts: bytes) -> bytes:
    """All that comes back until the server closes the connection."""
    connection = raw(server, *parts)
    answer = b"".join(iter(lambda: connection.recv(65536), b""))
    connection.close()
    return answer


def test_requests_that_come_together_are_answered_in_order(server: ServerProcess, base_dir: Path):
    rows = CSV.splitlines(keepends=True)
    head = POST.replace(b"close", b"keep-alive") + b"Content-Length: %d\r\n\r\n"
    requests = [head % len(row) + row for row in rows * 20]
    large = CSV * 600  # answered by a thread, the ones behind it wait
    requests.insert(50, head % len(large) + large)
    last = b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answers = ask_raw(server, *requests, last).split(b"HTTP/1.1 200 OK\r\n")[1:]
    bodies = [answer.partition(b"\r\n\r\n")[2] for answer in answers]
    scores = scores_in_process(base_dir / "model").splitlines(keepends=True)
    assert b"".join(bodies[:50] + bodies[51:]) == b"".join(scores * 20)
    assert bodies[50] == b"".join(scores) * 600


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_a_client_that_has_said_all_still_gets_its_answer(
    server: ServerProcess, base_dir: Path, version: bytes
):
    head = b"POST /invocations HTTP/%s\r\nHost: x\r\nContent-Type: text/csv\r\n" % version
    connection = raw(server, head, b"Content-Length: %d\r\n\r\n" % len(CSV), CSV)
    connection.shutdown(socket.SHUT_WR)
    answer = b"".join(iter(lambda: connection.recv(65536), b""))
    connection.close()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\n" + scores_in_process(base_dir / "model"))


def test_a_client_that_asks_first_is_told_to_go_on_or_not(single: ServerProcess):
    head = POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    connection = raw(single, head % len(CSV))
    assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(CSV)
    assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")
    connection.close()
    refused = raw(single, head % 2**21)
    assert refused.recv(100).startswith(b"HTTP/1.1 413 ")
    refused.close()


def test_head_says_the_length_that_get_has(server: ServerProcess):
    for path in ("/schema", "/metadata", "/", "/ping", "/absent"):
        head, get = (server.request(method, path, None, {}) for method in ("HEAD", "GET"))
        assert (head.status, head.headers["Content-Length"]) == (get.status, str(len(get.body)))
        assert head.body == b""


@pytest.mark.parametrize(
    ("request_", "allow"),
    [
        (b"OPTIONS / HTTP/1.0\r\n\r\n", b"GET, HEAD, OPTIONS"),  # HAProxy's option httpchk
        (b"OPTIONS /invocations HTTP/1.0\r\n\r\n", b"OPTIONS, POST"),
        (b"OPTIONS * HTTP/1.0\r\n\r\n", b"GET, HEAD, OPTIONS, POST"),
    ],
)
def test_options_says_what_is_allowed(server: ServerProcess, request_: bytes, allow: bytes):
    answer = ask_raw(server, request_)
    assert answer.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert b"\r\nAllow: %s\r\n" % allow in answer
    assert b"Content-" not in answer


def test_an_upgrade_leaves_the_connection_to_the_next_request(
    server: ServerProcess, base_dir: Path
):
    """As the JDK's HttpClient begins."""
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
    first = POST.replace(b"Connection: close\r\n", upgrade) + b"Content-Length: %d\r\n\r\n"
    last = POST + b"Content-Length: %d\r\n\r\n"
    answers = ask_raw(server, first % len(CSV), CSV, last % len(CSV), CSV)
    bodies = [answer.partition(b"\r\n\r\n")[2] for answer in answers.split(b"HTTP/1.1 200 OK")[1:]]
    assert bodies == [scores_in_process(base_dir / "model")] * 2


@pytest.mark.parametrize(
    ("request_", "status", "message"),
    [
        (b"hello\r\n\r\n", 400, "it does not begin with a method of HTTP"),
        (b"GET /ping HTTP/1.1\r\nX: " + b"x" * 40_000, 431, "they are too large"),
    ],
)
def test_what_cannot_be_read_is_told_and_ends_the_connection(
    server: ServerProcess, request_: bytes, status: int, message: str
):
    head, _, body = ask_raw(server, request_).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nConnection: close" in head
    assert json.loads(body)["message"] == message
    assert server.get("/ping").status == 200


def test_a_ping_does_not_wait_for_large_requests(single: ServerProcess):
    """One worker, more large bodies than it has cores: each is a sixth of a second's work."""
    done: list[int] = []
    count = min(os.cpu_count() or 1, 5) + 1
    body = CSV * 8000
    threads = [
        threading.Thread(target=lambda: done.append(single.post(body[: 2**20 - 2**15]).status))
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    slowest = 0.0
    while len(done) < count:
        start = time.monotonic()
        assert single.get("/ping").status == 200
        slowest = max(slowest, time.monotonic() - start)
    for thread in threads:
        thread.join()
    assert len(done) == count
    assert slowest < 2.0  # what SageMaker allows


@pytest.mark.parametrize("count", [400, pytest.param(2000, marks=pytest.mark.long)])
def test_idle_connections_and_half_sent_requests_stop_nobody(
    count: int, server: ServerProcess, base_dir: Path
):
    raise_descriptor_limit()
    halves = (POST, POST + b"Content-Length: 999\r\n\r\n1,", b"GET /pi", b"")
    idle = [raw(server, halves[number % 4]) for number in range(count)]
    expected = scores_in_process(base_dir / "model")
    assert [server.post(CSV).body for _ in range(20)] == [expected] * 20
    assert server.get("/ping").status == 200
    for connection in idle:
        connection.close()


def raise_descriptor_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))


@pytest.mark.long
def test_clients_that_are_silent_or_do_not_hang_up_stop_nobody(base_dir: Path, tmp_path: Path):
    with serving(base_dir, tmp_path / "log", SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        eventually(lambda: healthy(server))
        idle = [raw(server) for _ in range(50)]
        for _ in range(3):
            idle.append(raw(server, b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
            assert idle[-1].recv(100).startswith(b"HTTP/1.1 200 OK")
        start = time.monotonic()
        assert all(server.post(CSV).status == 200 for _ in range(5))
        assert time.monotonic() - start < 4  # a silent client stopped a thread for 5 s
        start = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - start < GRACEFUL_SECONDS / 2
        for connection in idle:
            connection.close()
