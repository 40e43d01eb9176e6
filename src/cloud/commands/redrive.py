"""`sagetree cloud redrive`: claims that could not be scored, into the queue again."""

from collections.abc import Mapping
from typing import Any

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.members import output_of_sibling
from sagetree.cloud.account.stack import PAUSE_SECONDS, is_asynchronous
from sagetree.errors import UserError

_ARN = "QueueArn"
_WAITING = "ApproximateNumberOfMessages"
_REASON = "Reason"

# What SQS notes of a message that it has given up itself. A reason there is that of another time,
# from which it was sent again.
_GIVEN_UP = "DeadLetterQueueSourceArn"

# At most this many of the dead letters are read for their reasons.
_SHOWN = 10


def redrive(account: Account) -> int:
    """Say why claims were refused, as far as the first show it, and send all of them again."""
    if not account.dry_run and is_asynchronous(account):
        raise UserError(
            f"the stack {account.stack} has no queue: its endpoint is asynchronous, and keeps its "
            "own",
            hint="Failed requests are below failures/ in the stack's bucket",
        )
    names = ("DeadClaimsQueueUrl", "ClaimsQueueUrl")
    dead_url, claims_url = (output_of_sibling(account, "queue", name) for name in names)
    dead, claims = (_attributes(account, url) for url in (dead_url, claims_url))
    if not account.dry_run:
        waiting = int(dead[_WAITING])
        account.say(f"{waiting} claims could not be scored")
        if not waiting:
            return 0
    _say_reasons(account, dead_url)
    account.call(
        "sqs",
        "start_message_move_task",
        SourceArn=dead[_ARN],
        DestinationArn=claims[_ARN],
    )
    account.type_out("sqs", "list-message-move-tasks", "--source-arn", dead[_ARN])
    return 0 if account.dry_run else _await(account, dead[_ARN])


def _attributes(account: Account, url: str) -> Mapping[str, str]:
    if account.dry_run:
        name = "DEAD_ARN" if "DEAD" in url else "CLAIMS_ARN"
        words = ("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", _ARN)
        return {_ARN: account.type_variable(name, *words, query=f"Attributes.{_ARN}")}
    answer = account.call(
        "sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=[_ARN, _WAITING]
    )
    found: Mapping[str, str] = answer["Attributes"]
    return found


def _say_reasons(account: Account, url: str) -> None:
    # a time of 0 leaves them to be seen by whoever moves them
    answer = account.call(
        "sqs",
        "receive_message",
        QueueUrl=url,
        MaxNumberOfMessages=_SHOWN,
        MessageAttributeNames=[_REASON],
        MessageSystemAttributeNames=[_GIVEN_UP],
        VisibilityTimeout=0,
    )
    reasons = [_reason(message) for message in answer.get("Messages", [])]
    for reason in dict.fromkeys(reasons):
        account.say(f"  {reasons.count(reason)} of the first {len(reasons)}: {reason}")


def _reason(message: Mapping[str, Any]) -> str:
    found = message.get("MessageAttributes", {}).get(_REASON)
    if not found or _GIVEN_UP in message.get("Attributes", {}):
        return "the model could not be reached, again and again"
    return str(found["StringValue"])


def _await(account: Account, source: str) -> int:
    while True:
        (task, *_) = account.ask("sqs", "list_message_move_tasks", SourceArn=source)["Results"]
        if task["Status"] not in ("RUNNING", "CANCELLING"):
            break
        account.pause(PAUSE_SECONDS)
    moved = task.get("ApproximateNumberOfMessagesMoved", 0)
    if task["Status"] != "COMPLETED":
        raise UserError(
            f"{moved} claims are in the queue again, then it was {task['Status']}: "
            f"{task.get('FailureReason', 'no reason is given')}",
            hint="Run the command again",
        )
    account.say(f"{moved} claims are in the queue again")
    return 0
