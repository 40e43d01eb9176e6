"""The interpreter of stored definitions, on toys that the account itself stores."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local_test.cloud.account.actors import ACCOUNT
from local_test.cloud.desk import Desk, stand
from local_test.cloud.pipeline.values import Unknown, Values, parameters
from tests.cloud import strict
from tests.cloud.toy_machine import ToyMachine

ROLE = f"arn:aws:iam::{ACCOUNT}:role/jobs"
IMAGE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/toy:1"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with stand(ToyMachine(), strict.hold) as desk:
        desk.client("s3").create_bucket(Bucket="bucket")
        desk.client("s3").put_object(Bucket="bucket", Key="in/numbers.json", Body=b"[1, 2, 4]")
        yield desk


def processing(name: str, program: str, source: object, files: object = ()) -> dict[str, Any]:
    """A job that reads processing/in, and whose processing/out goes to S3 under its name."""
    output = {"S3Uri": f"s3://bucket/{name}", "LocalPath": "/opt/ml/processing/out"}
    given = {"S3Uri": source, "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix"}
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": [program]},
            "RoleArn": ROLE,
            "ProcessingResources": {"ClusterConfig": cluster},
            "ProcessingInputs": [{"InputName": "in", "S3Input": given}],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {"OutputName": "out", "S3Output": {**output, "S3UploadMode": "EndOfJob"}}
                ]
            },
        },
        "PropertyFiles": files,
    }


SUM = processing(
    "Sum",
    "import json; numbers = json.load(open('processing/in/numbers.json')); "
    "json.dump({'sum': sum(numbers)}, open('processing/out/sum.json', 'w'))",
    "s3://bucket/in",
    [{"PropertyFileName": "Sum", "OutputName": "out", "FilePath": "sum.json"}],
)
TOTAL = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Sum.PropertyFiles.Sum"}, "Path": "sum"}}
AGAIN = processing(
    "Again",
    "open('processing/out/seen', 'w').write(open('processing/in/sum.json').read())",
    {"Get": "Steps.Sum.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"},
)
TOO_LITTLE = {
    "Name": "TooLittle",
    "Type": "Fail",
    "Arguments": {
        "ErrorMessage": {
            "Std:Join": {"On": " ", "Values": [TOTAL, "is below", {"Get": "Parameters.Least"}]}
        }
    },
}
GATE = {
    "Name": "Gate",
    "Type": "Condition",
    "Arguments": {
        "Conditions": [
            {
                "Type": "GreaterThanOrEqualTo",
                "LeftValue": TOTAL,
                "RightValue": {"Get": "Parameters.Least"},
            }
        ],
        "IfSteps": [AGAIN],
        "ElseSteps": [TOO_LITTLE],
    },
}
BROKEN = processing("Broken", "raise SystemExit('the disk is full')", "s3://bucket/in")


def run(desk: Desk, name: str, *steps: object, **given: str) -> dict[str, Any]:
    """Store a definition, start it, and return how the service describes its end."""
    sagemaker = desk.client("sagemaker")
    stored = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "Least", "Type": "Float", "DefaultValue": 7}],
        "Steps": steps,
    }
    sagemaker.create_pipeline(
        PipelineName=name, RoleArn=ROLE, PipelineDefinition=json.dumps(stored),
        ClientRequestToken=name.ljust(32, "-"),
    )  # fmt: skip
    values = [{"Name": key, "Value": value} for key, value in given.items()]
    started = sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=values)
    arn = {"PipelineExecutionArn": started["PipelineExecutionArn"]}
    desk.backstage.wait(60)
    steps_done = sagemaker.list_pipeline_execution_steps(**arn)["PipelineExecutionSteps"]
    described: dict[str, Any] = sagemaker.describe_pipeline_execution(**arn)
    return {**described, "steps": [(s["StepName"], s["StepStatus"]) for s in steps_done]}


@pytest.mark.long
def test_a_gate_that_holds_lets_the_next_job_read_what_the_first_has_written(desk: Desk) -> None:
    ended = run(desk, "passes", SUM, GATE)
    assert ended["PipelineExecutionStatus"] == "Succeeded"
    assert ended["steps"] == [("Gate", "Succeeded"), ("Again", "Succeeded"), ("Sum", "Succeeded")]
    seen = desk.client("s3").get_object(Bucket="bucket", Key="Again/seen")["Body"].read()
    assert json.loads(seen) == {"sum": 7}


@pytest.mark.long
def test_a_gate_that_does_not_hold_fails_with_the_figure(desk: Desk) -> None:
    ended = run(desk, "fails", SUM, GATE, Least="7.5")
    assert ended["PipelineExecutionStatus"] == "Failed"
    assert ended["FailureReason"] == "7 is below 7.5"
    assert ended["steps"][0] == ("Gate", "Failed")


@pytest.mark.long
def test_a_job_that_fails_gives_its_last_lines(desk: Desk) -> None:
    ended = run(desk, "breaks", BROKEN, SUM)
    assert ended["FailureReason"].startswith("Broken: ")
    assert ended["FailureReason"].endswith("ended with exit code 1\nthe disk is full\n")
    assert ended["steps"] == [("Broken", "Failed")]


@pytest.mark.long
def test_what_a_definition_names_must_be_there(desk: Desk) -> None:
    missing = processing("Sum", "", "s3://bucket/nowhere")
    assert run(desk, "missing", missing)["FailureReason"] == (
        "Sum: there are no objects below s3://bucket/nowhere"
    )
    assert run(desk, "unknown", AGAIN)["FailureReason"] == (
        "Again: Steps.Sum.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri has no value: "
        "there is no Sum"
    )


@pytest.mark.long
def test_a_request_that_the_service_would_refuse_fails_the_step(desk: Desk) -> None:
    wrong = processing("Sum", "", "s3://bucket/in")
    wrong["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceType"] = "ml.large"
    assert "ml.large" in run(desk, "wrong", wrong)["FailureReason"]


def test_parameters_have_their_types_and_no_others_are_taken() -> None:
    declared = {
        "Parameters": [
            {"Name": "Least", "Type": "Float", "DefaultValue": 0.5},
            {"Name": "Who", "Type": "String"},
        ]
    }
    assert parameters(declared, {"Least": "0.7", "Who": "8"}) == {"Least": 0.7, "Who": "8"}
    with pytest.raises(Unknown, match="the pipeline's parameter Who has no default"):
        parameters(declared, {})
    with pytest.raises(Unknown, match="the pipeline has no parameter Whose"):
        parameters(declared, {"Whose": ""})


@pytest.mark.parametrize(
    ("kind", "left", "held"),
    [
        ("Equals", 3, True),
        ("GreaterThan", 3, False),
        ("GreaterThanOrEqualTo", 3, True),
        ("LessThan", 2, True),
        ("LessThanOrEqualTo", 4, False),
    ],
)
def test_conditions(kind: str, left: float, held: bool) -> None:
    values = Values({}, {}, str)
    condition = {"Type": kind, "LeftValue": left, "RightValue": 3}
    assert values.holds(condition) is held
    assert values.holds({"Type": "Not", "Expression": condition}) is not held
    assert values.holds({"Type": "Or", "Conditions": [condition, condition]}) is held
    among = {"Type": "In", "QueryValue": left, "Values": [3, left]}
    assert values.holds(among)
