"""Claims from the queue: scored in batches, with one alert for each that scores high.

A message is one claim as JSON. What cannot be scored now, or in the time that Lambda gives, comes
again by itself. A claim that the model refuses would be refused each time, so it goes to the dead
letters at once, with the reason as an attribute of the message; `sagetree cloud redrive` sends
these again.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from sagetree.cloud.clients import ENDPOINT_SECONDS, Clients
from sagetree.cloud.names import Settings
from sagetree.cloud.queue.alerts import AlertOpenError, Alerts
from sagetree.cloud.queue.batch import BatchResults, Message, Refusal, Scored, score
from sagetree.cloud.scoring.capture import RequestCapture
from sagetree.cloud.scoring.models import scorer_of
from sagetree.cloud.scoring.scorer import ClaimScorer
from sagetree.machine.program import LOG
from sagetree.serve.telemetry.log_lines import write_line

Answer = dict[str, object]

# The longest that the model may be waited for, and the time for the alerts and the dead letters of
# what it has scored by then.
MARGIN_SECONDS = ENDPOINT_SECONDS + 10

# What is left of the call when the last alert begins.
ALERT_SECONDS = 5

# SQS takes no longer value of an attribute than a message, and a reason is a sentence.
_REASON_LENGTH = 1000


def start(
    clients: Clients, settings: Settings, clock: Callable[[], float] = time.monotonic,
    now: Callable[[], float] = time.time,
) -> Callable[[Mapping[str, object], float], Answer]:  # fmt: skip
    """Return what takes batches of the queue one after the other.

    By `clock` it looks how old what it remembers is, and by `now`, in seconds since 1970, how much
    time is left of a call.
    """
    settings.need("endpoint_kind", "id_field", "topic_arn", "alert_table", "dead_claims_url")
    scorer = scorer_of(clients, settings, clock)
    capture = RequestCapture(clients, settings)
    alerts = Alerts(clients, settings, scorer.id_field)
    return partial(_work, clients, settings, scorer, capture, alerts, now)


def _work(
    clients: Clients, settings: Settings, scorer: ClaimScorer, capture: RequestCapture,
    alerts: Alerts, now: Callable[[], float],
    event: Mapping[str, Sequence[Mapping[str, object]]], deadline: float,
) -> Answer:  # fmt: skip
    begin = time.perf_counter()
    messages = [Message.of_record(record) for record in event["Records"]]
    results = score(messages, scorer, capture, lambda: now() < deadline - MARGIN_SECONDS)
    told = 0
    for scored in results.scored:
        told += _told(scored, scorer, alerts, results, lambda: now() < deadline - ALERT_SECONDS)
    for refusal in results.refused:
        _bury(clients, settings, refusal, results)
    write_line(_line(event["Records"], results, told, time.perf_counter() - begin))
    return {"batchItemFailures": [{"itemIdentifier": message.id} for message in results.later]}


def _told(
    scored: Scored, scorer: ClaimScorer, alerts: Alerts, results: BatchResults,
    has_time: Callable[[], bool],
) -> bool:  # fmt: skip
    prediction = scorer.named(scored.claim, scored.prediction)
    if not alerts.is_due(prediction):
        return False
    if not has_time():
        LOG.error("message %s comes again, there is no time for its alert", scored.message.id)
        results.later.append(scored.message)
        return False
    try:
        return alerts.tell(scored, prediction)
    except (AlertOpenError, BotoCoreError, ClientError) as error:
        LOG.error("message %s comes again, its alert failed: %s", scored.message.id, error)
        results.later.append(scored.message)
        return False


def _bury(clients: Clients, settings: Settings, refusal: Refusal, results: BatchResults) -> None:
    message = refusal.message
    try:
        clients["sqs"].send_message(
            QueueUrl=settings.dead_claims_url,
            MessageBody=message.body,
            MessageAttributes={
                "Reason": {"DataType": "String", "StringValue": refusal.reason[:_REASON_LENGTH]},
                "MessageId": {"DataType": "String", "StringValue": message.id},
            },
        )
    except (BotoCoreError, ClientError) as error:
        LOG.error("message %s comes again, no dead letter takes it: %s", message.id, error)
        results.later.append(message)


def _line(records: Sequence[object], results: BatchResults, told: int, seconds: float) -> str:
    """Return the log's line, in which there is nothing of a claim."""
    return json.dumps(
        {
            "level": "INFO",
            "messages": len(records),
            "scored": len(results.scored),
            "alerts": told,
            "refused": len(results.refused),
            "later": len(results.later),
            "ms": round(seconds * 1000, 2),
        }
    )
