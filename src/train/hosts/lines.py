"""What a host and the coordinator say to each other: JSON objects, one a line."""

import json
import socket
from typing import Any

# No line of ours is longer; a stranger's may be.
MOST = 2**16


class HostLine:
    """One end of a connection; it never waits longer than its socket's timeout."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._received = b""

    def send(self, **words: object) -> None:
        """Send an object. Raises OSError where nobody is there."""
        self.socket.sendall(json.dumps(words).encode() + b"\n")

    def receive(self) -> list[dict[str, Any]] | None:
        """Return the objects that have arrived since, None at the end of the connection.

        Raises ValueError for what is none.
        """
        data = self.socket.recv(MOST)
        if not data:
            return None
        *lines, self._received = (self._received + data).split(b"\n")
        found = [json.loads(line) for line in lines]
        if len(self._received) > MOST or not all(isinstance(words, dict) for words in found):
            raise ValueError("this line does not come from a host")
        return found
