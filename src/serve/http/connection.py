"""What becomes of one client's connection, without its socket, its clock and the application.

The loop says what has happened (bytes have come, a response is ready, bytes have
been sent, time has passed) and gets back the command to obey next:

    an Incoming    dispatch this request, and come back with its response
    a Write        send these pieces, and come back with how many bytes have gone;
                   given for what is left of an earlier one: as soon as more can be sent
    READ           wait for bytes
    LATER          wait for bytes, and ask for the next request when others had their turn
    LINGER         close the sending side, then wait for bytes
    CLOSE          close the connection
    NOTHING        go on with what is under way
"""

from collections.abc import Sequence
from enum import Enum
from typing import Final, TypeAlias

from sagetree.serve.http.request_reader import Incoming, RequestReader
from sagetree.serve.http.response_head import BODILESS, CONTINUE, head_of
from sagetree.serve.protocol.messages import Body, Response

# A large body comes and goes in pieces of this size; a small request in one.
PIECE = 256 * 1024

# A request's headers, and each next piece of it, have to come within this time.
SLOW_SECONDS = 60.0

# After an answer that ends a connection, what the client still sends is read
# for this time and up to this size: closing at once could destroy the answer on
# its way. 100 MB is SageMaker's largest mini-batch.
LINGER_SECONDS = 5.0
LINGER_BYTES = 100 * 2**20

# When the server ends, a connection that has not sent anything yet is waited for
# until the first of these times, an idle one until the second.
FIRST_REQUEST_SECONDS = 2.0
NEXT_REQUEST_SECONDS = 1.0


class Step(Enum):
    """A command without a value."""

    READ = "read"
    LATER = "later"
    LINGER = "linger"
    CLOSE = "close"
    NOTHING = "nothing"


# Python 3.11 is slow to look up a member in its class, and every request needs one.
READ: Final = Step.READ
LATER: Final = Step.LATER
LINGER: Final = Step.LINGER
CLOSE: Final = Step.CLOSE
NOTHING: Final = Step.NOTHING

# A plain tuple: one is made for every response.
Write: TypeAlias = tuple[Body | memoryview, ...]
Command: TypeAlias = Incoming | Write | Step


class Connection:
    """The state of a connection; all times are seconds of one clock that never goes back."""

    __slots__ = (
        "_answered", "_asked", "_closing", "_deadline", "_keepalive", "_left", "_lingered",
        "_reader", "_size", "unsent",
    )  # fmt: skip

    def __init__(self, max_body: int | None, keepalive: float, now: float) -> None:
        self._reader = RequestReader(max_body)
        self._keepalive = keepalive  # how long the client may be silent between requests
        self._deadline = now + SLOW_SECONDS
        self._asked: Incoming | None = None  # the request that is being answered
        self._answered = False  # whether it has got an answer yet
        self._left = False  # whether it has sent its last byte
        self._closing = False  # whether it ends after the response
        self._lingered: int | None = None  # bytes thrown away since the last response
        self._size = 0  # bytes of `unsent`
        self.unsent: Write = ()

    def received(self, data: bytes, now: float) -> Command:
        """Take what the client has sent; b"" says that there will be no more."""
        if self._lingered is not None:
            self._lingered += len(data)
            return READ if data and self._lingered <= LINGER_BYTES else CLOSE
        reader = self._reader
        if data:
            # each piece of a body has its time; the headers have it all together
            if reader.in_body or not reader.within:
                self._deadline = now + SLOW_SECONDS
            reader.feed(data)
        else:
            self._left = True
            reader.end()
        if reader.found:
            self._asked = reader.found.popleft()
            return self._asked
        if reader.in_body and reader.wants_continue():
            return self._write(CONTINUE)
        return CLOSE if reader.ended else READ

    def next_request(self) -> Command:
        """Return a request that came together with an earlier one."""
        found = self._reader.found
        if not found or self._asked is not None or self.unsent or self._closing:
            return NOTHING
        self._asked = found.popleft()
        return self._asked

    def responded(self, response: Response, now: float, *, last: bool) -> Command:
        """Take the response to the request dispatched; `last` ends the connection after it."""
        if self._asked is None:  # closed meanwhile
            return NOTHING
        request, keep, old, _ = self._asked
        self._asked = None
        # who has said all still gets the answers to all of it
        keep = keep and not last and not (self._left and not self._reader.found)
        self._closing = not keep
        self._answered = True
        self._deadline = now + self._keepalive
        head = head_of(response, keep, old)
        bare = request.method == "HEAD" or response.status in BODILESS
        body = b"" if bare else response.body
        if isinstance(body, bytes) and len(body) < PIECE:  # cheaper to copy than to send apart
            return self._write(head + body)
        return self._write(head, body)

    def sent(self, count: int, now: float) -> Command:
        """Take note that `count` bytes of the last Write have gone."""
        self._size -= count
        if self._size:
            self._deadline = now + SLOW_SECONDS
            self.unsent = _without(self.unsent, count)
            return self.unsent
        self.unsent = ()
        if self._closing:
            return self._hang_up(now)
        reader = self._reader
        if reader.found:
            return LATER
        return self._write(CONTINUE) if reader.in_body and reader.wants_continue() else READ

    def passed(self, now: float) -> Command:
        """Take note of the time: a client that is silent for too long is given up."""
        return CLOSE if self._deadline < now and self._asked is None else NOTHING

    def waited(self, seconds: float) -> Command:
        """Take note that the server has been ending for `seconds`."""
        busy = self._asked is not None or self.unsent or self._lingered is not None
        if busy or self._reader.within:
            return NOTHING
        most = NEXT_REQUEST_SECONDS if self._answered else FIRST_REQUEST_SECONDS
        return CLOSE if seconds > most else NOTHING

    def close(self) -> None:
        """Give up what has come; nobody waits for a response any more."""
        self._asked = None
        self._reader.found.clear()
        self._reader.close()

    def _write(self, head: bytes, body: Body = b"") -> Write:
        self._size = len(head) + len(body)
        self.unsent = (head, body) if body else (head,)
        return self.unsent

    def _hang_up(self, now: float) -> Command:
        """Close so that the answer arrives: first this side, then, when it is silent, the other."""
        if self._left:
            return CLOSE
        self._lingered = 0
        self._deadline = now + LINGER_SECONDS
        return LINGER


def _without(pieces: Sequence[Body | memoryview], count: int) -> Write:
    """Return what is left of `pieces` after `count` bytes, without a copy: they may be large."""
    left: list[Body | memoryview] = []
    for piece in pieces:
        if count < len(piece):
            left.append(memoryview(piece)[count:])
        count = max(0, count - len(piece))
    return tuple(left)
