"""HTTP's rules, each with its section: what a connection makes of bytes, without sockets."""

import pytest

from sagetree.errors import RequestError
from sagetree.serve.http.connection import CLOSE, LATER, LINGER, READ, Connection
from sagetree.serve.http.request_reader import Incoming
from sagetree.serve.http.response_head import head_of
from sagetree.serve.protocol.messages import Request, Response
from tests.serve.http.conversation import events, joined, obey

GET = b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n"
KEPT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ENDED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
CHUNKS = b"2\r\n1,\r\n2\r\n2\n\r\n0\r\n"


def post(*lines: str, body: bytes = b"", version: str = "1.1") -> bytes:
    """A request with these headers behind Host."""
    head = "\r\n".join([f"POST /a HTTP/{version}", "Host: x", *lines])
    return head.encode("latin-1") + b"\r\n\r\n" + body


def get(target: str, *lines: str) -> bytes:
    """A request without a body; these are all of its headers."""
    return "\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""]).encode("latin-1")


def requests(data: bytes) -> list[Request]:
    """The requests that are accepted; the connection takes another one behind them."""
    connection = Connection(None, 75.0, 0.0)
    command = connection.received(data + GET, 0.0)
    found = []
    while isinstance(command, Incoming):
        assert command.error is None
        found.append(command.request)
        obey_once = connection.responded(Response(), 0.0, last=False)
        assert isinstance(obey_once, tuple)
        assert connection.sent(sum(map(len, obey_once)), 0.0) in (LATER, READ)
        command = connection.next_request()
    assert found.pop().path == "/next"
    return found


def refused(data: bytes) -> tuple[int, str]:
    """The status and text of the refusal of the first request, which ends the connection."""
    connection = Connection(None, 75.0, 0.0)
    command = connection.received(data + GET, 0.0)
    assert isinstance(command, Incoming)
    assert not command.keep
    assert isinstance(command.error, RequestError)
    assert obey(connection, command)[-1] is LINGER
    return command.error.status, str(command.error)


# -- RFC 9110 section 7.8: Upgrade may be ignored, and its request is one as any other

UPGRADES = {
    "h2c": ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA"),
    "websocket": ("Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x"),
    "TLS": ("Connection: Upgrade", "Upgrade: TLS/1.0, IRC/6.9"),
}


@pytest.mark.parametrize("lines", UPGRADES.values(), ids=UPGRADES)
@pytest.mark.parametrize(
    ("framing", "body"),
    [("Content-Length: 4", b"1,2\n"), ("Transfer-Encoding: chunked", CHUNKS + b"X: y\r\n\r\n")],
)
def test_an_upgrade_is_ignored_wherever_the_bytes_are_cut(
    lines: tuple[str, ...], framing: str, body: bytes
) -> None:
    data = post(*lines, framing, body=body)
    (request,) = requests(data)
    assert (request.method, request.path, request.body) == ("POST", "/a", b"1,2\n")
    assert request.header("upgrade") == lines[1].partition(": ")[2]
    assert request.header("connection") == lines[0].partition(": ")[2]
    for place in range(1, len(data)):
        found = events(data[:place], data[place:] + GET)
        assert [step for step in found if step is not READ] == [
            "POST /a", KEPT, LATER, "GET /next", KEPT,
        ]  # fmt: skip


@pytest.mark.parametrize("lines", UPGRADES.values(), ids=UPGRADES)
def test_an_upgrade_without_a_body_is_ignored(lines: tuple[str, ...]) -> None:
    (request,) = requests(get("/a", "Host: x", *lines))
    assert (request.method, request.path, request.body) == ("GET", "/a", b"")
    assert len(requests(get("/a", "Host: x", *lines) * 3)) == 3
    last = post("Connection: Upgrade, close", *lines[1:], "Content-Length: 2", body=b"no")
    assert events(last + GET) == ["POST /a", ENDED, LINGER]
    old = post(*lines, "Content-Length: 2", body=b"no", version="1.0")
    assert events(old + GET) == ["POST /a", ENDED, LINGER]


def test_the_body_of_an_upgrade_has_its_bound_and_its_leave() -> None:
    lines = (*UPGRADES["h2c"], "Content-Length: 4", "Expect: 100-continue")
    assert events(post(*lines), b"1,2\n") == [
        b"HTTP/1.1 100 Continue\r\n\r\n", READ, "POST /a", KEPT, READ,
    ]  # fmt: skip
    assert str(events(post(*lines), limit=3)[0]).startswith("the body: it is larger than")


# -- what is accepted

ACCEPTED = {
    "9112 2.2: empty lines before": (b"\r\n\r\n" + get("/a", "Host: x"), "/a", "", b""),
    "9112 3.2.1: origin form": (get("/a/b?c=d", "Host: x"), "/a/b", "c=d", b""),
    "9112 3.2.2: absolute form": (get("http://x:80/a?b", "Host: y"), "/a", "b", b""),
    "9112 3.2.2: a host with an underscore": (get("http://a_b/c", "Host: a_b"), "/c", "", b""),
    "9112 3.2.2: no path": (get("http://a?b", "Host: a"), "/", "b", b""),
    "9112 3.2.4: asterisk form": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "*", "", b""),
    "9110 7.2: an empty Host": (get("/a", "Host:"), "/a", "", b""),
    "9110 7.2: an address": (get("/a", "Host: [::1]:8080"), "/a", "", b""),
    "9112 7.1: chunks": (post("Transfer-Encoding: Chunked", body=CHUNKS + b"\r\n"),
                         "/a", "", b"1,2\n"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "path", "query", "body"), ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(data: bytes, path: str, query: str, body: bytes) -> None:
    (request,) = requests(data)
    assert (request.path, request.query, request.body) == (path, query, body)


def test_9110_6_5_1_trailers_are_no_headers() -> None:
    trailers = b"Accept: text/csv\r\nX-Amzn-SageMaker-Custom-Attributes: a\r\nHost: y\r\n\r\n"
    (request,) = requests(post("Transfer-Encoding: chunked", body=CHUNKS + trailers))
    assert request.headers == {"host": "x", "transfer-encoding": "chunked"}


def test_9112_5_1_spaces_around_a_value_are_not_part_of_it() -> None:
    (request,) = requests(post("Accept: \t text/csv \t ", "X: a \t b", "Y:"))
    assert request.headers == {"host": "x", "accept": "text/csv", "x": "a \t b", "y": ""}


# -- what is refused, and in which words

HEAD, FORM = "the request's head: it cannot be read: ", ". Send HTTP/1.1 as RFC 9112 says"
NO_METHOD = "the request line: it does not begin with a method of HTTP. Send HTTP/1.1, and no TLS"
NO_HOST = "Host: the header is missing. Send one"
ONE_HOST = ". Send one Host header with a name or an address, and a port if need be"
NOT_DECODED = " is not supported. Send it chunked only, or with a Content-Length"

REFUSED = {
    "9112 3: TLS": (b"\x16\x03\x01\x02\x00\x01", 400, NO_METHOD),
    "9112 3: no HTTP": (b"hello\r\n\r\n", 400, NO_METHOD),
    "9110 15.6.6: HTTP/2": (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "the request line: HTTP/2.0 is not supported. "
        "Send HTTP/1.1",
    ),
    "9110 15.6.6: HTTP/2.0": (
        post(version="2.0"), 505, "the request line: HTTP/2.0 is not supported. Send HTTP/1.1",
    ),
    "9110 15.6.6: HTTP/0.9": (b"GET /\r\n\r\n", 505, "the request line: HTTP/0.9 is not "
    "supported. Send HTTP/1.1"),
    "9112 2.3: no version": (post(version="x"), 400, f"{HEAD}Invalid major version{FORM}"),
    "9112 3: a space in the target": (
        get("/a b"), 400, f"{HEAD}Expected HTTP/, RTSP/ or ICE/{FORM}",
    ),
    "9112 5: no colon": (get("/", "a"), 400, f"{HEAD}Invalid header token{FORM}"),
    "9112 5.1: a space before the colon": (
        get("/", "a : b"), 400, f"{HEAD}Invalid header token{FORM}",
    ),
    "9112 5.2: folded": (
        get("/", "a: b", " c"), 400, f"{HEAD}Unexpected whitespace after header value{FORM}",
    ),
    "9110 5.5: NUL": (get("/", "a: \0"), 400, f"{HEAD}Invalid header value char{FORM}"),
    "9112 3.2: no Host": (get("/"), 400, NO_HOST),
    "9112 3.2: two Hosts": (
        get("/", "Host: a", "Host: a"), 400, f"Host: the host is 'a, a'{ONE_HOST}",
    ),
    "9110 7.2: a bad Host": (get("/", "Host: a b"), 400, f"Host: the host is 'a b'{ONE_HOST}"),
    "9110 7.2: a bad port": (get("/", "Host: a:b"), 400, f"Host: the host is 'a:b'{ONE_HOST}"),
    "9110 7.2: a URL": (get("/", "Host: http://a"), 400, f"Host: the host is 'http://a'{ONE_HOST}"),
    "9112 3.2: two Hosts in HTTP/1.0": (
        post("Host: y", version="1.0"), 400, f"Host: the host is 'x, y'{ONE_HOST}",
    ),
    "9110 9.3.6: CONNECT": (
        b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400,
        "CONNECT: this server is not a proxy. Send the request directly to the server you mean",
    ),
    "9110 8.6: two lengths": (
        post("Content-Length: 1", "Content-Length: 2"), 400,
        f"{HEAD}Duplicate Content-Length{FORM}",
    ),
    "9110 8.6: a negative length": (
        post("Content-Length: -1"), 400, f"{HEAD}Invalid character in Content-Length{FORM}",
    ),
    "9112 6.3: a length and chunks": (
        post("Content-Length: 4", "Transfer-Encoding: chunked"), 400,
        f"{HEAD}Transfer-Encoding can't be present with Content-Length{FORM}",
    ),
    "9112 6.1: another coding": (
        post("Transfer-Encoding: gzip, chunked"), 501,
        f"Transfer-Encoding: 'gzip, chunked'{NOT_DECODED}",
    ),
    "9112 6.1: another coding in its own line": (
        post("Transfer-Encoding: gzip", "Transfer-Encoding: chunked"), 501,
        f"Transfer-Encoding: 'gzip, chunked'{NOT_DECODED}",
    ),
    "9112 6.3: not chunked last": (
        post("Transfer-Encoding: gzip"), 400,
        "Transfer-Encoding: 'gzip' does not end the body. "
        "Make chunked the last coding: without it the end of the body is unknown",
    ),
    "9112 7.1: no size": (
        post("Transfer-Encoding: chunked", body=b"zz\r\n"), 400,
        "the body: its chunks cannot be read: Invalid character in chunk size. "
        "Send chunks as RFC 9112 says",
    ),
    "9110 15.5.15: a long URL": (
        get("/" + "x" * 70_000, "Host: x"), 414,
        "the URL: it is too long. Send at most 32 KB, and data in the body",
    ),
    "6585 5: long headers": (
        get("/", "Host: x", "X: " + "x" * 70_000), 431,
        "the headers: they are too large. Send at most 32 KB of headers",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "status", "text"), REFUSED.values(), ids=REFUSED)
def test_refused(data: bytes, status: int, text: str) -> None:
    assert refused(data) == (status, text)


# -- what is answered


def test_9112_6_1_chunks_in_http_1_0_end_the_connection() -> None:
    lines = ("Connection: keep-alive", "Transfer-Encoding: chunked")
    data = post(*lines, version="1.0", body=CHUNKS + b"\r\n")
    assert events(data + GET) == ["POST /a", ENDED, LINGER]


@pytest.mark.parametrize("lines", [("Connection: keep-alive", "Connection: Close"),
                                   ("Connection: close , keep-alive",)])  # fmt: skip
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_9112_9_3_close_goes_before_keep_alive(lines: tuple[str, ...], version: str) -> None:
    data = post(*lines, "Content-Length: 1", version=version, body=b"x")
    assert events(data + GET) == ["POST /a", ENDED, LINGER]


@pytest.mark.parametrize("count", [3, 4, 50])
def test_9112_9_6_who_stops_sending_gets_all_answers(count: int) -> None:
    found = events(GET * count, b"")
    assert found == ["GET /next", KEPT, LATER] * (count - 1) + ["GET /next", KEPT, READ, CLOSE]
    connection = Connection(None, 75.0, 0.0)  # the end comes while the first one is answered
    first = connection.received(GET * count, 0.0)
    assert isinstance(first, Incoming)
    written = connection.responded(Response(body=b"ok"), 0.0, last=False)
    assert isinstance(written, tuple)
    assert connection.sent(sum(map(len, written)), 0.0) is LATER
    rest = obey(connection, connection.received(b"", 0.0))
    assert rest == ["GET /next", KEPT, LATER] * (count - 2) + ["GET /next", ENDED, CLOSE]


def test_9110_9_3_2_head_says_the_length_of_get() -> None:
    connection = Connection(None, 75.0, 0.0)
    connection.received(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", 0.0)
    written = connection.responded(Response(body=b"x" * 941), 0.0, last=False)
    assert isinstance(written, tuple)
    assert joined(written) == b"HTTP/1.1 200 OK\r\nContent-Length: 941\r\n\r\n"


@pytest.mark.parametrize("status", [204, 304])
def test_9110_8_6_no_length_where_there_is_no_body(status: int) -> None:
    connection = Connection(None, 75.0, 0.0)
    connection.received(GET, 0.0)
    written = connection.responded(Response(status, b"x"), 0.0, last=False)
    assert isinstance(written, tuple)
    assert joined(written).split(b"\r\n")[1:] == [b"", b""]
    assert b"Content-Length" not in head_of(Response(status), keep=True, old=False)


def test_9110_10_1_1_leave_to_send_comes_in_its_turn_and_not_to_http_1_0() -> None:
    expects = post("Content-Length: 4", "Expect: 100-continue")
    assert events(GET + expects, b"1,2\n") == [
        "GET /next", KEPT, b"HTTP/1.1 100 Continue\r\n\r\n", READ, "POST /a", KEPT, READ,
    ]  # fmt: skip
    assert events(expects.replace(b"1.1", b"1.0")) == [READ]
