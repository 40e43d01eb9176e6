"""A connection obeyed as a loop does it, without sockets: what it asks for and what it writes."""

import re

from sagetree.serve.http.connection import LATER, Command, Connection, Write
from sagetree.serve.http.request_reader import Incoming
from sagetree.serve.protocol.messages import Response


def joined(pieces: Write) -> bytes:
    """The bytes of a Write, without the date."""
    return re.sub(rb"Date: [^\r]*\r\n", b"", b"".join(bytes(piece) for piece in pieces))


def obey(connection: Connection, command: Command, now: float = 0.0) -> list[object]:
    """Do what a connection says as a loop does, with "ok" for each request; return the commands."""
    done: list[object] = []
    while True:
        if isinstance(command, Incoming):
            request, _, _, error = command
            done.append(f"{request.method} {request.path}" if error is None else str(error))
            response = Response(200 if error is None else 400, b"ok")
            command = connection.responded(response, now, last=False)
        elif isinstance(command, tuple):
            done.append(joined(command))
            command = connection.sent(sum(map(len, command)), now)
        elif command is LATER:
            done.append(command)
            command = connection.next_request()
        else:
            return [*done, command]


def events(*pieces: bytes, limit: int | None = None) -> list[object]:
    """The commands after each piece that comes, b"" for the end, in one list."""
    connection = Connection(limit, 75.0, 0.0)
    found: list[object] = []
    for piece in pieces:
        found += obey(connection, connection.received(piece, 0.0))
    return found
