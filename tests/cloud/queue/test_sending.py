"""POST /claims: what of a claim is in the queue, what is refused, and the answer about the rest."""

import json

import pytest

from sagetree.cloud.functions import score
from sagetree.cloud.queue.sending import ClaimsQueue
from sagetree.errors import DecodingError
from sagetree.serve.routes.problems import RouteError
from tests.cloud.queue.conftest import Line
from tests.cloud.scoring.conftest import CLAIM, OTHER, event


def bodies(line: Line) -> list[object]:
    """What is in the queue."""
    found = []
    while (
        messages := line.clients["sqs"]
        .receive_message(QueueUrl=line.url, MaxNumberOfMessages=10)
        .get("Messages")
    ):
        found += [json.loads(message["Body"]) for message in messages]
    return found


@pytest.fixture
def post(line: Line):
    answer = score.start(line.clients, line.settings(SAGETREE_CLAIMS_URL=line.url))

    def post(body, route="POST /claims"):
        told = answer(event(body, route), 0.0)
        return told["statusCode"], json.loads(told["body"])

    return post


def test_claims_go_into_the_queue_one_by_one_with_what_may_be_stored(line: Line, post):
    claims = [{**CLAIM, "policy_id": i, "name": "Erika", "iban": 1} for i in range(23)]
    assert post({"claims": claims}) == (
        202,
        {"request_id": "of-the-gateway", "claims": 23, "unused_fields": ["name", "iban"]},
    )
    found = bodies(line)
    assert sorted(claim["policy_id"] for claim in found) == list(range(23))
    assert all(claim == {**CLAIM, "policy_id": claim["policy_id"]} for claim in found)


def test_what_is_queued_is_scored(line: Line, post):
    post([{**OTHER, "policy_id": "P-2"}])
    (claim,) = bodies(line)
    assert line.start()(a=claim) == []
    assert [alert["policy_id"] for alert in line.alerts()] == ["P-2"]


def test_what_is_no_claim_is_refused_before_any_is_sent(line: Line, post):
    status, body = post([CLAIM, 7])
    assert (status, body["message"]) == (
        400, "claim 2 is not an object with a value for each column"
    )  # fmt: skip
    assert bodies(line) == []


def test_without_a_model_nothing_is_queued(line: Line, post):
    line.stack.parameters.clear()
    assert post([CLAIM])[0] == 503
    assert bodies(line) == []


def test_a_stack_without_a_queue_has_no_such_path(line: Line):
    told = score.start(line.clients, line.settings())(event([CLAIM], "POST /claims"), 0.0)
    assert told["statusCode"] == 404


def test_a_claim_that_is_too_large_is_named(line: Line):
    queue = ClaimsQueue(line.clients, line.url)
    with pytest.raises(DecodingError) as raised:
        queue.send([CLAIM, {"state": "x" * 300_000}])
    assert str(raised.value) == (
        "the body: claim 2 has 300013 bytes, and a claim in the queue may have at most 262144. "
        "Send it by POST /score"
    )
    assert bodies(line) == []


def test_large_claims_go_in_calls_that_sqs_takes(line: Line):
    claims = [{"state": "x" * 100_000, "n": i} for i in range(5)]
    ClaimsQueue(line.clients, line.url).send(claims)
    assert sorted(claim["n"] for claim in bodies(line)) == [0, 1, 2, 3, 4]


def test_claims_that_sqs_does_not_take_are_named(line: Line, post):
    failed = {"Failed": [{"Id": "2", "Code": "InternalError", "SenderFault": False}]}
    events = line.clients["sqs"].meta.events

    def fail(**_: object) -> tuple[object, object]:
        return type("Answer", (), {"status_code": 200}), failed

    events.register_first("before-call.sqs.SendMessageBatch", fail)
    try:
        status, body = post([CLAIM, CLAIM, CLAIM])
        with pytest.raises(RouteError):
            ClaimsQueue(line.clients, line.url).send([CLAIM, CLAIM])
    finally:
        events.unregister("before-call.sqs.SendMessageBatch", fail)
    assert (status, body["error"], body["message"], body["hint"]) == (
        503,
        "QueueUnavailable",
        "1 of 3 claims could not be put into the queue: numbers 2",
        "Send these again soon, and not the others, which are in it",
    )
