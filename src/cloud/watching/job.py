"""The processing job that looks for drift: what SageMaker is asked for.

The image answers Model Monitor's contract for containers, so that the job ends well whatever it
finds, and says what it found in its files and in its message.
"""

from pathlib import Path
from typing import Any

from sagetree.cloud.names import Settings
from sagetree.cloud.watching.window import CaptureWindow
from sagetree.machine.paths import DEFAULT_BASE_DIR, OptMl

_PROCESSING = OptMl(Path(DEFAULT_BASE_DIR)).processing
_CAPTURED, _MODEL = f"{_PROCESSING}/endpointdata", f"{_PROCESSING}/model"
_OUTCOMES, _RESULTS = f"{_PROCESSING}/outcomes", f"{_PROCESSING}/resultdata"

MOST_SECONDS = 3600
DISK_GB = 30

Request = dict[str, Any]


def results(name: str) -> str:
    """Return where in the bucket a job leaves what it found."""
    return f"runs/drift/{name}"


def job_request(
    settings: Settings, name: str, model: str, window: CaptureWindow, *, outcomes: bool
) -> Request:
    """Return the request for a job on the captures that its manifest lists."""
    place = f"s3://{settings.bucket}/{results(name)}"
    inputs = [
        _input("model", model, _MODEL),
        _input("captured", f"{place}/manifest.json", _CAPTURED, kind="ManifestFile"),
    ]
    command = ["sagetree", "drift"]
    if outcomes:
        inputs.append(_input("outcomes", f"s3://{settings.bucket}/outcomes", _OUTCOMES))
        command += ["--labels", _OUTCOMES]
    output: Request = {
        "S3Uri": place, "LocalPath": _RESULTS, "S3UploadMode": "EndOfJob",
    }  # fmt: skip
    machine: Request = {
        "InstanceType": settings.job_instance_type, "InstanceCount": 1, "VolumeSizeInGB": DISK_GB,
    }  # fmt: skip
    network: Request = {"EnableNetworkIsolation": True}
    if settings.subnets:
        network["VpcConfig"] = {
            "Subnets": list(settings.subnets), "SecurityGroupIds": list(settings.security_groups),
        }  # fmt: skip
    kms = {"KmsKeyId": settings.kms_key_arn} if settings.kms_key_arn else {}
    volume = {"VolumeKmsKeyId": settings.kms_key_arn} if settings.kms_key_arn else {}
    return {
        "ProcessingJobName": name,
        "RoleArn": settings.job_role_arn,
        "AppSpecification": {"ImageUri": settings.image_uri, "ContainerEntrypoint": command},
        "Environment": {
            "dataset_source": _CAPTURED,
            "output_path": _RESULTS,
            "start_time": f"{window.start:%Y-%m-%dT%H:%M:%SZ}",
            "end_time": f"{window.end:%Y-%m-%dT%H:%M:%SZ}",
        },
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": "drift", "S3Output": output}], **kms,
        },
        "ProcessingResources": {"ClusterConfig": {**machine, **volume}},
        "NetworkConfig": network,
        "StoppingCondition": {"MaxRuntimeInSeconds": MOST_SECONDS},
    }  # fmt: skip


def _input(name: str, uri: str, path: str, kind: str = "S3Prefix") -> Request:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": kind, "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}
