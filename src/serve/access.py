"""What stands around every request: its id, its time, its line in the log."""

import re
import time
import uuid

from flask import Response, g, request
from werkzeug.datastructures import Headers

from sagetree.program import LOG
from serve.attributes import HEADER as CUSTOM_ATTRIBUTES
from serve.attributes import returnable

REQUEST_ID = "X-Amzn-RequestId"

# The caller's own id first: SageMaker hands it through, to clients elsewhere
# the name of its sibling is open.
ID_HEADERS = ("X-Amzn-SageMaker-Inference-Id", REQUEST_ID)

# What SageMaker takes as InferenceId, and what cannot forge a log line.
_ID = re.compile(r"[!-~]{1,64}")


def request_id(headers: Headers) -> str:
    """Return the id a caller gave the request, else a fresh one."""
    given = (headers.get(name, "") for name in ID_HEADERS)
    return next(filter(_ID.fullmatch, given), uuid.uuid4().hex)


def begin() -> None:
    """Note when the request came and what it is called."""
    g.start = time.monotonic()
    g.request_id = request_id(request.headers)
    g.rows = 0


def finish(response: Response) -> Response:
    """Return the response with the request's id and attributes; write the line."""
    response.headers[REQUEST_ID] = g.request_id
    attributes = request.headers.get(CUSTOM_ATTRIBUTES, "")
    if returnable(attributes):
        response.headers[CUSTOM_ATTRIBUTES] = attributes
    LOG.info(
        "%s %s %s %d rows=%d bytes_in=%d bytes_out=%d ms=%.1f",
        g.request_id,
        request.method,
        # never the path itself: it is the client's text
        request.url_rule.rule if request.url_rule else "-",
        response.status_code,
        g.rows,
        request.content_length or 0,
        response.content_length or 0,
        (time.monotonic() - g.start) * 1000,
    )
    return response
