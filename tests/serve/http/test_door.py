"""Which of the workers takes a connection, with real sockets and the memory they share."""

import os
import resource
import selectors
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from sagetree.serve.http.door import CLOSED_SECONDS, FULL_SECONDS, YIELD_SECONDS, Door
from sagetree.serve.http.shares import Share, Shares


class Worker:
    """A door, and the connections that came through it."""

    def __init__(
        self, listener: socket.socket, share: Share, sockets: ExitStack, most: int = 99
    ) -> None:
        self.sockets = sockets
        self.selector = sockets.enter_context(selectors.DefaultSelector())
        self.taken: list[socket.socket] = []
        self.now = 1.0
        self.door = Door([listener], share, most, self.selector, self.welcome, lambda: self.now)
        self.door.open()

    def welcome(self, accepted: socket.socket) -> None:
        self.taken.append(self.sockets.enter_context(accepted))
        self.door.holds(len(self.taken))

    def lose_one(self) -> None:
        self.taken.pop().close()
        self.door.holds(len(self.taken))

    def turn(self) -> int:
        """See to what waits at the door; return how many connections there are now."""
        for key, _ in self.selector.select(0):
            key.data()
        self.door.take_turn()
        return len(self.taken)


@pytest.fixture
def sockets() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def listener(sockets: ExitStack) -> socket.socket:
    return sockets.enter_context(socket.create_server(("127.0.0.1", 0)))


def connect(listener: socket.socket, sockets: ExitStack) -> socket.socket:
    return sockets.enter_context(socket.create_connection(listener.getsockname(), 5))


@pytest.fixture
def left_one(listener: socket.socket, sockets: ExitStack) -> tuple[Worker, Worker]:
    """Two workers; the first holds a connection and has left the next one to the other."""
    shares = Shares(2)
    one, other = (Worker(listener, shares.take(), sockets) for _ in range(2))
    for _ in range(2):
        connect(listener, sockets)
        assert one.turn() == 1
    return one, other


def test_the_worker_with_fewer_goes_first(left_one: tuple[Worker, Worker]) -> None:
    _, other = left_one
    assert other.turn() == 1


def test_nobody_waits_for_a_worker_that_hangs(left_one: tuple[Worker, Worker]) -> None:
    one, _hung = left_one
    assert one.door.patience(1.0) == YIELD_SECONDS
    one.now += 1.01 * YIELD_SECONDS
    assert one.turn() == 2
    assert one.door.patience(1.0) == 1.0


def test_a_closing_connection_does_not_prolong_the_time_of_others(
    listener: socket.socket, sockets: ExitStack
) -> None:
    shares = Shares(2)
    one, _hung = (Worker(listener, shares.take(), sockets) for _ in range(2))
    for count in (1, 2):
        connect(listener, sockets)
        one.turn()
        one.now += 1.01 * YIELD_SECONDS
        assert one.turn() == count
    connect(listener, sockets)
    assert one.turn() == 2
    one.lose_one()
    one.now += 0.5 * YIELD_SECONDS
    assert one.turn() == 1
    one.now += 0.51 * YIELD_SECONDS
    assert one.turn() == 2


def test_a_full_worker_takes_no_more_until_one_leaves(
    listener: socket.socket, sockets: ExitStack
) -> None:
    worker = Worker(listener, Shares(1).take(), sockets, most=1)
    for _ in range(2):
        connect(listener, sockets)
    assert worker.turn() == 1
    assert worker.turn() == 1
    worker.lose_one()
    assert worker.turn() == 1


def test_a_full_worker_says_so_once_a_minute(
    listener: socket.socket, sockets: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Worker(listener, Shares(1).take(), sockets, most=1)
    counts = []
    for seconds in (0.0, 1.0, FULL_SECONDS):
        worker.now += seconds
        connect(listener, sockets)
        assert worker.turn() == 1
        counts.append(len(caplog.messages))
        worker.lose_one()
    assert counts == [1, 1, 2]
    assert caplog.messages[1] == (
        f"worker {os.getpid()}: it holds 1 connections and has no room for more; new ones wait. "
        "Raise the limit of open files (ulimit -n)"
    )


def test_without_descriptors_a_connection_waits_and_the_log_says_why(
    listener: socket.socket, sockets: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Worker(listener, Shares(1).take(), sockets)
    connect(listener, sockets)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        for _ in range(3):
            assert worker.turn() == 0
            assert worker.selector.select(0) == []  # so that the loop does not turn and turn
            worker.now += 1.01 * YIELD_SECONDS
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert worker.turn() == 1
    assert caplog.messages == [
        f"worker {os.getpid()}: it cannot take a connection: Too many open files; new ones wait. "
        "Raise the limit of open files (ulimit -n)"
    ]


def test_a_stopped_worker_takes_what_came_and_then_refuses(
    listener: socket.socket, sockets: ExitStack
) -> None:
    shares = Shares(2)
    one, other = (Worker(listener, shares.take(), sockets) for _ in range(2))
    connect(listener, sockets)
    assert one.turn() == 1
    one.door.stop()
    connect(listener, sockets)
    assert one.turn() == 2  # although the other has fewer
    address = listener.getsockname()
    for _ in range(2):
        connect(listener, sockets)
    one.door.close()
    assert len(one.taken) == 4
    assert other.turn() == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, 5)


# -- who has no model yet


def test_a_worker_that_is_not_ready_takes_what_no_ready_one_is_there_for(
    listener: socket.socket, sockets: ExitStack
) -> None:
    shares = Shares(2)
    first = shares.take()
    one = Worker(listener, first, sockets)
    connect(listener, sockets)
    assert one.turn() == 1
    first.tell_ready(True)
    second = shares.take()
    other = Worker(listener, second, sockets)
    connect(listener, sockets)
    assert other.turn() == 0
    assert other.door.patience(1.0) == CLOSED_SECONDS
    assert one.turn() == 2
    connect(listener, sockets)
    second.tell_ready(True)
    other.turn()
    assert other.turn() == 1
    assert other.door.patience(1.0) == 1.0


@pytest.mark.parametrize("end", [Share.free, Share.stop])
def test_it_opens_when_the_ready_one_is_gone(
    end: Callable[[Share], None], listener: socket.socket, sockets: ExitStack
) -> None:
    shares = Shares(2)
    first = shares.take()
    Worker(listener, first, sockets)
    first.tell_ready(True)
    other = Worker(listener, shares.take(), sockets)
    connect(listener, sockets)
    assert other.turn() == 0
    end(first)
    other.turn()
    assert other.turn() == 1


def test_all_are_ready_when_those_are_that_take_connections(
    listener: socket.socket, sockets: ExitStack
) -> None:
    shares = Shares(3)
    one, other, third = (shares.take() for _ in range(3))
    for share in (one, other):
        Worker(listener, share, sockets)
    assert not one.are_all_ready()
    one.tell_ready(True)
    assert not one.are_all_ready()
    other.tell_ready(True)
    assert one.are_all_ready()  # the third one is not there yet
    Worker(listener, third, sockets)
    assert one.are_all_ready()  # and takes none
    other.tell_ready(False)  # a model that came later could not be loaded
    assert not one.are_all_ready()
    other.free()
    assert one.are_all_ready()
    shares.take()
    assert one.are_all_ready()
