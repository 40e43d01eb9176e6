"""Each option is launched on the desk, alone and beside each other one; the rest is refused."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local_test.cloud.account.actors import ACCOUNT, PERSON, REGION
from local_test.cloud.desk import Desk, stand
from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.members import MEMBERS, SIBLINGS
from sagetree.cloud.account.template import TEMPLATES, parameters_of
from sagetree.cloud.commands.delete import delete
from sagetree.cloud.commands.launch import launch
from sagetree.cloud.commands.leftovers import leftovers
from sagetree.errors import UserError
from tests.cloud import strict
from tests.cloud.commands.conftest import hears
from tests.cloud.template.choices import (
    DEFAULT,
    Launch,
    alone,
    impossible_pairs,
    pairs_of,
    pairwise,
    possible_pairs,
)
from tests.cloud.template.stack_template import Stack, read
from tests.cloud.toy_machine import ToyMachine

STACK = "fraud"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/sagetree:1"

# What of a person's own a launch may name.
OWN = ("SubnetIds", "SecurityGroupIds", "KmsKeyArn", "HostedZoneId", "CertificateArn")

# A network that is made leads to the feature store if it is set so.
WITH_DOOR = {"none": {}, "existing": {}, "made": {"Features": "yes"}}

FACETS = '[{"column": "sex"}]'

# What else is set for the core by one parameter, where it is not the default.
OF_CORE = (
    ("facets", "Facets", FACETS),
    ("approval", "Approval", "automatic"),
    ("instances", "EndpointInstances", "2"),
    ("email", "AlertEmail", "fraud@example.com"),
    ("keep", "KeepData", "yes"),
)

ALONE = list(alone())
PAIRWISE = pairwise(ALONE)


def name_of(choices: Launch) -> str:
    return "-".join(choices.values())


@pytest.fixture
def desk() -> Iterator[Desk]:
    with stand(ToyMachine(), strict.hold) as desk:
        yield desk


@pytest.fixture
def place(desk: Desk) -> Mapping[str, str]:
    """What a person has already: a network, a key, a zone, a certificate."""
    ec2 = desk.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/24")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/25")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="own", Description="own", VpcId=vpc)["GroupId"]
    key = desk.client("kms").create_key()["KeyMetadata"]["Arn"]
    zones = desk.client("route53")
    zone = zones.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    certificate = desk.client("acm").request_certificate(DomainName="claims.example.com")
    return {
        "SubnetIds": subnet,
        "SecurityGroupIds": group,
        "KmsKeyArn": key,
        "HostedZoneId": zone.rpartition("/")[2],
        "CertificateArn": certificate["CertificateArn"],
    }


def parameters(choices: Launch, place: Mapping[str, str]) -> dict[str, str]:
    """What is said by --parameter for some choices."""
    given = {"EndpointKind": choices["kind"], "Authorization": choices["authorization"]}
    if choices["network"] == "existing":
        own = {name: place[name] for name in ("SubnetIds", "SecurityGroupIds")}
        given |= {"Network": "existing", **own}
    if choices["key"] == "given":
        given["KmsKeyArn"] = place["KmsKeyArn"]
    if choices["key"] == "made":
        given["CreateKey"] = "yes"
    if choices["authorization"] == "JWT":
        given |= {"JwtIssuer": "https://issuer.example", "JwtAudience": "claims"}
    if choices["watch"] == "yes":
        given["DriftSchedule"] = "rate(1 day)"
    if choices["domain"] != "no":
        proof = "HostedZoneId" if choices["domain"] == "zone" else "CertificateArn"
        given |= {"DomainName": "claims.example.com", proof: place[proof]}
    if choices["account"] == "budget":
        given |= {"Trail": "no", "MonthlyDollars": "100"}
    if choices["features"] == "athena":
        given["Athena"] = "yes"
    if choices["online"] == "yes":
        given |= {"OnlineTables": "customers"} | WITH_DOOR[choices["network"]]
    return given | {
        name: text for option, name, text in OF_CORE if choices[option] != DEFAULT[option]
    }


def siblings(choices: Launch) -> list[str]:
    """Which are named by --with; one that nobody can choose here is an error."""
    return [name for name in SIBLINGS if choices[name] not in ("no", "none", "existing")]


def test_together_they_try_each_two_choices_that_go_together() -> None:
    tried = set[Any]().union(*map(pairs_of, [*ALONE, *PAIRWISE]))
    assert tried == possible_pairs()
    assert len(ALONE) + len(PAIRWISE) < 40


def test_every_parameter_that_changes_what_is_made_is_among_the_choices() -> None:
    """Texts, numbers and names apart: of those each value makes the same."""
    told = set[str]()
    for choices in [*ALONE, *PAIRWISE]:
        told |= parameters(choices, dict.fromkeys(OWN, "x")).keys()
    values = {
        "AlertScore", "AthenaGigabytes", "CapturePercent", "DriftDays", "EndpointInstanceType",
        "EndpointInstancesMax", "IdField", "ImageUri", "JobInstanceType", "Label", "LogDays",
        "MinimumAuc", "PrivateFields", "RetrainSchedule", "Stack", "TrailDays", "Zones",
    }  # fmt: skip
    elsewhere = {"AthenaRoles", "SourceSecretArn"}  # a role's and a secret's; tests/cloud/store
    templates = [(TEMPLATES / member.template).read_text() for member in MEMBERS]
    known = {name for text in templates for name in parameters_of(text)}
    assert known - told == {*values, *elsewhere, "AuthorizerId"}  # which the core gives


# Each two choices that do not go together, and how the sentence begins that says so.
REFUSED: list[tuple[Launch, str]] = [
    (
        {"kind": "serverless", "network": "made"},
        "fraud-network cannot be combined with EndpointKind",
    ),
    ({"kind": "serverless", "network": "existing"}, "A serverless endpoint takes no network"),
    ({"kind": "asynchronous", "queue": "yes"}, "fraud-queue cannot be combined with EndpointKind"),
    ({"kind": "asynchronous", "watch": "yes"}, "fraud-watch cannot be combined with EndpointKind"),
    ({"kind": "serverless", "key": "made"}, "CreateKey is a parameter of fraud-network"),
    ({"network": "none", "key": "made"}, "CreateKey is a parameter of fraud-network"),
    ({"network": "existing", "key": "made"}, "CreateKey is a parameter of fraud-network"),
    (
        {"features": "no", "online": "yes"},
        "OnlineTables needs the stack fraud-features. Launch it, too, by --with features",
    ),
]


@pytest.mark.parametrize(("pair", "sentence"), REFUSED)
def test_what_does_not_go_together_is_refused(pair: Launch, sentence: str) -> None:
    choices = {**DEFAULT, **pair}
    given = parameters(choices, dict.fromkeys(OWN, "x"))
    try:
        launch(Account(STACK, None), TEMPLATES, IMAGE, given, siblings(choices))
    except UserError as error:
        said = [str(error)]
    else:  # by CloudFormation, before it makes anything
        said = Stack(read(), **given).broken_rules()
    assert [line for line in said if line.startswith(sentence)] == said != []


def test_a_network_without_a_way_to_the_feature_store_is_refused() -> None:
    choices = {**DEFAULT, "kind": "instance", "network": "made", "features": "yes"}
    given = {"EndpointKind": "instance", "OnlineTables": "customers"}
    with pytest.raises(UserError) as raised:
        launch(Account(STACK, None), TEMPLATES, IMAGE, given, siblings(choices))
    assert str(raised.value) == (
        "OnlineTables needs a way to the feature store out of fraud-network. Add --parameter "
        "Features=yes"
    )


def test_nothing_else_does_not_go_together() -> None:
    assert {frozenset(pair.items()) for pair, _ in REFUSED} == impossible_pairs()


@pytest.mark.long
@pytest.mark.parametrize(
    "choices",
    [*ALONE, *(pytest.param(choices, marks=pytest.mark.nightly) for choices in PAIRWISE)],
    ids=name_of,
)
def test_a_launch_comes_and_goes(
    desk: Desk, place: Mapping[str, str], tmp_path: Path, choices: Launch
) -> None:
    account = Account(STACK, desk.actors.session(PERSON))
    beside = siblings(choices)
    code, said = hears(
        lambda: launch(account, TEMPLATES, IMAGE, parameters(choices, place), beside)
    )
    assert code == 0
    for name in (STACK, *(f"{STACK}-{sibling}" for sibling in beside)):
        assert f"{name} is CREATE_COMPLETE" in said
    check_network(desk, place, choices)
    check_key(desk, place, choices)
    check_pipeline(desk, choices)
    code, said = hears(lambda: delete(account, agreed=True))
    assert code == 0
    stays = (choices["account"] == "trail") + (choices["keep"] == "yes")
    code, said = hears(lambda: leftovers(account))
    assert said[-1] == f"{stays} left", said


def check_network(desk: Desk, place: Mapping[str, str], choices: Launch) -> None:
    """The functions are in the network that was chosen, and in no other."""
    functions = [
        one
        for one in desk.client("lambda").list_functions()["Functions"]
        if not one["FunctionName"].endswith(("-ingest", "-retire"))  # their sources are outside
    ]
    found = [set(one.get("VpcConfig", {}).get("SubnetIds", [])) for one in functions]
    assert len(found) == 3 + (choices["queue"] == "yes") + (choices["watch"] == "yes")
    wanted = {"none": 0, "existing": 1, "made": 2}[choices["network"]]
    assert {len(subnets) for subnets in found} == {wanted}
    assert len(set(map(frozenset, found))) == 1
    if choices["network"] == "existing":
        assert found[0] == {place["SubnetIds"]}


def check_key(desk: Desk, place: Mapping[str, str], choices: Launch) -> None:
    """What lies in the bucket is encrypted by the key that was chosen."""
    cloudformation, s3 = desk.client("cloudformation"), desk.client("s3")
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    told = s3.get_bucket_encryption(Bucket=outputs["BucketName"])
    (rule,) = told["ServerSideEncryptionConfiguration"]["Rules"]
    by_default = rule["ApplyServerSideEncryptionByDefault"]
    key = by_default.get("KMSMasterKeyID", "")
    if choices["key"] == "made":
        assert key.startswith("arn:aws:kms:")
        assert key != place["KmsKeyArn"]
    else:
        assert key == (place["KmsKeyArn"] if choices["key"] == "given" else "")


def check_pipeline(desk: Desk, choices: Launch) -> None:
    """The pipeline trains by the facets that were chosen, and by no others."""
    told = desk.client("sagemaker").describe_pipeline(PipelineName=STACK)
    steps = {step["Name"]: step for step in json.loads(told["PipelineDefinition"])["Steps"]}
    given = steps["Train"]["Arguments"]["HyperParameters"].get("facets", "")
    assert given == (FACETS if choices["facets"] == "yes" else "")
