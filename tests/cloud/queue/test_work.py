"""What becomes of the queue's claims: scored, refused for good, or again later; and the alerts."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagetree.cloud.functions import work
from sagetree.errors import SettingsError
from tests.cloud.queue.conftest import Line, record
from tests.cloud.scoring.conftest import CLAIM, OTHER, SCORES
from tests.cloud.stack_server import Reply, error

LOW = {**CLAIM, "policy_id": "P-1"}
HIGH = {**OTHER, "policy_id": "P-2"}
BAD = {**CLAIM, "amount": "much", "policy_id": "P-3"}


def test_a_batch_is_scored_by_one_request_and_a_high_score_is_told(line: Line):
    assert line.start()(a=LOW, b=HIGH) == []
    assert line.asked() == 1
    (alert,) = line.alerts()
    assert (alert["policy_id"], alert["predicted_label"]) == ("P-2", 1)
    assert alert["score"] == pytest.approx(SCORES[1])
    assert all(isinstance(reason, str) for reason in alert["reasons"])
    assert line.dead() == []


@pytest.mark.parametrize(("score", "alerts"), [("0.2", 2), ("0.3", 1), ("0.5", 0)])
def test_the_stack_says_from_which_score_on(line: Line, score: str, alerts: int):
    line.start(SAGETREE_ALERT_SCORE=score)(a=LOW, b=HIGH)
    assert len(line.alerts()) == alerts


def test_a_bad_claim_blocks_no_other_and_is_a_dead_letter_with_its_reason(line: Line):
    claims = {f"m{i}": {**HIGH, "policy_id": i} for i in range(16)}
    claims["m5"] = BAD
    del claims["m11"]["amount"]
    assert line.start()(**claims, none="{", two=json.dumps([LOW, LOW])) == []
    assert sorted(alert["policy_id"] for alert in line.alerts()) == [
        i for i in range(16) if i not in (5, 11)
    ]
    assert sorted(reason for _, reason in line.dead()) == [
        "column 'amount' is missing",
        "column 'amount': 'much' is text where a number is expected",
        "the body: it is not JSON (Expecting property name enclosed in double quotes: line 1 "
        'column 2 (char 1)). Send one claim as {"column": value, ...}, or up to 100 as '
        '{"claims": [...]}',
        "the message: it holds 2 claims. Send one in each",
    ]
    # one of all, and of the halves those that have a bad one and their neighbours
    assert line.asked() <= 1 + 2 * 2 * 4


@pytest.mark.parametrize(
    "failure",
    [
        error(400, "ThrottlingException"),
        error(503, "ServiceUnavailable"),
        error(424, "ModelError", OriginalStatusCode=500, OriginalMessage="{}"),
        error(424, "ModelError", OriginalStatusCode=503, OriginalMessage="{}"),
        error(200, "", predictions=[]),
    ],
)
def test_what_cannot_be_scored_now_comes_again(line: Line, failure):
    take = line.start()
    line.stack.fails_at = (b"", failure)
    assert take(a=LOW, b=HIGH) == ["a", "b"]
    line.stack.fails_at = None
    assert (line.alerts(), line.dead()) == ([], [])
    assert take(a=LOW, b=HIGH) == []
    assert len(line.alerts()) == 1


BROKEN = error(424, "ModelError", OriginalStatusCode=500, OriginalMessage="{}")
UNREADABLE = Reply(200, b"{}")
CRASHED = error(424, "ModelError")
NO_ALERTS = {"SAGETREE_ALERT_SCORE": "2"}


@pytest.mark.parametrize(
    ("bad", "failure"),
    [
        pytest.param((0,), BROKEN, marks=pytest.mark.long),
        pytest.param((99,), UNREADABLE, marks=pytest.mark.long),
        pytest.param((57,), CRASHED, marks=pytest.mark.long),
        ((41, 42), BROKEN),
    ],
)
def test_a_claim_that_breaks_the_model_blocks_no_other(line: Line, bad, failure: Reply):
    line.stack.fails_at = (b"66.25", failure)
    amounts = {i: 66.25 if i in bad else 70 for i in range(100)}
    claims = {f"m{i}": {**LOW, "policy_id": i, "amount": n} for i, n in amounts.items()}
    assert line.start(**NO_ALERTS)(**claims) == [f"m{i}" for i in bad]
    assert line.dead() == []
    assert line.asked() <= 1 + 2 * 7 * len(bad)


def test_a_model_that_always_fails_is_asked_few_times(line: Line):
    line.stack.fails_at = (b"", BROKEN)
    claims = {f"m{i}": {**LOW, "policy_id": i} for i in range(100)}
    assert sorted(line.start()(**claims)) == sorted(claims)
    assert line.asked() <= 10


def test_a_model_that_is_busy_is_not_asked_again(line: Line):
    line.stack.fails_at = (b"", error(400, "ThrottlingException"))
    claims = {f"m{i}": {**LOW, "policy_id": i} for i in range(100)}
    assert sorted(line.start()(deliveries=4, **claims)) == sorted(claims)
    assert line.asked() == 1


def test_a_claim_for_which_no_answer_comes_gets_alone_with_each_delivery(line: Line):
    """It takes 25 seconds, and a function that has 60 cannot look for it among a hundred."""
    line.stack.fails_at = (b"66.25", Reply(0, b""))
    take = line.start(**NO_ALERTS)
    left = {f"m{i}": {**LOW, "policy_id": i} for i in range(100)}
    left["m70"] = {**left["m70"], "amount": 66.25}
    numbers = []
    for deliveries in range(1, 11):
        again = take(deliveries=deliveries, **left)
        left = {name: left[name] for name in again}
        numbers.append(len(left))
    assert numbers == [100, 36, 32, 16, 8, 4, 2, 1, 1, 1]
    assert list(left) == ["m70"]


def test_new_claims_do_not_wait_for_those_that_come_again(line: Line):
    line.stack.fails_at = (b"66.25", Reply(0, b""))
    answer = work.start(line.clients, line.settings())
    records = [record("old", {**LOW, "amount": 66.25}, 5), record("new", LOW, 1)]
    told: Any = answer({"Records": records}, time.time() + 60)
    assert told["batchItemFailures"] == [{"itemIdentifier": "old"}]
    first, *_ = [r for r in line.stack.received if b"/invocations" in r]
    assert b"66.25" not in first


def test_no_request_begins_that_could_outlast_the_function(line: Line, capfd):
    """Lambda would end it on the way, and all that was scored would come again."""
    take = line.start()
    assert take(seconds=work.MARGIN_SECONDS - 1, a=HIGH, b=HIGH, c="{") == ["a", "b"]
    assert line.asked() == 0
    assert len(line.dead()) == 1
    assert '"scored": 0, "alerts": 0, "refused": 1, "later": 2' in "".join(capfd.readouterr())


def test_no_alert_begins_in_the_last_seconds(line: Line):
    end = time.time() + 60
    now = iter([end - 50, end - 6, end - 4])  # for the request, and for each of two alerts
    answer = work.start(line.clients, line.settings(), now=lambda: next(now))
    records = [record(name, {**HIGH, "policy_id": name}, 1) for name in ("a", "b")]
    assert answer({"Records": records}, end) == {"batchItemFailures": [{"itemIdentifier": "b"}]}
    assert [alert["policy_id"] for alert in line.alerts()] == ["a"]


def test_large_claims_are_asked_for_in_several_requests(line: Line):
    """Together they would be more than a serverless endpoint takes, and none would be scored."""
    note = "x" * 240_000
    claims = {f"m{i}": {**LOW, "policy_id": i, "note": note} for i in range(40)}
    assert line.start()(**claims) == []
    assert line.asked() == 4
    assert line.dead() == []


def test_without_a_model_all_come_again(line: Line):
    take = line.start()
    line.stack.parameters.clear()
    assert take(a=LOW, b="{") == ["a"]
    assert len(line.dead()) == 1  # what is not a claim will never be one


def test_however_often_a_claim_is_delivered_there_is_one_alert(line: Line):
    take = line.start()
    assert take(a=HIGH) == take(a=HIGH) == line.start()(a=HIGH) == []
    assert take(b=dict(reversed(HIGH.items()))) == []  # sent twice, in another order
    assert take(a=HIGH, b=HIGH) == []
    assert len(line.alerts()) == 1
    assert take(c={**HIGH, "amount": 71}) == []  # another claim of the same policy
    assert len(line.alerts()) == 2


def test_claims_without_an_identifier_go_by_their_messages(line: Line):
    take = line.start()
    take(a=OTHER, b=OTHER)
    take(a=OTHER)
    assert len(line.alerts()) == 2


def test_an_alert_that_fails_is_tried_again(line: Line):
    refused = ClientError({"Error": {"Code": "InternalError"}}, "Publish")
    take = line.start()

    def refuse(**_: object) -> None:
        raise refused

    events = line.clients["sns"].meta.events
    events.register_first("before-call.sns.Publish", refuse)
    try:
        assert take(a=LOW, b=HIGH) == ["b"]
    finally:
        events.unregister("before-call.sns.Publish", refuse)
    # it is open, and whoever comes at once could tell it a second time
    assert take(b=HIGH) == ["b"]
    assert line.alerts() == []
    line.age_alerts()
    assert take(b=HIGH) == []
    assert len(line.alerts()) == 1


def test_a_refused_claim_comes_again_where_no_dead_letter_takes_it(line: Line):
    take = line.start(SAGETREE_DEAD_CLAIMS_URL=line.dead_url + "-gone")
    assert take(a=BAD, b=HIGH) == ["a"]
    assert len(line.alerts()) == 1


def test_nothing_of_a_claim_is_logged(line: Line, capfd):
    secret = {"policy_id": "P-4711-0815", "name": "Erika Mustermann"}
    line.start()(a={**HIGH, **secret}, b={**BAD, **secret}, c="Mustermann {")
    log = "".join(capfd.readouterr())
    assert '"messages": 3, "scored": 1, "alerts": 1, "refused": 2, "later": 0' in log
    for text in ("4711-0815", "Mustermann", "much"):
        assert text not in log
    sent = b"".join(line.stack.received)
    assert b"Mustermann" not in sent
    assert b"4711-0815" not in sent
    assert "Mustermann" not in json.dumps(line.alerts())


def test_a_function_without_its_settings_does_not_start(line: Line):
    with pytest.raises(SettingsError) as raised:
        line.start(SAGETREE_ALERT_TABLE="", SAGETREE_DEAD_CLAIMS_URL="")
    assert str(raised.value) == (
        "the function's environment: SAGETREE_ALERT_TABLE, SAGETREE_DEAD_CLAIMS_URL are missing. "
        "The stack's template sets it; update the stack with the template as it is"
    )


def test_claims_are_completed_and_one_without_a_record_blocks_no_other(line):
    line.stack.groups["fraud-customers"] = {"policy_id": "String", "state": "String"}
    line.stack.records["fraud-customers"] = {"P-1": {"policy_id": "P-1", "state": "CA"}}
    known, unknown = ({**CLAIM, "policy_id": f"P-{n}"} for n in (1, 2))
    for claim in (known, unknown):
        del claim["state"]
    take = line.start(SAGETREE_ONLINE_TABLES="customers", SAGETREE_ALERT_SCORE="0.2")
    assert take(a=unknown, b=known) == []
    assert [alert["policy_id"] for alert in line.alerts()] == ["P-1"]
    assert [reason for _, reason in line.dead()] == [
        "policy_id: fraud-customers has no record of it, and the model needs 'state'"
    ]
