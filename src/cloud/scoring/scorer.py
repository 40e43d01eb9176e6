"""Claims to the model, and its predictions back: by the fields that may leave, and no others."""

import json
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet

from sagetree.cloud.columns import InputColumns
from sagetree.cloud.scoring.claims import ApiRequest, Claim, Rows
from sagetree.cloud.scoring.endpoint import Outcome, ScoringModel
from sagetree.cloud.scoring.online import OnlineTables, without_looked_up
from sagetree.cloud.scoring.parameter import FRESH_SECONDS, SECONDS, Parameter, not_deployed
from sagetree.cloud.scoring.problems import unreadable
from sagetree.serve.routes.problems import Problem, RouteError

Prediction = Mapping[str, object]


class ClaimScorer:
    """Scores claims by `model`, from the fields that the parameter `columns` names.

    None that is private is among them, nor `id_field`, which a claim's prediction carries again.
    """

    def __init__(
        self,
        model: ScoringModel,
        columns: Parameter,
        id_field: str,
        private_fields: Collection[str],
        online: OnlineTables,
    ) -> None:
        self._model = model
        self._online = online
        self._columns = columns
        self.id_field = id_field
        self.stays = frozenset({id_field, *private_fields})

    def ask(self, claims: Sequence[Claim], request: ApiRequest) -> tuple[Rows, Outcome]:
        """Return the rows that the model was sent, and what it says about them.

        A model that refuses rows may be newer than the columns known here. These are then read
        anew, and it is asked again. Raises what ScoringModel.ask raises.
        """
        columns = self.sent()
        rows, outcome = self._answered(claims, columns, request)
        if outcome.status == 422 and (now := self.sent(FRESH_SECONDS)) != columns:
            rows, outcome = self._answered(claims, now, request)
        return rows, outcome

    def _answered(
        self, claims: Sequence[Claim], columns: AbstractSet[str], request: ApiRequest
    ) -> tuple[Rows, Outcome]:
        """Ask the model, with what the online store has of the columns that claims lack."""
        try:
            completed = self._completed(claims, columns)
        except RouteError as error:
            if error.problem.status != 422:
                raise
            refused = Outcome(422, error.problem.to_json(request.request_id))
            return Rows.of(claims, columns, self.id_field), refused
        rows = Rows.of(completed, columns, self.id_field)
        outcome = self._model.ask(rows.to_json(), request)
        return rows, without_looked_up(outcome, claims, completed, request.request_id)

    def _completed(self, claims: Sequence[Claim], columns: AbstractSet[str]) -> Sequence[Claim]:
        if not self._online:
            return claims
        required = {note.name for note in self.columns().notes if note.required}
        return self._online.completed(claims, columns & required)

    def looked_up(self) -> AbstractSet[str]:
        """Return the columns that a claim may leave out, as they are looked up for it."""
        return self._online.features() if self._online else frozenset()

    def sent(self, seconds: float = SECONDS) -> frozenset[str]:
        """Return the fields that the model is sent. Raises RouteError where it needs others."""
        columns = self.columns(seconds)
        kept = [note.name for note in columns.notes if note.required and note.name in self.stays]
        if kept:
            raise RouteError(_misconfigured(kept))
        return columns.names - self.stays

    def columns(self, seconds: float = SECONDS) -> InputColumns:
        """Return the model's columns, as they were `seconds` ago or later.

        Raises NotReadyError where there is no model.
        """
        columns = InputColumns.of_text(self._columns.value(seconds=seconds))
        if columns is None:
            columns = InputColumns.of_text(self._columns.value(seconds=FRESH_SECONDS))
        if columns is None:
            raise not_deployed(self._columns.name)
        return columns

    def named(self, claim: Claim, prediction: Prediction) -> Prediction:
        """Return a claim's prediction with the claim's identifier before it."""
        known = {self.id_field: claim[self.id_field]} if self.id_field in claim else {}
        return {**known, **prediction}


def predictions(outcome: Outcome, claims: int) -> Sequence[Prediction]:
    """Return the answer about each claim. Raises RouteError for an answer of another form."""
    try:
        told = json.loads(outcome.body)["predictions"]
    except (ValueError, KeyError, TypeError) as error:
        raise unreadable("it is not the server's JSON") from error
    if not isinstance(told, list) or not all(isinstance(p, dict) for p in told):
        raise unreadable("its predictions are not a list of objects")
    if len(told) != claims:
        raise unreadable(f"it has {len(told)} predictions for {claims} claims")
    return told


def _misconfigured(columns: Sequence[str]) -> Problem:
    return Problem(
        500,
        "Misconfigured",
        f"the model needs {', '.join(columns)}, and the stack's settings keep them in the function",
        where="PrivateFields, IdField",
        hint="Train without such columns, or take them out of the stack's settings",
    )
