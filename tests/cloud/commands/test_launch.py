"""sagetree cloud launch: a stack that comes, one that does not, one that is there."""

from datetime import UTC, datetime

import pytest
import yaml

from sagetree.cloud.account.template import PATH, parameters_of, read_template
from sagetree.cloud.commands.launch import launch
from sagetree.errors import UserError
from tests.cloud.commands.answers import refusal
from tests.cloud.commands.conftest import IMAGE, STACK

ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/fraud/1"
ABSENT = refusal("ValidationError", "Stack with id fraud does not exist")


def described(status):
    stack = {"StackId": ID, "StackStatus": status, "CreationTime": datetime.now(UTC)}
    return {"Stacks": [stack]}


def test_a_stack_is_made_and_its_outputs_are_said(person, template):
    code, said = person.hears(lambda: launch(person.account, template, IMAGE, {"LogDays": "7"}))
    assert code == 0
    assert said[0] == (
        f"+ aws cloudformation create-stack --stack-name fraud --template-body "
        f"file://{template.path} --parameters "
        f"""'[{{"ParameterKey": "ImageUri", "ParameterValue": "{IMAGE}"}}, """
        """{"ParameterKey": "LogDays", "ParameterValue": "7"}]' --capabilities CAPABILITY_IAM"""
    )
    assert said[1] == "+ aws cloudformation wait stack-create-complete --stack-name fraud"
    assert "fraud is CREATE_COMPLETE" in said
    assert "  ScoreUrl           https://example.com/score" in said
    assert said[-1] == "To bring tables into it:  sagetree cloud upload --stack fraud FILES"
    (group,) = person.client("logs").describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 7


def test_a_dry_run_says_the_same_and_makes_nothing(person, template):
    code, said = person.hears(lambda: launch(person.dry, template, IMAGE, {}))
    assert code == 0
    assert said[0].startswith("+ aws cloudformation create-stack --stack-name fraud ")
    where = f"CloudFormation, Create stack, Upload a template file: {template.path}"
    assert said[2] == f"  or in the console: {where}"
    assert person.client("cloudformation").describe_stacks()["Stacks"] == []


def test_a_launch_that_fails_says_the_first_failure(person, template):
    going = [described("CREATE_IN_PROGRESS")] * 3
    ended = described("ROLLBACK_COMPLETE")
    person.answer("cloudformation", "DescribeStacks", [ABSENT, *going, ended])
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
        person.hears(lambda: launch(person.account, template, IMAGE, {}))
    assert str(raised.value) == (
        "the launch of fraud failed, the stack is ROLLBACK_COMPLETE: DeployFunction "
        "(AWS::Lambda::Function): The image manifest is not supported. Delete it by 'sagetree "
        "cloud delete --stack fraud', put the cause right, and launch it again"
    )
    assert person.pauses == [5.0, 5.0]


def test_progress_is_said_when_it_changes(person, template):
    going = [described("CREATE_IN_PROGRESS")] * 4
    person.answer(
        "cloudformation", "DescribeStacks", [ABSENT, *going, described("CREATE_COMPLETE")]
    )
    person.answer("cloudformation", "CreateStack", [{"StackId": ID}])
    names = ["Bucket", "Pipeline", "Api", "Alerts", "Dead", "Columns"]
    first = [resource(name, "CREATE_IN_PROGRESS") for name in names]
    then = [resource(name, "CREATE_COMPLETE") for name in names]
    pages = [{"StackResourceSummaries": page} for page in (first, first, then)]
    person.answer("cloudformation", "ListStackResources", pages)
    code, said = person.does(lambda: launch(person.account, template, IMAGE, {}))
    assert code == 0
    assert said[1:3] == [
        "CREATE_IN_PROGRESS: 0 resources done, now Bucket, Pipeline, Api, Alerts and 2 more",
        "CREATE_IN_PROGRESS: 6 resources done",
    ]
    assert len(person.pauses) == 3


def test_a_stack_that_is_there_is_left_alone(person, template):
    person.make_stack()
    with pytest.raises(UserError) as raised:
        launch(person.account, template, IMAGE, {})
    assert str(raised.value) == (
        "the stack fraud exists already, it is CREATE_COMPLETE. Name another one with --stack; "
        "change this one in the console (CloudFormation, Update stack) or by 'aws cloudformation "
        "update-stack'"
    )


def test_a_parameter_that_the_template_lacks_is_named_before_a_call(person, template):
    with pytest.raises(UserError) as raised:
        launch(person.account, template, IMAGE, {"LogDay": "7"})
    assert str(raised.value) == (
        "the template has no parameter 'LogDay' (did you mean 'LogDays'?). It has ImageUri, "
        "EndpointKind, KmsKeyArn, AlertEmail, LogDays, KeepData"
    )
    with pytest.raises(UserError) as raised:
        launch(person.account, template, IMAGE, {"ImageUri": "x"})
    assert str(raised.value) == "the image is named twice. Leave out --parameter ImageUri=..."


class Untagged(yaml.SafeLoader):
    """Reads a template without its functions, such as !Ref."""


Untagged.add_multi_constructor("!", lambda *_: None)


def test_the_parameters_of_this_version_s_template_are_known():
    template = yaml.load(PATH.read_text(), Untagged)
    assert parameters_of(read_template()) == list(template["Parameters"])


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
