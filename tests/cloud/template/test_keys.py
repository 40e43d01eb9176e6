"""A key of one's own: whatever can take it has it, and whoever needs it may use it."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from sagetree.cloud.account.members import MEMBERS
from tests.cloud.template.stack_template import Stack, read

KEY = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"

# Where each type of resource has its key.
KEYS: Mapping[str, str] = {
    "AWS::Athena::WorkGroup": (
        "WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration.KmsKey"
    ),
    "AWS::CloudTrail::Trail": "KMSKeyId",
    "AWS::DynamoDB::Table": "SSESpecification.KMSMasterKeyId",
    "AWS::Lambda::Function": "KmsKeyArn",
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::S3::Bucket": (
        "BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault"
        ".KMSMasterKeyID"
    ),
    "AWS::Scheduler::Schedule": "KmsKeyArn",
    "AWS::SNS::Topic": "KmsMasterKeyId",
    "AWS::SQS::Queue": "KmsMasterKeyId",
}
# Types that could take a key and have none.
WITHOUT: Mapping[str, str] = {
    "AWS::Lambda::EventSourceMapping": "the key is for the filter of events, and ours has none",
}

# What each template is given so that all of it is there.
GIVEN: Mapping[str, Mapping[str, str]] = {
    "account.yaml": {"MonthlyDollars": "100"},
    "domain.yaml": {"HostedZoneId": "Z1", "DomainName": "claims.example.com"},
    "watch.yaml": {"DriftSchedule": "rate(1 day)"},
}
NAMES = [member.template for member in MEMBERS]

read_once = cache(read)


def whole(name: str, kind: str = "instance") -> dict[str, Any]:
    """The resources of a template with a key, and with all that can be chosen beside it."""
    template = read_once(name)
    given = {"EndpointKind": kind, "KmsKeyArn": KEY, **GIVEN.get(name, {})}
    known = {key: value for key, value in given.items() if key in template["Parameters"]}
    return Stack(template, **known).resources()


def found(properties: Any, path: str) -> Any:
    """What is at a path of properties, None if there is nothing."""
    for name in path.split("."):
        properties = properties[int(name)] if name.isdigit() else (properties or {}).get(name)
    return properties


@pytest.mark.parametrize("kind", ["instance", "asynchronous", "lambda"])
@pytest.mark.parametrize("template", NAMES)
def test_whatever_can_take_the_key_has_it(template: str, kind: str) -> None:
    for name, told in whole(template, kind).items():
        if told["Type"] in KEYS:
            assert found(told["Properties"], KEYS[told["Type"]]) == KEY, name


@pytest.mark.parametrize("template", NAMES)
def test_every_role_may_use_it_that_touches_what_is_encrypted(template: str) -> None:
    """All do but the flow log's, which hands its lines to CloudWatch Logs, who may by itself."""
    resources = whole(template)
    roles = {name for name, told in resources.items() if told["Type"] == "AWS::IAM::Role"}
    assert {role for role in roles if not uses_of_key(resources, role)} <= {"FlowRole"}


def uses_of_key(resources: Mapping[str, Any], role: str) -> list[str]:
    """The actions that a role may do with the key, by its own policies or by one beside it."""
    beside = [
        told["Properties"]
        for told in resources.values()
        if told["Type"] == "AWS::IAM::Policy" and f"<{role}>" in told["Properties"]["Roles"]
    ]
    return [
        action
        for policy in [*resources[role]["Properties"]["Policies"], *beside]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Resource"] == KEY
        for action in statement["Action"]
    ]


@pytest.mark.long
def test_the_types_that_can_take_a_key_are_known() -> None:
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # it takes a second

    used = {told["Type"] for name in NAMES for told in read_once(name)["Resources"].values()}
    for kind in sorted(used - KEYS.keys() - WITHOUT.keys()):
        if not kind.startswith("Custom::"):
            schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
            assert not list(keys_of(schema, schema)), kind


def keys_of(
    part: Mapping[str, Any], schema: Mapping[str, Any], seen: tuple[str, ...] = ()
) -> Iterator[str]:
    """Yield the properties of a resource's schema, at any depth, that name a key."""
    if "$ref" in part:
        if part["$ref"] in seen:
            return
        target: Any = schema
        for name in part["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        yield from keys_of(target, schema, (*seen, part["$ref"]))
    for name, member in part.get("properties", {}).items():
        if re.search("kms", name, re.IGNORECASE):
            yield name
        yield from keys_of(member, schema, seen)
    if isinstance(part.get("items"), dict):
        yield from keys_of(part["items"], schema, seen)
