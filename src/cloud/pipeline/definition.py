"""The pipeline's definition: the JSON that SageMaker stores, written without an SDK.

prepare -> train -> evaluate -> gate on the AUC. At or above it the model is registered,
and deployed at once where it is registered as Approved; below it the model is registered
as Rejected, with its metrics, and the execution fails with the figure.
"""

from sagetree.cloud.pipeline.expressions import Json, Object
from sagetree.cloud.pipeline.gate import gate_step
from sagetree.cloud.pipeline.jobs import evaluate_step, prepare_step, train_step
from sagetree.cloud.pipeline.places import Defaults, Example, Places

VERSION = "2020-12-01"


def definition(places: Places, example: Example, defaults: Defaults) -> Object:
    """Return the pipeline's definition."""
    return {
        "Version": VERSION,
        "Metadata": {},
        "Parameters": _parameters(places, defaults),
        "Steps": [
            prepare_step(places, example),
            train_step(places, example),
            evaluate_step(places),
            gate_step(places, example),
        ],
    }


def _parameters(places: Places, defaults: Defaults) -> list[Json]:
    return [
        {"Name": "Tables", "Type": "String", "DefaultValue": f"s3://{places.bucket}/tables"},
        {"Name": "MinimumAuc", "Type": "Float", "DefaultValue": defaults.minimum_auc},
        {
            "Name": "ApprovalStatus",
            "Type": "String",
            "DefaultValue": defaults.approval,
            "EnumValues": ["PendingManualApproval", "Approved"],
        },
        {"Name": "JobInstanceType", "Type": "String", "DefaultValue": defaults.instance_type},
    ]
