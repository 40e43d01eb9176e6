"""A challenger or a shadow beside the champion: its share, its promotion, its end."""

import io
import json
import tarfile

import pytest
from botocore.exceptions import ClientError

from sagetree.cloud.deployment.errors import Refused
from tests.cloud.account import BUCKET, BUNDLE, refused
from tests.cloud.functions.conftest import ENDPOINT_EVENT, approval, settings_of

INSTANCE = settings_of("instance")
MAIN = "endpoint/fraud/variant/main"
BESIDE = "endpoint/fraud/variant/challenger"


def drain(account, ask, settings=INSTANCE):
    """Let the endpoint come to rest, as events tell the function."""
    for _ in range(6):
        account.settle()
        if ask(ENDPOINT_EVENT, settings)["action"] == "in-service":
            return
    raise AssertionError("it does not come to rest")


@pytest.fixture
def two(account, ask):
    """A champion that is served, and a second package that waits for its approval."""
    first = account.register()
    ask(approval(first), INSTANCE)
    drain(account, ask)
    return first, account.register("PendingManualApproval")


@pytest.fixture
def pair(account, ask, two):
    """A champion, and a challenger that has ten percent."""
    first, second = two
    ask({"shift": 10, "package": second}, INSTANCE)
    account.approve(second)
    ask(approval(second), INSTANCE)
    drain(account, ask)
    return first, second


def refusal(ask, event, settings=INSTANCE):
    answer = ask(event, settings)
    assert answer["action"] == "refused"
    return answer["reason"]


def test_a_challenger_is_approved_before_it_gets_its_share(account, ask, two):
    first, second = two
    for _ in range(2):
        answer = ask({"shift": 10, "package": second}, INSTANCE)
        assert answer["action"] == "waiting"
        assert answer["reason"] == (
            f"{second} is PendingManualApproval; it comes into service when it is approved"
        )
    assert account.endpoints.models().keys() == {"main"}
    account.approve(second)
    assert ask(approval(second), INSTANCE)["action"] == "updated"
    (made,) = account.requests("CreateEndpointConfig")
    main, beside = made["ProductionVariants"]
    assert made["EndpointConfigName"].startswith("fraud-1c2-")
    assert main["InitialVariantWeight"] == 1.0
    assert beside == {
        **main, "VariantName": "challenger", "InitialVariantWeight": 0.0,
        "ModelName": beside["ModelName"],
    }  # fmt: skip
    assert beside["ModelName"].startswith("fraud-2-")
    (update,) = account.requests("UpdateEndpoint")
    assert "DeploymentConfig" not in update
    left_out = update["ExcludeRetainedVariantProperties"]
    assert {"VariantPropertyType": "DesiredWeight"} in left_out
    account.settle()
    assert account.endpoints.weights == {"main": 1.0, "challenger": 0.0}
    assert ask(ENDPOINT_EVENT, INSTANCE)["action"] == "updated"
    account.settle()
    assert account.endpoints.weights == {"main": 90.0, "challenger": 10.0}
    for _ in range(2):
        assert ask(ENDPOINT_EVENT, INSTANCE)["action"] == "in-service"
    assert account.parameter("deployed-package") == account.parameter("wanted-package") == first
    assert account.scaled == {MAIN: (1, 4), BESIDE: (1, 4)}


def test_another_share_is_another_weight_and_no_other_config(account, ask, pair):
    for share in (50, 50, 1):
        shifted = ask({"shift": share}, INSTANCE)
        assert account.written().count("UpdateEndpoint") == 0
        drain(account, ask)
        assert account.endpoints.weights == {"main": 100.0 - share, "challenger": float(share)}
    assert shifted["action"] == "updated"
    again = ask({"shift": 1}, INSTANCE)
    assert again["action"] == "unchanged"
    assert "UpdateEndpointWeightsAndCapacities" not in account.written()


@pytest.mark.long
def test_a_share_that_is_asked_for_while_the_endpoint_is_busy_is_given_later(account, ask, pair):
    ask({"shift": 30}, INSTANCE)
    ask({"shift": 70}, INSTANCE)
    account.settle()
    assert account.endpoints.weights["challenger"] == 30.0
    drain(account, ask)
    assert account.endpoints.weights["challenger"] == 70.0


def test_a_share_that_is_not_given_is_told_and_not_asked_for_again_and_again(account, ask, pair):
    ask({"shift": 30}, INSTANCE)
    account.settle(fails=True)
    for _ in range(2):
        assert ask(ENDPOINT_EVENT, INSTANCE)["action"] == "failed"
    assert account.told == [
        (
            "fraud: deployment failed",
            "The challenger did not get its share of the requests. To try again, shift again.",
        )
    ]
    ask({"shift": 30}, INSTANCE)
    drain(account, ask)
    assert account.endpoints.weights["challenger"] == 30.0


def test_a_challenger_that_does_not_come_up_is_told(account, ask, two):
    first, _ = two
    ask({"shift": 10, "package": account.register()}, INSTANCE)
    account.settle(fails=True)
    assert ask(ENDPOINT_EVENT, INSTANCE)["action"] == "rolled-back"
    ((subject, text),) = account.told
    assert subject == "fraud: deployment rolled back"
    assert "fraud-1c3-" in text
    assert account.parameter("wanted-package") == first


def test_the_challenger_becomes_the_champion_while_alarms_watch(account, ask, pair):
    first, second = pair
    answer = ask({"shift": 100}, INSTANCE)
    assert answer["reason"] == "the challenger goes first"
    assert account.requests("DeregisterScalableTarget")[0]["ResourceId"] == BESIDE
    account.settle()
    assert account.endpoints.models().keys() == {"main"}
    assert ask(ENDPOINT_EVENT, INSTANCE)["action"] == "updated"
    (update,) = account.requests("UpdateEndpoint")
    assert "BlueGreenUpdatePolicy" in update["DeploymentConfig"]
    drain(account, ask)
    assert account.endpoints.models()["main"].startswith("fraud-2-")
    assert account.parameter("deployed-package") == second
    assert account.scaled == {MAIN: (1, 4)}
    # the champion's approval comes again, and late
    for arn in (first, second):
        assert ask(approval(arn), INSTANCE)["action"] == "unchanged"
    assert account.parameter("wanted-package") == second


@pytest.mark.long
def test_where_the_challenger_cannot_go_first_all_goes_at_once(account, ask, pair):
    ask({"shift": 100}, INSTANCE)
    account.settle(fails=True)
    assert ask(ENDPOINT_EVENT, INSTANCE)["action"] == "updated"
    (update,) = account.requests("UpdateEndpoint")
    assert "DeploymentConfig" not in update
    account.settle(fails=True)
    assert ask(ENDPOINT_EVENT, INSTANCE)["action"] == "rolled-back"
    assert account.told[-1][0] == "fraud: deployment rolled back"


@pytest.mark.parametrize(
    "end", [{"shift": 0}, pytest.param({"shadow": "off"}, marks=pytest.mark.long)]
)
def test_a_challenger_that_goes_does_not_come_back_by_an_old_event(account, ask, pair, end):
    first, second = pair
    assert ask(end, INSTANCE)["action"] == "updated"
    drain(account, ask)
    assert account.endpoints.models().keys() == {"main"}
    assert account.scaled == {MAIN: (1, 4)}
    late = ask(approval(second), INSTANCE)
    assert late["reason"] == (
        f"{second} was taken back since it was approved; to serve it, approve it again"
    )
    assert account.parameter("wanted-package") == first
    again = ask(end, INSTANCE)
    assert (again["action"], again["reason"]) == ("unchanged", "there is no challenger")
    account.approve(second)  # anew: it is the champion
    ask(approval(second), INSTANCE)
    drain(account, ask)
    assert account.parameter("deployed-package") == second


def test_another_approval_ends_the_comparison_and_that_is_told(account, ask, pair):
    _, second = pair
    third = account.register()
    ask(approval(third), INSTANCE)
    drain(account, ask)
    assert account.endpoints.models()["main"].startswith("fraud-3-")
    assert account.endpoints.models().keys() == {"main"}
    text = f"{second} is no longer served beside another, since {third} was approved."
    assert account.told == [("fraud: the challenger goes", text)]


@pytest.mark.parametrize("kind", ["challenger", "shadow"])
def test_a_challenger_that_is_rejected_goes_by_that_very_event(account, ask, pair, kind):
    first, second = pair
    if kind == "shadow":
        ask({"shadow": second}, INSTANCE)
        drain(account, ask)
    assert "challenger" in account.endpoints.models()
    account.approve(second, "Rejected")
    assert ask(approval(second, "Rejected"), INSTANCE)["action"] == "updated"
    drain(account, ask)
    assert account.endpoints.models().keys() == {"main"}
    assert account.parameter("deployed-package") == first
    assert ask(approval(second, "Rejected"), INSTANCE)["action"] == "in-service"
    assert account.requests("UpdateEndpoint") == []


def test_a_rejection_that_comes_late_changes_nothing(account, ask, pair):
    _, second = pair
    models = account.endpoints.models()
    for arn in (second, account.register("Rejected")):  # the first is approved again by now
        assert ask(approval(arn, "Rejected"), INSTANCE)["action"] == "in-service"
        assert account.requests("UpdateEndpoint") == []
    assert account.endpoints.models() == models
    assert account.told == []


def test_the_events_of_both_approvals_come_again(account, ask, pair):
    for arn in (*pair, *pair):
        assert ask(approval(arn), INSTANCE)["action"] == "unchanged"
        assert account.written() == []


@pytest.mark.parametrize("percent", [pytest.param(0, marks=pytest.mark.long), 40])
def test_a_shadow_gets_copies_and_is_captured_where_the_stack_captures(account, ask, two, percent):
    settings = settings_of("instance", SAGETREE_CAPTURE_PERCENT=str(percent))
    _, second = two
    account.approve(second)
    ask({"shadow": second}, settings)
    (made,) = account.requests("CreateEndpointConfig")
    assert made["EndpointConfigName"].startswith("fraud-1s2-")
    (main,), (beside,) = made["ProductionVariants"], made["ShadowProductionVariants"]
    assert beside == {**main, "VariantName": "challenger", "ModelName": beside["ModelName"]}
    captured = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 40,
        "DestinationS3Uri": f"s3://{BUCKET}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
    }
    assert made.get("DataCaptureConfig") == (captured if percent else None)
    drain(account, ask, settings)
    assert account.endpoints.weights == {"main": 1.0}
    assert account.scaled == {MAIN: (1, 4)}
    # what it was compared for: it gets a share
    ask({"shift": 20}, settings)
    (update,) = account.requests("UpdateEndpoint")
    assert "DeploymentConfig" not in update
    drain(account, ask, settings)
    assert account.endpoints.weights == {"main": 80.0, "challenger": 20.0}


def test_a_challenger_becomes_a_shadow_and_is_scaled_no_more(account, ask, pair):
    _, second = pair
    assert ask({"shadow": second}, INSTANCE)["action"] == "updated"
    (update,) = account.requests("UpdateEndpoint")
    assert "DeploymentConfig" not in update
    drain(account, ask)
    assert account.endpoints.models()["challenger"].startswith("fraud-2-")
    assert account.endpoints.weights == {"main": 1.0}
    assert account.scaled == {MAIN: (1, 4)}


LONG_KINDS = [pytest.param(kind, marks=pytest.mark.long) for kind in ("asynchronous", "lambda")]


@pytest.mark.parametrize("kind", ["serverless", *LONG_KINDS])
def test_a_kind_that_serves_one_model_says_which_serves_two(account, ask, kind):
    settings = settings_of(kind)
    first, second = account.register(), account.register()
    ask({"package": first}, settings)
    for event in ({"shift": 10, "package": second}, {"shadow": second}):
        assert refusal(ask, event, settings) == (
            f"an endpoint of the kind {kind} serves one model. The kind instance can serve a"
            " challenger or a shadow beside it"
        )
    assert account.told == []  # whoever asks hears it
    ask({"shift": 100, "package": second}, settings)
    assert account.parameter("wanted-package") == second


def test_what_cannot_be_shifted_is_refused(account, ask, two):
    first, second = two
    for share in (-1, 101, 2.5, "10", True):
        assert refusal(ask, {"shift": share, "package": second}) == (
            f"the share is {share!r}. Name a whole number from 0 to 100"
        )
    assert refusal(ask, {"shift": 10}) == "there is no challenger. Name a package"
    assert refusal(ask, {"shift": 10, "package": first}) == (
        f"{first}: it is the champion itself. Name another package"
    )
    assert refusal(ask, {"shift": 100, "package": second}) == (
        f"{second}: its status is PendingManualApproval, not Approved. Approve it with sagetree "
        "cloud approve, or in SageMaker Studio"
    )
    rejected = account.register("Rejected")
    assert refusal(ask, {"shift": 10, "package": rejected}) == (
        f"{rejected}: it is Rejected. Name another package"
    )
    ask({"shift": 10, "package": second}, INSTANCE)
    assert refusal(ask, {"shift": 0, "package": first}) == (
        f"{first}: the challenger is {second}. Name no package"
    )
    account.approve(second)
    third = account.register()
    ask(approval(third), INSTANCE)
    assert refusal(ask, {"shift": 10, "package": second}) == (
        f"{third} is wanted, and {first} is in service. Wait until it is in service, or roll back"
    )


def test_before_the_first_model_there_is_nothing_to_compare_with(account, ask):
    assert refusal(ask, {"shift": 10, "package": account.register()}) == (
        "no package is in service yet. Approve one first"
    )


def test_a_challenger_of_other_columns_is_refused(account, ask, two):
    other = io.BytesIO()
    schema = json.loads((BUNDLE / "sagetree" / "schema.json").read_text())
    for column in schema["columns"]:
        column["name"] = {"amount": "sum"}.get(column["name"], column["name"])
    with tarfile.open(fileobj=other, mode="w:gz") as archive:
        member = tarfile.TarInfo("sagetree/schema.json")
        body = json.dumps(schema).encode()
        member.size = len(body)
        archive.addfile(member, io.BytesIO(body))
    second = account.register(key="models/other/model.tar.gz")
    account.clients["s3"].put_object(
        Bucket=BUCKET, Key="models/other/model.tar.gz", Body=other.getvalue()
    )
    assert refusal(ask, {"shift": 10, "package": second}) == (
        f"{second}: its columns are not the champion's: amount, sum. Both get the same requests;"
        " approve it instead, to make it the champion"
    )


@pytest.mark.long
def test_models_that_a_pair_serves_are_kept(account, ask, pair):
    """The champion's own config and model are older than three others."""
    for share in (20, 0):
        ask({"shift": share}, INSTANCE)
        drain(account, ask)
    for _ in range(4):
        third = account.register()
        ask({"shift": 10, "package": third}, INSTANCE)
        drain(account, ask)
        served = set(account.endpoints.models().values())
        assert served <= set(account.sagemaker._models)
    assert len(account.sagemaker.endpoint_configs) == 4
    configs = account.sagemaker.endpoint_configs.values()
    models = {v["ModelName"] for c in configs for v in c.production_variants}
    assert set(account.sagemaker._models) == models


def test_another_kind_ends_the_comparison(account, ask, pair):
    first, second = pair
    serverless = settings_of("serverless")
    assert ask({"package": first}, serverless)["action"] == "created"
    assert ask(ENDPOINT_EVENT, serverless)["action"] == "in-service"
    assert account.endpoints.models().keys() == {"main"}
    assert account.scaled == {}
    why = "an endpoint of the kind serverless serves one model"
    text = f"{second} is no longer served beside another, since {why}."
    assert account.told == [("fraud: the challenger goes", text)]
    assert ask({"package": first}, INSTANCE)["action"] == "created"
    drain(account, ask)
    assert account.endpoints.models().keys() == {"main"}


@pytest.mark.parametrize(
    "how",
    ["another challenger", "the champion again", *(
        pytest.param(how, marks=pytest.mark.long) for how in ("another champion", "rolled back")
    )],
)  # fmt: skip
def test_a_challenger_that_another_step_ends_does_not_come_back_by_an_old_event(account, ask, how):
    zeroth, first, third = account.register(), account.register(), account.register()
    for arn in (zeroth, first):
        ask(approval(arn), INSTANCE)
        drain(account, ask)
    second = account.register()
    ask({"shift": 10, "package": second}, INSTANCE)
    drain(account, ask)
    event, champion = {
        "another challenger": ({"shift": 10, "package": third}, first),
        "the champion again": ({"shift": 100, "package": first}, first),
        "another champion": ({"shift": 100, "package": third}, third),
        "rolled back": ({"rollback": first}, zeroth),
    }[how]
    ask(event, INSTANCE)
    drain(account, ask)
    beside = account.parameter("challenger")
    late = ask(approval(second), INSTANCE)
    assert late["reason"] == (
        f"{second} was taken back since it was approved; to serve it, approve it again"
    )
    assert account.parameter("wanted-package") == champion
    assert account.parameter("challenger") == beside


def noted(account):
    names = ("wanted-package", "wanted-config", "challenger", "served-packages")
    return {name: account.parameter(name) for name in (*names, "withdrawn-packages")}


def test_what_is_refused_has_changed_nothing(account, ask, pair):
    first, _ = pair
    bad = account.register(key="bad")
    account.clients["s3"].put_object(Bucket=BUCKET, Key="bad", Body=b"text")
    before = noted(account)
    text = f"s3://{BUCKET}/bad: it is not a model.tar.gz: not a gzip file"
    assert refusal(ask, {"shift": 100, "package": bad}) == text
    with pytest.raises(Refused) as raised:
        ask(approval(bad), INSTANCE)
    assert str(raised.value) == text
    for package, shown in (("", "''"), (7, "'7'")):
        assert refusal(ask, {"shift": 100, "package": package}) == (
            f"{shown} is not an ARN of a model package's version"
        )
    account.clients["sagemaker"].delete_model_package(ModelPackageName=first)
    assert refusal(ask, {"shift": 0}).startswith(f"{first}: Model package {first} not found")
    assert noted(account) == before
    assert account.written() == []
    assert ask(ENDPOINT_EVENT, INSTANCE)["action"] == "in-service"


@pytest.mark.parametrize("how", ["called again", pytest.param("told", marks=pytest.mark.long)])
def test_an_end_that_was_cut_off_is_made_up_for(account, ask, pair, how):
    account.answer("UpdateEndpoint", refused("slow down", "ThrottlingException"))
    with pytest.raises(ClientError, match="slow down"):
        ask({"shift": 0}, INSTANCE)
    event = {"shift": 0} if how == "called again" else ENDPOINT_EVENT
    assert ask(event, INSTANCE)["action"] == "updated"
    drain(account, ask)
    assert account.endpoints.models().keys() == {"main"}


def test_a_challenger_that_a_quota_refuses_is_not_noted(account, ask, pair):
    first, second = pair
    third = account.register()
    for event in ({"shift": 10, "package": third}, {"shadow": third}):
        account.answer("UpdateEndpoint", refused("The limit is 2.", "ResourceLimitExceeded"))
        assert refusal(ask, event) == (
            f"{first}: The limit is 2. Ask for more in Service Quotas, or choose another"
            " EndpointInstanceType"
        )
        assert account.parameter("challenger") == f"10 {second} asked"
    assert ask(ENDPOINT_EVENT, INSTANCE)["action"] == "in-service"
    assert ask(approval(second), INSTANCE)["action"] == "unchanged"


def test_what_comes_while_a_package_is_waited_for_is_left_too(account, ask, two):
    """What others have deployed meanwhile is read after the waiting."""
    _, second = two
    account.approve(second)
    third = account.register()
    account.answer("DescribeModelPackage", lambda: ask(approval(third), INSTANCE))
    ask({"shift": 100, "package": second}, INSTANCE)
    drain(account, ask)
    assert ask(approval(third), INSTANCE)["action"] == "unchanged"
    assert account.parameter("deployed-package") == second


@pytest.mark.parametrize("other", [{"shift": 50}, {"shift": 0}])
def test_of_two_persons_at_once_the_last_one_s_wish_holds(account, ask, pair, other):
    """Between what one call has asked for and its note of that, the other is through."""
    account.answer("PutParameter", lambda: None, lambda: ask(other, INSTANCE))
    ask({"shift": 30}, INSTANCE)
    drain(account, ask)
    assert account.endpoints.weights.get("challenger", 0) == other["shift"]
