"""The pipeline's definition: what the service would take, and what hangs together in it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from sagetree.cloud.pipeline.definition import definition
from sagetree.cloud.pipeline.jobs import AUC_LINE
from sagetree.cloud.pipeline.places import Defaults, Example
from sagetree.evaluate.cli import DESCRIPTION
from sagetree.tables.facets import parse_facets
from sagetree.train.boosting.progress import metric_pattern
from sagetree.train.hyperparameters.eval_metrics import METRICS
from tests.cloud.strict import faults
from tests.cloud.template.places import PLACES

# The request that the service makes of a step's arguments, and what it adds itself.
REQUESTS = {
    "Processing": ("CreateProcessingJob", {"ProcessingJobName": "job"}),
    "Training": ("CreateTrainingJob", {"TrainingJobName": "job"}),
    "RegisterModel": ("CreateModelPackage", {}),
}


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    """The definition, as JSON reads it."""
    return json.loads(json.dumps(definition(PLACES, Example("policy_id", "fraud"), Defaults())))


def steps(of: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each step and the steps inside it, in the order in which they may run."""
    for step in of:
        yield step
        if step["Type"] == "Condition":
            yield from steps(step["Arguments"]["IfSteps"])
            yield from steps(step["Arguments"]["ElseSteps"])


def own(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step without the steps inside it."""
    inside = ("IfSteps", "ElseSteps")
    arguments = {key: value for key, value in step["Arguments"].items() if key not in inside}
    return {**step, "Arguments": arguments}


def filled(value: Any) -> Any:
    """Return arguments with a value in place of what the service works out."""
    if isinstance(value, dict):
        if value == {"Get": "Parameters.JobInstanceType"}:
            return "ml.m5.large"
        if value == {"Get": "Parameters.ApprovalStatus"}:
            return "Approved"
        if set(value) <= {"Get", "Std:Join", "Std:JsonGet"}:
            return "s3://fraud-bucket/somewhere"
        return {key: filled(item) for key, item in value.items()}
    return [filled(item) for item in value] if isinstance(value, list) else value


def within(value: Any, key: str) -> Iterator[Any]:
    """Yield all that stands under a key, at any depth."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name == key:
                yield item
            yield from within(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from within(item, key)


def test_the_service_takes_the_arguments_of_each_step(made: dict[str, Any]) -> None:
    service = botocore.session.get_session().get_service_model("sagemaker")
    checked = []
    for step in steps(made["Steps"]):
        if step["Type"] not in REQUESTS:
            continue
        operation, added = REQUESTS[step["Type"]]
        shape = service.operation_model(operation).input_shape
        request = filled(step["Arguments"]) | added
        assert ParamValidator().validate(request, shape).generate_report() == ""
        assert list(faults(shape, request, step["Name"])) == []
        checked.append(step["Name"])
    assert checked == ["Prepare", "Train", "Evaluate", "Register", "RegisterRejected"]


def test_a_step_refers_to_what_is_there_before_it(made: dict[str, Any]) -> None:
    parameters = {parameter["Name"] for parameter in made["Parameters"]}
    before: dict[str, dict[str, Any]] = {}
    for step in steps(made["Steps"]):
        for path in within(own(step), "Get"):
            kind, name, *rest = path.split(".")
            if kind == "Parameters":
                assert name in parameters
            elif kind == "Execution":
                assert name == "PipelineExecutionId"
            elif rest[0] == "ProcessingOutputConfig":
                output = re.fullmatch(r"Outputs\['(\w+)'\]", rest[1])
                saved = before[name]["Arguments"]["ProcessingOutputConfig"]["Outputs"]
                assert output is not None
                assert output[1] in {one["OutputName"] for one in saved}
            elif rest[0] == "PropertyFiles":
                files = before[name]["PropertyFiles"]
                assert rest[1] in {file["PropertyFileName"] for file in files}
            else:
                types = {"ModelArtifacts": "Training", "ModelPackageArn": "RegisterModel"}
                assert before[name]["Type"] == types[rest[0]]
        assert set(step.get("DependsOn", ())) <= set(before)
        assert step["Name"] not in before
        before[step["Name"]] = step


def test_no_text_is_joined_of_joined_texts(made: dict[str, Any]) -> None:
    """The published schema foresees no join in a join."""
    joins = list(within(made, "Std:Join"))
    assert joins
    assert not [inner for join in joins for inner in within(join, "Std:Join")]


def test_below_the_gate_a_model_is_registered_before_the_execution_fails(
    made: dict[str, Any],
) -> None:
    gate = made["Steps"][-1]["Arguments"]
    (condition,) = gate["Conditions"]
    assert condition["Type"] == "GreaterThanOrEqualTo"
    assert condition["RightValue"] == {"Get": "Parameters.MinimumAuc"}
    rejected, weak = gate["ElseSteps"]
    assert rejected["Arguments"]["ModelApprovalStatus"] == "Rejected"
    assert weak["Type"] == "Fail"
    assert weak["DependsOn"] == [rejected["Name"]]
    said = weak["Arguments"]["ErrorMessage"]["Std:Join"]["Values"]
    assert said == ["AUC", condition["LeftValue"], "is below", condition["RightValue"]]


def test_a_package_has_the_same_findings_whatever_its_status(made: dict[str, Any]) -> None:
    passed, rejected = (
        dict(step["Arguments"]) for step in steps(made["Steps"]) if step["Type"] == "RegisterModel"
    )
    assert passed.pop("ModelApprovalStatus") == {"Get": "Parameters.ApprovalStatus"}
    assert rejected.pop("ModelApprovalStatus") == "Rejected"
    assert passed == rejected
    files = [join["Values"][1] for join in within(passed, "Std:Join")]
    assert len(files) == 6
    written = DESCRIPTION.replace("model_card.md, .json", "model_card.md, model_card.json")
    for file in files:
        assert file in written, f"evaluate writes no {file}"


def test_facets_are_measured_and_the_package_says_where() -> None:
    """Train hands them on in the model, and evaluate takes the model's own."""
    facets = '[{"column": "gender", "values": ["F"]}]'
    with_facets = definition(PLACES, Example("policy_id", "fraud", facets), Defaults())
    made: dict[str, Any] = json.loads(json.dumps(with_facets))
    given = {step["Name"]: step["Arguments"] for step in steps(made["Steps"])}
    (facet,) = parse_facets(given["Train"]["HyperParameters"]["facets"])
    assert (facet.column, facet.values) == ("gender", ("F",))
    service = botocore.session.get_session().get_service_model("sagemaker")
    shape = service.operation_model("CreateModelPackage").input_shape
    for name in ("Register", "RegisterRejected"):
        report = given[name]["ModelMetrics"]["Bias"]["Report"]
        assert report["S3Uri"]["Std:Join"]["Values"][1] == "bias_analysis.json"
        assert ParamValidator().validate(filled(given[name]), shape).generate_report() == ""
    assert "bias_analysis.json" in DESCRIPTION


def test_only_an_approved_model_is_deployed(made: dict[str, Any]) -> None:
    approved = made["Steps"][-1]["Arguments"]["IfSteps"][1]["Arguments"]
    assert approved["Conditions"] == [
        {
            "Type": "Equals",
            "LeftValue": {"Get": "Parameters.ApprovalStatus"},
            "RightValue": "Approved",
        }
    ]
    (deploy,) = approved["IfSteps"]
    assert deploy["Arguments"] == {"package": {"Get": "Steps.Register.ModelPackageArn"}}
    assert approved["ElseSteps"] == []


def test_the_auc_of_each_round_is_found_in_the_log() -> None:
    assert metric_pattern(METRICS["auc"]) == AUC_LINE


def test_new_rows_in_the_same_place_are_never_taken_for_old_ones(made: dict[str, Any]) -> None:
    cached = {s["Name"]: s["CacheConfig"]["Enabled"] for s in made["Steps"] if "CacheConfig" in s}
    assert cached == {"Prepare": False, "Train": True, "Evaluate": True}
    for name, enabled in cached.items():
        step = next(step for step in made["Steps"] if step["Name"] == name)
        reads = json.dumps([*within(step, "ProcessingInputs"), *within(step, "InputDataConfig")])
        assert ("Parameters." in reads) == (not enabled)


def test_faults_of_the_service_are_tried_again(made: dict[str, Any]) -> None:
    tried = {
        step["Name"]: [e for policy in step["RetryPolicies"] for e in policy["ExceptionType"]]
        for step in steps(made["Steps"])
        if "RetryPolicies" in step
    }
    service = ["Step.SERVICE_FAULT", "Step.THROTTLING"]
    job = ["SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"]
    assert tried == {
        "Prepare": service + job,
        "Train": service + job,
        "Evaluate": service + job,
        "Register": service,
        "RegisterRejected": service,
    }


def test_jobs_reach_no_network_and_write_with_the_stacks_key(made: dict[str, Any]) -> None:
    for step in made["Steps"][:3]:
        arguments = step["Arguments"]
        network = arguments.get("NetworkConfig", arguments)
        assert network["EnableNetworkIsolation"] is True
        assert network["VpcConfig"] == PLACES.vpc
        assert [*within(arguments, "KmsKeyId"), *within(arguments, "VolumeKmsKeyId")] == [
            PLACES.key,
            PLACES.key,
        ]
