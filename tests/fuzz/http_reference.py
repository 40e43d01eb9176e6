"""A plain reading of HTTP/1.1 requests by RFC 9112, for whole input: what a connection may accept.

It is lenient where the RFC lets a server choose; what it cannot read ends it.
"""

import re
from typing import NamedTuple

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rb"(%s) +([!-\xff]+) +HTTP/(1\.[01])" % _TOKEN)
# RFC 3986, appendix B; a target that begins with a slash has no scheme and no authority.
_TARGET = re.compile(r"(?:(?!/)[^:/?#]+://[^/?#]*)?([^?#]*)(?:\?([^#]*))?(?:#.*)?")
_FIELD = re.compile(rb"(%s):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*" % _TOKEN)
_CHUNK = re.compile(rb"([0-9A-Fa-f]+)((?:;|[ \t]).*)?", re.DOTALL)
_LINE_END = b"\r\n"


class Reading(NamedTuple):
    """One request; `last` says that the connection ends behind it."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    last: bool


class UnreadableError(Exception):
    """What follows is not a request, or not whole."""


def readings(data: bytes) -> list[Reading]:
    """Return all requests up to the last one, or to what is none."""
    found: list[Reading] = []
    rest = data
    while not (found and found[-1].last):
        try:
            reading, rest = _request(rest.lstrip(_LINE_END))
        except UnreadableError:
            break
        found.append(reading)
    return found


def _request(data: bytes) -> tuple[Reading, bytes]:
    line, rest = _line(data)
    start = _REQUEST_LINE.fullmatch(line)
    if start is None:
        raise UnreadableError
    method, target, version = start.groups()
    parts = _TARGET.fullmatch(target.decode("latin-1"))
    if parts is None:
        raise UnreadableError
    headers, rest = _fields(rest)
    host = headers.get("host", "" if version == b"1.0" else None)
    if host is None or ", " in host:  # none, or two
        raise UnreadableError
    body, rest = _body(headers, rest)
    options = [option.strip(" \t").lower() for option in headers.get("connection", "").split(",")]
    last = "close" in options
    if version == b"1.0":
        last = last or "keep-alive" not in options or "transfer-encoding" in headers
    path, query = parts[1] or "/", parts[2] or ""
    return Reading(method.decode(), path, query, headers, body, last), rest


def _fields(data: bytes) -> tuple[dict[str, str], bytes]:
    headers: dict[str, str] = {}
    line, rest = _line(data)
    while line:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise UnreadableError
        name, value = field[1].decode().lower(), field[2].decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
        line, rest = _line(rest)
    return headers, rest


def _body(headers: dict[str, str], data: bytes) -> tuple[bytes, bytes]:
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if coding.lower() != "chunked" or length is not None:
            raise UnreadableError
        return _chunks(data)
    if length is None:
        return b"", data
    if not re.fullmatch("[0-9]+", length) or int(length) > len(data):
        raise UnreadableError
    return data[: int(length)], data[int(length) :]


def _chunks(data: bytes) -> tuple[bytes, bytes]:
    body, rest = b"", data
    while True:
        line, rest = _line(rest)
        chunk = _CHUNK.fullmatch(line)
        if chunk is None:
            raise UnreadableError
        size = int(chunk[1], 16)
        if not size:
            return body, _fields(rest)[1]
        if rest[size : size + 2] != _LINE_END:
            raise UnreadableError
        body, rest = body + rest[:size], rest[size + 2 :]


def _line(data: bytes) -> tuple[bytes, bytes]:
    line, end, rest = data.partition(_LINE_END)
    if not end:
        raise UnreadableError
    return line, rest
