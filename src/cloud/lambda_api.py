"""The other side of a Lambda function: events fetched, answers and errors sent back.

AWS's runtime API (2018-06-01) is HTTP on the function's own machine. Its client by AWS is an
extension in C++; what a function needs of it are four requests.
"""

import http.client
import json
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from sagetree.errors import PlatformError

# Lambda takes six megabytes and a hundred bytes for the answer to a call that waits for it.
ANSWER_BYTES = 6 * 2**20 + 100

# What Lambda itself calls the error.
TOO_LARGE = "Function.ResponseSizeTooLarge"

_PLACE = "Lambda's runtime API"

_VERSION = "/2018-06-01/runtime"

_TYPE = "Lambda-Runtime-Function-Error-Type"

# X-Ray shows it beside the trace.
_CAUSE = "Lambda-Runtime-Function-XRay-Error-Cause"

# A header holds a short message and the calls that are nearest to the error.
_MESSAGE_CHARACTERS = 500
_CALLS = 20


class Event(NamedTuple):
    """One event; `deadline` is when Lambda ends the call, in seconds since 1970.

    `trace` is X-Ray's header for it, "" where there is none.
    """

    request_id: str
    payload: bytes
    deadline: float
    trace: str


class LambdaApi:
    """The runtime API at `address` (host:port)."""

    def __init__(self, address: str) -> None:
        # without a time limit: the next event may be hours away
        self._connection = http.client.HTTPConnection(address)

    def next_event(self) -> Event:
        """Wait for an event and return it."""
        headers, body = self._ask("GET", "/invocation/next")
        return Event(
            headers["Lambda-Runtime-Aws-Request-Id"],
            body,
            int(headers["Lambda-Runtime-Deadline-Ms"]) / 1000,
            headers.get("Lambda-Runtime-Trace-Id", ""),
        )

    def answer(self, event: Event, answer: bytes) -> None:
        """Send the answer to an event; one that is too large is an error of the function."""
        if len(answer) <= ANSWER_BYTES:
            self._ask("POST", f"/invocation/{event.request_id}/response", answer)
            return
        self._refuse(
            f"/invocation/{event.request_id}/error",
            TOO_LARGE,
            f"the answer has {len(answer)} bytes, and Lambda takes {ANSWER_BYTES}. "
            "Ask for less at once",
        )

    def refuse(self, event: Event, error: Exception) -> None:
        """Say that the function failed on an event."""
        self._fail(f"/invocation/{event.request_id}/error", error)

    def refuse_start(self, error: Exception) -> None:
        """Say that the function could not be made ready for any event."""
        self._fail("/init/error", error)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _fail(self, path: str, error: Exception) -> None:
        name, trace = type(error).__name__, traceback.format_exception(error)
        self._refuse(path, name, str(error), trace, {_CAUSE: _cause(error)})

    def _refuse(
        self,
        path: str,
        kind: str,
        message: str,
        trace: Sequence[str] = (),
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        body = {"errorType": kind, "errorMessage": message, "stackTrace": trace}
        self._ask("POST", path, json.dumps(body).encode(), {**headers, _TYPE: kind})

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[http.client.HTTPMessage, bytes]:
        try:
            self._connection.request(method, _VERSION + path, body, dict(headers))
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            hint = "Lambda starts the function again"
            raise PlatformError(f"it is gone: {error!r}", where=_PLACE, hint=hint) from error
        if response.status >= 300:
            said = content.decode(errors="replace")
            raise PlatformError(f"it answers {response.status} to {path}: {said}", where=_PLACE)
        return response.headers, content


def _cause(error: Exception) -> str:
    """Return an error as X-Ray's documents have it, in ASCII."""
    calls = traceback.extract_tb(error.__traceback__)[-_CALLS:]
    stack = [{"path": c.filename, "line": c.lineno, "label": c.name} for c in calls]
    exception = {
        "type": type(error).__name__,
        "message": str(error)[:_MESSAGE_CHARACTERS],
        "stack": stack,
    }
    paths = sorted({call.filename for call in calls})
    cause = {"working_directory": str(Path.cwd()), "exceptions": [exception], "paths": paths}
    return json.dumps(cause)
