"""What a claim lacks of the model's columns, looked up in the online store by the claim's id.

Only with the stack's OnlineTables: each is a feature group, STACK-TABLE. A claim's own values win.
A cell that is missing in a record is missing to the model, as it was in training; a record that
is not there is refused, for nobody knows what would be in it.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.names import Settings, prefix
from sagetree.cloud.scoring.claims import Claim, has_half_a_character
from sagetree.cloud.scoring.endpoint import Outcome
from sagetree.cloud.scoring.parameter import SECONDS
from sagetree.cloud.store.cells import fault_of
from sagetree.cloud.store.groups import FeatureGroup, FeatureType
from sagetree.errors import quote_all
from sagetree.machine.program import LOG
from sagetree.serve.routes.problems import Problem, RouteError

# As many records BatchGetRecord returns.
_MOST = 100

# No identifier is longer that could be one.
_LONGEST = 1024

# What follows the value in a reason: see sagetree.predictions.reasons.
_EFFECTS = (" raises ", " lowers ", " was never seen in training")

Record = Mapping[str, object]


class OnlineTables:
    """The online stores of a stack's tables, none where OnlineTables is empty."""

    def __init__(self, clients: Clients, settings: Settings, clock: Callable[[], float]) -> None:
        self._clients = clients
        self._names = [f"{prefix(settings.stack)}{table}" for table in settings.online_tables]
        self._id_field = settings.id_field
        self._clock = clock
        self._groups: tuple[FeatureGroup, ...] = ()
        self._read_at = 0.0

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self._names)

    def features(self) -> frozenset[str]:
        """Return the columns that can be looked up."""
        return frozenset(name for group in self._known() for name in group.types) - {self._id_field}

    def completed(self, claims: Sequence[Claim], needed: AbstractSet[str]) -> Sequence[Claim]:
        """Return the claims with what they lack of the columns that the model needs.

        Raises RouteError: 422 for a claim whose record is not there, 503 where the store does not
        answer.
        """
        if all(needed <= claim.keys() for claim in claims):
            return claims
        completed = [dict(claim) for claim in claims]
        for group in self._known():
            self._complete(completed, group, needed & group.types.keys() - {self._id_field})
        return completed

    def _complete(
        self, claims: Sequence[dict[str, object]], group: FeatureGroup, needed: AbstractSet[str]
    ) -> None:
        lacking = {
            number: sorted(needed - claim.keys())
            for number, claim in enumerate(claims, 1)
            if needed - claim.keys()
        }
        identifiers = {n: self._identifier(n, claims[n - 1], lacking[n]) for n in lacking}
        kind = group.types[group.id_field]
        asked = sorted(text for text in {*identifiers.values()} if not fault_of(text, kind))
        records = dict(self._records(group, asked))
        for number, columns in lacking.items():
            record = records.get(identifiers[number])
            if record is None:
                raise RouteError(_absent(number, self._id_field, group.name, columns))
            claims[number - 1].update((column, record.get(column)) for column in columns)

    def _identifier(self, number: int, claim: Claim, lacking: Sequence[str]) -> str:
        value = claim.get(self._id_field)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise RouteError(_unknown(number, self._id_field, lacking))
        text = str(value)
        if not 0 < len(text) <= _LONGEST or has_half_a_character(text):
            raise RouteError(_unknown(number, self._id_field, lacking))
        return text

    def _records(
        self, group: FeatureGroup, identifiers: Sequence[str]
    ) -> Iterator[tuple[str, Record]]:
        """Yield the records that there are, each with its identifier."""
        for begin in range(0, len(identifiers), _MOST):
            asked = list(identifiers[begin : begin + _MOST])
            with _store_errors():
                answer = self._clients["sagemaker-featurestore-runtime"].batch_get_record(
                    Identifiers=[
                        {"FeatureGroupName": group.name, "RecordIdentifiersValueAsString": asked}
                    ]
                )
            if failed := [*answer.get("Errors", ()), *answer.get("UnprocessedIdentifiers", ())]:
                LOG.error("%s: %s", group.name, failed[0].get("ErrorCode", "not processed"))
                raise RouteError(_unavailable())
            for found in answer["Records"]:
                yield found["RecordIdentifierValueAsString"], _record(found["Record"], group.types)

    def _known(self) -> tuple[FeatureGroup, ...]:
        """Return the groups as they were a minute ago or later."""
        if not self._groups or self._clock() - self._read_at >= SECONDS:
            self._groups = tuple(map(self._described, self._names))
            self._read_at = self._clock()
        return self._groups

    def _described(self, name: str) -> FeatureGroup:
        with _store_errors():
            group = FeatureGroup.of(self._clients, name)
        if group is None:
            raise RouteError(_no_group(name))
        if group.id_field != self._id_field:  # its records are known by something else
            raise RouteError(_other_identifier(group, self._id_field))
        return group


def without_looked_up(
    outcome: Outcome, claims: Sequence[Claim], completed: Sequence[Claim], request_id: str
) -> Outcome:
    """Return what the model says without the values that were looked up.

    Its reasons name them, and its refusals may.
    """
    if completed is claims:
        return outcome
    added = [whole.keys() - own.keys() for own, whole in zip(claims, completed, strict=True)]
    try:
        said = json.loads(outcome.body)
        told = said["predictions"] if outcome.status == 200 else said["violations"]
        if outcome.status == 200:
            for columns, prediction in zip(added, told, strict=True):
                reasons = prediction.get("reasons", ())
                prediction["reasons"] = [_without_value(reason, columns) for reason in reasons]
            return outcome._replace(body=json.dumps(said).encode())
        for violation in told:
            if (row := violation.get("row")) and violation["column"] in added[row - 1]:
                problem = _unfit(outcome.status, row, violation["column"])
                return Outcome(outcome.status, problem.to_json(request_id))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        pass  # of another form, which is checked where it is read
    return outcome


def _without_value(reason: str, columns: AbstractSet[str]) -> str:
    """Return a reason without its value, if that was looked up.

    >>> _without_value("state = 'CA' raises the score (odds x 2)", {"state"})
    'state raises the score (odds x 2)'
    """
    for column in columns:
        if reason.startswith((f"{column} = ", f"{column} is missing, which ")):
            _, effect, rest = max((reason.rpartition(e) for e in _EFFECTS), key=lambda p: len(p[0]))
            return f"{column}{effect}{rest}"
    return reason


def _record(features: Sequence[Mapping[str, str]], types: Mapping[str, FeatureType]) -> Record:
    return {
        feature["FeatureName"]: _value(feature.get("ValueAsString"), types[feature["FeatureName"]])
        for feature in features
        if feature["FeatureName"] in types
    }


def _value(text: str | None, kind: FeatureType) -> object:
    """Return a feature's value as a claim would have it."""
    if text is None or kind == "String":
        return text
    return int(text) if kind == "Integral" else float(text)


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        LOG.error("the feature store does not answer: %s", error)
        raise RouteError(_unavailable()) from error


def _unavailable() -> Problem:
    return Problem(
        503, "FeatureStoreUnavailable", "the feature store does not answer", hint="Ask again soon"
    )


def _no_group(name: str) -> Problem:
    return Problem(
        500,
        "Misconfigured",
        f"the feature group {name} does not exist",
        where="OnlineTables",
        hint="Ingest the table, or take it out of the stack's settings",
    )


def _other_identifier(group: FeatureGroup, id_field: str) -> Problem:
    return Problem(
        500,
        "Misconfigured",
        f"the records of {group.name} are known by {group.id_field}, and claims by {id_field}",
        where="OnlineTables, IdField",
        hint="Delete the group and ingest the table again, or take it out of the stack's settings",
    )


def _absent(number: int, id_field: str, group: str, columns: Sequence[str]) -> Problem:
    return Problem(
        422,
        "UnknownRecord",
        f"{group} has no record of it, and the model needs {quote_all(columns)}",
        where=f"row {number}, {id_field}",
        hint="Send these columns, or ingest the record",
    )


def _unknown(number: int, id_field: str, columns: Sequence[str]) -> Problem:
    return Problem(
        422,
        "UnknownRecord",
        f"it is neither a text nor a whole number, and {quote_all(columns)} are looked up by it",
        where=f"row {number}, {id_field}",
        hint="Send it, or these columns",
    )


def _unfit(status: int, row: int, column: str) -> Problem:
    return Problem(
        status,
        "UnfitRecord",
        "what the feature store has there does not fit the model",
        where=f"row {row}, {column}",
        hint="Send this column, or ingest the record again",
    )
