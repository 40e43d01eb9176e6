"""What is answered where there is no score: the model's own words, or why it could not be asked."""

import json
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from sagetree.cloud.scoring.endpoint import JSON, Outcome
from sagetree.machine.program import LOG
from sagetree.serve.protocol.messages import Response
from sagetree.serve.routes.problems import Problem, RouteError

# When a caller may ask again. What is throttled is free in a moment; a serverless endpoint that
# is being started takes seconds.
RETRY_SECONDS = 2

# Services say so where they have too much to do, or are not ready yet.
_BUSY = frozenset(
    {
        "ModelNotReadyException", "RequestLimitExceeded", "ServiceUnavailable",
        "ServiceUnavailableException", "SlowDown", "ThrottledException", "Throttling",
        "ThrottlingException", "TooManyRequestsException",
    }
)  # fmt: skip
_BUSY_STATUS = (429, 503)

# As much of an error's text is logged.
_LOGGED = 500


def problem_of_call(error: BotoCoreError | ClientError, request_id: str) -> Problem:
    """Return the problem of a call to AWS that failed, and log it."""
    code, status, message = type(error).__name__, 0, str(error)
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        message = error.response["Error"].get("Message", "")
    LOG.error("request %s: %s (%s): %s", request_id, code, status, message[:_LOGGED])
    if code in _BUSY or status in _BUSY_STATUS:
        return _busy(code)
    return _failed("the model could not be reached")


def passed_on(outcome: Outcome, unused_fields: Sequence[str], request_id: str) -> Response:
    """Return the model's refusal as it is, with the fields of the claims that it was not sent.

    A misspelt column is among them. Raises RouteError where it is not a refusal, but a failure.
    """
    if outcome.status == 503:
        raise RouteError(_busy("ModelNotReady"))
    if not 400 <= outcome.status < 500:
        LOG.error("request %s: the model answered %d", request_id, outcome.status)
        raise RouteError(_failed("the model failed"))
    try:
        content = json.loads(outcome.body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        said = outcome.body.decode(errors="replace")
        return refusal(Problem(outcome.status, "ModelError", said), request_id)
    if unused_fields:
        content["unused_fields"] = list(unused_fields)
    return Response(outcome.status, json.dumps(content).encode(), JSON)


def unreadable(reason: str) -> RouteError:
    """Return the error of a model's answer that is not what it should be, and log it."""
    LOG.error("the model's answer cannot be read: %s", reason)
    return RouteError(_failed("the model's answer cannot be read"))


def refusal(problem: Problem, request_id: str) -> Response:
    """Return a problem as a response; what may go away by itself with the time to wait."""
    headers = dict(problem.headers)
    if problem.status == 503:
        headers["Retry-After"] = str(RETRY_SECONDS)
    return Response(problem.status, problem.to_json(request_id), JSON, headers)


def _busy(code: str) -> Problem:
    return Problem(503, code, "the model is busy, or is not ready", hint="Ask again soon")


def _failed(message: str) -> Problem:
    hint = "The function's log has the reason under this request_id"
    return Problem(502, "BadGateway", message, hint=hint)
