"""sagetree cloud launch: a stack that comes, one that does not, one that is there."""

import re
from datetime import UTC, datetime

import boto3
import pytest
import yaml
from moto import mock_aws

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.staging import staged
from sagetree.cloud.account.template import PATH, parameters_of
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
    bucket = said[0].removeprefix("+ aws s3 mb s3://")
    assert re.fullmatch("sagetree-launch-[0-9a-f]{32}", bucket)
    assert said[1] == f"+ aws s3 cp {template} s3://{bucket}/template.yaml"
    assert said[2] == (
        f"+ aws cloudformation create-stack --stack-name fraud --template-url "
        f"https://{bucket}.s3.us-east-1.amazonaws.com/template.yaml --parameters "
        f"""'[{{"ParameterKey": "ImageUri", "ParameterValue": "{IMAGE}"}}, """
        """{"ParameterKey": "LogDays", "ParameterValue": "7"}]' --capabilities CAPABILITY_IAM"""
    )
    assert said[3] == f"+ aws s3 rb s3://{bucket} --force"
    assert said[4] == "+ aws cloudformation wait stack-create-complete --stack-name fraud"
    assert [b["Name"] for b in person.client("s3").list_buckets()["Buckets"]] == [person.bucket()]
    assert "fraud is CREATE_COMPLETE" in said
    assert "  ScoreUrl            https://example.com/score" in said
    assert said[-1] == "To bring tables into it:  sagetree cloud upload --stack fraud FILES"
    (group,) = person.client("logs").describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 7


def test_a_dry_run_says_the_same_and_makes_nothing(person, template):
    code, said = person.hears(lambda: launch(person.dry, template, IMAGE, {}))
    assert code == 0
    assert said[0] == "+ REGION=$(aws configure get region)"
    assert said[3].startswith("+ aws cloudformation create-stack --stack-name fraud ")
    assert '.s3.$REGION.amazonaws.com/template.yaml" --parameters ' in said[3]
    where = f"CloudFormation, Create stack, Upload a template file: {template}"
    assert said[6] == f"  or in the console: {where}"
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


def test_a_template_that_is_refused_leaves_no_bucket(person, template):
    said = "Template format error: Unresolved resource dependencies [Buckets]"
    person.answer("cloudformation", "CreateStack", [refusal("ValidationError", said)])
    with pytest.raises(UserError, match="Unresolved resource dependencies"):
        person.hears(lambda: launch(person.account, template, IMAGE, {}))
    assert person.client("s3").list_buckets()["Buckets"] == []


def test_whoever_may_make_no_bucket_is_told_so(person, template):
    person.answer("s3", "CreateBucket", [refusal("AccessDenied", "Access Denied")])
    with pytest.raises(UserError) as raised:
        person.hears(lambda: launch(person.account, template, IMAGE, {}))
    assert str(raised.value) == (
        "AWS denies s3:CreateBucket: Access Denied. Ask whoever administers the account to allow "
        "s3:CreateBucket"
    )


@pytest.mark.parametrize(
    ("region", "domain"),
    [("eu-west-1", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn")],
)
def test_the_template_is_staged_in_the_stacks_own_region(region, domain, template):
    session = boto3.Session("testing", "testing", region_name=region)
    with mock_aws(), staged(Account(STACK, session, ("--region", region)), template) as address:
        bucket = address.removeprefix("https://").removesuffix(
            f".s3.{region}.{domain}/template.yaml"
        )
        found = session.client("s3").get_bucket_location(Bucket=bucket)
        assert found["LocationConstraint"] == region


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
    assert parameters_of(PATH.read_text()) == list(template["Parameters"])


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
