"""sagetree cloud launch: a stack that comes, one that does not, one that is there."""

import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import yaml

from sagetree.cloud.account.members import MEMBERS, SIBLINGS, output_of_sibling
from sagetree.cloud.account.template import TEMPLATES, outputs_of, parameters_of
from sagetree.cloud.commands.launch import launch, siblings_of
from sagetree.errors import UserError
from tests.cloud.commands.answers import refusal
from tests.cloud.commands.conftest import IMAGE, STACK

ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/fraud/1"
NEWER = IMAGE.replace("0.2.0", "0.3.0")
ABSENT = refusal("ValidationError", "Stack with id fraud does not exist")


def described(status):
    stack = {"StackId": ID, "StackName": STACK, "StackStatus": status}
    return {"Stacks": [{**stack, "CreationTime": datetime.now(UTC)}]}


def stacks(person):
    """Return the names of the stacks that are there."""
    return sorted(
        s["StackName"] for s in person.client("cloudformation").describe_stacks()["Stacks"]
    )


def given(line):
    """Return the parameters of a call that is said, True for one that keeps its value."""
    pairs = json.loads(shlex.split(line)[shlex.split(line).index("--parameters") + 1])
    return {pair["ParameterKey"]: pair.get("ParameterValue", True) for pair in pairs}


def created(templates, stack, parameters, template="template"):
    """Return the lines that make a stack."""
    pairs = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    return [
        f"+ aws cloudformation create-stack --stack-name {stack} --template-body "
        f"file://{templates}/{template}.yaml --parameters '{json.dumps(pairs)}' --capabilities "
        "CAPABILITY_IAM",
        f"+ aws cloudformation wait stack-create-complete --stack-name {stack}",
        "  or in the console: CloudFormation, Create stack, Upload a template file: "
        f"{templates}/{template}.yaml",
    ]


def test_a_stack_is_made_and_its_outputs_are_said(person, templates):
    code, said = person.hears(lambda: launch(person.account, templates, IMAGE, {"LogDays": "7"}))
    assert code == 0
    assert said[:3] == created(templates, "fraud", {"ImageUri": IMAGE, "LogDays": "7"})
    assert "fraud is CREATE_COMPLETE" in said
    assert "  ScoreUrl            https://example.com/score" in said
    assert said[-1] == "To bring tables into it:  sagetree cloud upload --stack fraud FILES"
    (group,) = person.client("logs").describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 7
    assert stacks(person) == ["fraud"]


def test_siblings_come_after_the_core_and_take_what_it_was_told(person, templates):
    given = {"AlertScore": "0.9", "LogDays": "7"}
    code, said = person.hears(
        lambda: launch(person.account, templates, IMAGE, given, ["watch", "queue"])
    )
    assert code == 0
    told = {"Stack": "fraud", "ImageUri": IMAGE}
    shared = {"EndpointKind": "serverless", "AuthorizerId": "a1b2", "LogDays": "7"}
    kept = {"EndpointKind": "serverless", "LogDays": "7"}
    assert [line for line in said if "create-stack" in line] == [
        created(templates, "fraud", {"ImageUri": IMAGE, "LogDays": "7"})[0],
        created(templates, "fraud-queue", {**told, "AlertScore": "0.9", **shared}, "queue")[0],
        created(templates, "fraud-watch", {**told, **kept}, "watch")[0],
    ]
    assert [line for line in said if " is CREATE_COMPLETE" in line] == [
        "fraud is CREATE_COMPLETE", "fraud-queue is CREATE_COMPLETE",
        "fraud-watch is CREATE_COMPLETE",
    ]  # fmt: skip
    assert "  WatchFunctionName  fraud-watch" in said


def test_a_dry_run_says_the_same_and_makes_nothing(person, templates):
    given = {"LogDays": "7"}
    code, said = person.hears(lambda: launch(person.dry, templates, IMAGE, given, ["queue"]))
    assert code == 0
    assert said[:3] == created(templates, "fraud", {"ImageUri": IMAGE, "LogDays": "7"})
    assert said[3].startswith("+ AUTHORIZER_ID=$(aws cloudformation describe-stacks --stack-name ")
    known = {"Stack": "fraud", "ImageUri": IMAGE, "AuthorizerId": "$AUTHORIZER_ID", "LogDays": "7"}
    line = created(templates, "fraud-queue", known, "queue")[0]
    # where the shell fills it in
    assert said[4] == line.replace("$AUTHORIZER_ID", """'"$AUTHORIZER_ID"'""")
    assert stacks(person) == []


def test_a_stack_that_is_there_is_updated_with_its_siblings(person, templates):
    kept = ("EndpointKind", "KmsKeyArn", "AlertEmail", "KeepData", "IdField")
    # moto knows the earlier value of what was given alone
    person.make_stack(**dict.fromkeys(kept, "serverless"), LogDays="7")
    person.make_sibling("queue", AlertScore="0.9", LogDays="7")
    code, said = person.hears(lambda: launch(person.account, templates, NEWER, {"LogDays": "14"}))
    assert code == 0
    core, queue = (line for line in said if "update-stack" in line)
    assert given(core) == {"ImageUri": NEWER, "LogDays": "14", **dict.fromkeys(kept, True)}
    taken = {"EndpointKind": "serverless", "AuthorizerId": "a1b2", "LogDays": "14"}
    assert given(queue) == {"Stack": "fraud", "ImageUri": NEWER, "AlertScore": True, **taken}
    assert "+ aws cloudformation wait stack-update-complete --stack-name fraud-queue" in said
    assert (
        "  or in the console: CloudFormation, fraud, Update, Replace existing template, Upload a "
        f"template file: {templates}/template.yaml"
    ) in said
    assert "fraud is UPDATE_COMPLETE" in said
    now = person.client("cloudformation").describe_stacks(StackName="fraud-queue")["Stacks"][0]
    values = {entry["ParameterKey"]: entry["ParameterValue"] for entry in now["Parameters"]}
    assert (values["AlertScore"], values["ImageUri"]) == ("0.9", NEWER)


def test_where_nothing_changes_a_stack_is_left_as_it_is_and_a_sibling_still_made(person, templates):
    person.make_stack()
    unchanged = refusal("ValidationError", "No updates are to be performed.")
    person.answer("cloudformation", "UpdateStack", [unchanged])
    code, said = person.does(lambda: launch(person.account, templates, IMAGE, {}, ["queue"]))
    assert code == 0
    assert "fraud is CREATE_COMPLETE" in said
    assert stacks(person) == ["fraud", "fraud-queue"]


def test_an_update_that_is_taken_back_says_why(person, templates):
    person.make_stack()
    there = person.client("cloudformation").describe_stacks(StackName="fraud")["Stacks"][0]
    states = [{"Stacks": [{**there, "StackStatus": status}]} for status in (
        "CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE",
    )]  # fmt: skip
    person.answer(
        "cloudformation", "DescribeStacks", [states[0], *[ABSENT] * len(SIBLINGS), *states[1:]]
    )
    person.answer("cloudformation", "UpdateStack", [{"StackId": ID}])
    person.answer("cloudformation", "ListStackResources", [{"StackResourceSummaries": []}])
    happened = [
        event("ScoreFunction", "UPDATE_FAILED", "The image manifest is not supported."),
        event("fraud", "UPDATE_IN_PROGRESS", "User Initiated"),
    ]
    person.answer("cloudformation", "DescribeStackEvents", [{"StackEvents": happened}])
    with pytest.raises(UserError) as raised:
        person.hears(lambda: launch(person.account, templates, NEWER, {}))
    assert str(raised.value) == (
        "the update of fraud failed, the stack is UPDATE_ROLLBACK_COMPLETE: ScoreFunction "
        "(AWS::Lambda::Function): The image manifest is not supported. Correct the cause, and "
        "launch it again"
    )


def test_a_sibling_that_fails_is_deleted_by_itself(person, templates):
    person.make_stack()
    person.make_sibling("queue")
    there = person.client("cloudformation").describe_stacks(StackName="fraud")
    failed = person.client("cloudformation").describe_stacks(StackName="fraud-queue")
    failed["Stacks"][0]["StackStatus"] = "ROLLBACK_COMPLETE"
    siblings = [failed if name == "queue" else ABSENT for name in SIBLINGS]
    person.answer("cloudformation", "DescribeStacks", [there, *siblings])
    with pytest.raises(UserError) as raised:
        launch(person.account, templates, IMAGE, {})
    assert str(raised.value) == (
        "the launch of fraud-queue failed, the stack is ROLLBACK_COMPLETE. Delete it with 'aws "
        "cloudformation delete-stack --stack-name fraud-queue', correct the cause, and launch it "
        "again"
    )


def test_an_output_of_a_sibling_that_failed_is_not_waited_for(person):
    person.make_stack()
    person.make_sibling("queue")
    there = person.client("cloudformation").describe_stacks(StackName="fraud")
    failed = person.client("cloudformation").describe_stacks(StackName="fraud-queue")
    failed["Stacks"][0] |= {"StackStatus": "ROLLBACK_COMPLETE", "Outputs": []}
    person.answer("cloudformation", "DescribeStacks", [there, failed])
    with pytest.raises(UserError) as raised:
        output_of_sibling(person.account, "queue", "ClaimsQueueUrl")
    assert str(raised.value) == (
        "the launch of fraud-queue failed, the stack is ROLLBACK_COMPLETE. Delete it with 'aws "
        "cloudformation delete-stack --stack-name fraud-queue', correct the cause, and launch it "
        "again"
    )


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        ("DELETE_FAILED", "Delete it with 'aws cloudformation delete-stack --stack-name "
         "fraud-queue'"
         ", and launch it again"),
        ("UPDATE_ROLLBACK_FAILED", (
            "Let it roll back with 'aws cloudformation continue-update-rollback --stack-name "
            "fraud-queue', and launch it again"
        )),
        ("DELETE_IN_PROGRESS", "Launch it when 'sagetree cloud status --stack fraud' says that it "
         "is complete"),
    ],
)  # fmt: skip
def test_nothing_is_changed_where_a_sibling_cannot_be_updated(person, templates, status, hint):
    person.make_stack()
    person.make_sibling("queue")
    there = person.client("cloudformation").describe_stacks(StackName="fraud")
    odd = person.client("cloudformation").describe_stacks(StackName="fraud-queue")
    odd["Stacks"][0]["StackStatus"] = status
    person.answer("cloudformation", "DescribeStacks", [there, odd, ABSENT])
    asked = []
    person.answer_by("cloudformation", "UpdateStack", asked.append)
    with pytest.raises(UserError) as raised:
        launch(person.account, templates, NEWER, {})
    assert str(raised.value) == (
        f"the stack fraud-queue is {status}, and cannot be updated. {hint}"
    )
    assert asked == []


def test_a_change_set_that_nobody_executed_is_deleted_first(person, templates):
    empty = described("REVIEW_IN_PROGRESS")
    person.answer("cloudformation", "DescribeStacks", [empty, ABSENT])
    person.answer("cloudformation", "DescribeStackEvents", [{"StackEvents": []}])
    with pytest.raises(UserError) as raised:
        launch(person.account, templates, IMAGE, {})
    assert str(raised.value) == (
        "the launch of fraud failed, the stack is REVIEW_IN_PROGRESS. Delete it with 'sagetree "
        "cloud "
        "delete --stack fraud', correct the cause, and launch it again"
    )


@pytest.mark.parametrize(
    ("is_there", "way"), [(True, "delete fraud-queue first"), (False, "launch without queue")]
)
def test_no_queue_is_beside_an_asynchronous_endpoint(is_there, way, person, templates):
    person.make_stack()
    if is_there:
        person.make_sibling("queue")
    kind = {"EndpointKind": "asynchronous"}
    with pytest.raises(UserError) as raised:
        launch(person.account, templates, IMAGE, kind, [] if is_there else ["queue"])
    assert str(raised.value) == (
        "fraud-queue cannot be combined with EndpointKind asynchronous. Choose another "
        "EndpointKind, or "
        f"{way}"
    )


def test_another_core_of_a_sibling_s_name_is_not_touched(person, templates):
    person.make_stack()
    body = (templates / "template.yaml").read_text()
    image = [{"ParameterKey": "ImageUri", "ParameterValue": IMAGE}]
    person.client("cloudformation").create_stack(
        StackName="fraud-queue", TemplateBody=body, Parameters=image
    )
    unchanged = refusal("ValidationError", "No updates are to be performed.")
    person.answer("cloudformation", "UpdateStack", [unchanged])
    _, said = person.hears(lambda: launch(person.account, templates, IMAGE, {}))
    assert not [line for line in said if "fraud-queue" in line]
    with pytest.raises(UserError) as raised:
        launch(person.account, templates, IMAGE, {}, ["queue"])
    assert str(raised.value) == (
        "the stack fraud-queue exists already, and it is not a sibling of fraud. Name another core "
        "by --stack"
    )


def test_a_sibling_is_not_taken_for_a_core(person, templates):
    person.make_stack()
    person.make_sibling("queue")
    with pytest.raises(UserError) as raised:
        launch(replace(person.account, stack="fraud-queue"), templates, IMAGE, {})
    assert str(raised.value) == (
        "the stack fraud-queue is a sibling of the stack fraud. Name that one with --stack fraud"
    )


def test_a_launch_that_fails_says_the_first_failure(person, templates):
    going = [described("CREATE_IN_PROGRESS")] * 3
    ended = described("ROLLBACK_COMPLETE")
    person.answer("cloudformation", "DescribeStacks", [ABSENT] * len(MEMBERS) + [*going, ended])
    person.answer("cloudformation", "CreateStack", [{"StackId": ID}])
    resources = [resource("Bucket", "CREATE_COMPLETE"), resource("Pipeline", "CREATE_IN_PROGRESS")]
    person.answer("cloudformation", "ListStackResources", [{"StackResourceSummaries": resources}])
    happened = [
        event("fraud", "ROLLBACK_COMPLETE", ""),
        event("ScoreFunction", "CREATE_FAILED", "Resource creation cancelled"),
        event("DeployFunction", "CREATE_FAILED", "The image manifest is not supported."),
        event("Bucket", "CREATE_COMPLETE", ""),
        event("fraud", "CREATE_IN_PROGRESS", "User Initiated"),
        event("Bucket", "DELETE_FAILED", "of an earlier stack of that name"),
    ]
    person.answer("cloudformation", "DescribeStackEvents", [{"StackEvents": happened}])
    with pytest.raises(UserError) as raised:
        person.hears(lambda: launch(person.account, templates, IMAGE, {}))
    assert str(raised.value) == (
        "the launch of fraud failed, the stack is ROLLBACK_COMPLETE: DeployFunction "
        "(AWS::Lambda::Function): The image manifest is not supported. Delete it with 'sagetree "
        "cloud delete --stack fraud', correct the cause, and launch it again"
    )
    assert person.pauses == [5.0, 5.0]


def test_progress_is_said_when_it_changes(person, templates):
    going = [described("CREATE_IN_PROGRESS")] * 4
    person.answer(
        "cloudformation",
        "DescribeStacks",
        [ABSENT] * len(MEMBERS) + [*going, described("CREATE_COMPLETE")],
    )
    person.answer("cloudformation", "CreateStack", [{"StackId": ID}])
    names = ["Bucket", "Pipeline", "Api", "Alerts", "Dead", "Columns"]
    first = [resource(name, "CREATE_IN_PROGRESS") for name in names]
    then = [resource(name, "CREATE_COMPLETE") for name in names]
    pages = [{"StackResourceSummaries": page} for page in (first, first, then)]
    person.answer("cloudformation", "ListStackResources", pages)
    code, said = person.does(lambda: launch(person.account, templates, IMAGE, {}))
    assert code == 0
    assert said[1:3] == [
        "CREATE_IN_PROGRESS: 0 resources done, now Bucket, Pipeline, Api, Alerts and 2 more",
        "CREATE_IN_PROGRESS: 6 resources done",
    ]
    assert len(person.pauses) == 3


def test_a_parameter_that_the_template_lacks_is_named_before_a_call(person, templates):
    with pytest.raises(UserError) as raised:
        launch(person.account, templates, IMAGE, {"LogDay": "7"})
    assert str(raised.value) == (
        "parameter 'LogDay' does not exist in the template (did you mean 'LogDays'?). It has "
        "ImageUri, "
        "EndpointKind, KmsKeyArn, AlertEmail, LogDays, KeepData, IdField"
    )
    with pytest.raises(UserError) as raised:
        launch(person.account, templates, IMAGE, {"ImageUri": "x"})
    assert str(raised.value) == "the image is named twice. Leave out --parameter ImageUri=..."
    with pytest.raises(UserError) as raised:
        launch(person.account, templates, IMAGE, {"AlertScore": "0.9"}, ["watch"])
    assert str(raised.value) == (
        "AlertScore is a parameter of fraud-queue, which is not launched. Launch it, too, by "
        "--with queue"
    )
    with pytest.raises(
        UserError,
        match=r"parameter 'Stack' does not exist in the template\. It has ImageUri, .*, DriftDays$",
    ):
        launch(person.account, templates, IMAGE, {"Stack": "x"}, ["watch"])


def test_siblings_are_named_with_commas_between():
    assert siblings_of("") == []
    assert siblings_of("watch, queue,") == ["watch", "queue"]
    with pytest.raises(UserError) as raised:
        siblings_of("queue,wach")
    assert str(raised.value) == (
        f"--with is 'queue,wach' (did you mean 'watch'?). Name some of {', '.join(SIBLINGS)}, with "
        "commas between"
    )


class Untagged(yaml.SafeLoader):
    """Reads a template without its functions, such as !Ref."""


Untagged.add_multi_constructor("!", lambda *_: None)


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.template)
def test_parameters_and_outputs_of_this_version_s_templates_are_known(member):
    text = (TEMPLATES / member.template).read_text()
    template = yaml.load(text, Untagged)
    assert parameters_of(text) == list(template["Parameters"])
    assert outputs_of(text) == list(template["Outputs"])


def resource(name, status):
    return {"LogicalResourceId": name, "ResourceStatus": status, "ResourceType": "x"}


def event(name, status, reason):
    kinds = {"fraud": "AWS::CloudFormation::Stack", "Bucket": "AWS::S3::Bucket"}
    return {
        "LogicalResourceId": name,
        "PhysicalResourceId": ID if name == STACK else name,
        "ResourceType": kinds.get(name, "AWS::Lambda::Function"),
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }
