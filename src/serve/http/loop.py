"""The loop of one worker: many connections, one thread that answers small requests at once.

A small request costs less than handing it to another thread, so the loop
answers it itself. What may take long (large bodies, models being loaded,
routes that are Flask's) goes to threads, and the loop stays free for others.

What is to be done with a connection is decided by `sagetree.serve.http.connection`; here
are the sockets that it knows nothing of.
"""

import contextlib
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from sagetree.serve.http.application import ServedApplication
from sagetree.serve.http.client import Client
from sagetree.serve.http.connection import (
    CLOSE,
    LATER,
    LINGER,
    PIECE,
    READ,
    Command,
    Connection,
    Step,
)
from sagetree.serve.http.door import Door
from sagetree.serve.http.request_reader import Incoming
from sagetree.serve.http.shares import Share
from sagetree.serve.http.threads import Threads
from sagetree.serve.protocol.messages import Response

# At the end: connections that were accepted by the kernel while the workers were being stopped are
# still taken for this time.
LAST_ACCEPT_SECONDS = 0.2

# How often deadlines are checked.
SWEEP_SECONDS = 1.0
DRAIN_SWEEP_SECONDS = 0.05


class Loop:
    """Serves `application` on the listening sockets; what comes from `wake` only wakes it."""

    def __init__(
        self,
        application: ServedApplication,
        listeners: Sequence[socket.socket],
        share: Share,
        most_clients: int,
        wake: int,
    ) -> None:
        self._application = application
        self._selector = selectors.DefaultSelector()
        self._door = Door(listeners, share, most_clients, self._selector, self._welcome)
        self._threads = Threads[Client](application)
        self._clients: set[Client] = set()
        self._later: deque[Client] = deque()  # that sent more than one request at once
        self._draining = False
        self._selector.register(self._threads.woken, selectors.EVENT_READ, self._collect)
        self._selector.register(wake, selectors.EVENT_READ, partial(_empty, wake))

    def run(self, alive: Callable[[], bool], beat: Callable[[], None]) -> None:
        """Serve until `alive` says no; call `beat` about once a second."""
        self._door.open()
        swept = 0.0
        while alive():
            self._turn(SWEEP_SECONDS)
            now = time.monotonic()
            if now - swept >= SWEEP_SECONDS:
                swept = now
                beat()
                self._sweep(now)
                self._threads.tidy(now)

    def drain(self, seconds: float, beat: Callable[[], None]) -> None:
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
            beat()
            self._sweep(now)
            for client in list(self._clients):
                self._obey(client, client.connection.waited(now - begin), now)
        self._selector.close()
        self._threads.stop()

    def _turn(self, seconds: float) -> None:
        """Wait for events, at most `seconds`, and see to them."""
        patience = 0 if self._later else self._door.patience(seconds)
        for key, events in self._selector.select(patience):
            if isinstance(key.data, Client):
                self._see_to(key.data, events)
            else:
                key.data()
        self._door.take_turn()
        for _ in range(len(self._later)):
            client = self._later.popleft()
            self._obey(client, client.connection.next_request(), time.monotonic())

    def _welcome(self, accepted: socket.socket) -> None:
        application = self._application
        connection = Connection(application.max_body, application.keepalive, time.monotonic())
        client = Client(accepted, connection, self._selector)
        self._clients.add(client)
        self._door.holds(len(self._clients))
        self._see_to(client, selectors.EVENT_READ)  # often the request is there already

    def _see_to(self, client: Client, events: int) -> None:
        """Read what has come, or write what is left."""
        connection = client.connection
        if events & selectors.EVENT_WRITE:
            self._obey(client, connection.unsent, time.monotonic())
            return
        try:
            data = client.sock.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:  # the client is gone
            self._close(client)
            return
        now = time.monotonic()
        self._obey(client, connection.received(data, now), now)

    def _collect(self) -> None:
        """Send the responses that threads have made."""
        for client, response in self._threads.responses():
            now = time.monotonic()
            command = client.connection.responded(response, now, last=self._draining)
            self._obey(client, command, now)

    def _sweep(self, now: float) -> None:
        for client in list(self._clients):
            self._obey(client, client.connection.passed(now), now)

    def _obey(self, client: Client, command: Command, now: float) -> None:
        """Do what a connection says, until it waits for something."""
        if client not in self._clients:  # closed by an earlier event of this turn
            return
        try:
            while isinstance(command, tuple):
                if isinstance(command, Incoming):
                    response = self._answer(command)
                    if response is None:
                        client.watch(0)  # what more it sends waits in the kernel
                        self._threads.answer(client, command.request)
                        return
                    now = time.monotonic()
                    command = client.connection.responded(response, now, last=self._draining)
                else:
                    command = client.connection.sent(client.send(command), now)
                    if isinstance(command, tuple):
                        client.watch(selectors.EVENT_WRITE)
                        return
            if command is READ:
                client.watch(selectors.EVENT_READ)
            else:
                self._take_step(client, command)
        except OSError:  # the client is gone
            self._close(client)

    def _take_step(self, client: Client, step: Step) -> None:
        """Do what is rarer than to go on reading."""
        if step is CLOSE:
            self._close(client)
        elif step is LATER or step is LINGER:
            if step is LATER:
                self._later.append(client)
            else:
                client.sock.shutdown(socket.SHUT_WR)
            client.watch(selectors.EVENT_READ)

    def _answer(self, incoming: Incoming) -> Response | None:
        """Return the response, None where a thread has to make it."""
        if incoming.error is not None:
            return self._application.refuse(incoming.request, incoming.error)
        return self._application.answer_at_once(incoming.request)

    def _close(self, client: Client) -> None:
        if client in self._clients:
            self._clients.discard(client)
            self._door.holds(len(self._clients))
            client.close()


def _empty(wake: int) -> None:
    """Wake up: a signal has come, and `alive` knows which."""
    with contextlib.suppress(BlockingIOError):
        os.read(wake, 4096)
