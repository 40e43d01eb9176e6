"""Looking for drift: which job is started on what, and who learns what it found."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.s3.models import s3_backends

from sagetree.cloud.deployment.errors import Refused
from sagetree.cloud.functions import watch
from sagetree.cloud.names import job_name
from sagetree.cloud.watching.window import MOST_OBJECTS, CaptureWindow, captured, manifest
from tests.cloud.account import BUCKET, DEFAULT_ACCOUNT_ID, STACK, Account, answered
from tests.cloud.functions.conftest import ENVIRONMENT, settings_of

JOB_ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/{STACK}-job"
IMAGE = f"{DEFAULT_ACCOUNT_ID}.dkr.ecr.us-east-1.amazonaws.com/sagetree:1"
OWN = {
    "SAGETREE_JOB_ROLE_ARN": JOB_ROLE, "SAGETREE_IMAGE_URI": IMAGE,
    "SAGETREE_JOB_INSTANCE_TYPE": "ml.m5.xlarge", "SAGETREE_DRIFT_DAYS": "3",
}  # fmt: skip


def put(_account: Account, key: str, body: str = "{}") -> None:
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(BUCKET, key, body.encode())


def capture(account: Account, days_ago: int, name: str = "a") -> str:
    day = datetime.now(UTC) - timedelta(days=days_ago)
    key = f"captured/{day:%Y/%m/%d}/07/{name}.jsonl"
    put(account, key)
    return key


def look(account: Account, event: Any = None, kind: str = "serverless", **changed: str) -> Any:
    account.calls.clear()
    settings = settings_of(kind, **{**OWN, **changed})
    return watch.handler(event or {}, account.clients, settings, 0.0)


@pytest.fixture
def deployed(account: Account) -> Account:
    arn = account.register()
    account.clients["ssm"].put_parameter(
        Name=f"/{STACK}/deployed-package", Value=arn, Type="String", Overwrite=True
    )
    return account


def ended(name: str, status: str = "Completed", **more: str) -> dict[str, object]:
    """What EventBridge says about a processing job."""
    detail = {"ProcessingJobName": name, "ProcessingJobStatus": status, **more}
    return {"detail-type": "SageMaker Processing Job State Change", "detail": detail}


def test_a_job_is_started_on_the_captures_of_the_last_days(deployed: Account):
    keys = [capture(deployed, 2), capture(deployed, 0), capture(deployed, 0, "b")]
    capture(deployed, 5)
    answer = look(deployed)
    name = answer["job"]
    assert answer == {
        "action": "started", "job": name, "objects": 3, "outcomes": False, "sampled": False
    }  # fmt: skip
    (request,) = deployed.requests("CreateProcessingJob")
    assert request["ProcessingJobName"] == name
    assert request["RoleArn"] == JOB_ROLE
    assert request["AppSpecification"] == {
        "ImageUri": IMAGE, "ContainerEntrypoint": ["sagetree", "drift"]
    }  # fmt: skip
    assert request["ProcessingResources"]["ClusterConfig"]["InstanceType"] == "ml.m5.xlarge"
    sources = {i["InputName"]: i["S3Input"]["S3Uri"] for i in request["ProcessingInputs"]}
    place = f"s3://{BUCKET}/runs/drift/{name}"
    assert sources == {
        "model": f"s3://{BUCKET}/models/0/model.tar.gz", "captured": f"{place}/manifest.json"
    }  # fmt: skip
    (output,) = request["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == place
    listed = deployed.clients["s3"].get_object(
        Bucket=BUCKET, Key=f"runs/drift/{name}/manifest.json"
    )
    first, *others = json.loads(listed["Body"].read())
    assert first == {"prefix": f"s3://{BUCKET}/captured/"}
    assert sorted(f"captured/{key}" for key in others) == sorted(keys)


def test_outcomes_go_with_it_where_there_are_some(deployed: Account):
    capture(deployed, 0)
    put(deployed, "outcomes/1.jsonl")
    assert look(deployed)["outcomes"] is True
    (request,) = deployed.requests("CreateProcessingJob")
    command = request["AppSpecification"]["ContainerEntrypoint"]
    assert command == ["sagetree", "drift", "--labels", "/opt/ml/processing/outcomes"]
    assert request["ProcessingInputs"][-1]["S3Input"]["S3Uri"] == f"s3://{BUCKET}/outcomes"


def test_the_stacks_key_and_network_are_the_jobs(deployed: Account):
    capture(deployed, 0)
    key = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
    network = {"SAGETREE_SUBNETS": "subnet-1", "SAGETREE_SECURITY_GROUPS": "sg-1"}
    look(deployed, None, "instance", SAGETREE_KMS_KEY_ARN=key, **network)
    (request,) = deployed.requests("CreateProcessingJob")
    assert request["NetworkConfig"] == {
        "EnableNetworkIsolation": True,
        "VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
    }
    assert request["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] == key
    assert request["ProcessingOutputConfig"]["KmsKeyId"] == key


def test_where_there_is_nothing_to_look_at_no_job_is_started(account: Account):
    assert look(account) == {"action": "none", "reason": "no model has been deployed yet"}
    arn = account.register()
    account.clients["ssm"].put_parameter(
        Name=f"/{STACK}/deployed-package", Value=arn, Type="String", Overwrite=True
    )
    capture(account, 9)
    reason = "nothing was captured in the last 3 days"
    assert look(account) == {"action": "none", "reason": reason}
    assert look(account, {"days": 20})["action"] == "started"


@pytest.mark.parametrize("days", [0, 366, "7", 1.5, True])
def test_a_number_of_days_that_cannot_be_is_refused(deployed: Account, days: object):
    with pytest.raises(Refused) as raised:
        look(deployed, {"days": days})
    assert str(raised.value) == f"days: '{days}' is not a whole number from 1 to 365"


FOUND = [("amount", "its stability index is 0.41"), ("score", "it is higher")]


def leave(account: Account, name: str, found: list[tuple[str, str]]) -> None:
    """Leave what a job has found where it leaves it."""
    violations = [
        {"feature_name": n, "constraint_check_type": "baseline_drift_check", "description": d}
        for n, d in found
    ]
    put(
        account,
        f"runs/drift/{name}/constraint_violations.json",
        json.dumps({"violations": violations}),
    )


def test_what_a_job_found_is_told_once(account: Account):
    leave(account, "fraud-drift-1", FOUND)
    for _ in range(2):
        assert look(account, ended("fraud-drift-1")) == {
            "action": "told", "job": "fraud-drift-1", "findings": 2
        }  # fmt: skip
    (told,) = account.told
    assert told == (
        "fraud: drift: 2 findings",
        "amount: its stability index is 0.41\nscore: it is higher\n"
        f"The report: s3://{BUCKET}/runs/drift/fraud-drift-1/report.html",
    )


def test_many_findings_are_told_with_their_number(account: Account):
    leave(account, "fraud-drift-1", [(f"x{i}", "moved") for i in range(50)])
    look(account, ended("fraud-drift-1"))
    ((subject, text),) = account.told
    assert subject == "fraud: drift: 50 findings"
    assert text.splitlines()[-3:-1] == ["x19: moved", "... 50 in all"]


def test_nobody_is_told_of_nothing(account: Account):
    leave(account, "fraud-drift-1", [])
    assert look(account, ended("fraud-drift-1"))["action"] == "none"
    assert look(account, ended("fraud-drift-1", "InProgress"))["action"] == "none"
    for other in ("frauds-drift-1", "fraud-drift-b-drift-1"):  # jobs of stacks called alike
        assert look(account, ended(other, "Failed"))["action"] == "none"
    assert account.told == []


@pytest.mark.parametrize("leaves", [True, False])
def test_a_job_that_failed_is_told_with_its_reason(account: Account, leaves: bool):
    if leaves:
        leave(account, "fraud-drift-1", [])
    look(account, ended("fraud-drift-1", "Failed", FailureReason="AlgorithmError: exit code 1"))
    assert account.told == [(
        "fraud: the check for drift failed",
        "fraud-drift-1 has failed: AlgorithmError: exit code 1\n"
        "The job's own log is /aws/sagemaker/ProcessingJobs in CloudWatch.",
    )]  # fmt: skip


def test_a_name_of_a_job_is_as_long_as_sagemaker_takes():
    assert len(job_name("x" * 44, "batch", datetime.now(UTC))) == 63


def test_a_window_names_each_of_its_days(account: Account):
    window = CaptureWindow.of_days(2, datetime(2026, 3, 1, 0, 30, tzinfo=UTC))
    assert list(window.folders()) == [
        "captured/2026/02/27/", "captured/2026/02/28/", "captured/2026/03/01/"
    ]  # fmt: skip


def test_a_window_has_what_was_captured_in_its_last_second():
    now = datetime(2026, 3, 1, 0, 30, 7, 999, tzinfo=UTC)
    window = CaptureWindow.of_days(1, now)
    captured_at = datetime(2026, 3, 1, 0, 30, 7, tzinfo=UTC)
    assert window.start <= captured_at < window.end


def test_captures_are_listed_page_by_page(account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")  # S3's is 1000
    window = CaptureWindow.of_days(1, datetime.now(UTC))
    keys = {capture(account, 0, f"{n}") for n in range(25)}
    account.calls.clear()
    found = captured(account.clients, BUCKET, window)
    assert (set(found.keys), found.sampled) == (keys, False)
    assert len(account.requests("ListObjectsV2")) >= 3
    assert len(json.loads(manifest(BUCKET, sorted(keys)))) == 26


def test_of_too_many_captures_some_of_each_hour_are_taken(account: Account):
    """A busy day must not be all that a month is judged by, nor a morning all of a day."""
    window = CaptureWindow.of_days(2, datetime(2026, 3, 1, 12, tzinfo=UTC))
    hours = [f"captured/2026/02/28/{hour:02}" for hour in range(24)]
    for hour in hours:
        for number in range(9 if hour.endswith("07") else 3):
            put(account, f"{hour}/{number:02}-00-x.jsonl")
    whole = captured(account.clients, BUCKET, window, most=78)
    assert (len(whole.keys), whole.sampled) == (78, False)
    account.calls.clear()
    found = captured(account.clients, BUCKET, window, most=100 - 23)
    assert found.sampled is True
    assert found.keys == [f"{hour}/00-00-x.jsonl" for hour in hours]
    assert account.requests("ListObjectsV2")[-1]["MaxKeys"] == 1  # no more than is taken


@pytest.mark.parametrize("days", [62, 90, 365])
def test_a_sample_has_each_hour_of_the_day_in_a_bounded_number_of_calls(days: int):
    hours = CaptureWindow.of_days(days, datetime(2026, 3, 1, 12, tzinfo=UTC)).hours()
    assert {hour[-3:-1] for hour in hours} == {f"{hour:02}" for hour in range(24)}
    assert 300 < len(hours) < 1500


def test_that_there_are_more_captures_is_said(deployed: Account, caplog):
    capture(deployed, 1)
    listed = [{"Key": f"captured/{number}"} for number in range(MOST_OBJECTS + 1)]
    deployed.answer("ListObjectsV2", answered({"Contents": listed, "IsTruncated": False}))
    answer = look(deployed)
    assert (answer["objects"], answer["sampled"]) == (1, True)
    said = f"{answer['job']} reads 1 captures, the first of each hour: there are more"
    assert said in caplog.text


def test_a_function_without_its_settings_says_so(account: Account):
    settings = watch.Settings.read(ENVIRONMENT)
    with pytest.raises(Exception, match="SAGETREE_JOB_ROLE_ARN, SAGETREE_IMAGE_URI are missing"):
        watch.handler({}, account.clients, settings, 0.0)
