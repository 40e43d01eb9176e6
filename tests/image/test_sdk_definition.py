"""SageMaker's own SDKs write the pipeline of cloud/template.yaml as src/cloud/pipeline does."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from sagetree.cloud.pipeline.definition import definition
from sagetree.cloud.pipeline.jobs import AUC_LINE
from sagetree.cloud.pipeline.places import Defaults, Example
from tests.cloud.template.places import PLACES

RUN = Path(__file__).parents[2] / "local_test" / "sdk" / "run.sh"

# The SDKs are there with `make test-image`, and need a server in place of AWS.
pytestmark = pytest.mark.docker

# Said by an SDK and left to the service's defaults by us, by the end of its place.
DEFAULTS = {
    "v2": {
        ".ProfilerConfig": {"DisableProfiler": True},
        ".DebugHookConfig": {
            "S3OutputPath": "s3://fraud-bucket/models",
            "CollectionConfigurations": [],
        },
        ".SkipModelValidation": "None",
        ".ModelMetrics.Bias": {},
        ".Containers[0].Environment": {},
    },
    "v3": {
        ".InputMode": "File",
        ".OutputDataConfig.CompressionType": "GZIP",
        ".SkipModelValidation": "None",
        ".ModelMetrics.Bias": {},
        # for scripts of the SDK's own, which the image has none of
        ".Containers[0].Environment": {
            "SAGEMAKER_PROGRAM": "",
            "SAGEMAKER_SUBMIT_DIRECTORY": "",
            "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
            "SAGEMAKER_REGION": "us-east-1",
        },
    },
}

# Runs are shown as experiments, by names that the service gives when this is left out, too.
EXPERIMENT = {
    "ExperimentName": {"Get": "Execution.PipelineName"},
    "TrialName": {"Get": "Execution.PipelineExecutionId"},
}


def of_sdk(version: str) -> dict[str, Any]:
    """Return the definition that an SDK writes."""
    told = json.dumps(asdict(PLACES) | {"auc": AUC_LINE})
    result = subprocess.run(
        [str(RUN), version, f"{version}_definition.py", told],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    # SDK v2 names a registering step by a second word
    return json.loads(result.stdout.splitlines()[-1].replace("-RegisterModel", ""))


def differences(ours: Any, theirs: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield each place where two definitions differ, and what stands there."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in ours.keys() | theirs.keys():
            yield from differences(ours.get(key), theirs.get(key), f"{where}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(*pair, f"{where}[{number}]")
    elif ours != theirs or type(ours) is not type(theirs):
        yield where, ours, theirs


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_the_sdk_writes_the_same(version: str) -> None:
    made = definition(PLACES, Example("policy_id", "fraud"), Defaults())
    known = DEFAULTS[version] | {".PipelineExperimentConfig": EXPERIMENT}
    unseen = set(known)
    for where, ours, theirs in differences(json.loads(json.dumps(made)), of_sdk(version)):
        if version == "v3" and where.endswith(".AppManaged"):
            assert (ours, theirs) == (False, None), where  # the service's default, which v2 says
            continue
        end = next((end for end in known if where.endswith(end)), "")
        assert end, f"{where}: {ours!r} here, {theirs!r} by the SDK"
        assert (ours, theirs) == (None, known[end]), where
        unseen.discard(end)
    assert not unseen
