"""All templates: their size, what they share, and what siblings take from the core."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sagetree.cloud.account.members import CORE, MEMBERS, SIBLINGS
from sagetree.cloud.account.template import TEMPLATES
from sagetree.cloud.names import Settings
from sagetree.cloud.queue.alerts import OPEN_SECONDS, REMEMBERED_SECONDS
from tests.cloud.template.stack_template import CLOUD, EXPORTS, TEMPLATE, Stack, read

# The most that CloudFormation takes in a call.
MOST_BYTES = 51_200

NAMES = [member.template for member in MEMBERS]
KINDS = ("serverless", "instance", "asynchronous", "lambda")
KEY = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
ALERTS = "arn:aws:sns:eu-central-1:123456789012:fraud-alerts"
QUEUES = "https://sqs.eu-central-1.amazonaws.com/123456789012"

# What a function's environment refers to.
REFERENCES = {
    "<Bucket>": "fraud-bucket",
    "<Alerts>": ALERTS,
    "<Answers>": "arn:aws:sns:eu-central-1:123456789012:fraud-answers",
    "<ModelRole.Arn>": "arn:aws:iam::123456789012:role/fraud-model",
    "<DeadClaims>": f"{QUEUES}/fraud-dead-claims",
    "<StoreRole.Arn>": "arn:aws:iam::123456789012:role/fraud-store",
    "<Database>": "fraud_features",
}


@pytest.fixture(scope="module")
def templates() -> dict[str, dict[str, Any]]:
    """The templates by their names, read."""
    return {name: read(name) for name in NAMES}


def test_every_template_is_a_member_s_and_goes_with_the_package() -> None:
    assert sorted(path.name for path in CLOUD.glob("*.yaml")) == sorted(NAMES)
    for name in NAMES:
        assert (TEMPLATES / name).resolve() == CLOUD / name


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_enough_for_cloudformation(name: str) -> None:
    assert len((CLOUD / name).read_bytes()) < MOST_BYTES


@pytest.mark.long
def test_cfn_lint_finds_nothing() -> None:
    program = Path(sys.executable).with_name("cfn-lint")
    regions = ("us-east-1", "eu-central-1", "ap-southeast-2", "sa-east-1")
    command = [program, "--regions", *regions, "-t", *(CLOUD / name for name in NAMES)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert (result.returncode, result.stdout) == (0, "")


def test_a_parameter_that_the_core_has_is_the_same_in_a_sibling(
    templates: dict[str, dict[str, Any]],
) -> None:
    """A dry run, and the console, rely on its default."""
    core = templates[CORE.template]["Parameters"]
    for name in (member.template for member in SIBLINGS.values()):
        for parameter, told in templates[name]["Parameters"].items():
            shared = core.get(parameter, told)
            assert {**told, "Description": ""} == {**shared, "Description": ""}, (name, parameter)


def test_siblings_take_what_the_core_gives_out_and_it_gives_out_nothing_else(
    templates: dict[str, dict[str, Any]],
) -> None:
    core = Stack(templates[CORE.template])
    given = [core.value(told["Export"]["Name"]) for told in core.template["Outputs"].values()
             if "Export" in told]  # fmt: skip
    assert sorted(given) == sorted(EXPORTS)
    texts = [(CLOUD / member.template).read_text() for member in SIBLINGS.values()]
    taken = re.findall(r"Fn::ImportValue: !Sub \$\{Stack\}(\S+)", "".join(texts))
    assert {f"fraud{name}" for name in taken} == set(EXPORTS)


UNQUEUED = (
    "An asynchronous endpoint is a queue itself, so this stack has no use beside it. Choose "
    "another EndpointKind for the core stack."
)
UNSEEN = (
    "Nothing is captured of an asynchronous endpoint, so this stack has no use beside it. Choose "
    "another EndpointKind for the core stack."
)
NO_AUTHORIZER = "Authorization JWT needs AuthorizerId, an output of the core stack."


@pytest.mark.parametrize(
    ("name", "parameters", "sentences"),
    [
        *((n, {}, []) for n in NAMES if n != "domain.yaml"),
        *((n, {"EndpointKind": k}, []) for n in ("queue.yaml", "watch.yaml")
          for k in KINDS if k != "asynchronous"),
        ("queue.yaml", {"EndpointKind": "asynchronous"}, [UNQUEUED]),
        ("watch.yaml", {"EndpointKind": "asynchronous"}, [UNSEEN]),
        ("queue.yaml", {"Authorization": "JWT"}, [NO_AUTHORIZER]),
        ("queue.yaml", {"Authorization": "JWT", "AuthorizerId": "a1"}, []),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_a_sentence(
    templates: dict[str, dict[str, Any]],
    name: str,
    parameters: dict[str, str],
    sentences: list[str],
) -> None:
    assert Stack(templates[name], **parameters).broken_rules() == sentences


@pytest.mark.parametrize("kind", KINDS)
def test_a_member_does_not_go_with_the_kind_that_a_template_refuses(
    templates: dict[str, dict[str, Any]], kind: str
) -> None:
    for member in MEMBERS:
        if "EndpointKind" in templates[member.template]["Parameters"]:
            stack = Stack(templates[member.template], EndpointKind=kind)
            assert bool(stack.broken_rules()) == (kind == member.unfit), member
    outputs = {"Network": "existing", "SubnetIds": "subnet-1", "SecurityGroupIds": "sg-1"}
    core = Stack(templates[CORE.template], EndpointKind=kind, **outputs)
    assert bool(core.broken_rules()) == (kind == SIBLINGS["network"].unfit)


def test_a_launch_is_told_what_has_no_default(templates: dict[str, dict[str, Any]]) -> None:
    for member in MEMBERS:
        parameters = templates[member.template]["Parameters"]
        without = [name for name, told in parameters.items() if "Default" not in told]
        assert {*without} - {"ImageUri", "Stack", "LogDays"} == {*member.needs}, member
    assert templates[CORE.template]["Parameters"]["EndpointKind"]["Default"] == "serverless"


def functions(templates: dict[str, dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """Return the functions of a core of a kind, and of what may be beside it, by their commands."""
    found = {}
    for member in MEMBERS:
        if kind == member.unfit == "asynchronous":
            continue
        template = templates[member.template]
        given = {"EndpointKind": kind} if "EndpointKind" in template["Parameters"] else {}
        for told in Stack(template, **given).resources().values():
            if told["Type"] == "AWS::Lambda::Function":
                *program, command = told["Properties"]["ImageConfig"]["Command"]
                assert program == ["sagetree", "function"]
                found[command] = told["Properties"]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_each_function_is_told_what_its_settings_need(
    templates: dict[str, dict[str, Any]], kind: str
) -> None:
    told = functions(templates, kind)
    assert (kind != "asynchronous") == ("work" in told) == ("watch" in told)
    for name, function in told.items():
        assert function["FunctionName"] == f"fraud-{name}"
        text = json.dumps(function["Environment"]["Variables"])
        for reference, value in REFERENCES.items():
            text = text.replace(reference, value)
        settings = Settings.read(json.loads(text))
        of_features = name in ("ingest", "retire")
        assert (settings.stack, settings.endpoint_kind) == ("fraud", "" if of_features else kind)
        if name == "score" and kind != "asynchronous":
            assert settings.claims_url == f"{QUEUES}/fraud-claims"
    known = {f"SAGETREE_{name.upper()}" for name in Settings.__annotations__}
    of_work = set() if "work" in told else {
        "SAGETREE_ALERT_SCORE", "SAGETREE_ALERT_TABLE", "SAGETREE_DEAD_CLAIMS_URL",
        "SAGETREE_DRIFT_DAYS", "SAGETREE_IMAGE_URI", "SAGETREE_JOB_INSTANCE_TYPE",
        "SAGETREE_JOB_ROLE_ARN",
    }  # fmt: skip
    given = {key for one in told.values() for key in one["Environment"]["Variables"]}
    assert known - of_work == given


def test_no_queue_is_without_a_policy(templates: dict[str, dict[str, Any]]) -> None:
    for template in templates.values():
        resources = Stack(template).resources()
        queues = {f"<{n}>" for n, told in resources.items() if told["Type"] == "AWS::SQS::Queue"}
        policies = [
            told["Properties"]
            for told in resources.values()
            if told["Type"] == "AWS::SQS::QueuePolicy"
        ]
        assert {queue for policy in policies for queue in policy["Queues"]} == queues


def test_the_queue_is_where_the_core_sends_claims(templates: dict[str, dict[str, Any]]) -> None:
    queue = Stack(templates["queue.yaml"]).resources()
    url = functions(templates, "lambda")["score"]["Environment"]["Variables"]["SAGETREE_CLAIMS_URL"]
    assert url.rpartition("/")[2] == queue["Claims"]["Properties"]["QueueName"]
    role = Stack(templates["template.yaml"]).resources()["ScoreRole"]["Properties"]
    (allowed,) = [
        one["Resource"]
        for one in role["Policies"][0]["PolicyDocument"]["Statement"]
        if one["Action"] == "sqs:SendMessage"
    ]
    assert allowed == "arn:aws:sqs:eu-central-1:123456789012:fraud-claims"


@pytest.mark.parametrize(
    ("name", "role"), [("template.yaml", "ScoreRole"), ("queue.yaml", "WorkRole")]
)
def test_records_may_be_looked_up_with_online_tables_alone(
    templates: dict[str, dict[str, Any]], name: str, role: str
) -> None:
    for tables, allowed in (("", []), ("customers", ["fraud-*"])):
        made = Stack(templates[name], OnlineTables=tables).resources()
        statements = made[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        found = [
            one["Resource"].rpartition("/")[2]
            for one in statements
            if "sagemaker:BatchGetRecord" in one["Action"]
        ]
        assert found == allowed


def test_athena_is_there_when_it_is_wanted_and_for_the_roles_that_are_named(
    templates: dict[str, dict[str, Any]],
) -> None:
    template = templates["features.yaml"]
    for given, kinds in (
        ({}, set()),
        ({"Athena": "yes"}, {"WorkGroup"}),
        ({"Athena": "yes", "AthenaRoles": "analysts"}, {"WorkGroup", "ReaderPolicy"}),
    ):
        made = Stack(template, **given).resources()
        assert made.keys() & {"WorkGroup", "ReaderPolicy"} == kinds
    group = made["WorkGroup"]["Properties"]["WorkGroupConfiguration"]
    assert group["BytesScannedCutoffPerQuery"] == "10000000000"
    assert group["ResultConfiguration"]["OutputLocation"] == "s3://fraud-bucket/answers/athena/"
    assert Stack(template, AthenaRoles="analysts").broken_rules() == [
        "AthenaRoles have no effect with Athena no. Choose Athena yes, or leave them empty."
    ]


def test_a_source_s_secret_is_read_alone_and_only_where_one_is_named(
    templates: dict[str, dict[str, Any]],
) -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:source-a1b2c3"
    for given, allowed in (({}, []), ({"SourceSecretArn": arn}, [arn])):
        made = Stack(templates["features.yaml"], **given).resources()["IngestRole"]["Properties"]
        statements = made["Policies"][0]["PolicyDocument"]["Statement"]
        found = [
            one["Resource"]
            for one in statements
            if one["Action"] == "secretsmanager:GetSecretValue"
        ]
        assert found == allowed


def test_lambda_keeps_a_message_for_longer_than_the_function_works(
    templates: dict[str, dict[str, Any]],
) -> None:
    """Lambda's guide asks for six times the function's time, and a fifth receipt at least."""
    resources = Stack(templates["queue.yaml"]).resources()
    queue, function = resources["Claims"]["Properties"], resources["WorkFunction"]["Properties"]
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5
    assert function["Timeout"] < OPEN_SECONDS  # an alert is open for longer than its function
    dead = resources["DeadClaims"]["Properties"]["MessageRetentionPeriod"]
    assert queue["MessageRetentionPeriod"] + dead <= REMEMBERED_SECONDS


def test_the_route_of_the_queue_is_never_open(templates: dict[str, dict[str, Any]]) -> None:
    for given, authorizer in (
        ({}, None),
        ({"AuthorizerId": "a1"}, None),
        ({"Authorization": "JWT", "AuthorizerId": "a1"}, "a1"),
    ):
        route = Stack(templates["queue.yaml"], **given).resources()["ClaimsRoute"]["Properties"]
        assert route["AuthorizationType"] == given.get("Authorization", "AWS_IAM")
        assert route.get("AuthorizerId") == authorizer


def test_every_log_ends(templates: dict[str, dict[str, Any]]) -> None:
    for template in templates.values():
        stack = Stack(template)
        for name, told in stack.resources().items():
            if told["Type"] == "AWS::Logs::LogGroup":
                assert told["Properties"]["RetentionInDays"] == "30", name
            if told["Type"] == "AWS::Lambda::Function":
                log = told["Properties"]["LoggingConfig"]["LogGroup"].strip("<>")
                group = template["Resources"][log]["Properties"]["LogGroupName"]
                assert stack.value(group) == f"/aws/lambda/{told['Properties']['FunctionName']}"


def test_a_key_is_for_each_role_that_a_function_has(templates: dict[str, dict[str, Any]]) -> None:
    for template in templates.values():
        if "KmsKeyArn" not in template["Parameters"]:
            continue
        resources = Stack(template, KmsKeyArn=KEY).resources()
        with_key = {
            role
            for told in resources.values()
            if told["Type"] == "AWS::IAM::Policy" and told["Properties"]["PolicyName"] == "key"
            for role in told["Properties"]["Roles"]
        }
        roles = {
            told["Properties"]["Role"].replace(".Arn", "")
            for told in resources.values()
            if told["Type"] == "AWS::Lambda::Function"
        }
        assert roles <= with_key


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_names_each_parameter_and_its_default(
    templates: dict[str, dict[str, Any]], name: str
) -> None:
    readme = TEMPLATE.with_name("README.md").read_text()
    rows = [line for line in readme.splitlines() if line.startswith("| `")]
    for parameter, told in templates[name]["Parameters"].items():
        row = next((row for row in rows if f"`{parameter}`" in row.split("|")[1]), "")
        assert row, f"cloud/README.md has no row for {parameter}"
        assert str(told.get("Default", "required")) in row, parameter
