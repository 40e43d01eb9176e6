"""Claims that lack columns of the model: what the online store has of them is put in."""

import json
import re
from collections.abc import Mapping

import pytest

from tests.cloud.scoring.conftest import CLAIM, OTHER, SCORES
from tests.cloud.stack_server import Reply, StackServer, error

# The bundle's columns, those of a customers table with the types that Feature Store has for them.
CUSTOMERS = {
    "policy_id": "Integral", "state": "String", "reported": "String", "severity": "Integral",
    "amount": "Fractional", "event_time": "String", "secret": "String",
}  # fmt: skip
RECORDS = {
    "7": {
        "policy_id": "7", "state": "CA", "reported": "true", "severity": "1", "amount": "12.5",
        "event_time": "2026-11-30T10:00:00.000Z", "secret": "of-the-customer",
    },
    "8": {
        "policy_id": "8", "state": "a<b", "reported": "false", "severity": "2", "amount": "70.0",
        "event_time": "2026-11-30T10:00:00.000Z",
    },
}  # fmt: skip
LATER = {"Retry-After": "2"}


@pytest.fixture
def ask(stack: StackServer, start):
    stack.groups["fraud-customers"] = CUSTOMERS
    stack.records["fraud-customers"] = {key: dict(record) for key, record in RECORDS.items()}
    return start(SAGETREE_ONLINE_TABLES="customers")


def lookups(stack: StackServer) -> list[Mapping[str, object]]:
    sent = [body.partition(b"\n\n")[2] for body in stack.received if b"/BatchGetRecord" in body]
    return [json.loads(body) for body in sent]


def test_a_claim_with_its_identifier_alone_is_scored_as_the_whole_one(ask, stack):
    claims = [{"policy_id": 7, "on": CLAIM["on"]}, {"policy_id": "8", "on": OTHER["on"]}]
    status, _, body = ask({"claims": claims})
    assert status == 200
    assert [told["score"] for told in body["predictions"]] == pytest.approx(SCORES)
    assert [told["policy_id"] for told in body["predictions"]] == [7, "8"]
    assert set(body) == {"request_id", "predictions"}
    asked = {"FeatureGroupName": "fraud-customers", "RecordIdentifiersValueAsString": ["7", "8"]}
    assert lookups(stack) == [{"Identifiers": [asked]}]


def test_a_claims_own_values_win_and_null_is_one(ask):
    own = {"policy_id": 7, "on": OTHER["on"], **{k: OTHER[k] for k in ("amount", "state")}}
    whole = {**OTHER, "reported": True, "severity": 1}
    assert (
        ask([own]).body["predictions"][0]["score"] == ask([whole]).body["predictions"][0]["score"]
    )
    nothing = {**CLAIM, "state": None}
    empty = {"policy_id": 7, "on": CLAIM["on"], "state": None}
    scores = [ask([claim]).body["predictions"][0]["score"] for claim in (nothing, empty)]
    assert scores[0] == scores[1] != pytest.approx(SCORES[0])


def test_a_claim_that_lacks_nothing_is_not_looked_up(ask, stack):
    assert ask([CLAIM, {**CLAIM, "policy_id": "nobody"}]).status == 200
    assert not [body for body in stack.received if b"Record" in body or b"FeatureGroup" in body]


def test_a_cell_that_is_missing_in_the_record_is_missing_to_the_model(ask, stack):
    del stack.records["fraud-customers"]["7"]["state"]
    told = ask([{"policy_id": 7, "on": CLAIM["on"]}]).body["predictions"][0]
    assert told["score"] == ask([{**CLAIM, "state": None}]).body["predictions"][0]["score"]
    assert told["score"] != pytest.approx(SCORES[0])


@pytest.mark.parametrize(
    ("identifier", "message", "hint"),
    [
        (
            {"policy_id": 9},
            "fraud-customers has no record of it, and the model needs 'amount', 'reported', "
            "'severity', 'state'",
            "Send these columns, or ingest the record",
        ),
        *(
            (
                identifier,
                "it is neither a text nor a whole number, and 'amount', 'reported', 'severity', "
                "'state' are looked up by it",
                "Send it, or these columns",
            )
            for identifier in (
                {}, {"policy_id": None}, {"policy_id": True}, {"policy_id": ""},
                {"policy_id": [7]}, {"policy_id": 7.5}, {"policy_id": "\ud800"},
                {"policy_id": "7" * 2000},
            )
        ),
    ],
)  # fmt: skip
def test_a_record_that_is_not_there_is_refused_by_the_columns(ask, identifier, message, hint):
    claim = {**identifier, "on": CLAIM["on"], "name": "Erika"}
    status, _, body = ask({"claims": [CLAIM, claim]})
    assert (status, body) == (
        422,
        {
            "error": "UnknownRecord", "message": message, "where": "row 2, policy_id",
            "hint": hint, "request_id": "of-the-gateway", "unused_fields": ["name"],
        },
    )  # fmt: skip


def test_what_no_table_has_is_refused_by_the_model_as_ever(ask):
    status, _, body = ask([{"policy_id": 7}])
    assert (status, body["message"]) == (422, "column 'on' is missing")


@pytest.mark.parametrize(
    "reply",
    [
        error(400, "ThrottlingException"),
        error(503, "ServiceUnavailable"),
        error(403, "AccessForbidden"),
        Reply(200, json.dumps({"Records": [], "Errors": [], "UnprocessedIdentifiers": [{
            "FeatureGroupName": "fraud-customers", "RecordIdentifiersValueAsString": ["7"],
        }]}).encode()),
        Reply(200, json.dumps({"Records": [], "UnprocessedIdentifiers": [], "Errors": [{
            "FeatureGroupName": "fraud-customers", "RecordIdentifierValueAsString": "7",
            "ErrorCode": "InternalFailure", "ErrorMessage": "x",
        }]}).encode()),
    ],
)  # fmt: skip
def test_a_store_that_does_not_answer_is_asked_again_later(ask, stack, reply):
    stack.store = reply
    status, headers, body = ask([{"policy_id": 7, "on": CLAIM["on"]}])
    assert (status, headers["Retry-After"], body["error"]) == (503, "2", "FeatureStoreUnavailable")
    assert body["message"] == "the feature store does not answer"


def test_a_table_without_a_group_is_a_fault_of_the_settings(start):
    status, _, body = start(SAGETREE_ONLINE_TABLES="customers")([{"policy_id": 7}])
    assert status == 500
    assert (body["where"], body["message"], body["hint"]) == (
        "OnlineTables",
        "the feature group fraud-customers does not exist",
        "Ingest the table, or take it out of the stack's settings",
    )


def test_a_group_whose_records_are_known_by_something_else_is_a_fault_of_the_settings(stack, start):
    stack.groups["fraud-customers"] = {**CUSTOMERS, "claim_id": "Integral"}
    stack.records["fraud-customers"] = {key: dict(record) for key, record in RECORDS.items()}
    ask = start(SAGETREE_ONLINE_TABLES="customers", SAGETREE_ID_FIELD="claim_id")
    status, _, body = ask([{"claim_id": 7, "on": CLAIM["on"]}])
    assert (status, body["error"], body["where"]) == (500, "Misconfigured", "OnlineTables, IdField")
    assert body["message"] == (
        "the records of fraud-customers are known by policy_id, and claims by claim_id"
    )
    assert body["hint"] == (
        "Delete the group and ingest the table again, or take it out of the stack's settings"
    )
    assert lookups(stack) == []


@pytest.mark.parametrize("identifier", ["A7", "7.0", "9" * 30, 10**30])
def test_an_identifier_that_no_record_can_have_is_not_asked_for(ask, stack, identifier):
    status, _, body = ask([{"policy_id": identifier, "on": CLAIM["on"]}])
    assert (status, body["error"]) == (422, "UnknownRecord")
    assert body["message"].startswith("fraud-customers has no record of it")
    assert lookups(stack) == []


def test_the_variant_that_scored_is_captured_with_what_was_looked_up(stack, start):
    stack.groups["fraud-customers"] = CUSTOMERS
    stack.records["fraud-customers"] = dict(RECORDS)
    ask = start(SAGETREE_ONLINE_TABLES="customers", SAGETREE_CAPTURE_PERCENT="100")
    assert ask([{"policy_id": 7, "on": CLAIM["on"]}, CLAIM]).status == 200
    captured = [text for key, text in stack.objects.items() if key.startswith("captured/")]
    assert b"".join(captured).count(b"variant=main") == 2


def test_several_tables_complete_a_claim_together(stack, start):
    rest = {name: kind for name, kind in CUSTOMERS.items() if name != "state"}
    stack.groups |= {"fraud-people": {"policy_id": "Integral", "state": "String"}}
    stack.groups |= {"fraud-rest": rest}
    stack.records |= {"fraud-people": {"7": {"policy_id": "7", "state": "CA"}}}
    stack.records |= {"fraud-rest": {"7": RECORDS["7"]}}
    ask = start(SAGETREE_ONLINE_TABLES="people, rest")
    _, _, body = ask([{"policy_id": 7, "on": CLAIM["on"]}])
    assert body["predictions"][0]["score"] == pytest.approx(SCORES[0])


def test_private_fields_are_not_looked_up_for_the_model(stack, start):
    stack.groups["fraud-customers"] = CUSTOMERS
    stack.records["fraud-customers"] = dict(RECORDS)
    ask = start(SAGETREE_ONLINE_TABLES="customers", SAGETREE_PRIVATE_FIELDS="state")
    status, _, body = ask([{"policy_id": 7, "on": CLAIM["on"]}])
    assert (status, body["error"]) == (500, "Misconfigured")


def test_nothing_that_was_looked_up_comes_back(ask, stack, capfd):
    record = stack.records["fraud-customers"]["7"]
    record["amount"], stack.groups["fraud-customers"] = "4711-x", {**CUSTOMERS, "amount": "String"}
    claim = {"policy_id": 7, "on": CLAIM["on"]}
    status, _, body = ask([CLAIM, claim])
    assert (status, body["error"], body["where"]) == (422, "UnfitRecord", "row 2, amount")
    assert body["message"] == "what the feature store has there does not fit the model"
    assert "4711" not in json.dumps(body) + "".join(capfd.readouterr())
    own = ask([{**claim, "amount": "much"}]).body
    assert own["violations"][0]["column"] == "amount"
    record["amount"] = "12.5"
    answer = ask([{**claim, "severity": "1"}]).body
    words = [re.sub(r"x .*", "", reason) for reason in answer["predictions"][0]["reasons"]]
    assert "state lowers the score (odds " in words
    assert "severity = '1' lowers the score (odds " in words
    record["state"] = "N/Y raises the score"
    answer |= ask([claim]).body
    assert "state was never seen in training and counts as missing" in json.dumps(answer)
    hidden = ("12.5", "CA", "N/Y", "of-the-customer", "event_time")
    assert not [cell for cell in hidden if cell in json.dumps(answer)]
    # nor does the model get what it has no column for
    assert b"of-the-customer" not in b"".join(stack.received)


def test_a_feature_that_was_added_is_known_after_a_minute(ask, stack, clock):
    older = {k: v for k, v in CUSTOMERS.items() if k != "severity"}
    stack.groups["fraud-customers"] = older
    claim = {"policy_id": 7, "on": CLAIM["on"]}
    assert ask([claim]).status == 422
    stack.groups["fraud-customers"] = CUSTOMERS
    assert ask([claim]).status == 422
    clock.now += 60
    assert ask([claim]).status == 200


def test_the_api_asks_for_what_is_not_looked_up_alone(ask):
    described = ask(route="GET /openapi.json").body["components"]["schemas"]["Claim"]
    assert described["required"] == ["on"]
    assert "state" in described["properties"]


@pytest.mark.parametrize("kind", ["asynchronous", "lambda"])
def test_every_kind_of_endpoint_gets_what_was_looked_up(stack, start, kind):
    stack.groups["fraud-customers"] = CUSTOMERS
    stack.records["fraud-customers"] = dict(RECORDS)
    ask = start(SAGETREE_ONLINE_TABLES="customers", SAGETREE_ENDPOINT_KIND=kind)
    status, _, body = ask([{"policy_id": 7, "on": CLAIM["on"]}])
    if kind == "lambda":
        assert body["predictions"][0]["score"] == pytest.approx(SCORES[0])
    else:
        assert status == 202
        assert any(b'"state": "CA"' in content for content in stack.objects.values())
