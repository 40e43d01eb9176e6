"""What GET /openapi.json says is what POST /score takes and gives."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from tests.cloud.scoring.conftest import CLAIM, OTHER


@pytest.fixture
def document(ask) -> Any:
    status, headers, body = ask(route="GET /openapi.json")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    return body


def checked(document: Any, path: str, status: str, body: object) -> list[str]:
    """What in a body is not as the document has it."""
    answer = document["paths"][path]["post"]["responses"][status]["content"]["application/json"]
    schema = {**answer["schema"], "components": document["components"]}
    return [error.message for error in Draft202012Validator(schema).iter_errors(body)]


def test_it_is_openapi_of_the_models_columns(document):
    validate(document)
    claim = document["components"]["schemas"]["Claim"]
    assert claim["required"] == ["amount", "state", "reported", "on", "severity"]
    assert claim["properties"]["state"] == {
        "type": ["string", "null"], "examples": ["CA", "N/A", "OR", "a<b"]
    }  # fmt: skip
    assert list(claim["properties"]) == [*claim["required"], "policy_id"]
    assert claim["additionalProperties"] is True


def test_answers_are_as_it_says(document, ask, start):
    for claims in ([CLAIM], {"claims": [{**OTHER, "policy_id": 7, "name": "x"}]}):
        assert checked(document, "/score", "200", ask(claims).body) == []
    assert checked(document, "/score", "4XX", ask([{}]).body) == []
    assert checked(document, "/score", "4XX", ask([{"amount": 1, "x": 2}]).body) == []
    queued = start(SAGETREE_ENDPOINT_KIND="asynchronous")([CLAIM])
    assert checked(document, "/score", "202", queued.body) == []
    assert checked(document, "/score", "200", queued.body) != []


def test_the_queue_is_described_where_there_is_one(document, start):
    assert "/claims" not in document["paths"]
    described = start(SAGETREE_CLAIMS_URL="https://sqs/1/claims")(route="GET /openapi.json").body
    validate(described)
    queued = {"request_id": "1", "claims": 2, "unused_fields": ["name"]}
    assert checked(described, "/claims", "202", queued) == []
    assert checked(described, "/claims", "202", {"claims": 2}) != []


def test_outcomes_are_as_it_says(document, ask):
    outcomes = document["paths"]["/outcomes"]["post"]["requestBody"]["content"]
    schema = Draft202012Validator(outcomes["application/json"]["schema"])
    for outcome, taken in (
        ({"policy_id": 1, "fraud": 0}, True),
        ({"policy_id": "a", "fraud": "1"}, True),
        ({"policy_id": 1, "fraud": 2}, False),
        ({"policy_id": 1, "fraud": 1, "x": 1}, False),
    ):
        assert schema.is_valid(outcome) == taken
        assert (ask(outcome, "POST /outcomes").status == 200) == taken
    told = ask([{"policy_id": 1, "fraud": 0}], "POST /outcomes").body
    assert checked(document, "/outcomes", "200", told) == []


def test_the_example_of_a_claim_is_one(document, ask):
    (example,) = document["components"]["schemas"]["Claim"]["examples"]
    assert ask([example]).status == 200


def test_a_private_column_is_not_asked_for(start):
    document = start(SAGETREE_PRIVATE_FIELDS="state")(route="GET /openapi.json").body
    assert "state" not in document["components"]["schemas"]["Claim"]["properties"]


def test_without_a_model_there_is_no_description(ask, stack):
    stack.parameters.clear()
    assert ask(route="GET /openapi.json").status == 503
