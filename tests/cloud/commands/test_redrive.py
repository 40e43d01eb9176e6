"""sagetree cloud redrive: why claims are dead letters, and all of them in the queue again."""

from typing import Any

import pytest

from sagetree.cloud.commands.redrive import redrive
from sagetree.errors import UserError
from tests.cloud.commands.conftest import IMAGE

CLAIMS = "arn:aws:sqs:us-east-1:123456789012:fraud-claims"
DEAD = "arn:aws:sqs:us-east-1:123456789012:fraud-dead-claims"
URL = "https://sqs.us-east-1.amazonaws.com/123456789012/fraud-dead-claims"
MISSING = "column 'amount' is missing"


@pytest.fixture
def stack(person):
    person.make_stack()
    person.make_sibling("queue")
    return person


def bury(person, *reasons):
    """Send dead letters, "" for one that SQS itself has given up."""
    for reason in reasons:
        attributes = {"Reason": {"DataType": "String", "StringValue": reason}} if reason else {}
        person.client("sqs").send_message(
            QueueUrl=URL, MessageBody="{}", MessageAttributes=attributes
        )


def tasks(person, *statuses):
    """Have a task begin, and be in these states one after the other."""
    person.answer("sqs", "StartMessageMoveTask", [{"TaskHandle": "1"}])
    moved = {"ApproximateNumberOfMessagesMoved": 3}
    person.answer(
        "sqs", "ListMessageMoveTasks", [{"Results": [{**moved, "Status": s}]} for s in statuses]
    )


def test_the_reasons_are_said_and_all_are_moved(stack):
    bury(stack, MISSING, "", MISSING)
    tasks(stack, "RUNNING", "RUNNING", "COMPLETED")
    code, said = stack.hears(lambda: redrive(stack.account))
    assert code == 0
    assert stack.pauses == [5.0, 5.0]
    move = f"--source-arn {DEAD} --destination-arn {CLAIMS}"
    assert f"+ aws sqs start-message-move-task {move}" in said
    assert [line for line in said if not line.startswith("+ ")] == [
        "3 claims could not be scored",
        "  2 of the first 3: column 'amount' is missing",
        "  1 of the first 3: the model could not be reached, again and again",
        "3 claims are in the queue again",
    ]


def test_a_reason_of_another_time_is_not_said(stack):
    """SQS gives a claim up that was sent again, and leaves it the reason that it came with."""
    bury(stack, MISSING)
    reason = {"Reason": {"DataType": "String", "StringValue": MISSING}}
    told: list[Any] = [
        {"Body": "{}", "MessageAttributes": reason, "Attributes": given}
        for given in ({}, {"DeadLetterQueueSourceArn": CLAIMS})
    ]
    asked: list[Any] = []
    stack.answer_by("sqs", "ReceiveMessage", lambda r: asked.append(r) or {"Messages": told})
    tasks(stack, "COMPLETED")
    _, said = stack.does(lambda: redrive(stack.account))
    assert said[1:3] == [
        f"  1 of the first 2: {MISSING}",
        "  1 of the first 2: the model could not be reached, again and again",
    ]
    assert "DeadLetterQueueSourceArn" in str(asked)


def test_where_none_is_dead_nothing_is_moved(stack):
    stack.answer("sqs", "StartMessageMoveTask", [])
    assert stack.does(lambda: redrive(stack.account)) == (0, ["0 claims could not be scored"])


def test_a_task_that_breaks_off_says_how_far_it_came(stack):
    bury(stack, MISSING)
    tasks(stack, "FAILED")
    with pytest.raises(UserError) as raised:
        stack.hears(lambda: redrive(stack.account))
    assert str(raised.value) == (
        "3 claims are in the queue again, then it was FAILED: no reason is given. "
        "Run the command again"
    )


def test_an_asynchronous_stack_has_no_queue_of_claims(person):
    person.make_stack(EndpointKind="asynchronous")
    with pytest.raises(UserError) as raised:
        redrive(person.account)
    assert str(raised.value) == (
        "the stack fraud has no queue: its endpoint is asynchronous, and keeps its own. Failed "
        "requests are below failures/ in the stack's bucket"
    )


def test_without_the_queue_the_command_that_launches_it_is_named(person):
    person.make_stack()
    with pytest.raises(UserError) as raised:
        redrive(person.account)
    assert str(raised.value) == (
        "the stack fraud-queue does not exist beside the stack fraud. Launch it with 'sagetree "
        "cloud launch "
        f"--stack fraud --image {IMAGE} --with queue'"
    )


def test_a_dry_run_says_all_calls(person):
    code, said = person.hears(lambda: redrive(person.dry))
    assert code == 0
    assert [line.split()[0:2] for line in said][:2] == [
        ["+", "DEAD_CLAIMS_QUEUE_URL=$(aws"], ["+", "CLAIMS_QUEUE_URL=$(aws"],
    ]  # fmt: skip
    assert said[-2] == (
        '+ aws sqs start-message-move-task --source-arn "$DEAD_ARN" --destination-arn "$CLAIMS_ARN"'
    )
