"""POST /outcomes: what became of claims that were scored, kept until the model is judged by it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from sagetree.cloud.clients import Clients
from sagetree.cloud.columns import LabelNote
from sagetree.cloud.names import Settings
from sagetree.cloud.scoring.claims import has_half_a_character
from sagetree.errors import DecodingError, quote, quote_all
from sagetree.serve.routes.problems import Problem, RouteError

# Where in the bucket: an object for each claim.
OUTCOMES = "outcomes"

# Calls of S3 at a time, each of some 30 ms: as many as AWS's SDK has connections.
_AT_ONCE = 10

Outcome = Mapping[str, object]


class Outcomes:
    """The outcomes of a stack's claims, by the claims' identifiers; the last one holds."""

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._s3 = clients["s3"]
        self._bucket = settings.bucket
        self._id_field = settings.id_field

    def keep(self, outcomes: Sequence[Outcome], label: LabelNote) -> None:
        """Keep all outcomes. Raises DecodingError and RouteError for a bad one, with none kept."""
        for number, outcome in enumerate(outcomes, 1):
            self._check(outcome, label, f"outcome {number}")
        # of two for one claim the last, whichever thread would come first
        last = {outcome_key(outcome[self._id_field]): outcome for outcome in outcomes}
        kept = [self._of_one_type(outcome, label) for outcome in last.values()]
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(self._put, last, kept))

    def _check(self, outcome: Outcome, label: LabelNote, where: str) -> None:
        names = (self._id_field, label.name)
        if set(outcome) != set(names):
            raise DecodingError(
                f"it has the fields {quote_all(outcome)}",
                where=where,
                hint=f"Send {names[0]}, of the claim, and {names[1]}, which the model predicts",
            )
        identifier = outcome[self._id_field]
        if isinstance(identifier, bool) or not isinstance(identifier, str | int):
            raise DecodingError(
                "it is neither a text nor a whole number",
                where=f"{where}, {self._id_field}",
                hint="Send what the claim was sent with",
            )
        if has_half_a_character(str(identifier)):
            raise DecodingError(
                "it holds half a character",
                where=f"{where}, {self._id_field}",
                hint="Send what the claim was sent with",
            )
        if not label.holds(outcome[label.name]):
            known = f"It knows {quote_all(label.classes)}" if label.classes else "Send a number"
            raise RouteError(
                Problem(
                    422,
                    "UnknownLabel",
                    f"{quote(outcome[label.name])} is not a label of the model",
                    where=f"{where}, {label.name}",
                    hint=known,
                )
            )

    def _of_one_type(self, outcome: Outcome, label: LabelNote) -> Outcome:
        """Return an outcome with the types that all have: they are read as one table."""
        identifier, told = str(outcome[self._id_field]), outcome[label.name]
        return {self._id_field: identifier, label.name: label.spelled(told)}

    def _put(self, key: str, outcome: Outcome) -> None:
        body = f"{json.dumps(outcome)}\n".encode()
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body)


def outcome_key(identifier: object) -> str:
    """Return where in the bucket a claim's outcome is: by its identifier, which may be any text.

    >>> outcome_key("P-1") == outcome_key("P-2"), outcome_key(7) == outcome_key("7")
    (False, True)
    """
    return f"{OUTCOMES}/{hashlib.sha256(str(identifier).encode()).hexdigest()}.jsonl"
