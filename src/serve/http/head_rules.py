"""What RFC 9110 and RFC 9112 ask of a request's head, and the answer to one that breaks them."""

import re
from collections.abc import Mapping
from functools import lru_cache

import httptools

from sagetree.errors import HeadTooLargeError, RequestError, quote

# Request line and headers together, and the target alone; SageMaker's take some 2 KB.
HEAD_BYTES = 32 * 1024

# Names, targets and hosts remembered: clients send the same ones again and again.
REMEMBERED = 64

_FORM = "Send HTTP/1.1 as RFC 9112 says"

# RFC 9110 section 7.2, with the names and addresses of RFC 3986. Two Host lines are
# joined by a comma and a space, which no host has. It may be empty.
_HOST = re.compile(
    r"(\[[0-9A-Fa-fv:.]+\]|([\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)(:[0-9]*)?", re.ASCII
)


class TargetTooLongError(RequestError):
    """The target of a request is longer than the server takes."""

    status = 414


class TransferCodingError(RequestError):
    """The body of a request comes in a transfer coding that the server does not know."""

    status = 501


class HttpVersionError(RequestError):
    """A request is of another version of HTTP than 1.0 and 1.1."""

    status = 505


def check_head(method: str, version: str, headers: Mapping[str, str]) -> None:
    """Raise the RequestError of a head that HTTP/1.1 forbids, or that asks for a tunnel."""
    if version not in ("1.1", "1.0"):
        raise _another_version(version)
    host = headers.get("host")
    if host is None:
        if version == "1.1":
            raise RequestError("the header is missing", where="Host", hint="Send one")
    elif not _is_host(host):
        hint = "Send one Host header with a name or an address, and a port if need be"
        raise RequestError(f"the host is {quote(host)}", where="Host", hint=hint)
    if method == "CONNECT":
        raise RequestError(
            "this server is not a proxy",
            where="CONNECT",
            hint="Send the request directly to the server you mean",
        )
    coding = headers.get("transfer-encoding")
    if coding is not None and coding.lower() != "chunked":
        raise _wrong_coding(coding)


def _another_version(version: str) -> HttpVersionError:
    return HttpVersionError(
        f"HTTP/{version} is not supported", where="the request line", hint="Send HTTP/1.1"
    )


def _wrong_coding(coding: str) -> RequestError:
    where = "Transfer-Encoding"
    if coding.lower().rpartition(",")[2].strip() == "chunked":
        hint = "Send it chunked only, or with a Content-Length"
        return TransferCodingError(f"{quote(coding)} is not supported", where=where, hint=hint)
    hint = "Make chunked the last coding: without it the end of the body is unknown"
    return RequestError(f"{quote(coding)} does not end the body", where=where, hint=hint)


@lru_cache(REMEMBERED)
def _is_host(text: str) -> bool:
    return _HOST.fullmatch(text) is not None


def may_stay(headers: Mapping[str, str]) -> bool:
    """Say whether a connection may stay open that HTTP/1.0 asks to be kept.

    It may not where close is asked for too (RFC 9112 section 9.3), or behind chunks, which
    HTTP/1.0 does not know (section 6.1).
    """
    options = [option.strip(" \t") for option in headers.get("connection", "").lower().split(",")]
    return "transfer-encoding" not in headers and "close" not in options


def head_too_large() -> HeadTooLargeError:
    """Return the error of a head above HEAD_BYTES."""
    hint = f"Send at most {HEAD_BYTES // 1024} KB of headers"
    return HeadTooLargeError("they are too large", where="the headers", hint=hint)


def target_too_long() -> TargetTooLongError:
    """Return the error of a target above HEAD_BYTES."""
    hint = f"Send at most {HEAD_BYTES // 1024} KB, and data in the body"
    return TargetTooLongError("it is too long", where="the URL", hint=hint)


def unreadable_head(method: bytes, error: httptools.HttpParserError) -> RequestError:
    """Return the error of a head that the parser cannot read, with the parser's reason."""
    if method == b"PRI":  # how HTTP/2 begins
        return _another_version("2.0")
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        hint = "Send HTTP/1.1, and no TLS"
        return RequestError(
            "it does not begin with a method of HTTP", where="the request line", hint=hint
        )
    return RequestError(f"it cannot be read: {error}", where="the request's head", hint=_FORM)


@lru_cache(REMEMBERED)
def path_and_query(target: bytes) -> tuple[str, str]:
    """Return a target's path and query; the host in an absolute one is not checked.

    >>> path_and_query(b"/ping?x=1"), path_and_query(b"http://a_b:80?x=1"), path_and_query(b"*")
    (('/ping', 'x=1'), ('/', 'x=1'), ('*', ''))
    """
    text = target.decode("latin-1").partition("#")[0]
    plain, _, query = text.partition("?")
    if not plain.startswith("/") and "://" in plain:
        plain = "/" + plain.partition("://")[2].partition("/")[2]
    return plain, query
