"""SQS and Lambda between them: batches out of a queue, and back in what a function reports.

moto hands a function one message at a time, in the call that sends it, and knows no batch where
some messages failed. Here they go in batches, after what was asked for before; a message that comes
back can be seen again when the queue's time for it is over.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from moto.core.responses import ActionResult
from moto.sqs.models import Message, Queue
from moto.sqs.responses import SQSResponse

from local_test.cloud.account.actors import SERVICE, Actors
from local_test.cloud.account.backstage import Backstage
from local_test.cloud.account.functions import FunctionFailed, Functions
from local_test.cloud.account.replacing import replaced

# As many messages SQS gives at a time; Lambda asks until its batch is full.
_AT_ONCE = 10


@contextmanager
def queues(actors: Actors, backstage: Backstage, functions: Functions) -> Iterator[None]:
    """Have functions fed with their queues' messages, and dead letters sent again."""
    moves: list[dict[str, Any]] = []

    def add_message(self: Queue, message: Message) -> None:
        with self._messages_lock:
            self._messages.append(message)
            self._messages_lock.notify_all()
        for mapping in self.lambda_event_source_mappings.values():
            backstage.later(partial(_feed, actors, functions, self, mapping))

    def start(self: SQSResponse) -> ActionResult:
        moves.append(_moved(self, self._get_param("SourceArn"), self._get_param("DestinationArn")))
        return ActionResult({"TaskHandle": moves[-1]["TaskHandle"]})

    def listed(self: SQSResponse) -> ActionResult:
        source = self._get_param("SourceArn")
        return ActionResult({"Results": [m for m in reversed(moves) if m["SourceArn"] == source]})

    with ExitStack() as parts:
        parts.enter_context(replaced(Queue, add_message=add_message))
        operations: dict[str, Callable[..., Any]] = {
            "start_message_move_task": start,
            "list_message_move_tasks": listed,
        }
        parts.enter_context(replaced(SQSResponse, **operations))
        yield


def _feed(actors: Actors, functions: Functions, queue: Queue, mapping: Any) -> None:
    """Invoke a mapping's function with the messages that can be seen, as many as it takes."""
    sqs = actors.client(SERVICE, "sqs")
    url = sqs.get_queue_url(QueueName=queue.name)["QueueUrl"]
    while messages := _received(sqs, url, mapping.batch_size):
        event = {"Records": [_record(message, queue) for message in messages]}
        try:
            answer = functions.invoke(mapping.function_arn, event)
        except FunctionFailed:
            continue  # all of them come again
        failed = {entry["itemIdentifier"] for entry in answer.get("batchItemFailures", [])}
        for message in messages:
            if message["MessageId"] not in failed:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _received(sqs: Any, url: str, most: int) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    while len(found) < most:
        some = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=min(_AT_ONCE, most - len(found)),
            MessageAttributeNames=["All"], WaitTimeSeconds=0,
        ).get("Messages", [])  # fmt: skip
        if not some:
            break
        found += some
    return found


def _record(message: Mapping[str, Any], queue: Queue) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {},
        "messageAttributes": message.get("MessageAttributes", {}),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.queue_arn,
        "awsRegion": queue.region,
    }


def _moved(response: SQSResponse, source: str, destination: str) -> dict[str, Any]:
    """Send all messages of a queue to another one, as new messages."""
    backend = response.sqs_backend
    dead, alive = (backend.get_queue(arn.rsplit(":", 1)[-1]) for arn in (source, destination))
    messages, dead._messages = list(dead._messages), []
    for message in messages:
        backend.send_message(alive.name, message.body, message.message_attributes)
    return {
        "TaskHandle": str(uuid.uuid4()),
        "Status": "COMPLETED",
        "SourceArn": source,
        "DestinationArn": destination,
        "ApproximateNumberOfMessagesMoved": len(messages),
        "ApproximateNumberOfMessagesToMove": len(messages),
        "StartedTimestamp": 0,
    }
