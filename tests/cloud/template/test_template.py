"""The core's template: what CloudFormation takes, whom it refuses, what hangs together in it."""

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest

from sagetree.cloud.pipeline.definition import definition
from sagetree.cloud.pipeline.embedded import with_definition
from sagetree.cloud.pipeline.places import Defaults, Example, Places
from sagetree.errors import UserError
from tests.cloud.linters.__main__ import read_accepted
from tests.cloud.template.stack_template import IMAGE, TEMPLATE, Stack, read

KEY = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
NETWORK = {"Network": "existing", "SubnetIds": "subnet-1,subnet-2", "SecurityGroupIds": "sg-1"}

KINDS = ("serverless", "instance", "asynchronous", "lambda")


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """The template, read."""
    return read()


def test_the_definition_in_it_is_the_one_of_the_code() -> None:
    text = TEMPLATE.read_text()
    assert with_definition(text) == text, "make generated"


def test_a_template_without_marks_is_an_error() -> None:
    with pytest.raises(UserError) as raised:
        with_definition("Resources: {}\n")
    assert str(raised.value) == (
        "the template: there are no lines '# definition: begin' and '# definition: end'. "
        "the pipeline's definition is written between them"
    )


NO_NETWORK = (
    "A serverless endpoint takes no network of yours. "
    "Choose EndpointKind instance, asynchronous or lambda, or Network none."
)
NO_SUBNETS = "Network existing needs SubnetIds and SecurityGroupIds."
UNUSED_SUBNETS = (
    "SubnetIds and SecurityGroupIds have no effect with Network none. "
    "Choose Network existing, or leave them empty."
)
NO_ISSUER = "Authorization JWT needs JwtIssuer and JwtAudience."
UNUSED_ISSUER = (
    "JwtIssuer and JwtAudience have no effect with Authorization AWS_IAM. "
    "Choose Authorization JWT, or leave them empty."
)
FEWER = "EndpointInstancesMax is less than EndpointInstances."
TOKENS = {"JwtIssuer": "https://issuer.example", "JwtAudience": "claims"}


@pytest.mark.parametrize(
    ("parameters", "sentences"),
    [
        ({}, []),
        *(({"EndpointKind": kind}, []) for kind in KINDS),
        (NETWORK, [NO_NETWORK]),
        (NETWORK | {"EndpointKind": "lambda"}, []),
        (NETWORK | {"EndpointKind": "instance"}, []),
        (NETWORK | {"EndpointKind": "asynchronous"}, []),
        (NETWORK | {"EndpointKind": "instance", "SubnetIds": ""}, [NO_SUBNETS]),
        (NETWORK | {"EndpointKind": "instance", "SecurityGroupIds": ""}, [NO_SUBNETS]),
        (NETWORK | {"Network": "none"}, [UNUSED_SUBNETS]),
        ({"SecurityGroupIds": "sg-1"}, [UNUSED_SUBNETS]),
        ({"Authorization": "JWT"}, [NO_ISSUER]),
        (TOKENS | {"Authorization": "JWT", "JwtAudience": ""}, [NO_ISSUER]),
        (TOKENS | {"Authorization": "JWT"}, []),
        (TOKENS, [UNUSED_ISSUER]),
        ({"JwtAudience": "claims"}, [UNUSED_ISSUER]),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(
    template: dict[str, Any], parameters: dict[str, str], sentences: list[str]
) -> None:
    assert Stack(template, **parameters).broken_rules() == sentences


def test_the_most_instances_are_not_fewer_than_the_least(template: dict[str, Any]) -> None:
    allowed = template["Parameters"]["EndpointInstances"]["AllowedValues"]
    assert template["Parameters"]["EndpointInstancesMax"]["AllowedValues"] == allowed
    for least in allowed:
        for most in allowed:
            numbers = {"EndpointInstances": str(least), "EndpointInstancesMax": str(most)}
            broken = Stack(template, **numbers).broken_rules()
            assert broken == ([FEWER] if most < least else []), numbers


FACETS = '[{"column": "gender", "values": ["F"]}, {"column": "Größe 1", "threshold": 40}]'


@pytest.mark.parametrize("facets", ["", FACETS])
@pytest.mark.parametrize("given", [{}, NETWORK | {"EndpointKind": "instance", "KmsKeyArn": KEY}])
def test_the_stored_pipeline_is_the_one_for_the_stacks_parameters(
    template: dict[str, Any], given: dict[str, str], facets: str
) -> None:
    own = {"Approval": "automatic", "MinimumAuc": "0.8", "Label": "y", "IdField": "k"}
    stack = Stack(template, **given, **own, Facets=facets)
    body = stack.resources()["Pipeline"]["Properties"]["PipelineDefinition"]
    groups: dict[str, Any] = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]}
    places = Places(
        IMAGE,
        "<JobRole.Arn>",
        "<Bucket>",
        "fraud",
        "<DeployFunction.Arn>",
        vpc=groups if given else None,
        key=KEY if given else None,
    )
    example = Example("k", "y", facets)
    wanted = definition(places, example, Defaults(0.8, "Approved", "ml.m5.large"))
    assert json.loads(body["PipelineDefinitionBody"]) == json.loads(json.dumps(wanted))


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        # as it is written, it stands in the pipeline's JSON
        ("MinimumAuc", ("0.5", "0.70", "1"), (".7", "0.49", "1.1", "7e-1", "+0.7", "0.7 ", "00.7")),
        # what begins with a hyphen is an option to `prepare`
        ("Label", ("fraud", "a.b-c", "_x", "1"), ("-fraud", "--key", "", "a b", 'a"b')),
        ("IdField", ("policy_id",), ("-policy", "")),
        # a backslash would be half of another one's character there
        ("Facets", ("", FACETS), ("gender", "[]", '{"column": "a"}', '[{"column": "\\u0041"}]')),
    ],
)
def test_a_parameter_is_refused_that_the_pipeline_could_not_be_made_of(
    template: dict[str, Any], name: str, taken: Sequence[str], refused: Sequence[str]
) -> None:
    pattern = template["Parameters"][name]["AllowedPattern"]
    assert [value for value in (*taken, *refused) if re.fullmatch(pattern, value)] == list(taken)
    for value in taken:
        resources = Stack(template, **{name: value}).resources()
        body = resources["Pipeline"]["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"]
        assert json.loads(body)["Version"] == "2020-12-01"


def test_the_alarms_that_a_deployment_rolls_back_on_are_there(template: dict[str, Any]) -> None:
    for kind in KINDS:
        resources = Stack(template, EndpointKind=kind).resources()
        alarms = {
            told["Properties"]["AlarmName"]
            for told in resources.values()
            if told["Type"] == "AWS::CloudWatch::Alarm"
        }
        variables = resources["DeployFunction"]["Properties"]["Environment"]["Variables"]
        named = set(filter(None, variables["SAGETREE_ALARMS"].split(",")))
        assert named <= alarms
        assert bool(named) == (kind != "lambda")


def test_the_api_is_never_open(template: dict[str, Any]) -> None:
    for given in ({}, TOKENS | {"Authorization": "JWT"}):
        routes = [
            told["Properties"]
            for told in Stack(template, **given).resources().values()
            if told["Type"] == "AWS::ApiGatewayV2::Route"
        ]
        kind = given.get("Authorization", "AWS_IAM")
        assert {route["AuthorizationType"] for route in routes} == {kind}
        assert {route.get("AuthorizerId") for route in routes} == (
            {"<ApiTokens>"} if given else {None}
        )
    assert template["Parameters"]["Authorization"]["AllowedValues"] == ["AWS_IAM", "JWT"]


def test_what_could_make_something_new_is_gone_before_cleaning(template: dict[str, Any]) -> None:
    """CloudFormation deletes in the reverse order of DependsOn and references."""
    resources = template["Resources"]
    # what is scored, and what became of it, is kept in the bucket
    for name in ("PackageRule", "EndpointRule", "ScoreRoute", "OutcomesRoute"):
        assert resources[name]["DependsOn"] == "Clean"
    before = set(resources["Clean"]["DependsOn"])
    assert {"Packages", "Pipeline", "CleanRole", "CleanLog", "BucketPolicy"} <= before
    assert "FunctionPolicy" in before  # which lets the function write its log
    # the function's variables are encrypted; SageMaker takes an endpoint down in its role's name
    assert "ModelRole" in before
    clean = Stack(template, **NETWORK, KmsKeyArn=KEY).resources()["Clean"]["Properties"]
    assert clean["Needs"] == ["<KeyPolicy>", "<NetworkPolicy>"]


def test_each_accepted_finding_has_a_reason_and_our_own_rules_have_no_exceptions() -> None:
    accepted = read_accepted(TEMPLATE.with_name("findings.toml"))
    programs = {line.split()[0] for line in accepted}
    assert programs == {"parliament", "checkov", "cdk-nag"}
