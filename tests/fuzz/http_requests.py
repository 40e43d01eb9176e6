"""What the fuzzer asks of a connection, for any bytes and wherever they are cut.

A find is an exception, a request that is accepted and that a plain reading by the RFC
(`tests.fuzz.http_reference`) reads otherwise or not at all, and what depends on the cuts.
"""

from sagetree.errors import RequestError
from sagetree.serve.http.connection import CLOSE, LATER, READ, Command, Connection
from sagetree.serve.http.request_reader import Incoming
from sagetree.serve.protocol.messages import Request, Response
from tests.fuzz.http_reference import readings

LIMIT = 2**16

# The first bytes of an input say how many cuts there are, and where.
CUTS = 4


def connection(data: bytes) -> None:
    """Read requests in one piece and in several."""
    if not data:
        return
    cuts, sent = data[1 : 1 + data[0] % CUTS], data[1 + data[0] % CUTS :]
    whole = _taken([sent])
    assert _taken(_pieces(sent, cuts)) == whole
    accepted = [request for request in whole if isinstance(request, Request)]
    assert all(isinstance(request, Request) for request in whole[:-1])
    expected = readings(sent)
    assert len(accepted) <= len(expected), (accepted[-1], expected)
    assert len(whole) > len(accepted) or len(accepted) == len(expected), (whole, expected)
    for request, reading in zip(accepted, expected, strict=False):
        assert request.method == reading.method
        assert (request.path, request.query) == (reading.path, reading.query)
        assert request.headers == reading.headers
        assert bytes(request.body) == reading.body


def _pieces(data: bytes, cuts: bytes) -> list[bytes]:
    """Return the data cut at these places, each counted from the one before."""
    pieces = []
    for cut in cuts:
        pieces.append(data[:cut])
        data = data[cut:]
    return [piece for piece in [*pieces, data] if piece]


def _taken(pieces: list[bytes]) -> list[Request | str]:
    """Return the requests that a connection accepts, and at the end the text of a refusal."""
    state = Connection(LIMIT, 75.0, 0.0)
    found: list[Request | str] = []
    for piece in [*pieces, b""]:
        if _obey(state, state.received(piece, 0.0), found) is CLOSE:
            break
    return found


def _obey(state: Connection, command: Command, found: list[Request | str]) -> Command:
    while command not in (READ, CLOSE):
        if isinstance(command, Incoming):
            found.append(_checked(command))
            command = state.responded(Response(body=b"ok"), 0.0, last=False)
        elif isinstance(command, tuple):
            command = state.sent(sum(map(len, command)), 0.0)
        elif command is LATER:
            command = state.next_request()
        else:
            return command
    return command


def _checked(incoming: Incoming) -> Request | str:
    if incoming.error is None:
        return incoming.request
    assert isinstance(incoming.error, RequestError)
    assert 400 <= incoming.error.status < 506
    text = str(incoming.error)
    assert len(text) < 2000, len(text)
    text.encode()
    return text
