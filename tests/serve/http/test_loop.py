"""The loop and its sockets, with an application of a few lines."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from sagetree.serve.http.loop import Loop
from sagetree.serve.http.shares import Shares
from sagetree.serve.protocol.messages import Request, Response

GET = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = bytes(range(256)) * (1 << 16)


class Application:
    """Answers with the path; /thread in a thread, /large with 16 MB."""

    max_body = None
    keepalive = 75.0

    def answer_at_once(self, request: Request) -> Response | None:
        if request.path == "/thread":
            return None
        return Response(body=LARGE if request.path == "/large" else request.path.encode())

    def answer(self, request: Request) -> Response:
        return Response(body=threading.current_thread().name.partition("_")[0].encode())

    def refuse(self, request: Request, error: Exception) -> Response:
        return Response(400)

    def tidy(self) -> None:
        pass


class Running(threading.Thread):
    """A loop in a thread, until the end of the test."""

    def __init__(self, stack: ExitStack) -> None:
        super().__init__()
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.address = listener.getsockname()
        wake, self._wake = os.pipe()
        for end in (wake, self._wake):
            os.set_blocking(end, False)
            stack.callback(os.close, end)
        self._alive = True
        self._loop = Loop(Application(), [listener], Shares(1).take(), 99, wake)

    def run(self) -> None:
        self._loop.run(lambda: self._alive, lambda: None)
        self._loop.drain(5.0, lambda: None)

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, 10)

    def ask(self, *requests: bytes) -> bytes:
        """All that comes back after the last of these requests has said that it is the last."""
        last = requests[-1].replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        with self.connect() as connection:
            connection.sendall(b"".join([*requests[:-1], last]))
            return b"".join(iter(lambda: connection.recv(1 << 20), b""))

    def stop(self) -> None:
        self._alive = False
        os.write(self._wake, b".")
        self.join(20)


@pytest.fixture
def loop() -> Iterator[Running]:
    with ExitStack() as stack:
        running = Running(stack)
        running.start()
        yield running
        running.stop()


def test_requests_are_answered_in_order_by_the_loop_and_by_threads(loop: Running) -> None:
    answers = loop.ask(GET % b"a", GET % b"thread", GET % b"b").split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert [answer.partition(b"\r\n\r\n")[2] for answer in answers] == [b"/a", b"request", b"/b"]


def test_an_answer_larger_than_the_kernel_holds_arrives_whole(loop: Running) -> None:
    with loop.connect() as connection:
        connection.sendall(GET % b"large" + GET % b"a")
        assert loop.ask(GET % b"b").endswith(b"\r\n\r\n/b")  # others do not wait for it
        found = b""
        while not found.endswith(b"\r\n\r\n/a"):
            found += connection.recv(1 << 20)
    assert found.partition(b"\r\n\r\n")[2][: len(LARGE)] == LARGE


def test_a_client_that_leaves_between_its_requests_stops_nobody(loop: Running) -> None:
    for _ in range(5):
        with loop.connect() as connection:
            connection.sendall(GET % b"a" * 50)
    for _ in range(5):
        with loop.connect() as connection:
            connection.sendall(GET % b"thread" + GET % b"large" + GET % b"a")
    assert loop.ask(GET % b"b").endswith(b"\r\n\r\n/b")
