"""Lambda's runtime API, as a function sees it: events out, answers and errors in, over HTTP."""

import json
import queue
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

from tests.cloud.http_server import answering

PREFIX = "/2018-06-01/runtime"

# When the calls of these tests end, in milliseconds since 1970.
DEADLINE = 1_800_000_000_000


NO_HEADERS: Mapping[str, str] = {}


class Said(NamedTuple):
    """What a function has sent: to which path, with which headers, and what."""

    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class RuntimeApi:
    """The API; `events` are given out in order, None ends the function (410)."""

    events: "queue.Queue[tuple[bytes, str] | None]" = field(default_factory=queue.Queue)
    said: "queue.Queue[Said]" = field(default_factory=queue.Queue)
    address: str = ""
    refused: int = 0

    def send(self, event: object, trace: str = "") -> None:
        text = event if isinstance(event, bytes) else json.dumps(event).encode()
        self.events.put((text, trace))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: RuntimeApi

    def do_GET(self) -> None:
        assert self.path == f"{PREFIX}/invocation/next"
        event = self.api.events.get()
        if event is None:
            self._reply(410, b"the test is over")
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": "8476a536",
            "Lambda-Runtime-Deadline-Ms": str(DEADLINE),
        }
        if event[1]:
            headers["Lambda-Runtime-Trace-Id"] = event[1]
        self._reply(200, event[0], headers)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.api.said.put(Said(self.path.removeprefix(PREFIX), dict(self.headers.items()), body))
        self._reply(self.api.refused or 202, b"{}")

    def _reply(self, status: int, body: bytes, headers: Mapping[str, str] = NO_HEADERS) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def runtime_api() -> Iterator[RuntimeApi]:
    """Serve the API on a port of its own."""
    api = RuntimeApi()
    with answering(type("Handler", (_Handler,), {"api": api})) as port:
        api.address = f"127.0.0.1:{port}"
        try:
            yield api
        finally:
            api.events.put(None)
