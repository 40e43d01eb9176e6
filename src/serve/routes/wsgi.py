"""A request and its response as WSGI has them (PEP 3333), for the routes that are Flask's."""

import io
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

from sagetree.serve.protocol.messages import Request, Response

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# WSGI names these two without the prefix HTTP_.
_PLAIN = frozenset({"content-type", "content-length"})

_OURS = frozenset({"content-type", "content-length", "connection", "date"})


def environ_of(request: Request) -> dict[str, Any]:
    """Return the environment of a request whose body has come."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "RAW_URI": request.path,
        "QUERY_STRING": request.query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body) if isinstance(request.body, bytes) else request.body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if name in _PLAIN else f"HTTP_{key}"] = value
    environ["CONTENT_LENGTH"] = str(len(request.body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)  # the body is whole
    return environ


def call(application: WsgiApplication, request: Request) -> Response:
    """Return the application's response to a request."""
    started: list[tuple[str, Sequence[tuple[str, str]]]] = []

    def start_response(
        status: str,
        headers: Sequence[tuple[str, str]],
        exc_info: object = None,  # noqa: ARG001 - WSGI's signature
    ) -> None:
        started.append((status, headers))

    pieces = application(environ_of(request), start_response)
    try:
        body = b"".join(pieces)
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
    status, headers = started[-1]
    named = {name.lower(): (name, value) for name, value in headers}
    return Response(
        int(status.split()[0]),
        body,
        named.get("content-type", ("", ""))[1],
        {name: value for key, (name, value) in named.items() if key not in _OURS},
    )
