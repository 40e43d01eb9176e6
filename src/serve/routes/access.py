"""What stands around every request: its id, its time, its errors, its line in the log."""

import os
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from sagetree.machine.program import LOG
from sagetree.serve.attributes import HEADER as CUSTOM_ATTRIBUTES
from sagetree.serve.attributes import HEADER_KEY as CUSTOM_ATTRIBUTES_KEY
from sagetree.serve.attributes import returnable
from sagetree.serve.protocol.messages import Request, Response
from sagetree.serve.protocol.route_names import V2
from sagetree.serve.routes.problems import logged_reason, problem_of
from sagetree.serve.telemetry.metrics import Observer
from sagetree.serve.telemetry.observation import TRACE_HEADER, Trace, trace_id

REQUEST_ID = "X-Amzn-RequestId"

# The caller's own id first: SageMaker hands it through, to clients elsewhere
# the name of its sibling is open.
ID_HEADERS = ("x-amzn-sagemaker-inference-id", REQUEST_ID.lower())

# What SageMaker takes as InferenceId, and what cannot forge a log line.
_ID = re.compile(r"[!-~]{1,64}")

# A path or method that is none of ours is the client's text, which stays out of the log.
NO_ROUTE = "-"
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

Handler: TypeAlias = Callable[[Request, Trace], Response]


def request_id(headers: Mapping[str, str]) -> str:
    """Return the id a caller gave the request, else a fresh one."""
    for name in ID_HEADERS:
        given = headers.get(name)
        if given and _ID.fullmatch(given):
            return given
    return os.urandom(16).hex()


def respond(observer: Observer, route: str, handler: Handler, request: Request) -> Response:
    """Return the handler's answer, or that of the error it raises; tell the observer."""
    method = request.method if request.method in METHODS else NO_ROUTE
    trace = Trace(request_id(request.headers), method, route, len(request.body))
    trace.trace_id = trace_id(request.header(TRACE_HEADER))
    try:
        response = handler(request, trace)
    except Exception as error:  # the server's one outer handler
        response = _refusal(error, request, trace)
    response = _named(request, response, trace)
    trace.finish(response.status, len(response.body))
    observer.record(trace)
    return response


def raising(error: Exception) -> Handler:
    """Return the handler of a request that cannot be handled."""

    def handler(_request: Request, _trace: Trace) -> Response:
        raise error

    return handler


def _refusal(error: Exception, request: Request, trace: Trace) -> Response:
    problem = problem_of(error)
    if problem.status == 500:
        LOG.error("%s failed", trace.request_id, exc_info=error)
    elif problem.status < 500:
        trace.error, trace.reason = problem.error, logged_reason(error, trace.columns)
    body = problem.to_json(trace.request_id, in_words=f"{request.path}/".startswith(f"{V2}/"))
    return Response(problem.status, body, "application/json", problem.headers)


def _named(request: Request, response: Response, trace: Trace) -> Response:
    """Return the response with the request's id and attributes."""
    status, body, content_type, others = response
    headers = {**others, REQUEST_ID: trace.request_id}
    attributes = request.header(CUSTOM_ATTRIBUTES_KEY)
    if attributes and returnable(attributes):
        headers[CUSTOM_ATTRIBUTES] = attributes
    return Response(status, body, content_type, headers)
