"""A function that holds the model itself: which one, since when, and what if there is none."""

import json
from collections.abc import Callable

import pytest

from tests.cloud.account import ARN, BUNDLE, STACK, TOPIC
from tests.cloud.scoring.conftest import CLAIM, OTHER, SCORES
from tests.cloud.stack_server import MODEL_KEY, PACKAGE, packed

OTHER_BUNDLE = BUNDLE.parent / "format-1-onehot"
PARAMETER = f"/{STACK}/deployed-package"
SECOND = f"{ARN}:model-package/{STACK}/2"


@pytest.fixture
def inside(start):
    return start(SAGETREE_ENDPOINT_KIND="lambda")


@pytest.fixture
def model(inside, capfd) -> Callable[[], str]:
    """Ask for a score; say by which model it is, as the log has it."""

    def asked() -> str:
        capfd.readouterr()
        assert inside([CLAIM]).status == 200
        return str(json.loads(capfd.readouterr().out.splitlines()[-2])["model"])

    return asked


def test_it_scores_without_an_endpoint_and_logs_as_the_server_does(inside, stack, capfd):
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
    told = {"x-request-id": "mine", "X-Amzn-Trace-Id": trace}
    status, _, body = inside([CLAIM, OTHER], headers=told)
    assert status == 200
    assert [p["score"] for p in body["predictions"]] == pytest.approx(SCORES)
    assert all(b"/invocations" not in request for request in stack.received)
    server, own = map(json.loads, capfd.readouterr().out.splitlines()[-2:])
    assert (server["request_id"], server["rows"], server["trace"]) == ("mine", 2, trace)
    assert (own["request_id"], own["route"]) == ("mine", "POST /score")


def test_its_refusals_are_the_servers(inside):
    status, _, body = inside([{**CLAIM, "amount": "much"}])
    assert (status, body["error"], body["request_id"]) == (422, "SchemaError", "of-the-gateway")


def test_a_package_deployed_later_takes_the_place_of_the_one_before(model, stack, clock):
    before = model()
    stack.objects[MODEL_KEY] = packed(OTHER_BUNDLE)
    stack.parameters[PARAMETER] = SECOND
    clock.now += 59
    assert model() == before
    clock.now += 1
    assert model() != before


def test_a_package_that_cannot_be_loaded_leaves_the_one_before(model, stack, clock, caplog):
    before = model()
    stack.parameters[PARAMETER] = SECOND
    for archive in (b"no archive", packed(BUNDLE / "sagetree"), None):
        stack.objects = {MODEL_KEY: archive} if archive else {}
        clock.now += 60
        caplog.clear()
        assert model() == model() == before
        message = f"{SECOND} cannot be loaded, and {PACKAGE} stays"
        assert sum(message in record.getMessage() for record in caplog.records) == 1
    (told,) = stack.told  # once, however often it is tried
    assert (told["TopicArn"], told["Subject"]) == (TOPIC, "fraud: the model cannot be loaded")
    assert told["Message"].startswith(f"{SECOND} cannot be loaded: ")
    assert told["Message"].endswith(
        f"\nUntil it can, this instance of the function scores by {PACKAGE}. It is tried again "
        "each minute. To go back: sagetree cloud rollback"
    )
    stack.objects = {MODEL_KEY: packed(OTHER_BUNDLE)}
    clock.now += 60
    assert model() != before


def test_without_a_model_it_starts_and_says_so_until_there_is_one(start, stack, clock):
    stack.parameters[PARAMETER] = "none"
    ask = start(SAGETREE_ENDPOINT_KIND="lambda")
    status, headers, body = ask([CLAIM])
    assert (status, headers["Retry-After"]) == (503, "2")
    assert body["message"] == "no model has been deployed yet"
    stack.parameters[PARAMETER] = PACKAGE
    stack.objects[MODEL_KEY] = b"no archive"
    clock.now += 1
    status, _, body = ask([CLAIM])
    assert (status, body["message"], body["where"]) == (503, "its model cannot be loaded", PACKAGE)
    assert body["hint"] == "Approve another package; the function's log has the reason"
    (told,) = stack.told
    assert "\nUntil it can, claims are answered 503. It is tried again" in told["Message"]
    stack.objects[MODEL_KEY] = stack.archive
    assert ask([CLAIM]).status == 200


@pytest.mark.parametrize("name", ["SAGEMAKER_PROGRAM", "SAGEMAKER_MULTI_MODEL"])
def test_what_is_more_than_a_model_is_not_served_as_one(start, stack, caplog, name):
    stack.environment = {name: "true"}
    assert start(SAGETREE_ENDPOINT_KIND="lambda")([CLAIM]).status == 503
    reason = (
        f"{name}: the package is served by a script or has many models, and here is only the "
        "server. Choose another EndpointKind, or register the package without it"
    )
    assert any(reason in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(("decision", "label"), [("0.1", 1), ("0.9", 0)])
def test_what_the_package_sets_holds_here_too(start, stack, decision, label):
    stack.environment = {"SAGETREE_DECISION": decision}
    ask = start(SAGETREE_ENDPOINT_KIND="lambda")
    assert ask([CLAIM]).body["predictions"][0]["predicted_label"] == label
