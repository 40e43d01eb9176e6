"""Workers of a real server, the connections each of them holds, and which of them are ready."""

import http.client
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from sagetree.serve.http.shares import Shares
from tests.serve.server_process import (
    CSV,
    ServerProcess,
    complete,
    eventually,
    healthy,
    scores_in_process,
    serving,
)


def connections(pid: int) -> int:
    """How many TCP connections a process holds."""
    tcp = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    established = {f"socket:[{line.split()[9]}]" for line in tcp if line.split()[3] == "01"}
    return sum(target(path) in established for path in Path(f"/proc/{pid}/fd").iterdir())


def target(descriptor: Path) -> str:
    """What a descriptor of a process is open on; one that is just being closed on nothing."""
    try:
        return str(descriptor.readlink())
    except FileNotFoundError:
        return ""


def held(server: ServerProcess) -> list[int]:
    """How many connections each worker holds, the fewest first."""
    return sorted(map(connections, server.workers()))


@contextmanager
def opened(server: ServerProcess, count: int) -> Iterator[list[http.client.HTTPConnection]]:
    """This many connections, made as fast as the kernel makes them."""
    with ExitStack() as stack:
        made = [stack.enter_context(closing(server.connect())) for _ in range(count)]
        for connection in made:
            connection.connect()
        yield made


def both_take(server: ServerProcess) -> bool:
    """Whether both workers take connections: who gets ready last may need a moment."""
    with opened(server, 2):
        eventually(lambda: sum(held(server)) == 2)
        found = held(server)
    eventually(lambda: sum(held(server)) == 0)
    return found == [1, 1]


def assert_shared(server: ServerProcess) -> None:
    eventually(lambda: both_take(server))
    with opened(server, 32):
        eventually(lambda: sum(held(server)) == 32)
        assert held(server)[0] >= 14
    eventually(lambda: sum(held(server)) == 0)


@pytest.fixture(scope="module")
def server(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of two workers; a test kills one of them."""
    with serving(base_dir, tmp_path_factory.mktemp("shared") / "log") as server:
        eventually(lambda: complete(server))
        yield server
        assert server.stop() == 0


def test_workers_share_connections_evenly(server: ServerProcess):
    """By themselves the first to wake takes most: 28 of 32 and more."""
    assert_shared(server)


def test_a_killed_worker_is_replaced_by_one_that_takes_its_share(
    server: ServerProcess, base_dir: Path
):
    before = server.workers()
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: len(server.workers() - {victim}) == 2)
    told = (
        f"worker {victim}: ended by SIGKILL, as the system does when memory runs out; "
        "another one starts"
    )
    eventually(lambda: told in server.lines())
    eventually(lambda: server.log.read_text().count("model ready") == 3)
    expected = scores_in_process(base_dir / "model")
    for _ in range(20):
        assert server.post(CSV).body == expected
    assert before - server.workers() == {victim}
    assert_shared(server)


def test_a_worker_that_hangs_keeps_no_connection_from_the_others(server: ServerProcess):
    hung, other = server.workers()
    os.kill(hung, signal.SIGSTOP)
    try:
        with opened(server, 8) as made:
            for connection in made:
                connection.request("GET", "/ping")
                assert connection.getresponse().status == 200
            assert connections(other) == 8
    finally:
        os.kill(hung, signal.SIGCONT)


def test_the_places_of_workers_that_are_gone_are_given_again():
    shares = Shares(1)
    first, second = shares.take(), shares.take()
    first.tell(3)
    second.tell(2)
    assert (first.is_ahead(), second.is_ahead()) == (True, False)
    second.stop()  # it takes no more
    assert not first.is_ahead()
    second.free()
    third = shares.take()
    assert not first.is_ahead()  # not listening yet
    third.tell(0)
    assert first.is_ahead()
    many = [shares.take() for _ in range(100)]
    many[-1].tell(5)  # beyond the places there are
    assert not many[-1].is_ahead()


@pytest.mark.long
def test_after_the_first_200_every_ping_is_200_also_while_a_worker_is_replaced(
    base_dir: Path, tmp_path: Path
):
    for start in range(6):
        variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": "3"}
        with serving(base_dir, tmp_path / f"log{start}", **variables) as server:
            eventually(lambda server=server: healthy(server))
            assert {server.get("/ping").status for _ in range(200)} == {200}
            eventually(lambda server=server: server.log.read_text().count("model ready") == 3)
            os.kill(min(server.workers()), signal.SIGKILL)
            found = set()
            while server.log.read_text().count("model ready") < 4:
                found.add(server.get("/ping").status)
            assert found == {200}
