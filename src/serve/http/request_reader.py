"""Whole requests out of the bytes of one connection.

HTTP itself is parsed by httptools (llhttp, Node's parser). Here is what a
server has to decide: bounds, pieces of bodies, and what is refused.
"""

from collections import deque
from functools import lru_cache
from typing import NamedTuple

import httptools

from sagetree.errors import HeadTooLargeError, RequestError
from sagetree.serve.http.body_buffer import BodyBuffer, broken_off, refuse_length
from sagetree.serve.protocol.messages import Body, Request

# Request line and headers; SageMaker's take some 2 KB.
HEAD_BYTES = 32 * 1024

# Names and targets remembered: clients send the same ones again and again.
REMEMBERED = 64


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
        self._reset()
        self.within = False
        self.found: deque[Incoming] = deque()
        self.ended = False

    def feed(self, data: bytes) -> None:
        """Take what the client has sent; nothing is taken after a request that is refused."""
        if self.ended:
            return
        try:
            self._parser.feed_data(data)
            if self.within and not self.in_body:
                self._head_bytes += len(data)
                if self._head_bytes > HEAD_BYTES:
                    raise _head_too_large()
        except httptools.HttpParserUpgrade:  # to a protocol that is not spoken here
            self.ended = True
        except httptools.HttpParserCallbackError as error:
            self._refuse(error.__context__ or error)
        except RequestError as error:
            self._refuse(error)
        except httptools.HttpParserError:
            self._refuse(broken_off() if self.in_body else _no_http())

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
        return self._headers.pop("expect", "").lower() == "100-continue" and not self.ended

    def _refuse(self, error: BaseException) -> None:
        if not isinstance(error, RequestError):
            raise error
        self.ended = True
        self.close()
        self.found.append(Incoming(self._request(b""), False, False, error))

    def _request(self, body: Body) -> Request:
        path, query = _path_and_query(self._url)
        method = self._parser.get_method().decode("latin-1") if self.in_body else "-"
        return Request(method, path, query, self._headers, body)

    def _reset(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._head_bytes = 0
        self.within = True
        self.in_body = False
        self._body: BodyBuffer | None = None

    # What httptools calls:

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._reset()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request's target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; one that comes again is joined to the first."""
        key, text = _key(name), value.decode("latin-1")
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEAD_BYTES:
            raise _head_too_large()
        headers = self._headers
        headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        """Look at what is promised, before it is sent."""
        self.in_body = True
        length = self._headers.get("content-length", "")
        if length.isdecimal():
            refuse_length(int(length), self._max_body)

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body."""
        if self._body is None:
            self._body = BodyBuffer(self._max_body)
        self._body.add(piece)

    def on_message_complete(self) -> None:
        """End a request."""
        parser, body = self._parser, self._body
        request = self._request(b"" if body is None else body.whole())
        old = parser.get_http_version() == "1.0"
        self.found.append(Incoming(request, parser.should_keep_alive(), old))
        self._body = None  # an idle connection keeps no body
        self.within = False
        self.in_body = False


def _head_too_large() -> HeadTooLargeError:
    hint = f"Send at most {HEAD_BYTES // 1024} KB of headers"
    return HeadTooLargeError("the request's headers are too large", hint=hint)


def _no_http() -> RequestError:
    return RequestError("the request is not HTTP/1.1", hint="Send HTTP/1.1")


@lru_cache(REMEMBERED)
def _path_and_query(target: bytes) -> tuple[str, str]:
    try:
        url = httptools.parse_url(target)
        return url.path.decode("latin-1"), (url.query or b"").decode("latin-1")
    except (httptools.HttpParserInvalidURLError, AttributeError):
        return target.decode("latin-1"), ""


@lru_cache(REMEMBERED)
def _key(name: bytes) -> str:
    return name.decode("latin-1").lower()
