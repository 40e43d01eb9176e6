"""Gunicorn's threaded worker, less the places where one client holds up the others.

All are of gunicorn 27; tests/serve/test_server.py has a client of each kind.
"""

import contextlib
import ctypes
import socket
import struct
from functools import partial
from typing import Any

from gunicorn.workers.gthread import _DEFER, ThreadWorker

PIECE = 64 * 1024

# As many as may wait in the kernel: gunicorn's default backlog.
MOST_WAITING = 2048


class Worker(ThreadWorker):  # type: ignore[misc]
    """A process with a loop that accepts connections and threads that answer requests."""

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept connections or not; at the end, take those that wait already.

        Gunicorn's own leaves them to the kernel, which resets them when the
        socket is closed, requests and all.
        """
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                self._accept_waiting(listener)
                listener.close()  # at once: who comes now is refused, not kept waiting

    def _accept_waiting(self, listener: Any) -> None:  # noqa: ANN401
        for _ in range(MOST_WAITING):
            connections = self.nr_conns
            self.accept(listener)
            if self.nr_conns == connections:
                return

    def handle(self, conn: Any) -> Any:  # noqa: ANN401 - gunicorn has no types
        """Answer a request, unless the connection is silent as yet.

        Gunicorn's own waits 5 s in a thread for its first byte; eight silent
        connections thus stop a worker. The loop can wait for thousands.
        """
        if self.alive and not conn.initialized and not conn.wait_for_data(timeout=0):
            return _DEFER
        return super().handle(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:  # noqa: ANN401
        """Keep the connection or close it.

        Gunicorn's own waits up to 2 s, in the loop, for the client to close its
        side: as long as SageMaker waits for /ping.
        """
        conn.close = partial(hang_up, conn.sock)
        super().finish_request(conn, fs)

    def _cap_keepalive(self, deadline: float) -> None:
        """At the end, wait for idle connections until `deadline`.

        Gunicorn's own forgets the silent ones, and waits until it is killed.
        """
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)


def hang_up(connection: socket.socket, graceful: bool = False) -> None:  # noqa: ARG001 - gunicorn's signature
    """Close a connection so that what was sent still arrives.

    A socket closed with unread bytes in it resets the connection, and the
    client may lose the answer: so what has come is read, without waiting.
    """
    try:
        connection.setblocking(False)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(PIECE):
            pass
    except OSError:  # nothing more has come, or the client is gone
        pass
    finally:
        connection.close()


# Linux's number of the option, and a filter program of one instruction: drop.
SO_ATTACH_FILTER = 26
DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)


def turn_away(listener: socket.socket) -> None:
    """Let nobody connect any more, although the socket is still open.

    Closing it would reset the connections that wait to be accepted. What the
    filter drops is sent again by the client, which is refused once the socket
    is closed. Where a container may not set filters, the moment between a
    worker's last accept and its close remains.
    """
    program = ctypes.create_string_buffer(DROP_ALL)
    option = struct.pack("HP", 1, ctypes.addressof(program))
    with contextlib.suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, option)
