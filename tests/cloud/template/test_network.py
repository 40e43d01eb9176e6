"""The network without a way out: what leads to AWS is what jobs and functions call, and no more."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import sagetree.cloud
from tests.cloud.template.stack_template import CLOUD, Stack, read

# The service of an endpoint, by that of a client.
DOORS: Mapping[str, str] = {
    "application-autoscaling": "application-autoscaling",
    "dynamodb": "dynamodb",
    "s3": "s3",
    "sagemaker": "sagemaker.api",
    "sagemaker-featurestore-runtime": "sagemaker.featurestore-runtime",
    "sagemaker-runtime": "sagemaker.runtime",
    "sns": "sns",
    "sqs": "sqs",
    "ssm": "ssm",
}
OF_FEATURES = {"sagemaker.featurestore-runtime"}
# Functions that are outside of the network, where their sources may be, and what they call.
OUTSIDE = ("store", "ingest.py", "retire.py", "features.py")

KEY = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return read("network.yaml")


def network(template: Mapping[str, Any], **parameters: str) -> dict[str, Any]:
    return Stack(template, **parameters).resources()


def of_type(resources: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {n: told["Properties"] for n, told in resources.items() if told["Type"] == name}


def doors(resources: Mapping[str, Any]) -> set[str]:
    endpoints = of_type(resources, "AWS::EC2::VPCEndpoint").values()
    return {door["ServiceName"].removeprefix("com.amazonaws.eu-central-1.") for door in endpoints}


def called_by_functions() -> set[str]:
    """The services that the functions' code asks for clients of."""
    return {
        service
        for folder in sagetree.cloud.__path__
        for file in Path(folder).rglob("*.py")
        if not {*file.parts} & {*OUTSIDE}
        for service in re.findall(r'clients\["([a-z0-9-]+)"\]', file.read_text())
    }


def test_whatever_a_function_calls_can_be_reached_and_nothing_else(
    template: dict[str, Any],
) -> None:
    called = {DOORS[service] for service in called_by_functions()}
    assert doors(network(template)) == called - OF_FEATURES
    assert doors(network(template, Features="yes")) == called | OF_FEATURES


def test_no_route_leads_out(template: dict[str, Any]) -> None:
    resources = network(template, CreateKey="yes", Features="yes")
    kinds = {told["Type"] for told in resources.values()}
    assert {kind for kind in kinds if kind.startswith("AWS::EC2::")} == {
        "AWS::EC2::FlowLog", "AWS::EC2::RouteTable", "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupIngress", "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::VPC", "AWS::EC2::VPCEndpoint",
    }  # fmt: skip


def test_only_tls_and_only_from_inside(template: dict[str, Any]) -> None:
    resources = network(template)
    (group,) = of_type(resources, "AWS::EC2::SecurityGroup").values()
    (way_in,) = of_type(resources, "AWS::EC2::SecurityGroupIngress").values()
    ways = [*group["SecurityGroupEgress"], way_in]
    assert {(way["IpProtocol"], way["FromPort"], way["ToPort"]) for way in ways} == {
        ("tcp", 443, 443)
    }
    assert way_in["SourceSecurityGroupId"] == way_in["GroupId"] == "<Inside>"
    assert "SecurityGroupIngress" not in group


def test_the_doors_stand_in_both_zones_and_are_for_this_account(template: dict[str, Any]) -> None:
    resources = network(template, Features="yes")
    subnets = of_type(resources, "AWS::EC2::Subnet")
    zones = {subnet["AvailabilityZone"] for subnet in subnets.values()}
    assert zones == {"eu-central-1a", "eu-central-1b"}
    routed = of_type(resources, "AWS::EC2::SubnetRouteTableAssociation").values()
    assert {route["SubnetId"] for route in routed} == {f"<{name}>" for name in subnets}
    for name, door in of_type(resources, "AWS::EC2::VPCEndpoint").items():
        if door["VpcEndpointType"] == "Interface":
            assert door["PrivateDnsEnabled"], name
            assert set(door["SubnetIds"]) == {f"<{subnet}>" for subnet in subnets}, name
        for statement in door["PolicyDocument"]["Statement"]:
            condition = statement.get("Condition", {}).get("StringEquals", {})
            ours = condition.get("aws:PrincipalAccount") == "123456789012"
            # CloudFormation's own bucket, by an address that CloudFormation has signed
            answers = "arn:aws:s3:::cloudformation-custom-resource-response-eucentral1/*"
            assert ours or statement["Resource"] == answers, name


def test_zones_can_be_named(template: dict[str, Any]) -> None:
    resources = network(template, Zones="eu-central-1b,eu-central-1c")
    subnets = of_type(resources, "AWS::EC2::Subnet").values()
    assert {s["AvailabilityZone"] for s in subnets} == {"eu-central-1b", "eu-central-1c"}


@pytest.mark.parametrize(
    ("parameters", "key"),
    [({"CreateKey": "yes"}, "<Key.Arn>"), ({"KmsKeyArn": KEY}, KEY), ({}, "")],
)
def test_the_core_takes_the_outputs_as_its_parameters(
    template: dict[str, Any], parameters: dict[str, str], key: str
) -> None:
    stack = Stack(template, **parameters)
    outputs = {
        name: stack.value(told["Value"])
        for name, told in template["Outputs"].items()
        if "Condition" not in told or stack.holds(told["Condition"])
    }
    subnets, groups = "<FirstSubnet>,<SecondSubnet>", "<Inside>"
    others = {name: outputs.pop(name) for name in ("VpcId", "CreatedKeyArn") if name in outputs}
    made = {"CreatedKeyArn": key} if "CreateKey" in parameters else {}
    assert others == {"VpcId": "<Vpc>", **made}
    taken = {"Network": "existing", "SubnetIds": subnets, "SecurityGroupIds": groups}
    assert outputs == taken | ({"KmsKeyArn": key} if key else {})
    core = read()
    assert outputs.keys() <= core["Parameters"].keys()
    given = {**outputs, "EndpointKind": "instance"}
    assert Stack(core, **given).broken_rules() == []


def test_one_key_is_enough(template: dict[str, Any]) -> None:
    both = Stack(template, CreateKey="yes", KmsKeyArn=KEY)
    assert both.broken_rules() == [
        "KmsKeyArn has no effect with CreateKey yes. Choose CreateKey no, or leave it empty."
    ]


def test_what_the_key_has_encrypted_can_be_read_when_the_network_is_gone(
    template: dict[str, Any],
) -> None:
    key = network(template, CreateKey="yes")["Key"]
    assert key["DeletionPolicy"] == "RetainExceptOnCreate"
    assert key["Properties"]["EnableKeyRotation"] is True
    assert "Key" not in network(template)


def test_the_services_that_use_the_key_for_us_are_those_of_the_readme(
    template: dict[str, Any],
) -> None:
    statements = network(template, CreateKey="yes")["Key"]["Properties"]["KeyPolicy"]["Statement"]
    services = {
        name
        for statement in statements
        for service in [statement["Principal"].get("Service", [])]
        for name in ([service] if isinstance(service, str) else service)
    }
    readme = (CLOUD / "README.md").read_text()
    assert services == {
        "logs.eu-central-1.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com",
        "budgets.amazonaws.com", "cloudtrail.amazonaws.com",
    }  # fmt: skip
    for service in services:
        assert f"`{service.replace('eu-central-1', 'REGION')}`" in readme, service
    # SNS does not tell for which account a rule publishes, and would refuse all of its events
    topics = next(one for one in statements if one.get("Sid") == "RulesToTopics")
    assert "StringEquals" not in topics["Condition"]
