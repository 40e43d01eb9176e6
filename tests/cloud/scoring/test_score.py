"""What the API answers, and what of a claim leaves the function."""

import base64
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagetree.cloud.columns import InputColumns
from sagetree.errors import SettingsError
from tests.cloud.account import STACK
from tests.cloud.scoring.conftest import CLAIM, OTHER, SCORES
from tests.cloud.stack_server import Reply, error

PERSON = {"policy_id": "P-4711-0815", "name": "Erika Mustermann", "email": "erika@example.org"}
SECRETS = (b"4711-0815", b"Mustermann", b"erika", b"policy_id", b"name", b"email")


def test_claims_come_back_scored_with_reasons_in_their_order(ask):
    claims = [{**CLAIM, "policy_id": 7}, {**OTHER, "policy_id": "x"}, {**CLAIM}]
    status, headers, body = ask({"claims": claims})
    assert (status, headers["Content-Type"]) == (200, "application/json")
    predictions = body["predictions"]
    assert [p["score"] for p in predictions] == pytest.approx([*SCORES, SCORES[0]])
    assert [list(p) for p in predictions] == [
        ["policy_id", "score", "predicted_label", "reasons"],
        ["policy_id", "score", "predicted_label", "reasons"],
        ["score", "predicted_label", "reasons"],
    ]
    assert [p.get("policy_id") for p in predictions] == [7, "x", None]
    assert all(isinstance(reason, str) for p in predictions for reason in p["reasons"])
    assert set(body) == {"request_id", "predictions"}


@pytest.mark.parametrize("body", [[CLAIM], CLAIM, {"claims": [CLAIM]}])
def test_a_list_and_a_single_claim_are_taken_too(ask, body):
    status, _, answer = ask(body)
    assert status == 200
    assert len(answer["predictions"]) == 1


@pytest.mark.parametrize(
    "identifier", [0, "", None, False, 2**80, "\ud800", ["a", 1], {"a": 1}, 1e300]
)
def test_an_identifier_comes_back_as_it_is(ask, identifier):
    _, _, body = ask({**CLAIM, "policy_id": identifier})
    assert body["predictions"][0]["policy_id"] == identifier


@pytest.mark.parametrize("kind", ["serverless", "asynchronous", "lambda"])
def test_nothing_but_the_models_columns_leaves(start, stack, capfd, kind):
    ask = start(SAGETREE_ENDPOINT_KIND=kind)
    claim = {**PERSON, "iban": "DE02 1234", **CLAIM}
    status, _, body = ask({"claims": [claim, {**claim, "amount": "Mustermann"}]})
    ask({"claims": [claim]})
    assert status in (202, 422)
    sent = b"".join([*stack.received, *stack.objects.values()])
    log = "".join(capfd.readouterr()).encode()
    assert b'"amount": 12.5' in sent or kind == "lambda"
    for secret in (*SECRETS, b"DE02", b"iban"):
        # a value that stands in a column of the model is the model's
        assert secret not in sent.replace(b'"amount": "Mustermann"', b"").replace(b"X-Amzn-", b"")
        assert secret not in log
    assert body["unused_fields"] == ["name", "email", "iban"]


def test_a_misspelt_column_is_among_the_unused_fields(ask):
    claim = dict(CLAIM)
    claim["amuont"] = claim.pop("amount")
    status, _, body = ask([claim])
    assert status == 422
    assert body["message"] == "column 'amount' is missing"
    assert body["unused_fields"] == ["amuont"]


def test_what_the_model_refuses_is_passed_on(ask, stack):
    status, _, body = ask([CLAIM, {**CLAIM, "amount": "much"}])
    assert status == 422
    assert body["error"] == "SchemaError"
    assert [(v["row"], v["column"]) for v in body["violations"]] == [(2, "amount")]
    assert body["request_id"] == "of-the-gateway"
    stack.failures.append(
        error(424, "ModelError", OriginalStatusCode=413, OriginalMessage="too <large>")
    )
    status, _, body = ask([CLAIM])
    assert (status, body["error"], body["message"]) == (413, "ModelError", "too <large>")


@pytest.mark.parametrize(
    ("reply", "status", "name"),
    [
        (error(400, "ThrottlingException"), 503, "ThrottlingException"),
        (error(429, "ModelNotReadyException"), 503, "ModelNotReadyException"),
        (error(503, "ServiceUnavailable"), 503, "ServiceUnavailable"),
        (error(429, "Whatever"), 503, "Whatever"),
        (
            error(424, "ModelError", OriginalStatusCode=503, OriginalMessage="{}"), 503,
            "ModelNotReady",
        ),
        (error(424, "ModelError", OriginalStatusCode=500, OriginalMessage="{}"), 502, "BadGateway"),
        (error(424, "ModelError"), 502, "BadGateway"),
        (error(500, "InternalFailure"), 502, "BadGateway"),
        (error(403, "AccessDeniedException"), 502, "BadGateway"),
        (error(400, "ValidationError"), 502, "BadGateway"),
        (error(200, ""), 502, "BadGateway"),
        (error(200, "", predictions=[]), 502, "BadGateway"),
        (error(200, "", predictions=[0.5]), 502, "BadGateway"),
    ],
)  # fmt: skip
def test_what_the_endpoint_cannot_answer_is_told_by_its_status(ask, stack, reply, status, name):
    stack.failures.append(reply)
    told, headers, body = ask([CLAIM])
    assert (told, body["error"]) == (status, name)
    assert headers.get("Retry-After") == ("2" if status == 503 else None)
    assert not stack.failures
    assert ask([CLAIM]).status == 200


@pytest.mark.parametrize(("kind", "status"), [("serverless", 200), ("asynchronous", 202)])
def test_a_connection_that_was_closed_while_the_function_slept_is_made_anew(
    start, stack, kind, status
):
    ask = start(SAGETREE_ENDPOINT_KIND=kind)
    stack.failures.append(Reply(0, b""))
    assert ask([CLAIM]).status == status
    stack.failures += [Reply(0, b"")] * 2
    assert ask([CLAIM]).status == 502


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, "it is not JSON (Expecting value: line 1 column 1 (char 0))"),
        ("{", "it is not JSON (Expecting property name enclosed in double quotes: line 1 column 2"
         " (char 1))"),
        ("[" * 100_000, None),
        # as an identifier it would come back, and the answer would be no JSON
        ('{"policy_id": NaN}', "it is not JSON (NaN is not a JSON value)"),
        ('{"policy_id": -Infinity}', "it is not JSON (-Infinity is not a JSON value)"),
        ('{"policy_id": [-1e400]}', "it is not JSON ('-1e400' is too large a number)"),
        ("7", "it is neither a claim nor a list of claims"),
        ([], "it holds no claim"),
        ({"claims": {}}, 'its "claims" are not a list'),
        ({}, "claim 1 is not an object with a value for each column"),
        ([CLAIM, 3], "claim 2 is not an object with a value for each column"),
        ([CLAIM] * 101, "it holds 101 claims, and one request may hold at most 100"),
    ],
)  # fmt: skip
def test_a_body_without_claims_is_400(ask, stack, body, message):
    status, _, told = ask(body)
    assert (status, told["error"], told["where"]) == (400, "DecodingError", "the body")
    assert message in (None, told["message"])
    assert told["hint"]
    assert stack.received == []


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=list(HealthCheck))
@given(
    st.fixed_dictionaries(
        {"routeKey": st.sampled_from(["POST /score", "$default"]) | ANY},
        optional={
            "rawPath": ANY, "headers": ANY, "requestContext": ANY, "isBase64Encoded": ANY,
            "body": ANY | ANY.map(json.dumps),
        },
    )
)  # fmt: skip
def test_any_event_is_answered(handler, told):
    answer = handler()(told, 0.0)
    assert 400 <= answer["statusCode"] < 500
    assert answer["headers"]["X-Request-Id"] == json.loads(answer["body"])["request_id"]


def test_a_hundred_claims_are_scored_at_once(ask):
    _, _, body = ask([{**CLAIM, "policy_id": number} for number in range(100)])
    assert [p["policy_id"] for p in body["predictions"]] == list(range(100))


def test_a_base64_body_and_names_of_headers_in_any_case(ask):
    packed = base64.b64encode(json.dumps([CLAIM]).encode()).decode()
    names = {"CONTENT-Type": "Application/JSON; charset=utf-8", "X-REQUEST-ID": "mine"}
    status, headers, body = ask(packed, headers=names, isBase64Encoded=True)
    assert (status, headers["X-Request-Id"], body["request_id"]) == (200, "mine", "mine")
    status, _, body = ask("no base64!", isBase64Encoded=True)
    assert (status, body["message"]) == (400, "it is marked as base64 and is not base64")


def test_another_type_than_json_is_415(ask):
    status, _, body = ask("a=1", headers={"content-type": "application/x-www-form-urlencoded"})
    assert status == 415
    assert body == {
        "error": "UnsupportedMediaTypeError",
        "message": "it is 'application/x-www-form-urlencoded'",
        "where": "Content-Type",
        "hint": "Send JSON, with the header Content-Type: application/json",
        "request_id": "of-the-gateway",
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "of-the-gateway"),
        ({"x-request-id": "a-b/1"}, "a-b/1"),
        ({"x-request-id": 'forged"\n{'}, "of-the-gateway"),
        ({"x-request-id": "x" * 65}, "of-the-gateway"),
    ],
)
def test_one_id_goes_with_a_request_from_end_to_end(ask, stack, capfd, given, told):
    _, headers, body = ask([CLAIM], headers=given)
    assert (headers["X-Request-Id"], body["request_id"]) == (told, told)
    assert f"X-Amzn-SageMaker-Inference-Id: {told}".encode() in stack.received[-1]
    (line,) = capfd.readouterr().out.splitlines()
    assert json.loads(line)["request_id"] == told


def test_a_request_without_any_id_gets_one(ask):
    _, headers, _ = ask([CLAIM], requestContext={})
    assert re.fullmatch("[0-9a-f]{32}", headers["X-Request-Id"])


def test_a_path_of_none_of_the_routes_is_404(ask):
    status, _, body = ask([CLAIM], route="PUT /score")
    assert (status, body["hint"]) == (
        404,
        "The paths are POST /score, POST /outcomes and GET /openapi.json",
    )
    # a function's own address has one route for all
    http = {"http": {"method": "POST"}}
    assert ask([CLAIM], route="$default", rawPath="/score", requestContext=http).status == 200


def test_a_stack_without_a_model_says_so_until_it_has_one(ask, stack, clock):
    columns = stack.parameters.pop(f"/{STACK}/columns")
    for value in (None, "[]", "none"):
        if value:
            stack.parameters[f"/{STACK}/columns"] = value
        status, headers, body = ask([CLAIM])
        assert (status, headers["Retry-After"]) == (503, "2")
        assert body["message"] == "no model has been deployed yet"
        assert body["hint"] == "Run the pipeline, and approve the package that it registers"
        clock.now += 1
    stack.parameters[f"/{STACK}/columns"] = columns
    assert ask([CLAIM]).status == 200


def test_columns_of_a_newer_model_are_found_when_it_refuses(ask, stack, clock):
    now = InputColumns.of_text(stack.parameters[f"/{STACK}/columns"])
    stack.parameters[f"/{STACK}/columns"] = InputColumns(now.notes[1:]).to_text()
    assert ask([CLAIM]).status == 422
    stack.parameters[f"/{STACK}/columns"] = now.to_text()
    assert ask([CLAIM]).status == 422  # asked for a moment ago
    clock.now += 1
    assert ask([CLAIM]).status == 200


def test_columns_are_read_once_a_minute_and_stay_where_they_cannot_be(ask, stack, clock):
    def reads() -> int:
        return sum(b"GetParameter" in request for request in stack.received)

    for seconds, expected in ((0, 1), (59, 1), (1, 2), (30, 2)):
        clock.now += seconds
        assert ask([CLAIM]).status == 200
        assert reads() == expected
    clock.now += 60
    stack.unreadable = True
    assert ask([CLAIM]).status == 200


def test_a_private_field_that_the_model_needs_is_a_fault_of_the_stack(start, stack):
    ask = start(SAGETREE_PRIVATE_FIELDS="amount, state")
    status, _, body = ask([CLAIM])
    assert (status, body["error"]) == (500, "Misconfigured")
    assert body["message"] == (
        "the model needs amount, state, and the stack's settings keep them in the function"
    )
    assert body["where"] == "PrivateFields, IdField"
    assert body["hint"] == ("Train without such columns, or take them out of the stack's settings")
    assert all(b"invocations" not in request for request in stack.received)


def test_the_field_that_identifies_a_claim_is_the_templates_to_say(start):
    with pytest.raises(SettingsError, match="environment: SAGETREE_ID_FIELD is missing"):
        start(SAGETREE_ID_FIELD="")
    body = start(SAGETREE_ID_FIELD="nr")({**CLAIM, "nr": 7, "policy_id": 8}).body
    assert body["predictions"][0]["nr"] == 7
    assert body["unused_fields"] == ["policy_id"]


def test_an_asynchronous_endpoint_is_asked_by_a_file(start, stack):
    ask = start(SAGETREE_ENDPOINT_KIND="asynchronous")
    status, _, body = ask([{**CLAIM, "policy_id": 7}])
    assert status == 202
    assert body == {
        "request_id": "of-the-gateway",
        "claims": 1,
        "output_location": "s3://fraud-bucket/answers/1.out",
        "failure_location": None,
    }
    (key,) = [key for key in stack.objects if key.startswith("asynchronous/")]
    assert json.loads(stack.objects[key]) == [CLAIM]
    assert f"InputLocation: s3://fraud-bucket/{key}".encode() in stack.received[-1]
