"""What stands around every request: its id, its time, its errors, its line in the log."""

import os
import re
import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

from sagetree.program import LOG
from serve.attributes import HEADER as CUSTOM_ATTRIBUTES
from serve.attributes import returnable
from serve.messages import Request, Response
from serve.problems import problem_of

REQUEST_ID = "X-Amzn-RequestId"

# The caller's own id first: SageMaker hands it through, to clients elsewhere
# the name of its sibling is open.
ID_HEADERS = ("x-amzn-sagemaker-inference-id", REQUEST_ID.lower())

# What SageMaker takes as InferenceId, and what cannot forge a log line.
_ID = re.compile(r"[!-~]{1,64}")

# A path or method that is none of ours is the client's text, which stays out of the log.
NO_ROUTE = "-"


class Trace:
    """What the line of one request tells; the walk notes what it has reached, and when."""

    __slots__ = ("bytes_in", "phases", "request_id", "route", "rows", "start")

    def __init__(self, request_id: str, route: str, bytes_in: int) -> None:
        self.request_id = request_id
        self.route = route
        self.bytes_in = bytes_in
        self.rows = 0
        self.start = time.perf_counter()
        self.phases: list[tuple[str, float]] = []

    def reached(self, phase: str) -> None:
        """Note that a phase of the walk has ended."""
        self.phases.append((phase, time.perf_counter()))


Handler: TypeAlias = Callable[[Request, Trace], Response]


def request_id(headers: Mapping[str, str]) -> str:
    """Return the id a caller gave the request, else a fresh one."""
    for name in ID_HEADERS:
        given = headers.get(name)
        if given and _ID.fullmatch(given):
            return given
    return os.urandom(16).hex()


def respond(route: str, handler: Handler, request: Request) -> Response:
    """Return the handler's answer, or that of the error it raises; write the request's line."""
    trace = Trace(request_id(request.headers), route, len(request.body))
    try:
        response = handler(request, trace)
    except Exception as error:  # the server's one outer handler
        response = _refusal(error, trace)
    return _finish(request, response, trace)


def raising(error: Exception) -> Handler:
    """Return the handler of a request that cannot be handled."""

    def handler(_request: Request, _trace: Trace) -> Response:
        raise error

    return handler


def _refusal(error: Exception, trace: Trace) -> Response:
    problem = problem_of(error)
    if problem.status == 500:
        LOG.error("%s failed", trace.request_id, exc_info=error)
    body = problem.to_json(trace.request_id)
    return Response(problem.status, body, "application/json", problem.headers)


def _finish(request: Request, response: Response, trace: Trace) -> Response:
    """Return the response with the request's id and attributes; write the line."""
    headers = {**response.headers, REQUEST_ID: trace.request_id}
    attributes = request.header(CUSTOM_ATTRIBUTES)
    if attributes and returnable(attributes):
        headers[CUSTOM_ATTRIBUTES] = attributes
    LOG.info(
        "%s %s %s %d rows=%d bytes_in=%d bytes_out=%d ms=%.1f",
        trace.request_id,
        request.method,
        trace.route,
        response.status,
        trace.rows,
        trace.bytes_in,
        len(response.body),
        (time.perf_counter() - trace.start) * 1000,
    )
    return Response(response.status, response.body, response.content_type, headers)
