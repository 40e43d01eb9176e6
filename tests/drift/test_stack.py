"""What the solution on AWS keeps of scored claims, and what became of them, as its job reads it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from sagetree.cloud.columns import LabelNote
from sagetree.cloud.names import Settings
from sagetree.cloud.scoring.capture import RequestCapture
from sagetree.cloud.scoring.outcomes import Outcomes
from sagetree.drift.cli import main
from tests.drift.watched import INPUTS, LABEL, rows

BUCKET = "fraud-bucket"
ENVIRONMENT = {
    "SAGETREE_STACK": "fraud", "SAGETREE_BUCKET": BUCKET, "SAGETREE_ENDPOINT_KIND": "serverless",
    "SAGETREE_ID_FIELD": "policy", "SAGETREE_CAPTURE_PERCENT": "100",
}  # fmt: skip


def keep(folder: Path, claims: list[dict[str, object]], known: int) -> None:
    """Keep claims in a bucket, with the outcomes of the first, and copy it as SageMaker does."""
    settings = Settings.read(ENVIRONMENT)
    with mock_aws():
        s3 = boto3.client("s3", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        s3.create_bucket(Bucket=BUCKET)
        now = datetime(2026, 1, 31, 16, 20, tzinfo=UTC)
        capture = RequestCapture({"s3": s3}, settings, lambda: now)
        for begin in range(0, len(claims), 50):
            some = claims[begin : begin + 50]
            sent = [{name: claim[name] for name in INPUTS} for claim in some]
            capture.keep(some, sent, [{"score": 0.5}] * len(some), f"r{begin}")
        outcomes = [{"policy": c["policy"], LABEL: c[LABEL]} for c in claims[:known]]
        for begin in range(0, known, 100):
            Outcomes({"s3": s3}, settings).keep(
                outcomes[begin : begin + 100], LabelNote(LABEL, ("0", "1"))
            )
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for entry in page["Contents"]:
                target = folder / entry["Key"]
                target.parent.mkdir(parents=True, exist_ok=True)
                s3.download_file(BUCKET, entry["Key"], str(target))


@pytest.mark.parametrize(("shift", "found"), [(0.0, []), (2.0, ["amount"])])
def test_drift_and_outcomes_are_seen_in_what_the_stack_keeps(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shift: float, found: list[str]
) -> None:
    keep(tmp_path, rows(300, 7, shift=shift), known=50)
    for name, value in {
        "SAGEMAKER_BASE_DIR": str(tmp_path / "opt-ml"),
        "dataset_source": str(tmp_path / "captured"),
        "output_path": str(tmp_path / "results"),
        "start_time": "2026-01-31T00:00:00Z",
        "end_time": "2026-02-01T00:00:00Z",
    }.items():
        monkeypatch.setenv(name, value)
    assert main(["--model", str(trained), "--labels", str(tmp_path / "outcomes")]) == 0
    violations = json.loads((tmp_path / "results" / "constraint_violations.json").read_text())
    names = [violation["feature_name"] for violation in violations["violations"]]
    assert set(found) <= set(names)
    assert bool(names) == bool(found)
    assert "policy" not in names  # an identifier is not a column of the model
    report = (tmp_path / "results" / "report.html").read_text()
    assert "50 rows have a label that came later, found by policy" in report
