"""The steps that are jobs: prepare, train and evaluate."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sagetree.cloud.pipeline.expressions import (
    Json,
    Object,
    artifact,
    execution,
    join,
    output,
    parameter,
)
from sagetree.cloud.pipeline.places import STEP_RETRY, Example, Places
from sagetree.machine.paths import DEFAULT_BASE_DIR, OptMl

_PROCESSING = OptMl(Path(DEFAULT_BASE_DIR)).processing
INPUT, OUTPUT = f"{_PROCESSING}/input", f"{_PROCESSING}/output"
MODEL, TEST = f"{_PROCESSING}/model", f"{_PROCESSING}/test"
EVALUATION = f"{_PROCESSING}/evaluation"
PARTS = ("train", "validation", "test")

# What validation rows say in a round, as train logs it.
AUC_LINE = r".*\[[0-9]+\].*(?:\s|#011)validation-auc:([-+.0-9eE]+)"

MOST_SECONDS = 24 * 3600
DISK_GB = 30

MACHINE: Object = {
    "InstanceType": parameter("JobInstanceType"),
    "InstanceCount": 1,
    "VolumeSizeInGB": DISK_GB,
}

# An input of a processing job is copied whole before it begins.
COPIED: Object = {
    "S3DataType": "S3Prefix",
    "S3InputMode": "File",
    "S3DataDistributionType": "FullyReplicated",
    "S3CompressionType": "None",
}

JOB_RETRY: Object = {
    "ExceptionType": [
        "SageMaker.JOB_INTERNAL_ERROR",
        "SageMaker.CAPACITY_ERROR",
        "SageMaker.RESOURCE_LIMIT",
    ],
    "IntervalSeconds": 120,
    "BackoffRate": 2.0,
    "MaxAttempts": 5,
}

# The service compares the names of inputs, not what lies there: new rows in the same place
# would go unseen. What follows reads the places of one execution, which do not change.
NEVER_CACHED: Object = {"Enabled": False}
CACHED: Object = {"Enabled": True, "ExpireAfter": "30d"}


def prepare_step(places: Places, example: Example) -> Object:
    """Join the tables and split their rows; of several tables the one with the label leads."""
    return _processing(
        "Prepare",
        ("prepare", "--key", example.key, "--label", example.label),
        {"tables": (parameter("Tables"), INPUT)},
        {part: f"{OUTPUT}/{part}" for part in PARTS},
        places,
    ) | {"CacheConfig": NEVER_CACHED}


def train_step(places: Places, example: Example) -> Object:
    """Fit a model; its rounds and its threshold are chosen on the validation rows."""
    arguments: Object = {
        "AlgorithmSpecification": {
            "TrainingImage": places.image,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "validation:auc", "Regex": AUC_LINE}],
        },
        "RoleArn": places.role,
        "OutputDataConfig": {"S3OutputPath": f"s3://{places.bucket}/models"} | _kms(places),
        "ResourceConfig": _cluster(places),
        "StoppingCondition": {"MaxRuntimeInSeconds": MOST_SECONDS},
        "HyperParameters": {"target": example.label} | _facets(example),
        "InputDataConfig": [
            channel("train"),
            channel("validation"),
        ],
        **_network(places),
    }
    return {
        "Name": "Train",
        "Type": "Training",
        "Arguments": arguments,
        "CacheConfig": CACHED,
        "RetryPolicies": [STEP_RETRY, JOB_RETRY],
    }


def _facets(example: Example) -> Object:
    """Return what a model keeps of facets: the evaluation measures bias by its model's own."""
    return {"facets": example.facets} if example.facets else {}


def channel(part: str) -> Object:
    """Return the training's channel of one of the parts that Prepare has written."""
    source: Object = {
        "S3DataType": "S3Prefix",
        "S3Uri": output("Prepare", part),
        "S3DataDistributionType": "FullyReplicated",
    }
    return {
        "ChannelName": part,
        "ContentType": "application/x-parquet",
        "DataSource": {"S3DataSource": source},
    }


def evaluate_step(places: Places) -> Object:
    """Judge the model on rows that it has not seen."""
    return _processing(
        "Evaluate",
        ("evaluate",),
        {"model": (artifact("Train"), MODEL), "test": (output("Prepare", "test"), TEST)},
        {"evaluation": EVALUATION},
        places,
    ) | {
        "CacheConfig": CACHED,
        "PropertyFiles": [
            {
                "PropertyFileName": "Evaluation",
                "OutputName": "evaluation",
                "FilePath": "evaluation.json",
            }
        ],
    }


def _processing(
    name: str,
    command: Sequence[str],
    inputs: Mapping[str, tuple[Json, str]],
    outputs: Mapping[str, str],
    places: Places,
) -> Object:
    arguments: Object = {
        "AppSpecification": {"ImageUri": places.image, "ContainerEntrypoint": list(command)},
        "RoleArn": places.role,
        "ProcessingResources": {"ClusterConfig": _cluster(places)},
        "StoppingCondition": {"MaxRuntimeInSeconds": MOST_SECONDS},
        "ProcessingInputs": [_input(key, *value) for key, value in inputs.items()],
        "ProcessingOutputConfig": {
            "Outputs": [_saved(name, key, path, places) for key, path in outputs.items()]
        }
        | _kms(places),
        "NetworkConfig": _network(places),
    }
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": arguments,
        "RetryPolicies": [STEP_RETRY, JOB_RETRY],
    }


def _input(name: str, uri: Json, path: str) -> Object:
    source: Object = {"S3Uri": uri, "LocalPath": path, **COPIED}
    return {"InputName": name, "AppManaged": False, "S3Input": source}


def _saved(step: str, name: str, path: str, places: Places) -> Object:
    uri = join("/", f"s3://{places.bucket}/runs", execution(), step, name)
    target: Object = {"S3Uri": uri, "LocalPath": path, "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "AppManaged": False, "S3Output": target}


def _cluster(places: Places) -> Object:
    return MACHINE | ({"VolumeKmsKeyId": places.key} if places.key else {})


def _kms(places: Places) -> Object:
    return {"KmsKeyId": places.key} if places.key else {}


def _network(places: Places) -> Object:
    """Return that containers reach nothing; SageMaker itself moves what they read and write."""
    return {"EnableNetworkIsolation": True} | ({"VpcConfig": places.vpc} if places.vpc else {})
