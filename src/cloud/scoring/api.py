"""The API of one stack: each request to its route, each answer and error to the caller."""

import json
import time
from collections.abc import Collection, Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from sagetree.cloud.columns import InputColumns
from sagetree.cloud.scoring.claims import REQUEST_ID, ApiRequest, Claim, Rows
from sagetree.cloud.scoring.endpoint import JSON, Outcome, ScoringModel
from sagetree.cloud.scoring.openapi import document
from sagetree.cloud.scoring.parameter import FRESH_SECONDS, SECONDS, Parameter, not_deployed
from sagetree.cloud.scoring.problems import passed_on, problem_of_call, refusal, unreadable
from sagetree.errors import SagetreeError
from sagetree.serve.protocol.messages import Response
from sagetree.serve.routes.problems import Problem, RouteError, problem_of
from sagetree.serve.telemetry.log_lines import write_line

Answer = dict[str, object]

SCORE = "POST /score"
DESCRIPTION = "GET /openapi.json"


class Api:
    """Claims to `model`, by the fields that the parameter `columns` names and none that is private.

    `id_field` is the field of a claim that its answer carries again.
    """

    def __init__(
        self,
        model: ScoringModel,
        columns: Parameter,
        id_field: str,
        private_fields: Collection[str],
    ) -> None:
        self._model = model
        self._columns = columns
        self._id_field = id_field
        self._stays = frozenset({id_field, *private_fields})
        self._routes = {SCORE: self._score, DESCRIPTION: self._describe}

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
            return self._routes.get(request.route, _no_route)(request)
        except (BotoCoreError, ClientError) as error:
            problem = problem_of_call(error, request.request_id)
        except (SagetreeError, RouteError) as error:
            problem = problem_of(error)
        return refusal(problem, request.request_id)

    def _score(self, request: ApiRequest) -> Response:
        claims = request.claims()
        rows, outcome = self._asked(claims, request)
        content: dict[str, object] = {"request_id": request.request_id}
        match outcome.status:
            case 200:
                answers = _predictions(outcome, len(claims))
                content["predictions"] = list(map(self._told, claims, answers))
            case 202:
                content |= {"claims": len(claims), **json.loads(outcome.body)}
            case _:
                return passed_on(outcome, rows.unused_fields, request.request_id)
        if rows.unused_fields:
            content["unused_fields"] = rows.unused_fields
        return _json(content, outcome.status)

    def _asked(self, claims: Sequence[Claim], request: ApiRequest) -> tuple[Rows, Outcome]:
        """Return what the model says of the claims, and the rows it was sent.

        A model that refuses rows may be newer than the columns known here. These are then read
        anew, and it is asked again.
        """
        columns = self._may_leave()
        rows = Rows.of(claims, columns, self._id_field)
        outcome = self._model.ask(rows.to_json(), request)
        if outcome.status == 422 and (now := self._may_leave(FRESH_SECONDS)) != columns:
            rows = Rows.of(claims, now, self._id_field)
            outcome = self._model.ask(rows.to_json(), request)
        return rows, outcome

    def _may_leave(self, seconds: float = SECONDS) -> frozenset[str]:
        columns = self._known(seconds)
        kept = [note.name for note in columns.notes if note.required and note.name in self._stays]
        if kept:
            raise RouteError(_misconfigured(kept))
        return columns.names - self._stays

    def _known(self, seconds: float = SECONDS) -> InputColumns:
        columns = InputColumns.of_text(self._columns.value(seconds=seconds))
        if columns is None:
            columns = InputColumns.of_text(self._columns.value(seconds=FRESH_SECONDS))
        if columns is None:
            raise not_deployed(self._columns.name)
        return columns

    def _told(self, claim: Claim, answer: Mapping[str, object]) -> Mapping[str, object]:
        known = {self._id_field: claim[self._id_field]} if self._id_field in claim else {}
        return {**known, **answer}

    def _describe(self, _request: ApiRequest) -> Response:
        return _json(document(self._known(), self._id_field, self._stays))


def _predictions(outcome: Outcome, claims: int) -> Sequence[Mapping[str, object]]:
    """Return what is said of each claim. Raises RouteError for an answer of another form."""
    try:
        predictions = json.loads(outcome.body)["predictions"]
    except (ValueError, KeyError, TypeError) as error:
        raise unreadable("it is not the server's JSON") from error
    if not isinstance(predictions, list) or not all(isinstance(p, dict) for p in predictions):
        raise unreadable("its predictions are not a list of objects")
    if len(predictions) != claims:
        raise unreadable(f"it has {len(predictions)} predictions for {claims} claims")
    return predictions


def _json(content: object, status: int = 200) -> Response:
    # an identifier may be a text or a number that orjson does not write
    return Response(status, json.dumps(content).encode(), JSON)


def _misconfigured(columns: Sequence[str]) -> Problem:
    return Problem(
        500,
        "Misconfigured",
        f"the model needs {', '.join(columns)}, which the stack's settings keep in the function",
        where="PrivateFields, IdField",
        hint="Train without such columns, or take them out of the stack's settings",
    )


def _no_route(_request: ApiRequest) -> Response:
    hint = f"There are {SCORE} and {DESCRIPTION}"
    raise RouteError(Problem(404, "NotFound", "there is no such path", hint=hint))


def _line(request: ApiRequest, response: Response, seconds: float) -> str:
    """Return the log's line: nothing of a claim, and no text of a caller but a plain id."""
    return json.dumps(
        {
            "level": "INFO",
            "request_id": request.request_id,
            "route": request.route if request.route in (SCORE, DESCRIPTION) else "-",
            "status": response.status,
            "bytes_in": len(request.body or b""),
            "bytes_out": len(response.body),
            "ms": round(seconds * 1000, 2),
        }
    )
