"""The first lines of a response as bytes, and what may go before them."""

import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from sagetree.serve.protocol.messages import Response

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

# Of these statuses a response has no body, and says nothing of its length (RFC 9110 section 8.6).
BODILESS = frozenset({204, 304})

_REASONS = {status.value: status.phrase for status in HTTPStatus}


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def head_of(response: Response, keep: bool, old: bool) -> bytes:
    """Return the head of a response; `old` is whether the client speaks HTTP/1.0."""
    status, body, content_type, headers = response
    lines = [] if status in BODILESS else [f"Content-Length: {len(body)}\r\n"]
    if content_type:
        lines.append(f"Content-Type: {content_type}\r\n")
    lines += [f"{name}: {value}\r\n" for name, value in headers.items()]
    if not keep:
        lines.append("Connection: close\r\n")
    elif old:
        lines.append("Connection: keep-alive\r\n")
    return (
        f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}\r\nDate: {_date(int(time.time()))}"
        f"\r\n{''.join(lines)}\r\n"
    ).encode("latin-1")
