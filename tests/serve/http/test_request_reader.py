"""Whole requests out of any pieces, and their bounds."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagetree.serve.http.request_reader import HEAD_BYTES, RequestReader

GET = b"GET /ping?x=1 HTTP/1.1\r\nHost: x\r\n\r\n"
POST = (
    b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
    b"Content-Length: 4\r\n\r\n1,2\n"
)
CHUNKED = (
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\n1,\r\n2\r\n2\n\r\n0\r\n\r\n"
)


def read(*pieces: bytes, limit: int | None = None) -> RequestReader:
    reader = RequestReader(limit)
    for piece in pieces:
        reader.feed(piece)
    return reader


def refusal(*pieces: bytes, limit: int | None = None) -> str:
    (incoming,) = read(*pieces, limit=limit).found
    assert not incoming.keep
    return f"{type(incoming.error).__name__}: {incoming.error}"


@given(cuts=st.lists(st.integers(1, len(GET + POST + CHUNKED) - 1), max_size=6))
def test_requests_are_found_however_the_bytes_come(cuts: list[int]) -> None:
    data = GET + POST + CHUNKED
    places = [0, *sorted(cuts), len(data)]
    reader = read(*(data[a:b] for a, b in pairwise(places) if a < b))
    get, post, chunked = (incoming.request for incoming in reader.found)
    assert (get.method, get.path, get.query, get.body) == ("GET", "/ping", "x=1", b"")
    assert (post.method, post.path, post.body) == ("POST", "/invocations", b"1,2\n")
    assert post.header("content-type") == "text/csv"
    assert (chunked.path, chunked.body) == ("/a", b"1,2\n")
    assert all(incoming.keep and incoming.error is None for incoming in reader.found)
    assert not reader.within


def test_a_header_that_comes_twice_is_joined() -> None:
    reader = read(b"GET / HTTP/1.1\r\nHost: x\r\nAccept: text/csv\r\naccept: */*\r\n\r\n")
    assert reader.found[0].request.header("accept") == "text/csv, */*"


@pytest.mark.parametrize(
    ("head", "keep", "old"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", True, False),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", False, False),
        (b"GET / HTTP/1.0\r\n\r\n", False, True),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True, True),
    ],
)
def test_who_wants_to_stay_connected(head: bytes, keep: bool, old: bool) -> None:
    (incoming,) = read(head).found
    assert (incoming.keep, incoming.old) == (keep, old)


@pytest.mark.parametrize("ending", [b"1,", b""])
def test_a_body_that_ends_early_is_refused(ending: bytes) -> None:
    reader = read(POST[:-4], ending)
    reader.end()
    (incoming,) = reader.found
    assert str(incoming.error) == "the body: it ends too early. Send it again"


def test_a_client_that_leaves_within_the_headers_gets_no_answer() -> None:
    reader = read(POST[:20])
    reader.end()
    assert (list(reader.found), reader.ended) == ([], True)


@pytest.mark.parametrize(
    "pieces",
    [
        [b"GET / HTTP/1.1\r\nX: " + b"x" * HEAD_BYTES],
        [b"GET / HTTP/1.1\r\n", *[b"X: " + b"x" * 1000 + b"\r\n"] * 40],
        [b"GET / HTTP/1.1\r\n", *[b"x"] * HEAD_BYTES],
    ],
)
def test_headers_have_a_bound(pieces: list[bytes]) -> None:
    assert refusal(*pieces) == (
        "HeadTooLargeError: the headers: they are too large. Send at most 32 KB of headers"
    )


def test_headers_up_to_the_bound_are_read_however_they_come() -> None:
    head = GET.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * (HEAD_BYTES - 20) + b"\r\n\r\n")
    assert read(*(head[n : n + 1000] for n in range(0, len(head), 1000))).found[0].error is None
    body = b"1,2\n" * HEAD_BYTES
    post = POST.replace(b"th: 4", b"th: %d" % len(body)).replace(b"1,2\n", body)
    assert [found.error for found in read(post + GET[:20], GET[20:]).found] == [None, None]


def test_a_body_has_a_bound_before_it_is_sent_and_while_it_comes() -> None:
    text = (
        "PayloadTooLargeError: the body: it is larger than 1 MB. Send fewer rows at once, or raise "
    )
    limit = 2**20
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    assert refusal(head % (limit + 1), limit=limit).startswith(text)
    assert not read(head % limit, limit=limit).found
    chunk = b"80000\r\n" + bytes(0x80000) + b"\r\n"
    chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert not read(chunked, chunk, chunk, limit=limit).found
    assert refusal(chunked, chunk, chunk, b"1\r\nx", limit=limit).startswith(text)


def test_nothing_is_read_behind_a_refused_request() -> None:
    assert len(read(b"hello\r\n\r\n", GET).found) == 1


def test_a_client_may_wait_for_leave_to_send() -> None:
    reader = read(POST[:-4].replace(b"Host", b"Expect: 100-Continue\r\nHost"))
    assert reader.wants_continue()
    assert not reader.wants_continue()
    reader.feed(b"1,2\n")
    assert reader.found[0].request.body == b"1,2\n"
    assert not read(POST).wants_continue()
