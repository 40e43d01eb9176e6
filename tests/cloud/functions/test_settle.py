"""What has become of a deployment: served, rolled back, failed, or overtaken by another."""

import pytest
from botocore.exceptions import ClientError

from tests.cloud.account import ROLE, STACK, refused
from tests.cloud.functions.conftest import ENDPOINT_EVENT, approval, settings_of

LOG = (
    "The model's own log is /aws/sagemaker/Endpoints/fraud in CloudWatch. To try again, approve a"
    " package again."
)


@pytest.fixture
def two(account, ask):
    """A first version that is served, and a second that the endpoint is being updated to."""
    settings = settings_of("instance")
    first, second = account.register(), account.register()
    old = ask(approval(first), settings)["config"]
    ask(ENDPOINT_EVENT, settings)
    new = ask(approval(second), settings)["config"]
    return settings, (first, old), (second, new)


def test_what_is_served_is_called_deployed_only_then(account, ask, two):
    settings, (first, _), (second, new) = two
    assert ask(ENDPOINT_EVENT, settings)["action"] == "waiting"
    assert account.parameter("deployed-package") == first
    account.endpoint_is("InService", new)
    for _ in range(2):
        answer = ask(ENDPOINT_EVENT, settings)
        assert answer == {"endpoint": STACK, "action": "in-service", "config": new}
        assert account.parameter("deployed-package") == second
    assert account.told == []


def test_the_columns_are_those_of_the_model_that_is_served(account, ask):
    settings = settings_of()
    ask(approval(account.register()), settings)
    assert account.parameter("columns") == "none"
    ask(ENDPOINT_EVENT, settings)
    assert account.parameter("columns").startswith('[["amount","number",1]')


def test_a_roll_back_is_noticed_and_told_once(account, ask, two):
    settings, (first, old), (second, new) = two
    account.endpoint_is("InService", reason="Alarm fraud-endpoint-errors went off.")
    for _ in range(2):
        assert ask(ENDPOINT_EVENT, settings) == {
            "endpoint": STACK, "action": "rolled-back", "config": old,
            "reason": "Alarm fraud-endpoint-errors went off.",
        }  # fmt: skip
    text = f"{old} is served again; {new} was wanted."
    reason = "SageMaker says: Alarm fraud-endpoint-errors went off."
    subject = "fraud: deployment rolled back"
    assert account.told == [(subject, f"{text}\n{reason}\n{LOG}")]
    assert account.parameter("deployed-package") == first
    # approved again it is tried again, and reported again
    assert ask(approval(second), settings)["action"] == "updated"
    account.endpoint_is("InService", reason="Alarm fraud-endpoint-errors went off.")
    assert ask(ENDPOINT_EVENT, settings)["action"] == "rolled-back"
    assert [told for told, _ in account.told] == [subject, subject]


@pytest.mark.parametrize(
    "status",
    [
        "Failed",
        pytest.param("OutOfService", marks=pytest.mark.long),
        pytest.param("UpdateRollbackFailed", marks=pytest.mark.long),
    ],
)
def test_a_first_model_that_is_never_served_is_not_called_deployed(account, ask, status):
    settings = settings_of()
    config = ask(approval(account.register()), settings)["config"]
    account.endpoint_is(status, reason="The image has no serve.")
    for _ in range(2):
        answer = ask(ENDPOINT_EVENT, settings)
        assert (answer["action"], answer["reason"]) == ("failed", "The image has no serve.")
    text = f"The endpoint is {status}; {config} was wanted."
    said = f"{text}\nSageMaker says: The image has no serve.\n{LOG}"
    assert account.told == [("fraud: deployment failed", said)]
    assert account.parameter("deployed-package") == "none"
    assert account.parameter("columns") == "none"
    assert account.scaled == {}


def test_a_newer_package_replaces_an_endpoint_that_failed_meanwhile(account, ask, two):
    settings, *_ = two
    third = account.register()
    assert ask(approval(third), settings)["action"] == "waiting"
    account.endpoint_is("Failed")
    assert ask(ENDPOINT_EVENT, settings)["action"] == "created"
    assert account.parameter("wanted-package") == third
    assert ask(ENDPOINT_EVENT, settings)["action"] == "in-service"
    assert account.parameter("deployed-package") == third


@pytest.mark.parametrize("fate", ["Rejected", "deleted"])
def test_a_package_that_waited_and_is_wanted_no_more_is_forgotten(account, ask, two, fate):
    settings, _, (second, new) = two
    third = account.register()
    ask(approval(third), settings)
    if fate == "deleted":
        account.clients["sagemaker"].delete_model_package(ModelPackageName=third)
    else:
        account.approve(third, fate)
    account.endpoint_is("InService", new)
    assert ask(ENDPOINT_EVENT, settings)["action"] == "in-service"
    assert account.parameter("deployed-package") == second
    assert account.parameter("wanted-package") == second


def test_what_waited_alone_and_is_wanted_no_more_leaves_nothing_wanted(account, ask):
    settings = settings_of()
    first, second = account.register(), account.register()
    ask(approval(first), settings)
    account.endpoint_is("Deleting")
    for name in ("wanted-config", "wanted-package"):
        value = {"wanted-config": "none", "wanted-package": second}[name]
        account.clients["ssm"].put_parameter(
            Name=f"/{STACK}/{name}", Value=value, Type="String", Overwrite=True
        )
    account.approve(second, "Rejected")
    account.endpoint_is("InService")
    assert ask(ENDPOINT_EVENT, settings)["action"] == "waiting"
    assert account.parameter("wanted-package") == "none"


@pytest.mark.parametrize("again", ["retried", "settled"])
def test_a_call_that_was_cut_off_after_the_change_is_made_up_for(account, ask, two, again):
    settings, _, (_, new) = two
    account.endpoint_is("InService", new)
    ask(ENDPOINT_EVENT, settings)
    third = account.register()
    account.answer("PutParameter", lambda: None, refused("slow down", "ThrottlingException"))
    with pytest.raises(ClientError, match="slow down"):
        ask(approval(third), settings)
    assert account.requests("UpdateEndpoint")
    assert account.parameter("wanted-config") == new
    if again == "retried":
        assert ask(approval(third), settings)["action"] == "unchanged"
    account.endpoint_is("InService", account.pending)
    assert ask(ENDPOINT_EVENT, settings)["action"] == "in-service"
    assert account.parameter("deployed-package") == third
    assert account.told == []


@pytest.mark.parametrize(
    ("detail", "action"),
    [
        ({"EndpointName": "other"}, "unchanged"),
        ({"EndpointName": STACK}, "waiting"),  # none yet
    ],
)
def test_events_that_are_not_of_a_deployment_change_nothing(account, ask, detail, action):
    event = {**ENDPOINT_EVENT, "detail": detail}
    assert ask(event, settings_of())["action"] == action
    assert account.written() == []


def test_an_endpoint_of_somebody_else_is_left_alone(account, ask):
    settings = settings_of()
    ask(approval(account.register()), settings)
    for name in ("wanted-config", "wanted-package"):
        account.clients["ssm"].put_parameter(
            Name=f"/{STACK}/{name}", Value="none", Type="String", Overwrite=True
        )
    assert ask(ENDPOINT_EVENT, settings)["action"] == "waiting"
    assert account.written() == []


@pytest.mark.parametrize(
    ("kind", "least", "most", "scaled"),
    [
        ("instance", "1", "4", (1, 4)),
        ("instance", "2", "2", None),
        ("asynchronous", "2", "5", (2, 5)),
        ("serverless", "1", "4", None),
    ],
)
def test_scaling_is_registered_in_service_alone(account, ask, kind, least, most, scaled):
    settings = settings_of(kind, SAGETREE_INSTANCES=least, SAGETREE_INSTANCES_MAX=most)
    ask(approval(account.register()), settings)
    account.endpoint_is("Creating")
    ask(ENDPOINT_EVENT, settings)
    assert account.scaled == {}
    account.endpoint_is("InService")
    for _ in range(2):
        ask(ENDPOINT_EVENT, settings)
        assert account.scaled.get("endpoint/fraud/variant/main") == scaled
    policies = account.requests("PutScalingPolicy")
    assert len(policies) == (scaled is not None)
    for policy in policies:
        tracked = policy["TargetTrackingScalingPolicyConfiguration"]
        assert ("CustomizedMetricSpecification" in tracked) == (kind == "asynchronous")
        assert tracked["TargetValue"] == (5.0 if kind == "asynchronous" else 3000.0)


def test_limits_that_have_become_equal_end_scaling(account, ask):
    settings = settings_of("instance")
    ask(approval(account.register()), settings)
    ask(ENDPOINT_EVENT, settings)
    assert account.scaled
    ask(ENDPOINT_EVENT, settings_of("instance", SAGETREE_INSTANCES_MAX="1"))
    assert account.scaled == {}


def test_three_configs_are_kept_with_their_models(account, ask):
    settings = settings_of()
    sagemaker = account.clients["sagemaker"]
    variant = {"VariantName": "main", "ModelName": "x", "InstanceType": "ml.m5.large"}
    sagemaker.create_model(ModelName="x", ExecutionRoleArn=ROLE)
    others = ["fraud-old-1-0123abcd", "fraud-by-hand", "other-fraud-1-0123abcd"]
    for name in others:
        sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
        )
    names = []
    for _ in range(5):
        names.append(ask(approval(account.register()), settings)["config"])
        account.endpoint_is("InService", names[-1])
        ask(ENDPOINT_EVENT, settings)
    assert set(account.sagemaker.endpoint_configs) == {*others, *names[2:]}
    assert set(account.sagemaker._models) == {"x", *names[2:]}
    # the oldest is served again: it is kept, and the newest two
    first = names[2]
    package = f"{account.parameter('deployed-package').rpartition('/')[0]}/3"
    account.approve(package)
    ask(approval(package), settings)
    account.endpoint_is("InService", first)
    ask(ENDPOINT_EVENT, settings)
    assert set(account.sagemaker.endpoint_configs) == {*others, *names[2:]}
