"""The process at which the hosts of a job meet, beside the leader's own.

It waits until all have come, starts XGBoost's tracker, which knows no timeout for a
guest that says nothing and can abort where one leaves, and then listens for last
words: where an exchange breaks, it says on whom. It ends with the job or the leader.
"""

import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sagetree.train.hosts.lines import HostLine
from sagetree.train.hosts.tracker import start_tracker

# What hosts are given to tell of a broken exchange, before those that have not are named.
_GRACE = 5.0

_PARENT = 0  # standard input: a pipe whose other end is the leader's


class _Guest:
    """A connection; it has a name once it has said that it is a host of the job."""

    def __init__(self, line: HostLine) -> None:
        self.line = line
        self.name = ""
        self.is_asking = False

    def tell(self, **words: object) -> None:
        with suppress(OSError):  # its end is seen where it is read
            self.line.send(**words)


class Coordinator:
    """Which of a job's hosts are there, and the first of them that was lost."""

    def __init__(
        self, names: Sequence[str], version: str, server: socket.socket, timeout: float
    ) -> None:
        self.names = names
        self.version = version
        self.server = server
        self.present: dict[str, _Guest] = {}
        self.cause: dict[str, Any] | None = None
        self.have_met = self.is_over = self.is_orphan = False
        self.deadline: float | None = time.monotonic() + timeout
        self.selector = selectors.DefaultSelector()
        self.selector.register(server, selectors.EVENT_READ)
        self.selector.register(_PARENT, selectors.EVENT_READ)

    def run(self) -> None:
        """Serve the hosts until all have parted, or some did not come."""
        while not self.is_over:
            left = None if self.deadline is None else max(0, self.deadline - time.monotonic())
            for key, _ in self.selector.select(left):
                if key.fileobj == _PARENT:
                    self._parent_ended()
                elif key.fileobj is self.server:
                    self._accept()
                else:
                    self._read(key.data)
            if self.deadline is not None and time.monotonic() >= self.deadline:
                self._waited()
            self.is_over |= self.have_met and not self.present

    def _parent_ended(self) -> None:
        """Stay for a moment, for those who will ask what became of the leader."""
        self.selector.unregister(_PARENT)
        self.is_orphan = True
        self.deadline = time.monotonic() + (_GRACE if self.have_met else 0)

    def _accept(self) -> None:
        connection, _ = self.server.accept()
        connection.settimeout(1)
        guest = _Guest(HostLine(connection))
        self.selector.register(connection, selectors.EVENT_READ, guest)

    def _read(self, guest: _Guest) -> None:
        try:
            said = guest.line.receive()
        except (OSError, ValueError, RecursionError):  # of JSON that is nested without end
            said = None
        for words in said or ():
            self._hear(guest, words)
        if said is None and guest.line.socket.fileno() >= 0:
            if guest.name and not guest.is_asking:
                self._lose(host=guest.name, why="")
            self._forget(guest)

    def _hear(self, guest: _Guest, words: dict[str, Any]) -> None:
        match words:
            case {"hello": name, "version": version} if not self.have_met:
                self._admit(guest, name, version)
            case {"lost": True} if guest.name:
                guest.is_asking = True
                if self.deadline is None:
                    self.deadline = time.monotonic() + _GRACE
            case {"failed": str(why)} if guest.name:
                self._lose(host=guest.name, why=why)
                guest.tell(noted=True)
                self._forget(guest)
            case {"done": True} if guest.name == self.names[0]:
                for other in self.present.values():
                    other.tell(done=True)
            case _:
                self._forget(guest)  # it has said good-bye, or is a stranger

    def _admit(self, guest: _Guest, name: object, version: object) -> None:
        if version != self.version:
            refusal = f"it has {version}, and the leader {self.version}"
        elif name not in self.names:
            refusal = f"the leader knows {', '.join(self.names)}"
        elif name in self.present:
            refusal = "a host of that name has come already"
        else:
            guest.name = str(name)
            self.present[guest.name] = guest
            if self.cause:
                guest.tell(cause=self.cause)
            elif len(self.present) == len(self.names):
                self._meet()
            return
        guest.tell(refused=refusal)
        self._forget(guest)

    def _meet(self) -> None:
        """Start the tracker where others have reached this host, and send all there."""
        other = self.present[self.names[-1]].line.socket
        place = start_tracker(other.getsockname()[0], len(self.names))
        self.have_met, self.deadline = True, None
        self.selector.unregister(self.server)
        self.server.close()
        for guest in self.present.values():
            guest.tell(tracker=place)

    def _lose(self, **cause: object) -> None:
        """Tell all of the first host that was lost; they read it once they miss it."""
        if self.cause is None:
            self.cause = cause
            for guest in self.present.values():
                guest.tell(cause=cause)

    def _waited(self) -> None:
        """Name those for whom nobody waits any longer."""
        self.deadline = None
        self.is_over |= self.is_orphan
        if not self.have_met:
            self._lose(missing=[name for name in self.names if name not in self.present])
        else:
            self._lose(silent=[g.name for g in self.present.values() if not g.is_asking])

    def _forget(self, guest: _Guest) -> None:
        if guest.line.socket.fileno() >= 0:  # else a stranger has said one more thing
            self.selector.unregister(guest.line.socket)
            guest.line.socket.close()
            self.present.pop(guest.name, None)


def main(argument: str) -> None:
    """Run the coordinator that a leader asks for in JSON, on the socket that it listens at."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # it ends with the job
    given = json.loads(argument)
    server = socket.socket(fileno=given["listening"])
    Coordinator(given["names"], given["version"], server, given["timeout"]).run()
    os._exit(0)  # XGBoost's threads would wait for hosts that are gone


if __name__ == "__main__":
    main(sys.argv[1])
