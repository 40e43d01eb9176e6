"""Whole requests out of the bytes of one connection.

HTTP itself is parsed by httptools (llhttp, Node's parser). Here is what a
server has to decide: bounds, pieces of bodies, and what is refused.
"""

from collections import deque
from functools import lru_cache
from typing import NamedTuple

import httptools

from sagetree.errors import RequestError
from sagetree.serve.http.body_buffer import BodyBuffer, broken_off, refuse_length, wrong_chunks
from sagetree.serve.http.head_rules import (
    HEAD_BYTES,
    REMEMBERED,
    check_head,
    head_too_large,
    may_stay,
    path_and_query,
    target_too_long,
    unreadable_head,
)
from sagetree.serve.protocol.messages import Body, Request

# Of a head that asks for another protocol: what says where its body ends.
_FRAMING = ("content-length", "transfer-encoding")


class Incoming(NamedTuple):
    """A request that has come; `error` is what it is refused with, `keep` whether more may come."""

    request: Request
    keep: bool
    old: bool
    error: Exception | None = None


class RequestReader:
    """Makes requests of the bytes of one connection; `found` holds those not yet answered.

    `within` says whether a request has begun that is not whole yet, `in_body` whether its
    headers are whole and its body is not, `ended` whether there will be no more of them.
    """

    def __init__(self, max_body: int | None) -> None:
        self._max_body = max_body
        self._parser = httptools.HttpRequestParser(self)
        self._again = False  # whether the parser reads a head that it has read before
        self.in_body = False
        self._waits = False  # whether the client waits for leave to send the body
        self._reset()
        self.within = False
        self.found: deque[Incoming] = deque()
        self.ended = False

    def feed(self, data: bytes) -> None:
        """Take what the client has sent; nothing is taken after the last request."""
        if self.ended:
            return
        before = len(self.found)
        try:
            self._parse(data)
            if self.within and not self.in_body and len(self.found) == before:
                self._waiting_bytes += len(data)
                if self._waiting_bytes > HEAD_BYTES:
                    raise head_too_large()
        except httptools.HttpParserCallbackError as error:
            self._refuse(error.__context__ or error)
        except RequestError as error:
            self._refuse(error)
        except httptools.HttpParserError as error:
            chunked, method = self.in_body, self._parser.get_method()
            self._refuse(wrong_chunks(error) if chunked else unreadable_head(method, error))

    def end(self) -> None:
        """Take the end of what the client sends."""
        if self.within and not self.ended and self.in_body:
            self._refuse(broken_off())
        self.ended = True

    def close(self) -> None:
        """Give up what has come of a request that never will be whole."""
        if self._body is not None:
            self._body.close()

    def wants_continue(self) -> bool:
        """Say, once, whether the client waits for leave to send the body that is to come."""
        waits = self._waits
        self._waits = False
        return waits and self.in_body and not self.ended

    def _parse(self, data: bytes) -> None:
        """Have the parser read `data`.

        Where a head asks for another protocol the parser stops and would take the body for the
        next request. The wish is ignored here (RFC 9110 section 7.8), so a new parser reads the
        head without it, and then goes on.
        """
        rest: bytes | memoryview = data
        while True:
            try:
                self._parser.feed_data(rest)
            except httptools.HttpParserUpgrade as stop:
                rest = memoryview(rest)[stop.args[0] :]
                self._again = True
                self._parser = httptools.HttpRequestParser(self)
                self._parser.feed_data(self._plain_head())
            else:
                return

    def _plain_head(self) -> bytes:
        """Return the head that has just been read, as far as the parser needs it for the rest."""
        lines = [f"{self._method} / HTTP/{'1.0' if self._old else '1.1'}"]
        lines += [f"{name}: {self._headers[name]}" for name in _FRAMING if name in self._headers]
        lines.append(f"Connection: {'keep-alive' if self._keep else 'close'}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _refuse(self, error: BaseException) -> None:
        if not isinstance(error, RequestError):
            raise error
        if self.ended:  # what comes behind the last request does not matter
            return
        self.ended = True
        self.close()
        self.found.append(Incoming(self._request(b""), False, self._old, error))

    def _request(self, body: Body) -> Request:
        path, query = path_and_query(self._url)
        return Request(self._method, path, query, self._headers, body)

    def _reset(self) -> None:
        self._method = "-"  # until the head is whole
        self._url = b""
        self._headers: dict[str, str] = {}
        self._head_bytes = 0  # of the target and the headers that are whole
        self._waiting_bytes = 0  # of pieces that hold nothing but a part of the head
        self._keep = False
        self._old = False
        self._waits = False
        self.within = True
        self.in_body = False
        self._body: BodyBuffer | None = None

    # What httptools calls:

    def on_message_begin(self) -> None:
        """Begin a request."""
        if self.ended:
            raise broken_off()
        if not self._again:
            self._reset()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request's target."""
        if self._again:
            return
        self._url += url
        self._head_bytes += len(url)
        if self._head_bytes > HEAD_BYTES:
            raise target_too_long()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; one that comes again is joined to the first.

        Those behind the body are for nobody here (RFC 9110 section 6.5.1).
        """
        if self.in_body or self._again:
            return
        key, text = _key(name), value.decode("latin-1").rstrip(" \t")
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEAD_BYTES:
            raise head_too_large()
        headers = self._headers
        headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        """Look at what is promised, before it is sent."""
        if self._again:
            self._again = False
            return
        parser, headers = self._parser, self._headers
        self.in_body = True
        self._method = parser.get_method().decode("latin-1")
        version = parser.get_http_version()
        self._old = version == "1.0"
        check_head(self._method, version, headers)
        length = headers.get("content-length", "")
        if length.isdecimal():
            refuse_length(int(length), self._max_body)
        self._keep = parser.should_keep_alive() and (not self._old or may_stay(headers))
        self._waits = "expect" in headers and self._expects()

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body."""
        if self._body is None:
            self._body = BodyBuffer(self._max_body)
        self._body.add(piece)

    def on_message_complete(self) -> None:
        """End a request."""
        if self._parser.should_upgrade():  # its body is still to come
            return
        body = self._body
        request = self._request(b"" if body is None else body.whole())
        self.found.append(Incoming(request, self._keep, self._old))
        self._body = None  # an idle connection keeps no body
        self.within = False
        self.in_body = False
        self.ended = not self._keep

    def _expects(self) -> bool:
        # RFC 9110 section 10.1.1: HTTP/1.0 knows no interim answers
        return self._headers["expect"].lower() == "100-continue" and not self._old


@lru_cache(REMEMBERED)
def _key(name: bytes) -> str:
    return name.decode("latin-1").lower()
