"""What is kept of requests, so that drift and the model's figures later can be seen."""

import json
from datetime import UTC, datetime

import pytest

from sagetree.cloud.names import Settings
from sagetree.cloud.scoring.capture import RequestCapture
from tests.cloud.scoring.conftest import CLAIM, OTHER, SCORES
from tests.cloud.stack_server import StackServer, error


def events(stack: StackServer) -> list[dict[str, object]]:
    return [
        json.loads(line)
        for key, body in stack.objects.items()
        if key.startswith("captured/")
        for line in body.splitlines()
    ]


def test_each_claim_is_an_event_with_its_identifier_and_what_the_model_was_sent(start, stack):
    ask = start(SAGETREE_CAPTURE_PERCENT="100")
    claims = [{**CLAIM, "policy_id": 7, "name": "Erika"}, OTHER]
    body = ask({"claims": claims}).body
    first, second = events(stack)
    assert [e["captureData"]["endpointInput"]["encoding"] for e in (first, second)] == ["JSON"] * 2
    rows = [json.loads(e["captureData"]["endpointInput"]["data"]) for e in (first, second)]
    assert rows == [[{**CLAIM, "policy_id": 7}], [OTHER]]
    told = [json.loads(e["captureData"]["endpointOutput"]["data"]) for e in (first, second)]
    assert [t["predictions"][0]["score"] for t in told] == pytest.approx(SCORES)
    metadata = [e["eventMetadata"] for e in (first, second)]
    assert [m["inferenceId"] for m in metadata] == ["of-the-gateway/0", "of-the-gateway/1"]
    assert metadata[0]["eventId"] != metadata[1]["eventId"]
    assert [m["customAttributes"] for m in metadata] == [["variant=main"]] * 2
    assert body["predictions"][0]["policy_id"] == 7


@pytest.mark.parametrize("identifier", ['"\\ud800"', '{"a": 1}', "[7]", "true", "null", "7.5"])
def test_an_identifier_that_no_outcome_can_have_leaves_the_row_readable(start, stack, identifier):
    claim = f'{{"policy_id": {identifier}, {json.dumps(CLAIM)[1:]}'
    body = start(SAGETREE_CAPTURE_PERCENT="100")(claim).body
    assert body["predictions"][0]["policy_id"] == json.loads(identifier)
    (event,) = events(stack)
    assert json.loads(event["captureData"]["endpointInput"]["data"]) == [CLAIM]


def test_they_are_by_the_hour(stack, services):
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    settings = Settings.read({**stack.environ, "SAGETREE_CAPTURE_PERCENT": "100"})
    RequestCapture(services[1], settings, lambda: now).keep([CLAIM], [CLAIM], [{"score": 0.5}], "r")
    (key,) = [key for key in stack.objects if key.startswith("captured/")]
    assert key.startswith("captured/2026/01/02/03/04-05-")
    (event,) = events(stack)
    assert event["eventMetadata"]["inferenceTime"] == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize(
    ("percent", "kept"), [("0", 0), ("25", 25), pytest.param("100", 100, marks=pytest.mark.long)]
)
def test_a_share_of_requests_is_kept(stack, services, percent, kept):
    draws = iter(range(100))
    settings = Settings.read({**stack.environ, "SAGETREE_CAPTURE_PERCENT": percent})
    capture = RequestCapture(services[1], settings, draw=lambda: next(draws) / 100)
    for _ in range(100):
        capture.keep([CLAIM], [CLAIM], [{"score": 0.5}], "r")
    assert len(events(stack)) == kept


def test_what_is_refused_is_not_kept(start, stack):
    start(SAGETREE_CAPTURE_PERCENT="100")([{**CLAIM, "amount": "much"}])
    assert events(stack) == []


def test_whoever_asks_has_his_score_where_nothing_can_be_kept(start, stack, caplog):
    stack.full = error(403, "AccessDenied")
    assert start(SAGETREE_CAPTURE_PERCENT="100")([CLAIM]).status == 200
    assert "request of-the-gateway is not captured: " in caplog.text
