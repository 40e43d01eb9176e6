"""SageMaker's own tuner from outside, by the scripts users copy: what SageMaker is asked for."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from container.generate import algorithm

SDK = Path(__file__).parents[2] / "local_test" / "sdk"

# The SDKs are there with `make test-image`, and need a server in place of AWS.
pytestmark = pytest.mark.docker


@pytest.mark.parametrize("version", ["v2", "v3"])
@pytest.mark.parametrize(
    ("metric", "way"), [("validation:auc", "Maximize"), ("validation:rmse", "Minimize")]
)
def test_the_tuner_asks_for_the_ranges_and_the_metric(version: str, metric: str, way: str) -> None:
    command = [SDK / "run.sh", version, f"{version}_tuner.py", "--metric", metric]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    made: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    config = made["HyperParameterTuningJobConfig"]
    asked = config["ParameterRanges"]
    ranges = {
        found["Name"]: (float(found["MinValue"]), float(found["MaxValue"]), found["ScalingType"])
        for kind in ("IntegerParameterRanges", "ContinuousParameterRanges")
        for found in asked[kind]
    }
    given = json.loads((SDK / "ranges.json").read_text())
    assert ranges == {n: (r["low"], r["high"], r["scaling"]) for n, r in given.items()}
    assert config["HyperParameterTuningJobObjective"] == {"Type": way, "MetricName": metric}
    (defined,) = (m for m in algorithm()["MetricDefinitions"] if m["Name"] == metric)
    job = made["TrainingJobDefinition"]
    assert job["AlgorithmSpecification"]["MetricDefinitions"] == [defined]
    assert job["StaticHyperParameters"]["booster"] == "gbtree"
