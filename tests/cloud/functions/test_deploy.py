"""From an approved package to the endpoint: every event twice, and what stands in the way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sagetree.cloud.deployment.errors import Busy
from sagetree.cloud.deployment.package import Package
from sagetree.cloud.deployment.requests import name_for
from tests.cloud.account import ARN, BUCKET, ROLE, STACK, answered, refused
from tests.cloud.functions.conftest import ENDPOINT_EVENT, approval, settings_of

KINDS = ("serverless", "instance", "asynchronous")
USUAL = (("serverless", "instance"), ("instance", "asynchronous"))
CHANGES = [
    pytest.param(old, new, marks=[pytest.mark.long] if (old, new) not in USUAL else [])
    for old in KINDS
    for new in KINDS
    if old != new
]
KEY = "arn:aws:kms:us-east-1:123456789012:key/0f0f"
NETWORK = {"SAGETREE_SUBNETS": "subnet-1,subnet-2", "SAGETREE_SECURITY_GROUPS": "sg-1"}


@pytest.mark.parametrize("kind", KINDS)
def test_an_approved_package_becomes_an_endpoint_once(account, ask, kind):
    settings = settings_of(kind)
    arn = account.register()
    first = ask(approval(arn), settings)
    assert first == {"endpoint": STACK, "action": "created", "config": first["config"]}
    assert account.endpoint.endpoint_config_name == first["config"]
    assert ask(approval(arn), settings) == {**first, "action": "unchanged"}
    assert account.written() == []
    assert account.parameter("deployed-package") == "none"
    for _ in range(2):
        assert ask(ENDPOINT_EVENT, settings) == {**first, "action": "in-service"}
        assert account.parameter("deployed-package") == arn
    scaling = {"RegisterScalableTarget", "PutScalingPolicy", "DeregisterScalableTarget"}
    assert set(account.written()) <= scaling
    assert ask({"package": arn}, settings) == {**first, "action": "unchanged"}
    assert account.written() == []


@pytest.mark.parametrize(
    ("kind", "more", "model", "config"),
    [
        (
            "serverless", {"SAGETREE_MEMORY_MB": "3072", "SAGETREE_CONCURRENCY": "7"}, {},
            {"ServerlessConfig": {"MemorySizeInMB": 3072, "MaxConcurrency": 7}},
        ),
        (
            "instance", {},
            {"EnableNetworkIsolation": True},
            {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1, "InitialVariantWeight": 1.0},
        ),
        (
            "instance",
            {**NETWORK, "SAGETREE_INSTANCES": "2", "SAGETREE_KMS_KEY_ARN": KEY},
            {
                "EnableNetworkIsolation": True,
                "VpcConfig": {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]},
            },
            {
                "InstanceType": "ml.m5.large", "InitialInstanceCount": 2,
                "InitialVariantWeight": 1.0, "KmsKeyId": KEY,
            },
        ),
        (
            "asynchronous", {"SAGETREE_KMS_KEY_ARN": KEY},
            {"EnableNetworkIsolation": True},
            {
                "InstanceType": "ml.m5.large", "InitialInstanceCount": 1,
                "InitialVariantWeight": 1.0, "KmsKeyId": KEY,
                "AsyncInferenceConfig": {"OutputConfig": {
                    "S3OutputPath": f"s3://{BUCKET}/answers",
                    "S3FailurePath": f"s3://{BUCKET}/failures", "KmsKeyId": KEY}},
            },
        ),
    ],
)  # fmt: skip
def test_each_kind_is_asked_for_with_what_it_takes(account, ask, kind, more, model, config):
    arn = account.register()
    name = ask({"package": arn}, settings_of(kind, **more))["config"]
    (made,) = account.requests("CreateModel")
    containers = [{"ModelPackageName": arn}]
    assert made == {
        "ModelName": name, "ExecutionRoleArn": ROLE, "Containers": containers, **model,
    }  # fmt: skip
    (made,) = account.requests("CreateEndpointConfig")
    outside = {key: config[key] for key in ("KmsKeyId", "AsyncInferenceConfig") if key in config}
    variant = {key: value for key, value in config.items() if key not in outside}
    assert made == {
        "EndpointConfigName": name,
        "ProductionVariants": [{"VariantName": "main", "ModelName": name, **variant}],
        **outside,
    }


@pytest.mark.parametrize(
    ("kind", "instances", "alarms", "routing"),
    [
        ("serverless", 1, "a,b", None),
        ("instance", 1, "a,b", {"Type": "ALL_AT_ONCE"}),
        ("instance", 1, "", {"Type": "ALL_AT_ONCE"}),
        ("instance", 2, "a", {"Type": "CANARY", "CanarySize": {
            "Type": "INSTANCE_COUNT", "Value": 1}}),
        ("asynchronous", 3, "a,b", {"Type": "CANARY", "CanarySize": {
            "Type": "INSTANCE_COUNT", "Value": 1}}),
    ],
)  # fmt: skip
def test_an_update_keeps_the_scaled_count_and_can_be_rolled_back(
    account, ask, kind, instances, alarms, routing
):
    settings = settings_of(kind, SAGETREE_ALARMS=alarms)
    ask({"package": account.register()}, settings)
    ask(ENDPOINT_EVENT, settings)
    account.endpoint.production_variants[0]["DesiredInstanceCount"] = instances  # by its load
    second = account.register()
    updated = ask(approval(second), settings)
    assert updated["action"] == "updated"
    (request,) = account.requests("UpdateEndpoint")
    names = {"EndpointName": STACK, "EndpointConfigName": updated["config"]}
    if routing is None:
        assert request == names
    else:
        rollback = {"Alarms": [{"AlarmName": name} for name in settings.alarms]}
        assert request == {
            **names,
            "RetainAllVariantProperties": True,
            "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DataCaptureConfig"}],
            "DeploymentConfig": {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": {"WaitIntervalInSeconds": 300, **routing},
                    "TerminationWaitInSeconds": 300,
                    "MaximumExecutionTimeoutInSeconds": 3600,
                },
                **({"AutoRollbackConfiguration": rollback} if alarms else {}),
            },
        }
    again = ask(approval(second), settings)
    assert again["action"] == "unchanged"
    assert account.written() == []


@pytest.mark.parametrize(("instances", "routing"), [("1", "ALL_AT_ONCE"), ("3", "CANARY")])
def test_without_scaling_the_stack_s_number_of_instances_holds(account, ask, instances, routing):
    ask({"package": account.register()}, settings_of("instance"))
    account.endpoint.production_variants[0]["DesiredInstanceCount"] = 2
    fixed = {"SAGETREE_INSTANCES": instances, "SAGETREE_INSTANCES_MAX": instances}
    ask({"package": account.register()}, settings_of("instance", **fixed))
    (request,) = account.requests("UpdateEndpoint")
    left_out = request["ExcludeRetainedVariantProperties"]
    assert {"VariantPropertyType": "DesiredInstanceCount"} in left_out
    policy = request["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    assert policy["TrafficRoutingConfiguration"]["Type"] == routing


@pytest.mark.parametrize(
    "status",
    [
        "Updating",
        *(
            pytest.param(status, marks=pytest.mark.long)
            for status in ("Creating", "SystemUpdating", "RollingBack")
        ),
    ],
)
def test_a_busy_endpoint_is_given_the_package_when_it_has_settled(account, ask, status):
    settings = settings_of("instance")
    first, second = account.register(), account.register()
    old = ask(approval(first), settings)["config"]
    account.endpoint_is(status)
    for _ in range(2):
        answer = ask(approval(second), settings)
        assert (answer["action"], answer["reason"]) == ("waiting", f"the endpoint is {status}")
        assert account.endpoint.endpoint_config_name == old
    assert account.written() == []
    assert ask(ENDPOINT_EVENT, settings)["action"] == "waiting"
    account.endpoint_is("InService")
    assert ask(ENDPOINT_EVENT, settings) == {
        "endpoint": STACK, "action": "updated", "config": answer["config"],
    }  # fmt: skip
    assert account.requests("UpdateEndpoint")[0]["EndpointConfigName"] == answer["config"]


def test_an_endpoint_that_another_call_has_just_changed_is_waited_for(account, ask):
    settings = settings_of("instance")
    first, second = account.register(), account.register()
    ask(approval(first), settings)
    account.answer("UpdateEndpoint", refused("Cannot update in-progress endpoint."))
    assert ask(approval(second), settings)["action"] == "waiting"
    assert ask(ENDPOINT_EVENT, settings)["action"] == "updated"


def test_two_calls_at_once_make_one_endpoint(account, ask):
    settings = settings_of()
    arn = account.register()
    account.answer("CreateEndpoint", refused("Cannot create already existing endpoint."))
    assert ask(approval(arn), settings)["action"] == "waiting"
    assert ask(approval(arn), settings)["action"] == "created"  # model and config are there


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_another_kind_replaces_the_endpoint(account, ask, old, new):
    arn = account.register()
    ask({"package": arn}, settings_of(old))
    ask(ENDPOINT_EVENT, settings_of(old))
    changed = ask({"package": arn}, settings_of(new))
    assert changed["action"] == "created"
    written = account.written()
    deleted, made = written.index("DeleteEndpoint"), written.index("CreateEndpoint")
    assert written.index("DeregisterScalableTarget") < deleted < made
    assert account.endpoint.endpoint_config_name == changed["config"]
    assert ask(ENDPOINT_EVENT, settings_of(new))["action"] == "in-service"
    assert bool(account.scaled) == (new != "serverless")


def test_another_type_of_instance_ends_scaling_until_it_is_in_service(account, ask):
    arn = account.register()
    ask({"package": arn}, settings_of("instance"))
    ask(ENDPOINT_EVENT, settings_of("instance"))
    bigger = settings_of("instance", SAGETREE_INSTANCE_TYPE="ml.m5.xlarge")
    changed = ask({"package": arn}, bigger)
    assert (changed["action"], account.scaled) == ("updated", {})
    account.endpoint_is("InService", changed["config"])
    assert ask(ENDPOINT_EVENT, bigger)["action"] == "in-service"
    assert account.scaled == {"endpoint/fraud/variant/main": (1, 4)}


def test_an_endpoint_whose_config_is_gone_is_updated(account, ask):
    settings = settings_of("instance")
    first, second = account.register(), account.register()
    config = ask({"package": first}, settings)["config"]
    del account.sagemaker.endpoint_configs[config]
    assert ask({"package": second}, settings)["action"] == "updated"


def test_a_failed_endpoint_is_replaced(account, ask):
    settings = settings_of()
    first, second = account.register(), account.register()
    ask(approval(first), settings)
    account.endpoint_is("Failed", reason="The container did not pass the ping health check.")
    answer = ask(approval(second), settings)
    assert answer["action"] == "created"
    assert "DeleteEndpoint" in account.written()
    assert account.endpoint.endpoint_status == "InService"
    account.endpoint_is("Failed")
    assert ask(approval(second), settings) == answer  # approved again, it is tried again


@pytest.mark.parametrize(
    ("status", "action", "settled"),
    [("Creating", "unchanged", "waiting"), ("Failed", "created", "failed")],
)
def test_an_endpoint_that_was_never_in_service_may_not_tell_its_config(
    account, ask, status, action, settled
):
    settings = settings_of()
    arn = account.register()
    ask(approval(arn), settings)
    bare = {
        "EndpointName": STACK, "EndpointArn": f"{ARN}:endpoint/fraud", "EndpointStatus": status,
        "CreationTime": datetime.now(UTC), "LastModifiedTime": datetime.now(UTC),
    }  # fmt: skip
    account.answer("DescribeEndpoint", answered(bare))
    assert ask(ENDPOINT_EVENT, settings)["action"] == settled
    account.answer("DescribeEndpoint", answered(bare))
    assert ask(approval(arn), settings)["action"] == action


def test_a_deletion_is_waited_for(account, ask):
    settings = settings_of()
    first, second = account.register(), account.register()
    ask(approval(first), settings)
    account.endpoint_is("Deleting")
    gone = account.sagemaker.endpoints.clear
    account.answer("DescribeEndpoint", lambda: None, gone)
    assert ask(approval(second), settings)["action"] == "created"


def test_a_deletion_that_takes_too_long_is_tried_again(account, ask):
    settings = settings_of()
    first, second = account.register(), account.register()
    ask(approval(first), settings)
    account.endpoint_is("Deleting")
    with pytest.raises(Busy, match="the endpoint fraud is still being deleted"):
        ask(approval(second), settings, seconds=22)
    account.sagemaker.endpoints.clear()
    assert ask(approval(second), settings)["action"] == "created"


def test_a_package_that_is_still_being_made_is_waited_for(account, ask):
    settings = settings_of()
    arn = account.register()
    (package,) = account.sagemaker.model_packages.values()
    package.model_package_status = "InProgress"
    with pytest.raises(Busy, match="model-package/fraud/1 is still InProgress"):
        ask({"package": arn}, settings, seconds=1)

    def finish():
        package.model_package_status = "Completed"

    account.answer("DescribeModelPackage", lambda: None, finish)
    assert ask({"package": arn}, settings)["action"] == "created"


def test_the_event_of_an_older_approval_comes_late(account, ask):
    settings = settings_of()
    first, second = account.register(), account.register()
    config = ask(approval(second), settings)["config"]
    for _ in range(2):
        assert ask(approval(first), settings) == {
            "endpoint": STACK, "action": "unchanged", "config": config,
            "reason": f"{second} was approved later; to go back, approve this one again",
        }  # fmt: skip
        assert account.written() == []


def test_an_older_package_that_is_waited_for_does_not_replace_a_newer_one(account, ask):
    """What others have deployed meanwhile is read after the waiting."""
    settings = settings_of()
    first, second = account.register(), account.register()

    def deploy_second():
        assert ask(approval(second), settings)["action"] == "created"

    account.answer("DescribeModelPackage", deploy_second)
    assert ask({"package": first}, settings)["reason"].startswith(f"{second} was approved later")
    assert account.parameter("wanted-package") == second


@pytest.mark.parametrize("first_is_older", [True, False])
def test_of_two_packages_at_once_the_one_that_was_approved_later_is_wanted(
    account, ask, first_is_older
):
    """Between the look of one call and its writing, the other is through."""
    settings = settings_of()
    older, newer = account.register(), account.register()
    slow, fast = (older, newer) if first_is_older else (newer, older)
    account.answer("PutParameter", lambda: ask(approval(fast), settings))
    answer = ask(approval(slow), settings)
    assert account.parameter("wanted-package") == newer
    assert answer["action"] == ("unchanged" if first_is_older else "updated")


@pytest.mark.parametrize("how", ["approved again", "newer rejected", "newer deleted"])
def test_a_person_can_go_back_to_an_older_version(account, ask, how):
    settings = settings_of()
    first, second = account.register(), account.register()
    old = ask(approval(first), settings)["config"]
    ask(ENDPOINT_EVENT, settings)
    new = ask(approval(second), settings)["config"]
    account.endpoint_is("InService", new)
    ask(ENDPOINT_EVENT, settings)
    if how == "approved again":
        account.approve(first)
    elif how == "newer rejected":
        account.approve(second, "Rejected")
    else:
        account.clients["sagemaker"].delete_model_package(ModelPackageName=second)
    answer = ask(approval(first), settings)
    assert answer == {"endpoint": STACK, "action": "updated", "config": old}


def test_names_follow_from_content(account, ask):
    arn = account.register()
    settings = settings_of("instance")
    name = ask({"package": arn}, settings)["config"]
    assert name.startswith("fraud-1-")
    account.endpoint_is("InService")
    others = [
        settings_of("instance", **{variable: value})
        for variable, value in {
            "SAGETREE_INSTANCE_TYPE": "ml.c5.large",
            "SAGETREE_INSTANCES": "2",
            "SAGETREE_KMS_KEY_ARN": KEY,
            "SAGETREE_ROLE_ARN": ROLE + "-2",
        }.items()
    ]
    names = set()
    for other in others:
        names.add(ask({"package": arn}, other)["config"])
        account.endpoint_is("InService")
    assert len(names - {name}) == len(others)
    # what the model does not depend on
    same = settings_of("instance", SAGETREE_ALARMS="other", SAGETREE_INSTANCES_MAX="9")
    assert ask({"package": arn}, same)["config"] == name


def test_a_newer_image_of_the_stack_leaves_what_is_served(account, ask):
    """A package names its own image."""
    arn = account.register()
    config = ask(approval(arn), settings_of("instance"))["config"]
    newer = settings_of("instance", SAGETREE_IMAGE_URI="1.dkr.ecr.us-east-1.amazonaws.com/s:2")
    for event in (ENDPOINT_EVENT, approval(arn)):
        assert ask(event, newer)["config"] == config
        assert not {"CreateModel", "UpdateEndpoint"} & set(account.written())
    assert ask(approval(account.register()), newer)["action"] == "updated"


def test_a_version_of_another_stack_of_the_same_name_has_other_names():
    """Versions begin at 1 again when a stack is made anew."""
    made = datetime(2026, 1, 2, tzinfo=UTC)
    container = {"Image": "sagetree:1", "ModelDataUrl": "s3://fraud-bucket/1"}
    package = Package(
        f"{ARN}:model-package/fraud/1", 1, "Approved", "Completed", made, made, [container]
    )
    others = [
        replace(package, created=made + timedelta(seconds=1)),
        replace(package, containers=[{**container, "ModelDataUrl": "s3://fraud-bucket/2"}]),
        replace(package, containers=[{**container, "Image": "sagetree:2"}]),
    ]
    names = {name_for(settings_of(), one) for one in (package, *others)}
    assert len(names) == 4
    approved_again = replace(package, changed=made + timedelta(days=1))
    assert name_for(settings_of(), approved_again) in names


@pytest.mark.parametrize(
    "fields", [["CustomerMetadataProperties"], ["ModelLifeCycle", "ModelCard"]]
)
def test_a_note_on_an_approved_package_does_not_deploy_it(account, ask, fields):
    """SageMaker calls the package changed anew, and it would be the one approved last."""
    settings = settings_of()
    first, second = account.register(), account.register()
    config = ask(approval(second), settings)["config"]
    account.approve(first)  # so that it has just been changed
    event = approval(first)
    changed = {**event, "detail": {**event["detail"], "UpdatedModelPackageFields": fields}}
    assert ask(changed, settings) == {
        "endpoint": STACK, "action": "unchanged", "config": config,
        "reason": f"{first} has changed, but not its approval",
    }  # fmt: skip
    changed["detail"]["UpdatedModelPackageFields"] = [*fields, "ModelApprovalStatus"]
    assert ask(changed, settings)["action"] == "updated"
