"""The steps that judge, register and hand over a model."""

from collections.abc import Sequence

from sagetree.cloud.pipeline.expressions import (
    Json,
    Object,
    artifact,
    execution,
    from_file,
    get,
    join,
    output,
    parameter,
)
from sagetree.cloud.pipeline.places import STEP_RETRY, Example, Places

MEDIA_TYPES = ("text/csv", "application/json", "application/jsonlines")


def gate_step(places: Places, example: Example) -> Object:
    """Register the model in any case; below the least AUC as Rejected, and fail."""
    least = parameter("MinimumAuc")
    weak: Object = {
        "Name": "TooWeak",
        "Type": "Fail",
        "Arguments": {"ErrorMessage": join(" ", "AUC", auc(), "is below", least)},
        "DependsOn": ["RegisterRejected"],
    }
    register = _register("Register", parameter("ApprovalStatus"), places, example)
    rejected = _register("RegisterRejected", "Rejected", places, example)
    return _condition(
        "Gate",
        {"Type": "GreaterThanOrEqualTo", "LeftValue": auc(), "RightValue": least},
        [register, _deploy_if_approved(places)],
        [rejected, weak],
    )


def _register(name: str, status: Json, places: Places, example: Example) -> Object:
    arguments = {"ModelPackageGroupName": places.group, "ModelApprovalStatus": status}
    return {
        "Name": name,
        "Type": "RegisterModel",
        "Arguments": arguments | registered(places, example),
        "RetryPolicies": [STEP_RETRY],
    }


def auc() -> Object:
    """Return the model's AUC on rows that it has not seen."""
    return from_file("Evaluate", "Evaluation", "binary_classification_metrics.auc.value")


def bias() -> Object:
    """Return where the metrics of bias are, of labels and of predictions."""
    return {"Bias": {"Report": _evaluated("bias_analysis.json")}}


def registered(places: Places, example: Example) -> Object:
    """Return what a package holds whatever its status: the model, and what was found about it."""
    return {
        "ModelMetrics": {
            "ModelQuality": {
                "Statistics": _evaluated("statistics.json"),
                "Constraints": _evaluated("constraints.json"),
            },
            "Explainability": {"Report": _evaluated("explainability.json")},
        }
        | (bias() if example.facets else {}),
        "CustomerMetadataProperties": {
            "execution": execution(),
            "evaluation": _file("evaluation.json"),
            "report": _file("report.html"),
            "model_card": _file("model_card.json"),
        },
        "InferenceSpecification": {
            "Containers": [{"Image": places.image, "ModelDataUrl": artifact("Train")}],
            "SupportedContentTypes": list(MEDIA_TYPES),
            "SupportedResponseMIMETypes": list(MEDIA_TYPES),
        },
    }


def _evaluated(name: str) -> Object:
    return {"ContentType": "application/json", "S3Uri": _file(name)}


def _file(name: str) -> Object:
    """Return where a file of the evaluation is: of an earlier execution, if it was cached."""
    return join("/", output("Evaluate", "evaluation"), name)


def _deploy_if_approved(places: Places) -> Object:
    deploy: Object = {
        "Name": "Deploy",
        "Type": "Lambda",
        "FunctionArn": places.deploy_function,
        "Arguments": {"package": get("Steps.Register.ModelPackageArn")},
        "OutputParameters": [
            {"OutputName": "endpoint", "OutputType": "String"},
            {"OutputName": "action", "OutputType": "String"},
        ],
    }
    return _condition(
        "IsApproved",
        {
            "Type": "Equals",
            "LeftValue": parameter("ApprovalStatus"),
            "RightValue": "Approved",
        },
        [deploy],
        [],
    )


def _condition(name: str, condition: Object, then: Sequence[Json], other: Sequence[Json]) -> Object:
    arguments: Object = {"Conditions": [condition], "IfSteps": then, "ElseSteps": other}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}
