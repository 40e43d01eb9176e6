"""A batch of the queue's messages: which claims could be scored, which never, and which later."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

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

# Of this many new ones or fewer Lambda makes a batch: the next power of 2.
_MOST_MESSAGES = 128

# The status of an answer that is a failure of the model's.
_MODEL_FAILED = 502


@dataclass(frozen=True)
class Message:
    """One message of the queue."""

    id: str
    body: str
    deliveries: int = 1

    @classmethod
    def of_record(cls, record: Mapping[str, object]) -> "Message":
        """Return the message in a record of Lambda's event."""
        attributes = record.get("attributes")
        told = attributes if isinstance(attributes, Mapping) else {}
        deliveries = int(told.get("ApproximateReceiveCount", 1))
        return cls(str(record["messageId"]), str(record["body"]), deliveries)

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
    """A message, its claim, and what the model says about it."""

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
    messages: Sequence[Message], scorer: ClaimScorer, capture: RequestCapture,
    has_time: Callable[[], bool],
) -> BatchResults:  # fmt: skip
    """Score all claims by one request; where the model refuses it or fails, by one for each half.

    So a bad claim ends up alone, and the others are scored without it. Before each request
    `has_time` says whether it may begin; claims that are left come again.
    """
    results = BatchResults()
    claims: dict[Message, Claim] = {}
    for message in messages:
        try:
            claims[message] = message.claim()
        except SagetreeError as error:
            results.refused.append(Refusal(message, str(error)))
    batch = _Batch(scorer, capture, has_time, len(claims), results)
    for group in _groups(claims):
        batch.score({message: claims[message] for message in group})
    return results


def _groups(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Yield new messages together, and others in groups that are halved with each delivery.

    A claim for which the model answers too late takes those asked with it along. It gets alone
    so, before it is given up, and new ones do not wait for it.
    """
    by_delivery = sorted(messages, key=attrgetter("deliveries"))
    for deliveries, same in groupby(by_delivery, key=attrgetter("deliveries")):
        size = max(1, _MOST_MESSAGES >> (deliveries - 1))
        listed = list(same)
        yield from (listed[at : at + size] for at in range(0, len(listed), size))


class _Batch:
    """The claims of one batch on their way to the model."""

    def __init__(
        self, scorer: ClaimScorer, capture: RequestCapture, has_time: Callable[[], bool],
        claims: int, results: BatchResults,
    ) -> None:  # fmt: skip
        self._scorer = scorer
        self._capture = capture
        self._has_time = has_time
        self._results = results
        # As often as halves fail until one claim is left, and two more: then it is not a claim.
        self._most_failures = claims.bit_length() + 2
        self._failures = 0  # in a row
        self._is_over = False

    def score(self, claims: Mapping[Message, Claim]) -> None:
        """Score claims by as many requests as it takes, and note what became of each."""
        messages = list(claims)
        self._is_over = self._is_over or not self._has_time()
        if self._is_over:
            self._results.later.extend(messages)
            return
        if len(messages) > 1 and sum(len(json.dumps(c)) for c in claims.values()) > _MOST_BYTES:
            self._score_halves(claims)
            return
        try:
            reason = self._ask(claims)
        except (BotoCoreError, ClientError, SagetreeError, RouteError) as error:
            self._fail(claims, error)
            return
        self._failures = 0
        if reason and len(messages) == 1:
            self._results.refused.append(Refusal(messages[0], reason))
        elif reason:
            self._score_halves(claims)

    def _ask(self, claims: Mapping[Message, Claim]) -> str:
        """Score claims by one request; return why the model refuses them, "" if it does not."""
        given = list(claims.values())
        # a name for the model's log; the messages themselves have theirs
        request = ApiRequest("", next(iter(claims)).id, {}, None)
        rows, outcome = self._scorer.ask(given, request)
        if outcome.status != 200:
            return _refusal(rows, outcome, request)
        told = predictions(outcome, len(given))
        self._capture.keep(given, rows.rows, told, request.request_id, outcome.variant)
        self._results.scored.extend(map(Scored, claims, given, told))
        return ""

    def _fail(self, claims: Mapping[Message, Claim], error: Exception) -> None:
        if _may_be_of_a_claim(error):
            self._failures += 1
            self._is_over = self._failures > self._most_failures
            if len(claims) > 1:
                self._score_halves(claims)
                return
        elif not isinstance(error, BotoCoreError):  # one of them is a claim that takes too long
            self._is_over = True
        LOG.error("%d messages come again: %s", len(claims), error)
        self._results.later.extend(claims)

    def _score_halves(self, claims: Mapping[Message, Claim]) -> None:
        pairs = list(claims.items())
        middle = len(pairs) // 2
        for half in (pairs[:middle], pairs[middle:]):
            self.score(dict(half))


def _may_be_of_a_claim(error: Exception) -> bool:
    """Return whether the model failed at these rows, and is not just busy or absent."""
    match error:
        case RouteError(problem=problem):
            return problem.status == _MODEL_FAILED
        case ClientError(response={"Error": {"Code": "ModelError"}}):  # its container broke down
            return True
    return False


def _refusal(rows: Rows, outcome: Outcome, request: ApiRequest) -> str:
    """Return the model's words of a refusal. Raises RouteError where it is a failure."""
    said = json.loads(bytes(passed_on(outcome, rows.unused_fields, request.request_id).body))
    where = str(said.get("where", "")).removeprefix("row 1, ")  # there is one
    message = str(said.get("message", said))
    return f"{where}: {message}" if where else message
