"""sagetree cloud delete: agreed to, cleaned, counted, gone."""

import io
import json
import time

import pytest

from sagetree.cloud.account.members import MEMBERS, SIBLINGS
from sagetree.cloud.commands.delete import delete
from sagetree.cloud.functions import clean
from sagetree.cloud.names import Settings
from sagetree.errors import UserError
from tests.cloud.commands.answers import refusal

ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/fraud/1"


@pytest.fixture
def cleaned(person):
    """The stack, whose function `clean` is the real one."""

    def invoke(request):
        environ = {
            "SAGETREE_STACK": "fraud",
            "SAGETREE_BUCKET": person.bucket(),
            "SAGETREE_ENDPOINT_KIND": "serverless",
        }
        event = json.loads(request["body"])
        answer = clean.handler(
            event, person.cloud.clients, Settings.read(environ), time.time() + 900
        )
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(answer).encode())}

    person.answer_by("lambda", "Invoke", invoke)
    person.client("sagemaker").create_model_package_group(ModelPackageGroupName="fraud")
    return person


def test_what_the_stack_does_not_know_is_removed_and_counted(cleaned):
    cleaned.make_stack()
    cleaned.client("s3").put_object(Bucket=cleaned.bucket(), Key="tables/a/a.csv", Body=b"x")
    code, said = cleaned.hears(lambda: delete(cleaned.account, agreed=True))
    assert code == 0
    assert said[0].startswith("+ aws lambda invoke --function-name fraud-clean --payload '{")
    assert said[1].startswith("Removed: ")
    assert said[1].endswith(", 0 packages, 1 objects, 1 bucket")
    assert said[2].startswith("+ aws cloudformation delete-stack --stack-name arn:")
    assert said[-2:] == [
        "fraud is deleted",
        "To see that nothing is left:  sagetree cloud leftovers --stack fraud",
    ]
    assert cleaned.client("s3").list_buckets()["Buckets"] == []


def test_data_that_the_launch_kept_is_not_emptied(cleaned):
    cleaned.make_stack(KeepData="yes")
    cleaned.client("s3").put_object(Bucket=cleaned.bucket(), Key="tables/a/a.csv", Body=b"x")
    cleaned.answer("cloudformation", "DeleteStack", [{}])
    gone = refusal("ValidationError", "Stack with id x does not exist")
    there = cleaned.client("cloudformation").describe_stacks(StackName="fraud")
    cleaned.answer("cloudformation", "DescribeStacks", [there, gone])
    _, said = cleaned.does(lambda: delete(cleaned.account, agreed=True))
    assert "objects" not in said[0]
    kept = "tables, stores, runs, models, captures, outcomes, batches"
    assert said[-2] == f"{cleaned.bucket()} is kept (KeepData): {kept}"
    assert len(cleaned.client("s3").list_objects_v2(Bucket=cleaned.bucket())["Contents"]) == 1


def test_a_function_that_fails_does_not_keep_the_stack_from_being_deleted(person):
    person.make_stack()
    person.answer("lambda", "Invoke", [refusal("ResourceNotFoundException", "Function not found")])
    code, said = person.does(lambda: delete(person.account, agreed=True))
    assert (code, said[:2]) == (
        0,
        [
            "The counts are unknown: lambda:Invoke finds nothing: Function not found. Check "
            "--stack and --region",
            "fraud is deleted",
        ],
    )
    person.make_stack()
    broken = {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorMessage": "no memory"}')}
    person.answer("lambda", "Invoke", [broken])
    _, said = person.does(lambda: delete(person.account, agreed=True))
    assert said[0] == "The counts are unknown: no memory"


def test_a_deletion_that_fails_says_what_is_in_the_way(cleaned):
    cleaned.make_stack()
    stack = cleaned.client("cloudformation").describe_stacks(StackName="fraud")["Stacks"][0]
    ended = {**stack, "StackStatus": "DELETE_FAILED"}
    cleaned.answer("cloudformation", "DescribeStacks", [{"Stacks": [stack]}, {"Stacks": [ended]}])
    cleaned.answer("cloudformation", "DeleteStack", [{}])
    failed = {
        "LogicalResourceId": "Packages",
        "PhysicalResourceId": "fraud",
        "ResourceType": "AWS::SageMaker::ModelPackageGroup",
        "ResourceStatus": "DELETE_FAILED",
        "ResourceStatusReason": "It has model packages.",
    }
    cleaned.answer("cloudformation", "DescribeStackEvents", [{"StackEvents": [failed]}])
    with pytest.raises(UserError) as raised:
        cleaned.hears(lambda: delete(cleaned.account, agreed=True))
    assert str(raised.value) == (
        "fraud is DELETE_FAILED: Packages (AWS::SageMaker::ModelPackageGroup): It has model "
        "packages. Correct that, and delete it again"
    )


def test_a_stack_of_another_template_is_not_deleted(person):
    person.client("cloudformation").create_stack(
        StackName="fraud", TemplateBody='{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    )
    with pytest.raises(UserError) as raised:
        person.hears(lambda: delete(person.account, agreed=True))
    assert str(raised.value) == (
        "the stack fraud is not from sagetree's template: it lacks "
        "EndpointKind and ImageUri. Name the one that was launched with --stack"
    )
    assert len(person.client("cloudformation").describe_stacks()["Stacks"]) == 1


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_nothing_is_deleted_that_nobody_agreed_to(person, monkeypatch):
    def refused(stdin, **parameters):
        monkeypatch.setattr("sys.stdin", stdin)
        with pytest.raises(UserError) as raised:
            person.hears(lambda: delete(person.account, agreed=False))
        return str(raised.value)

    assert refused(io.StringIO()) == (
        "the stack fraud does not exist in us-east-1. 'sagetree cloud leftovers --stack fraud' "
        "lists what "
        "is left of it"
    )
    person.make_stack()
    assert refused(io.StringIO("fraud\n")) == (
        "deleting fraud deletes its endpoint, its models and all its data, and nobody is here to "
        "confirm it. Confirm it with --yes"
    )
    assert refused(Terminal("yes\n")) == (
        "nothing was deleted. Type the name of the stack, or use --yes"
    )
    assert len(person.client("cloudformation").describe_stacks()["Stacks"]) == 1
    monkeypatch.setattr("sys.stdin", Terminal("fraud\n"))
    code, said = person.does(lambda: delete(person.account, agreed=False))
    assert (code, said[0]) == (
        0,
        "This deletes fraud with its endpoint, its models and all its data. To go on, type its "
        "name:",
    )


def test_siblings_go_first(cleaned, monkeypatch):
    cleaned.make_stack()
    for name in ("queue", "watch"):
        cleaned.make_sibling(name)
    monkeypatch.setattr("sys.stdin", Terminal("fraud\n"))
    code, said = cleaned.hears(lambda: delete(cleaned.account, agreed=False))
    assert code == 0
    assert said[0] == (
        "This deletes fraud with fraud-queue, fraud-watch, its endpoint, its models and all its "
        "data. To go on, type its name:"
    )
    done = ["lambda invoke" if "lambda invoke" in line else line for line in said]
    assert [line for line in done if "deleted" in line or "invoke" in line] == [
        "fraud-watch is deleted", "fraud-queue is deleted", "lambda invoke", "fraud is deleted",
    ]  # fmt: skip
    assert cleaned.client("cloudformation").describe_stacks()["Stacks"] == []


def test_a_sibling_that_stays_keeps_the_core(cleaned):
    cleaned.make_stack()
    cleaned.make_sibling("queue")
    stacks = cleaned.client("cloudformation")
    core, queue = (stacks.describe_stacks(StackName=n) for n in ("fraud", "fraud-queue"))
    ended = {"Stacks": [{**queue["Stacks"][0], "StackStatus": "DELETE_FAILED"}]}
    gone = refusal("ValidationError", "Stack with id fraud-watch does not exist")
    siblings = [queue if name == "queue" else gone for name in SIBLINGS]
    cleaned.answer("cloudformation", "DescribeStacks", [core, *siblings, ended])
    cleaned.answer("cloudformation", "DeleteStack", [{}])
    with pytest.raises(UserError, match=r"^fraud-queue is DELETE_FAILED: "):
        cleaned.hears(lambda: delete(cleaned.account, agreed=True))
    assert len(cleaned.client("s3").list_buckets()["Buckets"]) == 1


def test_a_dry_run_deletes_nothing(person):
    person.make_stack()
    code, said = person.hears(lambda: delete(person.dry, agreed=False))
    assert code == 0
    assert said == [
        f"+ aws cloudformation {what} --stack-name {name}"
        for name in (member.stack_of("fraud") for member in reversed(MEMBERS))
        for what in ("delete-stack", "wait stack-delete-complete")
    ]
    assert len(person.client("cloudformation").describe_stacks()["Stacks"]) == 1
