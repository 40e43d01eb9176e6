"""The API of one stack: each request to its route, each answer and error to the caller."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from sagetree.cloud.scoring.capture import RequestCapture
from sagetree.cloud.scoring.claims import REQUEST_ID, ApiRequest, Claim, Rows
from sagetree.cloud.scoring.endpoint import JSON
from sagetree.cloud.scoring.openapi import document
from sagetree.cloud.scoring.outcomes import Outcomes
from sagetree.cloud.scoring.problems import passed_on, problem_of_call, refusal
from sagetree.cloud.scoring.scorer import ClaimScorer, predictions
from sagetree.errors import SagetreeError
from sagetree.serve.protocol.messages import Response
from sagetree.serve.routes.problems import Problem, RouteError, problem_of
from sagetree.serve.telemetry.log_lines import write_line

Answer = dict[str, object]

SCORE = "POST /score"
QUEUE = "POST /claims"
OUTCOME = "POST /outcomes"
DESCRIPTION = "GET /openapi.json"


class Queue(Protocol):
    """Who keeps claims until they are scored."""

    def send(self, claims: Sequence[Claim]) -> None:
        """Keep claims. Raises SagetreeError and RouteError where it does not."""


class Api:
    """Scores claims at once, or takes them into the queue, where there is one."""

    def __init__(
        self, scorer: ClaimScorer, capture: RequestCapture, outcomes: Outcomes, queue: Queue | None
    ) -> None:
        self._scorer = scorer
        self._capture = capture
        self._outcomes = outcomes
        queued = {QUEUE: partial(self._keep, queue)} if queue else {}
        self._routes: dict[str, Callable[[ApiRequest], Response]] = {
            SCORE: self._score, **queued, OUTCOME: self._note, DESCRIPTION: self._describe,
        }  # fmt: skip

    def answer(self, event: Mapping[str, object]) -> Answer:
        """Return the answer to an event of API Gateway (payload format 2.0)."""
        begin = time.perf_counter()
        request = ApiRequest.of_event(event)
        response = self._respond(request)
        seconds = time.perf_counter() - begin
        write_line(_line(request, response, seconds))
        return {
            "statusCode": response.status,
            "headers": {
                "Content-Type": response.content_type,
                REQUEST_ID: request.request_id,
                **response.headers,
            },
            "body": bytes(response.body).decode(),
            "isBase64Encoded": False,
        }

    def _respond(self, request: ApiRequest) -> Response:
        try:
            return self._routes.get(request.route, self._no_route)(request)
        except (BotoCoreError, ClientError) as error:
            problem = problem_of_call(error, request.request_id)
        except (SagetreeError, RouteError) as error:
            problem = problem_of(error)
        return refusal(problem, request.request_id)

    def _score(self, request: ApiRequest) -> Response:
        claims = request.claims()
        rows, outcome = self._scorer.ask(claims, request)
        content: dict[str, object] = {"request_id": request.request_id}
        match outcome.status:
            case 200:
                told = predictions(outcome, len(claims))
                self._capture.keep(claims, rows.rows, told, request.request_id, outcome.variant)
                content["predictions"] = list(map(self._scorer.named, claims, told))
            case 202:
                content |= {"claims": len(claims), **json.loads(outcome.body)}
            case _:
                return passed_on(outcome, rows.unused_fields, request.request_id)
        if rows.unused_fields:
            content["unused_fields"] = rows.unused_fields
        return _json(content, outcome.status)

    def _describe(self, _request: ApiRequest) -> Response:
        scorer = self._scorer
        described = document(
            scorer.columns(),
            scorer.id_field,
            scorer.stays,
            scorer.looked_up(),
            queues=QUEUE in self._routes,
        )
        return _json(described)

    def _keep(self, queue: Queue, request: ApiRequest) -> Response:
        claims = request.claims()
        stored = self._scorer.sent() | {self._scorer.id_field}
        rows = Rows.of(claims, stored, self._scorer.id_field)
        queue.send(rows.rows)
        content: dict[str, object] = {"request_id": request.request_id, "claims": len(claims)}
        if rows.unused_fields:
            content["unused_fields"] = rows.unused_fields
        return _json(content, 202)

    def _note(self, request: ApiRequest) -> Response:
        outcomes = request.listed("outcome")
        label = self._scorer.columns().label
        if label is None:
            raise RouteError(_no_label())
        self._outcomes.keep(outcomes, label)
        return _json({"request_id": request.request_id, "outcomes": len(outcomes)})

    def _no_route(self, _request: ApiRequest) -> Response:
        *others, last = self._routes
        hint = f"The paths are {', '.join(others)} and {last}"
        raise RouteError(Problem(404, "NotFound", "the path does not exist", hint=hint))


def _json(content: object, status: int = 200) -> Response:
    # an identifier may be a text or a number that orjson does not write
    return Response(status, json.dumps(content).encode(), JSON)


def _no_label() -> Problem:
    hint = "Deploy a model that was trained with one label"
    return Problem(422, "NoLabel", "the model does not store which column it predicts", hint=hint)


def _line(request: ApiRequest, response: Response, seconds: float) -> str:
    """Return the log's line: nothing of a claim, and no text of a caller but a plain id."""
    return json.dumps(
        {
            "level": "INFO",
            "request_id": request.request_id,
            "route": request.route
            if request.route in (SCORE, QUEUE, OUTCOME, DESCRIPTION)
            else "-",
            "status": response.status,
            "bytes_in": len(request.body or b""),
            "bytes_out": len(response.body),
            "ms": round(seconds * 1000, 2),
        }
    )
