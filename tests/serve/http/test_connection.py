"""What a connection does at each event: no sockets, and a clock that the tests set."""

import mmap
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagetree.serve.http.connection import (
    CLOSE,
    FIRST_REQUEST_SECONDS,
    LATER,
    LINGER,
    LINGER_BYTES,
    LINGER_SECONDS,
    NEXT_REQUEST_SECONDS,
    NOTHING,
    PIECE,
    READ,
    SLOW_SECONDS,
    Command,
    Connection,
    Write,
)
from sagetree.serve.http.request_reader import Incoming
from sagetree.serve.protocol.messages import Body, Response
from tests.serve.http.conversation import events, obey

GET = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
OLD = b"GET /old HTTP/1.0\r\n\r\n"
HEAD = b"HEAD /head HTTP/1.1\r\nHost: x\r\n\r\n"
POST_HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
POST = POST_HEAD + b"\r\n1,2\n"
EXPECTS = POST_HEAD + b"Expect: 100-continue\r\n\r\n"
CHUNKED = (
    b"POST /chunked HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\n1,\r\n2\r\n2\n\r\n0\r\n\r\n"
)

KEPT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ENDED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
REFUSED = ENDED.replace(b"200 OK", b"400 Bad Request")

NO_METHOD = "the request line: it does not begin with a method of HTTP. Send HTTP/1.1, and no TLS"

THROUGH = (READ, LATER)  # of a request that is answered at once


def asked(data: bytes = GET, now: float = 0.0) -> tuple[Connection, Incoming]:
    """A connection that waits for a response."""
    connection = Connection(None, 75.0, 0.0)
    command = connection.received(data, now)
    assert isinstance(command, Incoming)
    return connection, command


def answered(connection: Connection, body: Body = b"ok", now: float = 0.0) -> Write:
    """What is to be written for a response."""
    command = connection.responded(Response(body=body), now, last=False)
    assert isinstance(command, tuple)
    assert command == connection.unsent
    return command


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([b""], [CLOSE]),
        ([GET], ["GET /ping", KEPT, READ]),
        ([GET, GET], ["GET /ping", KEPT, READ] * 2),
        ([GET[:9], GET[9:]], [READ, "GET /ping", KEPT, READ]),
        ([GET[:9], b""], [READ, CLOSE]),
        ([GET, b""], ["GET /ping", KEPT, READ, CLOSE]),
        ([LAST, b"more", b""], ["GET /last", ENDED, LINGER, READ, CLOSE]),
        ([OLD, b""], ["GET /old", ENDED, LINGER, CLOSE]),
        ([HEAD], ["HEAD /head", KEPT[:-2], READ]),
        ([POST], ["POST /invocations", KEPT, READ]),
        ([POST[:-1], b""], [READ, "the body: it ends too early. Send it again", REFUSED, CLOSE]),
        (
            [GET + POST + CHUNKED],
            [
                "GET /ping", KEPT, LATER, "POST /invocations", KEPT, LATER,
                "POST /chunked", KEPT, READ,
            ],
        ),
        ([GET + POST[:-2], POST[-2:]], ["GET /ping", KEPT, READ, "POST /invocations", KEPT, READ]),
        ([LAST + GET], ["GET /last", ENDED, LINGER]),
        (
            [EXPECTS, b"1,2\n"],
            [b"HTTP/1.1 100 Continue\r\n\r\n", READ, "POST /invocations", KEPT, READ],
        ),
        ([EXPECTS + b"1,2\n"], ["POST /invocations", KEPT, READ]),
        (
            [b"hello\r\n\r\n", GET, b""],
            [NO_METHOD, REFUSED, LINGER, READ, CLOSE],
        ),
        (
            [GET + b"hello\r\n\r\n"],
            ["GET /ping", KEPT, LATER, NO_METHOD, REFUSED, LINGER],
        ),
    ],
)  # fmt: skip
def test_bytes_in_and_commands_out(pieces: list[bytes], expected: list[object]) -> None:
    assert events(*pieces) == expected


def test_a_body_above_the_limit_is_refused_before_it_is_sent() -> None:
    error, written, step = events(EXPECTS, limit=3)
    assert str(error).startswith("the body: it is larger than 2.86e-06 MB. Send fewer rows at once")
    assert (written, step) == (REFUSED, LINGER)


CONVERSATION = GET + POST + CHUNKED + HEAD + LAST
WHOLE = events(CONVERSATION, b"")


def through(places: list[int]) -> list[object]:
    """What is dispatched and written where the bytes come cut at these places."""
    pieces = [CONVERSATION[a:b] for a, b in pairwise([0, *places, len(CONVERSATION)]) if a < b]
    return [command for command in events(*pieces, b"") if command not in THROUGH]


def test_it_does_not_matter_where_the_bytes_are_cut() -> None:
    expected = [command for command in WHOLE if command not in THROUGH]
    assert len(expected) == 12
    for place in range(1, len(CONVERSATION)):
        assert through([place]) == expected


@given(places=st.lists(st.integers(1, len(CONVERSATION) - 1), max_size=9))
def test_nor_how_often(places: list[int]) -> None:
    assert through(sorted(places)) == [command for command in WHOLE if command not in THROUGH]


# -- the time


@pytest.mark.parametrize(
    ("pieces", "end"),
    [
        ([], SLOW_SECONDS),
        ([(10.0, GET[:5])], 10 + SLOW_SECONDS),
        ([(10.0, GET[:5]), (30.0, GET[5:9])], 10 + SLOW_SECONDS),  # the headers have it together
        ([(10.0, POST[:-3]), (30.0, POST[-3:-2])], 30 + SLOW_SECONDS),  # each piece of a body
        ([(10.0, GET)], 10 + 90),
        ([(10.0, GET), (50.0, GET[:5])], 50 + SLOW_SECONDS),
        ([(10.0, EXPECTS)], 10 + SLOW_SECONDS),
        ([(10.0, LAST)], 10 + LINGER_SECONDS),
        ([(10.0, LAST), (12.0, b"more")], 10 + LINGER_SECONDS),
    ],
)
def test_who_is_silent_for_too_long_is_given_up(
    pieces: list[tuple[float, bytes]], end: float
) -> None:
    connection = Connection(None, 90.0, 0.0)
    for now, piece in pieces:
        obey(connection, connection.received(piece, now), now)
    assert connection.passed(end) is NOTHING
    assert connection.passed(end + 0.01) is CLOSE


def test_the_time_of_a_request_at_work_is_not_its_clients() -> None:
    connection, _ = asked()
    assert connection.passed(10_000.0) is NOTHING
    answered(connection, now=10_000.0)
    assert connection.passed(10_000.0) is NOTHING


def test_each_piece_of_a_response_has_its_time() -> None:
    connection, _ = asked()
    size = sum(map(len, answered(connection)))
    for now in (10.0, 60.0):
        assert connection.sent(1, now) == connection.unsent
        assert connection.passed(now + SLOW_SECONDS) is NOTHING
        assert connection.passed(now + SLOW_SECONDS + 0.01) is CLOSE
    assert connection.sent(size - 2, 61.0) is READ


# -- one request at a time


def test_requests_behind_one_at_work_wait_for_its_response() -> None:
    connection, first = asked(GET + POST)
    assert first.request.path == "/ping"
    assert connection.next_request() is NOTHING
    written = answered(connection)
    assert connection.next_request() is NOTHING
    assert isinstance(connection.sent(1, 0.0), tuple)
    assert connection.next_request() is NOTHING
    assert connection.sent(sum(map(len, written)) - 1, 0.0) is LATER
    second = connection.next_request()
    assert isinstance(second, Incoming)
    assert second.request.body == b"1,2\n"
    assert connection.next_request() is NOTHING
    answered(connection)
    assert connection.sent(sum(map(len, connection.unsent)), 0.0) is READ


def test_who_has_said_all_is_told_that_the_answer_is_the_last() -> None:
    connection, _ = asked(GET + GET)
    answered(connection)
    assert connection.sent(sum(map(len, connection.unsent)), 0.0) is LATER
    assert obey(connection, connection.received(b"", 0.0)) == ["GET /ping", ENDED, CLOSE]


def test_nothing_is_answered_behind_the_last_response() -> None:
    connection, _ = asked(GET + GET)
    last = connection.responded(Response(body=b"ok"), 0.0, last=True)
    assert obey(connection, last) == [ENDED, LINGER]
    assert connection.next_request() is NOTHING


def test_a_connection_that_was_closed_wants_nothing_more() -> None:
    connection, _ = asked(GET + GET)
    connection.close()
    assert connection.responded(Response(), 0.0, last=False) is NOTHING
    assert connection.next_request() is NOTHING


def test_closing_gives_up_the_file_of_a_body() -> None:
    def files() -> int:
        descriptors = Path("/proc/self/fd").iterdir()
        return sum("(deleted)" in str(path.readlink()) for path in descriptors if path.is_symlink())

    before = files()
    connection = Connection(None, 75.0, 0.0)
    connection.received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 40000000\r\n\r\n", 0.0)
    for _ in range(34):
        assert connection.received(bytes(2**20), 0.0) is READ
    assert files() == before + 1
    connection.close()
    assert files() == before


def test_what_comes_after_the_end_is_thrown_away_up_to_a_bound() -> None:
    connection = Connection(None, 75.0, 0.0)
    assert obey(connection, connection.received(LAST, 0.0))[-1] is LINGER
    piece = bytes(2**20)
    steps = [connection.received(piece, 0.0) for _ in range(LINGER_BYTES // len(piece) + 1)]
    assert steps == [READ] * (len(steps) - 1) + [CLOSE]


# -- the bytes of a response


@given(counts=st.lists(st.integers(0, 200_000)), size=st.sampled_from([0, 2, PIECE - 1, PIECE]))
def test_a_response_may_go_in_any_pieces(counts: list[int], size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    connection, _ = asked()
    command: Command = answered(connection, body[:size])
    assert isinstance(command, tuple)
    expected, sent = b"".join(map(bytes, command)), b""
    for count in [*counts, *[100_000] * 4]:
        if not isinstance(command, tuple):
            break
        some = b"".join(map(bytes, command))[:count]
        sent += some
        command = connection.sent(len(some), 0.0)
    assert (sent, command) == (expected, READ)
    assert sent.endswith(b"\r\n\r\n" + body[:size])


def test_a_large_body_is_sent_from_where_it_lies() -> None:
    body = mmap.mmap(-1, PIECE)
    connection, _ = asked()
    head, whole = answered(connection, body)
    assert whole is body
    assert connection.sent(len(head) - 1, 0.0) == (b"\n", memoryview(body))
    (rest,) = connection.sent(2, 0.0)  # type: ignore[misc]
    assert isinstance(rest, memoryview)
    assert (rest.obj, len(rest)) == (body, PIECE - 1)


# -- the end of the server


def test_the_last_response_says_so() -> None:
    connection, _ = asked()
    command = connection.responded(Response(body=b"ok"), 0.0, last=True)
    assert obey(connection, command) == [ENDED, LINGER]


def test_an_ending_server_waits_for_a_first_request_and_less_for_another() -> None:
    connection = Connection(None, 75.0, 0.0)
    assert connection.waited(FIRST_REQUEST_SECONDS) is NOTHING
    assert connection.waited(FIRST_REQUEST_SECONDS + 0.01) is CLOSE
    obey(connection, connection.received(GET, 0.0))
    assert connection.waited(NEXT_REQUEST_SECONDS) is NOTHING
    assert connection.waited(NEXT_REQUEST_SECONDS + 0.01) is CLOSE


@pytest.mark.parametrize("state", ["within", "asked", "writing", "lingering"])
def test_an_ending_server_waits_for_what_has_begun(state: str) -> None:
    connection = Connection(None, 75.0, 0.0)
    data = {"within": GET[:5], "lingering": LAST}.get(state, GET)
    command = connection.received(data, 0.0)
    if state == "lingering":
        obey(connection, command)
    elif state == "writing":
        answered(connection)
    assert connection.waited(10.0) is NOTHING
