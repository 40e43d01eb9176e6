"""A batch of the queue's messages: which claims could be scored, which never, and which later."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from sagetree.cloud.scoring.capture import RequestCapture
from sagetree.cloud.scoring.claims import ApiRequest, Claim, Rows
from sagetree.cloud.scoring.endpoint import Outcome
from sagetree.cloud.scoring.problems import passed_on
from sagetree.cloud.scoring.scorer import ClaimScorer, Prediction, predictions
from sagetree.errors import DecodingError, SagetreeError
from sagetree.machine.program import LOG
from sagetree.serve.routes.problems import RouteError

# A serverless endpoint takes 4 MB in a request, and Lambda hands over up to 6 MB of messages.
_MOST_BYTES = 4_000_000


@dataclass(frozen=True)
class Message:
    """One message of the queue."""

    id: str
    body: str

    @classmethod
    def of_record(cls, record: Mapping[str, object]) -> "Message":
        """Return the message in a record of Lambda's event."""
        return cls(str(record["messageId"]), str(record["body"]))

    def claim(self) -> Claim:
        """Return the claim that it holds. Raises DecodingError where it is none."""
        claims = ApiRequest("", self.id, {}, self.body.encode(errors="surrogatepass")).claims()
        if len(claims) != 1:
            raise DecodingError(
                f"it holds {len(claims)} claims", where="the message", hint="Send one in each"
            )
        return claims[0]


@dataclass(frozen=True)
class Refusal:
    """A message that will never be scored, and why."""

    message: Message
    reason: str


@dataclass(frozen=True)
class Scored:
    """A message, its claim, and what the model says of it."""

    message: Message
    claim: Claim
    prediction: Prediction


@dataclass(frozen=True)
class BatchResults:
    """What has become of a batch so far; who is in `later` is to come again."""

    scored: list[Scored] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    later: list[Message] = field(default_factory=list)


def score(
    messages: Sequence[Message], scorer: ClaimScorer, capture: RequestCapture
) -> BatchResults:
    """Score all claims by one request; where the model refuses it, by one for each half.

    So a bad claim ends up alone, and the others are scored without it.
    """
    results = BatchResults()
    claims: dict[Message, Claim] = {}
    for message in messages:
        try:
            claims[message] = message.claim()
        except SagetreeError as error:
            results.refused.append(Refusal(message, str(error)))
    if claims:
        _score(claims, scorer, capture, results)
    return results


def _score(
    claims: Mapping[Message, Claim],
    scorer: ClaimScorer,
    capture: RequestCapture,
    results: BatchResults,
) -> None:
    messages = list(claims)
    if len(messages) > 1 and sum(len(json.dumps(c)) for c in claims.values()) > _MOST_BYTES:
        _score_halves(claims, scorer, capture, results)
        return
    # a name for the model's log; the messages themselves have theirs
    request = ApiRequest("", messages[0].id, {}, None)
    try:
        rows, outcome = scorer.ask(list(claims.values()), request)
        if outcome.status == 200:
            told = predictions(outcome, len(claims))
            capture.keep(
                list(claims.values()), rows.rows, told, request.request_id, outcome.variant
            )
            results.scored.extend(map(Scored, messages, claims.values(), told))
            return
        reason = _refusal(rows, outcome, request)
    except (BotoCoreError, ClientError, SagetreeError, RouteError) as error:
        LOG.error("%d messages come again: %s", len(messages), error)
        results.later.extend(messages)
        return
    if len(messages) == 1:
        results.refused.append(Refusal(messages[0], reason))
        return
    _score_halves(claims, scorer, capture, results)


def _score_halves(
    claims: Mapping[Message, Claim],
    scorer: ClaimScorer,
    capture: RequestCapture,
    results: BatchResults,
) -> None:
    pairs = list(claims.items())
    middle = len(pairs) // 2
    for half in (pairs[:middle], pairs[middle:]):
        _score(dict(half), scorer, capture, results)


def _refusal(rows: Rows, outcome: Outcome, request: ApiRequest) -> str:
    """Return the model's words of a refusal. Raises RouteError where it is a failure."""
    said = json.loads(bytes(passed_on(outcome, rows.unused_fields, request.request_id).body))
    where = str(said.get("where", "")).removeprefix("row 1, ")  # there is one
    message = str(said.get("message", said))
    return f"{where}: {message}" if where else message
