"""The loop of one worker: many connections, one thread that answers small requests at once.

A small request costs less than handing it to another thread, so the loop
answers it itself. What may take long (large bodies, models being loaded,
routes that are Flask's) goes to threads, and the loop stays free for others.
"""

import contextlib
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from sagetree.serve.http.client import SLOW_SECONDS, Application, Client
from sagetree.serve.http.connection import CONTINUE, Incoming, RequestReader, head_of
from sagetree.serve.http.door import Door
from sagetree.serve.http.shares import Share
from sagetree.serve.protocol.messages import Response

# Large requests that one worker has under way; further ones wait.
THREADS = 8

# A large body comes in pieces of this size; a small request in one.
PIECE = 256 * 1024

# Longer than the idle time of the clients before us (60 s), which thus close
# first: a server that does so now and then breaks a request under way.
IDLE_SECONDS = 75.0

# After an answer that ends a connection, what the client still sends is read
# for so long and so much: closing at once could destroy the answer on its way.
# 100 MB is SageMaker's largest mini-batch.
LINGER_SECONDS = 5.0
LINGER_BYTES = 100 * 2**20

# At the end: connections that were accepted by the kernel while the workers
# were told are still taken for the first of these times; one that has not sent
# anything yet is waited for until the second, an idle one until the third.
LAST_ACCEPT_SECONDS = 0.2
FIRST_REQUEST_SECONDS = 2.0
NEXT_REQUEST_SECONDS = 1.0

# How often deadlines are looked at.
SWEEP_SECONDS = 1.0
DRAIN_SWEEP_SECONDS = 0.05


class Loop:
    """Serves `application` on the listening sockets until `alive` says no."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        application: Application,
        *,
        alive: Callable[[], bool],
        beat: Callable[[], None],
        wake: int,
        most_clients: int,
        share: Share,
    ) -> None:
        self._application = application
        self._alive = alive
        self._beat = beat
        self._selector = selectors.DefaultSelector()
        self._door = Door(listeners, share, most_clients, self._selector, self._welcome)
        self._clients: set[Client] = set()
        self._waiting: deque[Client] = deque()  # that sent more than one request at once
        self._done: deque[tuple[Client, Incoming, Response]] = deque()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self._last_large: float | None = None  # when a thread last answered, until it is tidy
        self._draining = False
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, self._collect)
        self._selector.register(wake, selectors.EVENT_READ, partial(self._interrupted, wake))

    def run(self) -> None:
        """Serve; after `alive` has said no, answer what has come and end."""
        self._door.open()
        swept = 0.0
        while self._alive():
            self._turn(SWEEP_SECONDS)
            now = time.monotonic()
            if now - swept >= SWEEP_SECONDS:
                swept = now
                self._beat()
                self._sweep(now)
                self._tidy(now)

    def drain(self, seconds: float) -> None:
        """Take no more connections; answer those there are, for at most `seconds`."""
        self._draining = True
        self._door.stop()
        begin = time.monotonic()
        listening = True
        while self._clients or listening:
            now = time.monotonic()
            if now - begin > seconds:
                break
            if listening and now - begin > LAST_ACCEPT_SECONDS:
                listening = False
                self._door.close()
            self._turn(DRAIN_SWEEP_SECONDS)
            self._beat()
            self._sweep(now)
            for client in [c for c in self._clients if self._is_idle(c, now - begin)]:
                self._close(client)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _is_idle(self, client: Client, waited: float) -> bool:
        if client.busy or client.output or client.reader.within or client.lingered is not None:
            return False
        return waited > (NEXT_REQUEST_SECONDS if client.answered else FIRST_REQUEST_SECONDS)

    def _turn(self, seconds: float) -> None:
        """Wait for events, at most `seconds`, and see to them."""
        patience = 0 if self._waiting else self._door.patience(seconds)
        for key, events in self._selector.select(patience):
            if isinstance(key.data, Client):
                self._see_to(key.data, events)
            else:
                key.data()
        self._door.take_turn()
        for _ in range(len(self._waiting)):
            client = self._waiting.popleft()
            if client in self._clients:
                self._answer_next(client)

    # -- connections come and go

    def _welcome(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        with contextlib.suppress(OSError):  # a socket of another family has no Nagle
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(accepted, RequestReader(self._application.max_body), time.monotonic())
        self._clients.add(client)
        self._selector.register(accepted, selectors.EVENT_READ, client)
        self._door.holds(len(self._clients))
        self._see_to(client, selectors.EVENT_READ)  # often the request is there already

    def _close(self, client: Client) -> None:
        if client not in self._clients:
            return
        self._clients.discard(client)
        self._door.holds(len(self._clients))
        if client.events:
            self._selector.unregister(client.sock)
        client.sock.close()
        client.reader.close()

    def _sweep(self, now: float) -> None:
        """Close what has been silent for too long."""
        for client in [c for c in self._clients if c.deadline < now and not c.busy]:
            self._close(client)

    def _tidy(self, now: float) -> None:
        """Have things put in order when no more large requests come: the next one needs it too."""
        if self._last_large is not None and now - self._last_large >= SWEEP_SECONDS:
            self._last_large = None
            self._threads.submit(self._application.tidy)

    def _watch(self, client: Client, events: int) -> None:
        if events == client.events:
            return
        if not client.events:
            self._selector.register(client.sock, events, client)
        elif not events:
            self._selector.unregister(client.sock)
        else:
            self._selector.modify(client.sock, events, client)
        client.events = events

    # -- bytes come and go

    def _see_to(self, client: Client, events: int) -> None:
        if client not in self._clients:  # closed by an earlier event of this turn
            return
        try:
            if events & selectors.EVENT_WRITE:
                self._write(client)
            elif client.lingered is None:
                self._read(client)
            else:
                self._throw_away(client)
        except OSError:  # the client is gone
            self._close(client)

    def _read(self, client: Client) -> None:
        try:
            data = client.sock.recv(PIECE)
        except BlockingIOError:
            return
        reader = client.reader
        if data:
            # each piece of a body has its time; the headers have it all together
            if reader.in_body or not reader.within:
                client.deadline = time.monotonic() + SLOW_SECONDS
            reader.feed(data)
            if reader.wants_continue():
                client.sock.send(CONTINUE)
        else:
            client.left = True
            reader.end()
        if reader.found:
            self._answer_next(client)
        elif reader.ended:
            self._close(client)

    def _answer_next(self, client: Client) -> None:
        """Answer the client's next request, at once or in a thread."""
        if client.busy or client.output or client.closing or not client.reader.found:
            return
        incoming = client.reader.found.popleft()
        if incoming.error is not None:
            response = self._application.refuse(incoming.request, incoming.error)
        else:
            found = self._application.answer_at_once(incoming.request)
            if found is None:
                client.busy = True
                self._watch(client, 0)  # what more it sends waits in the kernel
                job = self._threads.submit(self._application.answer, incoming.request)
                job.add_done_callback(partial(self._answered, client, incoming))
                return
            response = found
        self._send(client, incoming, response)

    def _answered(self, client: Client, incoming: Incoming, job: "Future[Response]") -> None:
        """In the thread: hand the response to the loop."""
        if job.cancelled():
            return
        self._done.append((client, incoming, job.result()))
        with contextlib.suppress(OSError):  # full: it will wake anyway
            self._waker.send(b"1")

    def _collect(self) -> None:
        """Send the responses that threads have made."""
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        while self._done:
            client, incoming, response = self._done.popleft()
            client.busy = False
            self._last_large = time.monotonic()
            if client in self._clients:
                try:
                    self._send(client, incoming, response)
                except OSError:
                    self._close(client)

    def _interrupted(self, wake: int) -> None:
        """Wake up: a signal has come, and `alive` knows which."""
        with contextlib.suppress(BlockingIOError):
            os.read(wake, 4096)

    def _send(self, client: Client, incoming: Incoming, response: Response) -> None:
        keep = incoming.keep and not self._draining and not client.left
        client.closing = not keep
        client.answered = True
        head = head_of(response, keep, incoming.old)
        body = b"" if incoming.request.method == "HEAD" else response.body
        if isinstance(body, bytes) and len(body) < PIECE:  # cheaper to copy than to send apart
            head, body = head + body, b""
        try:
            sent = client.sock.sendmsg((head, body)) if body else client.sock.send(head)
        except BlockingIOError:
            sent = 0
        now = time.monotonic()
        client.deadline = now + IDLE_SECONDS
        if sent == len(head) + len(body):
            self._sent(client)
        else:
            # a large body is mapped from a file, and stays there
            begun = sent >= len(head)
            left = memoryview(body)[sent - len(head) :] if begun else b"".join((head, body))[sent:]
            client.output = memoryview(left)
            client.deadline = now + SLOW_SECONDS
            self._watch(client, selectors.EVENT_WRITE)

    def _write(self, client: Client) -> None:
        try:
            sent = client.sock.send(client.output)
        except BlockingIOError:
            return
        client.output = client.output[sent:]
        client.deadline = time.monotonic() + SLOW_SECONDS
        if not client.output:
            self._sent(client)

    def _sent(self, client: Client) -> None:
        """After a whole response: on to the next request, or to the end."""
        if client.closing:
            self._hang_up(client)
            return
        self._watch(client, selectors.EVENT_READ)
        if client.reader.found:
            self._waiting.append(client)

    def _hang_up(self, client: Client) -> None:
        """Close so that the answer arrives: first this side, then, when it is silent, the other."""
        if client.left:
            self._close(client)
            return
        client.sock.shutdown(socket.SHUT_WR)
        client.lingered = 0
        client.deadline = time.monotonic() + LINGER_SECONDS
        self._watch(client, selectors.EVENT_READ)

    def _throw_away(self, client: Client) -> None:
        try:
            data = client.sock.recv(PIECE)
        except BlockingIOError:
            return
        client.lingered = (client.lingered or 0) + len(data)
        if not data or client.lingered > LINGER_BYTES:
            self._close(client)
