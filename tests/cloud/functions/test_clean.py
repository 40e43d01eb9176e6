"""What the stack's deletion would leave, and what cannot be removed."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from sagetree.cloud.functions import clean
from tests.cloud.account import ARN, BUCKET, ROLE, answered, refused
from tests.cloud.functions.conftest import ENDPOINT_EVENT, approval, settings_of
from tests.cloud.http_server import answering

SETTINGS = settings_of("instance")
KINDS = (
    "executions", "jobs", "scaling", "endpoint", "configs", "models", "packages", "objects",
    "bucket",
)  # fmt: skip
NOTHING = dict.fromkeys(KINDS, "0")
DENIED = refused("not authorized to perform it", "AccessDeniedException")


class CloudFormation:
    """The other side of a custom resource: an address, and what was put there."""

    def __init__(self, port: int) -> None:
        self.event = {
            "RequestType": "Delete",
            "ResponseURL": f"http://127.0.0.1:{port}/answer?signature=a%2Bb",
            "StackId": "stack/1",
            "RequestId": "r-1",
            "LogicalResourceId": "Clean",
            "PhysicalResourceId": "fraud-clean",
            "ResourceProperties": {"ServiceToken": "arn", "KeepData": "no"},
        }
        self.received: list[tuple[str, str, dict[str, object]]] = []


@pytest.fixture
def stack(monkeypatch) -> Iterator[CloudFormation]:
    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            stack.received.append((self.path, self.headers["Content-Type"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with answering(Handler) as port:
        stack = CloudFormation(port)
        yield stack


@pytest.fixture
def run(account, stack):
    """Hand CloudFormation's event to the function; return what CloudFormation received."""

    def handle(seconds: float = 840, settings=SETTINGS, **changed: object):
        account.calls.clear()
        event = {**stack.event, **changed}
        returned = clean.handler(event, account.clients, settings, time.time() + seconds)
        ((path, content_type, received),) = stack.received
        stack.received.clear()
        assert (path, content_type) == ("/answer?signature=a%2Bb", "")
        assert received == returned
        return received

    return handle


@pytest.fixture
def used(account, ask):
    """A stack that has deployed two versions, with objects written twice and deleted."""
    for _ in range(2):
        config = ask(approval(account.register()), SETTINGS)["config"]
        account.endpoint_is("InService", config)
        ask(ENDPOINT_EVENT, SETTINGS)
    s3 = account.clients["s3"]
    for body in (b"1", b"2"):
        s3.put_object(Bucket=BUCKET, Key="tables/claims.csv", Body=body)
    s3.delete_object(Bucket=BUCKET, Key="tables/claims.csv")
    return account


def test_a_challenger_goes_with_all_that_was_made_for_it(account, ask, run):
    ask(approval(account.register()), SETTINGS)
    ask(ENDPOINT_EVENT, SETTINGS)
    ask({"shift": 10, "package": account.register()}, SETTINGS)
    for _ in range(2):
        account.settle()
        ask(ENDPOINT_EVENT, SETTINGS)
    assert account.endpoints.weights["challenger"] == 10.0
    data = run()["Data"]
    kinds = ("scaling", "endpoint", "configs", "models", "packages")
    assert [data[kind] for kind in kinds] == ["2", "1", "2", "2", "2"]
    assert account.scaled == {}


def versions(account) -> int:
    listed = account.clients["s3"].list_object_versions(Bucket=BUCKET)
    return len(listed.get("Versions", ())) + len(listed.get("DeleteMarkers", ()))


def test_all_that_the_stack_does_not_know_is_removed_and_counted(used, run):
    assert versions(used) == 5
    assert run() == {
        "Status": "SUCCESS",
        "Reason": "done",
        "PhysicalResourceId": "fraud-clean",
        "StackId": "stack/1",
        "RequestId": "r-1",
        "LogicalResourceId": "Clean",
        "Data": {
            "executions": "0", "jobs": "0", "scaling": "1", "endpoint": "1", "configs": "2",
            "models": "2", "packages": "2", "objects": "5", "bucket": "1",
        },
    }  # fmt: skip
    order = [
        "DeregisterScalableTarget", "DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel",
        "DeleteModelPackage", "DeleteObjects", "DeleteBucket",
    ]  # fmt: skip
    assert list(dict.fromkeys(used.written())) == order
    assert (used.endpoint, used.scaled) == (None, {})
    assert used.clients["s3"].list_buckets()["Buckets"] == []
    backend = used.sagemaker
    assert not backend.endpoint_configs
    assert not backend._models
    assert not backend.model_packages
    again = run()
    assert (again["Status"], again["Data"]) == ("SUCCESS", NOTHING)


def test_what_belongs_to_others_stays(used, run):
    sagemaker = used.clients["sagemaker"]
    for name in ("fraud-by-hand", "fraud-old-1-0123abcd", "other-fraud-1-0123abcd"):
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE)
        variant = {"VariantName": "main", "ModelName": name, "InstanceType": "ml.m5.large"}
        sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
        )
    sagemaker.create_model_package_group(ModelPackageGroupName="fraud-old")
    package = used.register(group="fraud-old")
    assert run()["Status"] == "SUCCESS"
    names = {"fraud-by-hand", "fraud-old-1-0123abcd", "other-fraud-1-0123abcd"}
    assert set(used.sagemaker.endpoint_configs) == set(used.sagemaker._models) == names
    assert list(used.sagemaker.model_packages) == [package]


PIPELINE = f"{ARN}:pipeline/fraud/execution"


def executions(*statuses: str):
    """An answer with an execution of each status."""
    summaries = [
        {"PipelineExecutionArn": f"{PIPELINE}/abcdefghijk{number}", "PipelineExecutionStatus": one}
        for number, one in enumerate(statuses)
    ]
    return answered({"PipelineExecutionSummaries": summaries})


def test_executions_on_their_way_are_stopped_first(used, run, monkeypatch):
    monkeypatch.setattr("sagetree.cloud.removal.stopping.POLL_SECONDS", 0)
    used.answer(
        "ListPipelineExecutions",
        executions("Executing", "Succeeded", "Stopping"),
        executions("Stopping", "Succeeded", "Stopped"),
        executions("Stopped", "Succeeded", "Stopped"),
    )
    used.answer("StopPipelineExecution", answered({}))
    assert run()["Data"]["executions"] == "2"
    (stopped,) = used.requests("StopPipelineExecution")
    assert stopped["PipelineExecutionArn"] == f"{PIPELINE}/abcdefghijk0"
    assert used.written()[0] == "StopPipelineExecution"
    assert len(used.requests("ListPipelineExecutions")) == 3


def test_an_execution_that_ends_before_it_is_stopped_is_no_fault(used, run):
    used.answer("ListPipelineExecutions", executions("Executing"), executions("Succeeded"))
    used.answer("StopPipelineExecution", refused("it is not executing"))
    received = run()
    assert (received["Status"], received["Data"]["executions"]) == ("SUCCESS", "1")


def test_an_execution_that_cannot_be_stopped_is_said(used, run):
    used.answer("ListPipelineExecutions", *[executions("Executing")] * 2)
    used.answer("StopPipelineExecution", DENIED)
    assert run()["Reason"].startswith(
        "Not removed: executions: An error occurred (AccessDeniedException) when calling the"
        " StopPipelineExecution operation: not authorized to perform it"
    )


def test_an_execution_that_does_not_end_is_said(used, run):
    used.answer("ListPipelineExecutions", *[executions("Stopping")] * 2)
    answer = run(seconds=62)
    assert answer["Reason"].startswith(
        f"Not removed: executions: {PIPELINE}/abcdefghijk0 is still being stopped"
    )
    assert answer["Data"]["packages"] == "2"


def running(noun: str, *names: str):
    """An answer with jobs of a kind, by their names."""
    summaries = [{f"{noun}Name": name, f"{noun}Status": "InProgress"} for name in names]
    return answered({f"{noun}Summaries": summaries})


NO_JOBS = answered({"ProcessingJobSummaries": [], "TransformJobSummaries": []})


def test_jobs_on_their_way_are_stopped_before_what_they_use_goes(used, run, monkeypatch):
    monkeypatch.setattr("sagetree.cloud.removal.stopping.POLL_SECONDS", 0)
    drift, batch = "fraud-drift-260101000000", "fraud-batch-260101000000"
    others = ("fraud-drift-b-drift-260101000000", "other-fraud-drift-260101000000", "fraud-drift-x")
    used.answer(
        "ListProcessingJobs",
        running("ProcessingJob", drift, *others), NO_JOBS,  # at work, being stopped
        NO_JOBS, running("ProcessingJob", drift, *others),
        NO_JOBS, NO_JOBS,
    )  # fmt: skip
    used.answer(
        "ListTransformJobs", running("TransformJob", batch, "fraud-batch-b-batch-1"), NO_JOBS
    )
    used.answer("StopProcessingJob", answered({}))
    used.answer("StopTransformJob", answered({}))
    assert run()["Data"]["jobs"] == "2"
    assert used.requests("StopProcessingJob") == [{"ProcessingJobName": drift}]
    assert used.requests("StopTransformJob") == [{"TransformJobName": batch}]
    assert used.written()[:2] == ["StopProcessingJob", "StopTransformJob"]
    asked = [
        (one["NameContains"], one["StatusEquals"]) for one in used.requests("ListTransformJobs")
    ]
    assert asked[:2] == [("fraud-batch-", "InProgress"), ("fraud-batch-", "Stopping")]


def test_a_job_that_cannot_be_stopped_is_said(used, run):
    name = "fraud-drift-260101000000"
    used.answer(
        "ListProcessingJobs",
        running("ProcessingJob", name),
        NO_JOBS,
        running("ProcessingJob", name),
    )
    used.answer("StopProcessingJob", DENIED)
    answer = run()
    assert answer["Reason"].startswith(
        "Not removed: jobs: An error occurred (AccessDeniedException) when calling the"
        " StopProcessingJob operation: not authorized to perform it"
    )
    assert answer["Data"]["packages"] == "2"


def test_a_job_that_ends_before_it_is_stopped_is_no_fault(used, run):
    used.answer("ListTransformJobs", running("TransformJob", "fraud-batch-260101000000"), NO_JOBS)
    used.answer("StopTransformJob", refused("it is not InProgress"))
    answer = run()
    assert (answer["Status"], answer["Data"]["jobs"]) == ("SUCCESS", "1")


def test_a_job_that_does_not_end_is_said(used, run):
    name = "fraud-batch-260101000000"
    used.answer("ListTransformJobs", *[NO_JOBS, running("TransformJob", name)] * 2)
    answer = run(seconds=62)
    assert answer["Reason"].startswith(f"Not removed: jobs: {name} is still being stopped")


def test_data_that_are_to_be_kept_stay(used, run):
    properties = {"ServiceToken": "arn", "KeepData": "yes"}
    data = run(ResourceProperties=properties)["Data"]
    assert not {"objects", "bucket"} & set(data)
    assert data["packages"] == "2"  # their group cannot be deleted before they are
    assert versions(used) == 5


@pytest.mark.parametrize("request_type", ["Create", pytest.param("Update", marks=pytest.mark.long)])
def test_nothing_is_removed_before_the_stack_goes(used, run, request_type):
    answer = run(RequestType=request_type)
    assert (answer["Status"], answer["Data"]) == ("SUCCESS", {})
    assert used.written() == []


def test_an_update_that_puts_models_inside_lambda_removes_the_endpoint(used, run):
    inside = settings_of("lambda")
    used.answer("DeleteEndpoint", refused("not authorized to perform it", "AccessDeniedException"))
    received = run(settings=inside, RequestType="Update")
    assert received["Status"] == "FAILED"
    assert received["Reason"].endswith("Removed: 1 scaling. Update the stack again to go on")
    data = run(settings=inside, RequestType="Update")["Data"]
    assert data == {"scaling": "0", "endpoint": "1"}
    assert used.endpoint is None
    assert len(used.sagemaker.endpoint_configs) == 2
    assert versions(used) == 5
    data = run(settings=inside, RequestType="Update")["Data"]
    assert data == {"scaling": "0", "endpoint": "0"}


def test_cloudformation_tells_of_another_kind_of_endpoint():
    template = (Path(__file__).parents[3] / "cloud" / "template.yaml").read_text()
    clean = template.partition("Type: Custom::Clean")[2].partition("\n\n")[0]
    assert "EndpointKind: !Ref EndpointKind" in clean  # else it sends no update


@pytest.mark.parametrize(
    ("stack_name", "reason"),
    [
        (
            "MyFraud",
            "the stack's name has capital letters: SageMaker checks permissions by ARNs in lower"
            " case. Call it myfraud",
        ),
        (
            "f" * 45,
            "the stack's name has 45 characters, and may have at most 44: names of models and "
            "configs"
            " begin with it",
        ),
        (
            "aws-fraud",
            "the stack's name begins with aws: Parameter Store reserves such parameter names for "
            "AWS",
        ),
        ("f" * 44, "done"),
    ],
)
def test_a_stack_whose_name_cannot_work_is_not_made(run, stack_name, reason):
    settings = settings_of("instance", SAGETREE_STACK=stack_name)
    answer = run(settings=settings, RequestType="Create")
    assert answer["Status"] == ("SUCCESS" if reason == "done" else "FAILED")
    assert answer["Reason"] == reason


def test_a_stack_that_has_never_deployed_has_nothing_to_remove(run, stack):
    del stack.event["PhysicalResourceId"]
    answer = run()
    assert (answer["Status"], answer["Data"]) == ("SUCCESS", {**NOTHING, "bucket": "1"})
    assert answer["PhysicalResourceId"] == "fraud-clean"


@pytest.fixture
def pages_of_two(account):
    def short(params, **_):
        params["MaxKeys"] = 2

    events = account.clients["s3"].meta.events
    events.register("provide-client-params.s3.ListObjectVersions", short)
    yield
    events.unregister("provide-client-params.s3.ListObjectVersions", short)


def test_a_bucket_is_emptied_page_by_page(used, run, pages_of_two):
    for number in range(7):
        used.clients["s3"].put_object(Bucket=BUCKET, Key=f"runs/{number}", Body=b"x")
    answer = run()
    assert answer["Data"]["objects"] == "12"
    assert answer["Data"]["bucket"] == "1"
    assert len(used.requests("DeleteObjects")) == 6


def test_an_object_that_cannot_be_removed_does_not_hide_the_others(used, run, pages_of_two):
    held = used.clients["s3"].list_object_versions(Bucket=BUCKET)["Versions"][0]
    used.held.add(held["VersionId"])
    received = run()
    said = f"Not removed: s3://{BUCKET}/{held['Key']}: AccessDenied held. Removed:"
    assert received["Reason"].startswith(said)
    assert received["Data"]["objects"] == "4"
    assert versions(used) == 1
    used.held.clear()
    assert run()["Data"] == {**NOTHING, "objects": "1", "bucket": "1"}


@pytest.mark.parametrize(
    ("operation", "answer", "said", "data"),
    [
        pytest.param(
            "DeregisterScalableTarget", DENIED,
            "scaling: An error occurred (AccessDeniedException) when calling the"
            " DeregisterScalableTarget operation: not authorized to perform it",
            {"scaling": "0", "endpoint": "1", "objects": "5"},
            marks=pytest.mark.long,
        ),
        (
            "DeleteEndpoint", DENIED,
            "endpoint: An error occurred (AccessDeniedException) when calling the DeleteEndpoint"
            " operation: not authorized to perform it; configs and models: the endpoint uses them",
            {"endpoint": "0", "packages": "2", "objects": "5"},
        ),
        pytest.param(
            "ListModels", DENIED,
            "models: An error occurred (AccessDeniedException) when calling the ListModels"
            " operation: not authorized to perform it",
            {"models": "0", "packages": "2"},
            marks=pytest.mark.long,
        ),
        pytest.param(
            "DeleteModelPackage", refused("it is being changed", "ConflictException"),
            f"{ARN}:model-package/fraud/1: An error occurred (ConflictException) when calling the"
            " DeleteModelPackage operation: it is being changed",
            {"packages": "1", "objects": "5"},
            marks=pytest.mark.long,
        ),
        (
            "DeleteBucket", refused("the bucket is not empty", "BucketNotEmpty"),
            "bucket: An error occurred (BucketNotEmpty) when calling the DeleteBucket operation:"
            " the bucket is not empty",
            {"objects": "5", "bucket": "0"},
        ),
        pytest.param(
            "ListObjectVersions", DENIED,
            f"objects in {BUCKET}: An error occurred (AccessDeniedException) when calling the"
            " ListObjectVersions operation: not authorized to perform it",
            {"packages": "2", "objects": "0"},
            marks=pytest.mark.long,
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_removed_is_said_and_the_rest_removed(
    used, run, operation, answer, said, data
):
    used.answer(operation, answer)
    received = run()
    assert received["Status"] == "FAILED"
    assert received["Reason"].startswith(f"Not removed: {said}. Removed: ")
    assert received["Reason"].endswith(". Delete the stack again to go on")
    assert data.items() <= received["Data"].items()
    assert run()["Status"] == "SUCCESS"


def test_many_things_that_stay_are_not_all_listed(used, run):
    faults = [{"Key": str(n), "Code": "AccessDenied", "Message": "held"} for n in range(5)]
    used.answer("DeleteObjects", answered({"Errors": faults}))
    used.answer("DeleteEndpoint", DENIED)
    reason = run()["Reason"]
    assert "s3://fraud-bucket/2: AccessDenied held (and 2 more). Removed: 1 scaling" in reason


def test_a_long_reason_is_cut_to_what_cloudformation_takes(used, run):
    """It takes 4096 bytes, and what JSON makes of a name in another script is six times as long."""
    faults = [{"Key": "表" * 300, "Code": "AccessDenied", "Message": "held"} for n in range(5)]
    used.answer("DeleteObjects", answered({"Errors": faults}))
    received = run()
    assert received["Reason"].startswith("Not removed: s3://fraud-bucket/表表")
    assert len(json.dumps(received)) < 4096 - 1000


def test_it_answers_before_the_time_is_over(used, run, monkeypatch):
    received = run(seconds=clean.MARGIN_SECONDS)  # no more than the answer needs
    left = ("configs", "models", "packages", "objects in fraud-bucket")
    said = "; ".join(f"more {kind}: the time was over" for kind in left)
    assert received["Status"] == "FAILED"
    assert received["Reason"] == (
        f"Not removed: {said}. Removed: 1 scaling, 1 endpoint. Delete the stack again to go on"
    )
    # and between two pages
    now = time.time
    later = lambda: monkeypatch.setattr(time, "time", lambda: now() + 3600)  # noqa: E731
    used.answer("DeleteObjects", later)
    used.clients["s3"].put_object(Bucket=BUCKET, Key="runs/1", Body=b"x")
    used.answer(
        "ListObjectVersions", lambda: None, answered({"Versions": [{"Key": "k", "VersionId": "v"}]})
    )
    received = run()
    assert received["Reason"].startswith("Not removed: more objects in fraud-bucket: the time was")
    assert received["Data"]["objects"] == "6"
    monkeypatch.undo()
    assert run()["Status"] == "SUCCESS"


def test_an_endpoint_that_is_being_deleted_is_waited_for(used, run):
    used.endpoint_is("Deleting")
    used.answer("DescribeEndpoint", *[lambda: None] * 2, used.sagemaker.endpoints.clear)
    assert run()["Status"] == "SUCCESS"
    assert not used.sagemaker.endpoint_configs


@pytest.mark.parametrize("status", [pytest.param("Creating", marks=pytest.mark.long), "Updating"])
def test_an_endpoint_that_is_being_changed_is_waited_for(used, run, status):
    used.endpoint_is(status)
    # read once, then waited for
    used.answer("DescribeEndpoint", lambda: None, lambda: used.endpoint_is("InService"))
    assert run()["Data"]["endpoint"] == "1"
    assert used.endpoint is None


def test_an_endpoint_that_fails_while_it_is_waited_for_is_removed(used, run):
    used.endpoint_is("Creating")
    used.answer("DescribeEndpoint", lambda: None, lambda: used.endpoint_is("Failed"))
    assert run()["Status"] == "SUCCESS"
    assert used.endpoint is None


def test_an_endpoint_that_is_being_changed_for_too_long_is_said(used, run):
    used.endpoint_is("Creating")
    received = run(seconds=clean.MARGIN_SECONDS + 2)
    assert received["Status"] == "FAILED"
    said = "Not removed: endpoint: the endpoint fraud is still being changed; configs and models:"
    assert received["Reason"].startswith(said)
    assert used.sagemaker.endpoint_configs
    used.endpoint_is("InService")
    assert run()["Status"] == "SUCCESS"


def test_a_fault_of_ours_is_answered_too(used, run, stack):
    del stack.event["RequestType"]
    received = run()
    assert (received["Status"], received["Reason"]) == ("FAILED", "KeyError: 'RequestType'")


def test_an_answer_that_nobody_takes_is_an_error_of_the_function(used, stack):
    event = {**stack.event, "ResponseURL": "http://127.0.0.1:1/"}
    with pytest.raises(OSError, match="refused"):  # Lambda then tries the event again
        clean.handler(event, used.clients, SETTINGS, time.time() + 840)
