"""sagetree cloud drift: a job that finds something, one that does not, and one that fails."""

import io
import json

import pytest

from sagetree.cloud.commands.drift import drift
from sagetree.errors import PlatformError, UserError
from tests.cloud.commands.conftest import IMAGE

JOB = "fraud-drift-260101000000"
FOUND = [{"feature_name": "amount", "description": "its stability index is 0.41"}]
STARTED = {"action": "started", "job": JOB, "objects": 3, "outcomes": True, "sampled": False}


@pytest.fixture
def stack(person):
    person.make_stack()
    person.make_sibling("watch")
    return person


def function(person, answer, **more):
    person.answer_by(
        "lambda",
        "Invoke",
        lambda _: {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(answer).encode()), **more},
    )


def job(person, *statuses, found=None, **more):
    person.answer(
        "sagemaker",
        "DescribeProcessingJob",
        [{"ProcessingJobName": JOB, "ProcessingJobStatus": status, **more} for status in statuses],
    )
    if found is not None:
        key = f"runs/drift/{JOB}/constraint_violations.json"
        body = json.dumps({"violations": found}).encode()
        person.client("s3").put_object(Bucket=person.bucket(), Key=key, Body=body)


def test_what_was_found_is_said(stack):
    function(stack, STARTED)
    job(stack, "InProgress", "InProgress", "Completed", found=FOUND)
    code, said = stack.does(lambda: drift(stack.account, None))
    assert code == 1
    assert stack.pauses == [5.0, 5.0]
    assert said == [
        f"{JOB} reads 3 captures",
        f"{JOB} is InProgress",
        "  amount: its stability index is 0.41",
        "1 found",
        f"The report:  aws s3 cp s3://{stack.bucket()}/runs/drift/{JOB}/report.html .",
    ]


def test_nothing_found_is_said_too(stack):
    function(stack, STARTED)
    job(stack, "Completed", found=[])
    code, said = stack.does(lambda: drift(stack.account, 7))
    assert (code, said[1]) == (0, "no drift found")


def test_that_only_some_are_looked_at_is_said(stack):
    function(stack, {**STARTED, "sampled": True})
    job(stack, "Completed", found=[])
    _, said = stack.does(lambda: drift(stack.account, 7))
    assert said[0] == f"{JOB} reads 3 captures, the first of each hour: there are more"


def test_where_nothing_was_captured_there_is_nothing_to_look_at(stack):
    reason = "nothing was captured in the last 30 days"
    function(stack, {"action": "none", "reason": reason})
    with pytest.raises(UserError) as raised:
        stack.hears(lambda: drift(stack.account, None))
    assert str(raised.value) == (
        f"there is nothing to compare: {reason}. Score claims first, or go further back with --days"
    )


def test_of_an_asynchronous_endpoint_nothing_is_captured(person):
    person.make_stack(EndpointKind="asynchronous")
    with pytest.raises(UserError) as raised:
        drift(person.account, None)
    assert str(raised.value) == (
        "nothing is captured in the stack fraud: its endpoint is asynchronous. Only the other "
        "kinds of endpoint capture what they score"
    )


def test_without_the_watch_the_command_that_launches_it_is_named(person):
    person.make_stack()
    with pytest.raises(UserError) as raised:
        drift(person.account, None)
    assert str(raised.value) == (
        "the stack fraud-watch does not exist beside the stack fraud. Launch it with 'sagetree "
        "cloud launch "
        f"--stack fraud --image {IMAGE} --with watch'"
    )


def test_a_function_that_fails_says_why(stack):
    function(stack, {"errorMessage": "days: '0' is wrong"}, FunctionError="Unhandled")
    with pytest.raises(UserError) as raised:
        stack.hears(lambda: drift(stack.account, None))
    assert str(raised.value) == (
        "fraud-watch: days: '0' is wrong. Its log: aws logs tail /aws/lambda/fraud-watch"
    )


def test_a_job_that_fails_says_why(stack):
    function(stack, STARTED)
    job(stack, "Failed", FailureReason="AlgorithmError: exit code 1")
    with pytest.raises(PlatformError) as raised:
        stack.hears(lambda: drift(stack.account, None))
    assert str(raised.value) == (
        f"{JOB}: it is Failed: AlgorithmError: exit code 1. Its log: aws logs tail "
        f"/aws/sagemaker/ProcessingJobs --log-stream-name-prefix {JOB}"
    )


def test_a_job_without_a_result_is_an_error(stack):
    function(stack, STARTED)
    job(stack, "Completed")
    with pytest.raises(PlatformError) as raised:
        stack.hears(lambda: drift(stack.account, None))
    assert str(raised.value) == (
        f"s3://{stack.bucket()}/runs/drift/{JOB}: the job has left no result. Read the job's log"
    )
