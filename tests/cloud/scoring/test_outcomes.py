"""POST /outcomes: kept by claim, the last one holds; what is not an outcome is refused."""

import json

import pytest

from sagetree.cloud.columns import InputColumns, LabelNote
from tests.cloud.account import STACK
from tests.cloud.stack_server import StackServer, error

ROUTE = "POST /outcomes"


def kept(stack: StackServer) -> list[dict[str, object]]:
    found = [json.loads(b) for key, b in stack.objects.items() if key.startswith("outcomes/")]
    return sorted(found, key=str)


def test_outcomes_are_kept_by_claim_and_the_last_one_holds(ask, stack):
    outcomes = [{"policy_id": n, "fraud": n % 2} for n in range(40)]
    status, _, body = ask({"outcomes": outcomes}, ROUTE)
    assert (status, body) == (200, {"request_id": "of-the-gateway", "outcomes": 40})
    assert ask({"policy_id": 3, "fraud": "0"}, ROUTE).status == 200
    assert ask([{"policy_id": "a/b", "fraud": 1.0}], ROUTE).status == 200
    by_claim = {outcome["policy_id"]: outcome["fraud"] for outcome in kept(stack)}
    assert len(kept(stack)) == 41
    assert (by_claim["3"], by_claim["2"], by_claim["a/b"]) == ("0", "0", "1")


def test_of_two_outcomes_of_a_claim_in_one_request_the_last_one_holds(ask, stack):
    outcomes = [{"policy_id": 7, "fraud": n % 2} for n in range(100)]
    for _ in range(3):
        assert ask({"outcomes": outcomes}, ROUTE).status == 200
        assert kept(stack) == [{"policy_id": "7", "fraud": "1"}]


def test_outcomes_are_kept_with_one_type_however_they_are_sent(ask, stack):
    """The drift job reads them as one table, and a column of two types would end it."""
    sent = [(1, 0), ("2", "1"), (3, 1.0), ("x", 0)]
    for identifier, label in sent:
        assert ask({"policy_id": identifier, "fraud": label}, ROUTE).status == 200
    assert kept(stack) == [
        {"policy_id": "1", "fraud": "0"}, {"policy_id": "2", "fraud": "1"},
        {"policy_id": "3", "fraud": "1"}, {"policy_id": "x", "fraud": "0"},
    ]  # fmt: skip


BAD = [
    ({"policy_id": 1}, 400, "outcome 2: it has the fields 'policy_id'"),
    (
        {"policy_id": 1, "fraud": 0, "x": 1},
        400,
        "outcome 2: it has the fields 'policy_id', 'fraud'",
    ),
    ({"policy_id": None, "fraud": 0}, 400, "outcome 2, policy_id: it is neither a text nor a"),
    ({"policy_id": True, "fraud": 0}, 400, "outcome 2, policy_id: it is neither a text nor a"),
    ({"policy_id": "\ud800", "fraud": 0}, 400, "outcome 2, policy_id: it holds half a character"),
    ({"policy_id": 1, "fraud": 2}, 422, "outcome 2, fraud: '2' is not a label of the model"),
    ({"policy_id": 1, "fraud": None}, 422, "outcome 2, fraud: 'None' is not a label of the model"),
    (7, 400, "the body: outcome 2 is not an object with a value for each column"),
]


@pytest.mark.parametrize(("bad", "status", "said"), BAD)
def test_where_one_is_none_no_one_is_kept(ask, stack, bad, status, said):
    told, _, body = ask([{"policy_id": 9, "fraud": 1}, bad], ROUTE)
    assert told == status
    assert f"{body['where']}: {body['message']}".startswith(said)
    assert kept(stack) == []


def test_the_hint_says_what_is_taken(ask):
    assert ask({"policy_id": 1, "fraud": "yes"}, ROUTE).body["hint"] == "It knows '0', '1'"
    assert ask({"policy_id": 1}, ROUTE).body["hint"] == (
        "Send policy_id, of the claim, and fraud, which the model predicts"
    )
    assert ask("{", ROUTE).body["hint"] == (
        'Send one outcome as {"column": value, ...}, or up to 100 as {"outcomes": [...]}'
    )


def test_a_model_without_a_label_and_a_stack_without_a_model_take_none(ask, start, stack):
    columns = InputColumns.of_text(stack.parameters[f"/{STACK}/columns"])
    stack.parameters[f"/{STACK}/columns"] = InputColumns(columns.notes).to_text()
    status, _, body = ask({"policy_id": 1, "fraud": 0}, ROUTE)
    assert (status, body["message"]) == (422, "the model does not store which column it predicts")
    stack.parameters.clear()
    assert start()({"policy_id": 1, "fraud": 0}, ROUTE).status == 503


def test_a_number_that_no_float_holds_is_no_label(ask, stack):
    columns = InputColumns.of_text(stack.parameters[f"/{STACK}/columns"])
    numbers = InputColumns(columns.notes, LabelNote("cost", ()))
    stack.parameters[f"/{STACK}/columns"] = numbers.to_text()
    assert ask({"policy_id": 1, "cost": 10**400}, ROUTE).status == 422
    assert ask([{"policy_id": 1, "cost": 7}, {"policy_id": 2, "cost": 7.5}], ROUTE).status == 200
    assert kept(stack) == [{"policy_id": "1", "cost": 7.0}, {"policy_id": "2", "cost": 7.5}]


def test_what_s3_does_not_take_is_said(ask, stack):
    stack.full = error(503, "SlowDown")
    assert ask({"policy_id": 1, "fraud": 0}, ROUTE).status == 503
