"""Model Monitor's contract: a tree as the service lays it, and what it finds in its place."""

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagetree.drift.cli import main, report
from sagetree.drift.monitor import read_limits
from sagetree.drift.settings import Limits
from sagetree.errors import DataError
from sagetree.machine.paths import OptMl
from tests.drift.watched import INPUTS, LABEL, Row, one_each, rows, text, write_lines
from tests.programs import run_sagetree
from tests.storage import buckets

ENDPOINT, SCHEDULE = "claims-endpoint", "claims-hourly"

Lay = Callable[..., OptMl]


def environment(opt_ml: OptMl) -> dict[str, str]:
    """What the service sets for a schedule that watches an endpoint."""
    processing = opt_ml.processing
    return {
        "dataset_format": '{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput",'
        '"endpointOutput"]}}',
        "dataset_source": str(processing / "endpointdata"),
        "output_path": str(processing / "resultdata"),
        "start_time": "2026-01-31T16: 00: 00Z",
        "end_time": "2026-01-31T17:00:00Z",
        "publish_cloudwatch_metrics": "Enabled",
        "sagemaker_endpoint_name": ENDPOINT,
        "sagemaker_monitoring_schedule_name": SCHEDULE,
        "sagemaker_endpoint_datacapture_prefix": "s3://bucket/capture",
    }


def pack(model: Path, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as packed:
        for path in sorted(model.iterdir()):
            packed.add(path, path.name)


@pytest.fixture
def lay(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lay:
    """Lay the tree: config, the hour's capture and some of the next, the model as an input."""

    def laid(hour: list[Row], *, with_model: bool = True, **more: str) -> OptMl:
        opt_ml = OptMl(tmp_path / "opt-ml")
        day = opt_ml.processing / "endpointdata" / ENDPOINT / "AllTraffic" / "2026/01/31"
        half = len(hour) // 2
        for number, part in enumerate((hour[:half], hour[half:])):
            records = one_each(part, time=f"2026-01-31T16:{10 + number}:00Z")
            write_lines(day / f"16/10-00-{number}.jsonl", records)
        write_lines(day / "17/00-00.jsonl", one_each(hour[:7], time="2026-01-31T17:00:00Z"))
        config = opt_ml.root / "config"
        config.mkdir(parents=True)
        variables = environment(opt_ml) | more
        job = {"Environment": variables, "AppSpecification": {"ImageUri": "image"}}
        (config / "processingjobconfig.json").write_text(json.dumps(job))
        (config / "resourceconfig.json").write_text('{"current_host": "algo-1"}')
        if with_model:
            pack(trained, opt_ml.processing / "model/model.tar.gz")
        for name, value in {**variables, "SAGEMAKER_BASE_DIR": str(opt_ml.root)}.items():
            monkeypatch.setenv(name, value)
        return opt_ml

    return laid


def written(opt_ml: OptMl) -> dict[str, Any]:
    """The JSON files of the results, by their names."""
    folder = opt_ml.processing / "resultdata"
    assert (folder / "report.html").read_text().startswith("<!DOCTYPE html>")
    return {path.name: json.loads(path.read_text()) for path in folder.glob("*.json")}


def metric_lines(opt_ml: OptMl) -> dict[str, dict[str, Any]]:
    lines = (opt_ml.cloudwatch / "cloudwatch_metrics.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    assert all(line["Timestamp"] == "2026-01-31T17:00:00Z" for line in found)
    assert all(
        line["Dimensions"]
        == [
            {"Name": "Endpoint", "Value": ENDPOINT},
            {"Name": "MonitoringSchedule", "Value": SCHEDULE},
        ]
        for line in found
    )
    assert all(("Value" in line) != ("StatisticValues" in line) for line in found)
    return {line["MetricName"]: line for line in found}


def test_an_hour_like_training_has_no_violations(lay: Lay) -> None:
    """The whole process: exit code, message, files, metrics. The next hour has no part in it."""
    opt_ml = lay(rows(300, 11))
    outcome = run_sagetree(opt_ml.root, "drift", extra=environment(opt_ml))
    assert outcome.code == 0, outcome.log
    assert opt_ml.message.read_text() == (
        "Completed: Job completed successfully with no violations."
    )
    found = written(opt_ml)
    assert found.keys() == {"statistics.json", "constraints.json", "constraint_violations.json"}
    assert found["constraint_violations.json"] == {"violations": []}
    assert found["statistics.json"]["dataset"] == {"item_count": 300}
    assert found["statistics.json"]["drift_statistics"]["requests_outside_window"] == 7
    metrics = metric_lines(opt_ml)
    assert metrics["violations"]["Value"] == 0
    assert metrics["feature_non_null_amount"]["StatisticValues"] == {
        "SampleCount": 300, "Sum": 300, "Minimum": 1, "Maximum": 1,
    }  # fmt: skip


def test_what_has_changed_is_violations_and_no_failure(lay: Lay) -> None:
    opt_ml = lay(rows(300, 12, shift=1.0, missing=0.4, new_kind=0.3))
    assert main([]) == 0
    found = written(opt_ml)
    violations = found["constraint_violations.json"]["violations"]
    assert {(v["feature_name"], v["constraint_check_type"]) for v in violations} == {
        ("amount", "baseline_drift_check"),
        ("amount", "completeness_check"),
        ("kind", "baseline_drift_check"),
        ("kind", "categorical_values_check"),
        ("score", "baseline_drift_check"),
    }
    assert all(v["description"].partition(":")[0] in ("serious", "moderate") for v in violations)
    assert opt_ml.message.read_text() == (
        "CompletedWithViolations: Job completed successfully with 5 violations."
    )
    metrics = metric_lines(opt_ml)
    assert metrics["severity"]["Value"] == 2
    assert metrics["feature_baseline_drift_amount"]["Value"] > 0.3
    assert metrics["feature_data_score"]["StatisticValues"]["SampleCount"] == 300


def test_the_files_have_the_guides_shapes(lay: Lay) -> None:
    opt_ml = lay(rows(200, 13, missing=0.1))
    assert main([]) == 0
    found = written(opt_ml)
    statistics = {each["name"]: each for each in found["statistics.json"]["features"]}
    assert [*statistics] == ["amount", "kind", "city", "seen", "score"]
    amount = statistics["amount"]["numerical_statistics"]
    assert statistics["amount"]["inferred_type"] == "Fractional"
    assert amount["common"]["num_present"] + amount["common"]["num_missing"] == 200
    assert {"mean", "sum", "std_dev", "min", "max"} < amount.keys()
    buckets = amount["distribution"]["kll"]["buckets"]
    assert len(buckets) == 10
    assert sum(bucket["count"] for bucket in buckets) == amount["common"]["num_present"]
    assert (buckets[0]["lower_bound"], buckets[-1]["upper_bound"]) == (amount["min"], amount["max"])
    kind = statistics["kind"]["string_statistics"]
    assert (statistics["kind"]["inferred_type"], kind["distinct_count"]) == ("String", 3)
    assert {b["value"] for b in kind["distribution"]["categorical"]["buckets"]} == {
        "car", "van", "bus",
    }  # fmt: skip
    constraints = found["constraints.json"]
    assert constraints["features"][0] == {
        "name": "amount", "inferred_type": "Fractional", "completeness": 0.95,
        "num_constraints": {"is_non_negative": False},
    }  # fmt: skip
    assert constraints["features"][1]["string_constraints"] == {"domains": ["bus", "car", "van"]}
    assert constraints["monitoring_config"] == {
        "evaluate_constraints": "Enabled", "emit_metrics": "Enabled",
        "datatype_check_threshold": 0.95, "domain_content_threshold": 0.95,
        "distribution_constraints": {
            "perform_comparison": "Enabled", "comparison_threshold": 0.1,
            "comparison_method": "Simple",
        },
    }  # fmt: skip


def test_constraints_of_a_run_are_demanded_of_the_next(lay: Lay, tmp_path: Path) -> None:
    """Those that were written as they are; or changed, as a person would."""
    opt_ml = lay(rows(300, 14, missing=0.15))
    assert main([]) == 0
    assert (
        "completeness_check"
        in opt_ml.processing.joinpath("resultdata/constraint_violations.json").read_text()
    )
    constraints = written(opt_ml)["constraints.json"]
    own = tmp_path / "own.json"
    for completeness, count in ((0.95, 1), (0.8, 0)):
        constraints["features"][0]["completeness"] = completeness
        own.write_text(json.dumps(constraints))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("baseline_constraints", str(own))
            assert main([]) == 0
        found = written(opt_ml)
        assert len(found["constraint_violations.json"]["violations"]) == count
        assert found["constraints.json"]["features"][0]["completeness"] == completeness


def test_nothing_is_judged_where_the_constraints_say_so(lay: Lay, tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"monitoring_config": {"evaluate_constraints": "Disabled"}}))
    opt_ml = lay(rows(300, 12, shift=1.0, missing=0.4), baseline_constraints=str(own))
    assert main([]) == 0
    found = written(opt_ml)
    assert found["constraint_violations.json"] == {"violations": []}
    amount = found["statistics.json"]["features"][0]["drift_statistics"]
    assert (amount["severity"], amount["distance"] > 0.3) == ("none", True)
    assert opt_ml.message.read_text().startswith("Completed: ")


def test_the_model_may_lie_on_s3(lay: Lay, trained: Path, tmp_path: Path) -> None:
    """A schedule has no input but the capture: its arguments name the model."""
    lay(rows(60, 15), with_model=False)
    pack(trained, tmp_path / "s3/bucket/models/model.tar.gz")
    with buckets(tmp_path / "s3") as variables, pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        assert main(["--model", "s3://bucket/models/model.tar.gz"]) == 0
        assert main(["--model", "s3://bucket/models/other.tar.gz"]) == 1


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"output_path": ""}, (
            "output_path: the variable is not set. Model Monitor sets it; to compare files of "
            "your own, name them"
        )),
        ({"start_time": "noon"}, "start_time: 'noon' is not a time. Write it as "
         "2026-01-31T16:20:00Z"),
        ({"dataset_source": "/nowhere"}, "/nowhere: the file or folder does not exist. "
         "Check its name, and the current folder"),
        ({"baseline_constraints": "/nowhere.json"}, "/nowhere.json: the constraints cannot be "
         "read: FileNotFoundError: [Errno 2] No such file or directory: '/nowhere.json'. Write it "
         "as Model Monitor's constraints.json has it"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_the_message_of_a_failure(
    variables: dict[str, str], problem: str, lay: Lay
) -> None:
    opt_ml = lay(rows(10, 16), **variables)
    assert report([]) == opt_ml.message
    assert main([]) == 1
    assert opt_ml.message.read_text() == f"{problem}\n"
    assert not (opt_ml.root / "output/metrics").exists()


def test_labels_merged_into_the_capture_are_measured(lay: Lay) -> None:
    hour = rows(300, 17, signal=-1.0)
    opt_ml = lay(hour)
    (data,) = opt_ml.processing.joinpath("endpointdata", ENDPOINT, "AllTraffic").glob("2026")
    for path in data.rglob("16/*.jsonl"):
        half = hour[:150] if path.name.endswith("0.jsonl") else hour[150:]
        merged = [
            json.loads(line) | {"groundTruthData": {"data": str(row[LABEL]), "encoding": "CSV"}}
            for line, row in zip(path.read_text().splitlines(), half, strict=True)
        ]
        write_lines(path, merged)
    assert main([]) == 0
    violations = written(opt_ml)["constraint_violations.json"]["violations"]
    assert [(v["metric_name"], v["constraint_check_type"]) for v in violations] == [
        ("auc", "LessThanThreshold")
    ]
    assert metric_lines(opt_ml)["auc"]["Value"] < 0.5


def test_limits_are_read_as_model_monitors_own_container_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "constraints.json"
    path.write_text(json.dumps({
        "version": 0.0,
        "features": [{"name": "a", "inferred_type": "Fractional", "completeness": 1.0,
                      "num_constraints": {"is_non_negative": True}}],
        "monitoring_config": {
            "evaluate_constraints": "Enabled", "emit_metrics": "Disabled",
            "datatype_check_threshold": 1.0, "domain_content_threshold": 1.0,
            "distribution_constraints": {"perform_comparison": "Disabled",
                "comparison_threshold": 0.2, "comparison_method": "Robust"},
        },
    }))  # fmt: skip
    found = read_limits(tmp_path)
    assert dict(found.completeness) == {"a": 1.0}
    assert (found.kinds, found.domains, found.comparison) == (1.0, 1.0, 0.2)
    assert (found.compares, found.evaluates, found.emits_metrics) == (False, True, False)
    path.write_text("{}")
    assert read_limits(path) == Limits(completeness=read_limits(path).completeness)
    path.write_text("[]")
    with pytest.raises(DataError):
        read_limits(path)
    path.write_text('{"monitoring_config": {"datatype_check_threshold": 95}}')
    with pytest.raises(DataError) as error:
        read_limits(path)
    assert str(error.value) == (
        f"{path}: the constraints cannot be read: ValueError: datatype_check_threshold is 95, and "
        "may be from 0 to 1. Write it as Model Monitor's constraints.json has it"
    )


@pytest.mark.parametrize(
    ("variables", "count"),
    [
        ({"start_time": ""}, 10),
        ({"end_time": ""}, 17),
        ({"start_time": "", "end_time": "2026-01-31T16:11:00Z"}, 5),
        ({"start_time": "2026-01-31T17:00:00Z", "end_time": ""}, 7),
    ],
)
def test_a_time_that_is_not_set_leaves_its_side_open(
    variables: dict[str, str], count: int, lay: Lay
) -> None:
    opt_ml = lay(rows(10, 20), **variables)
    assert main([]) == 0
    assert written(opt_ml)["statistics.json"]["dataset"] == {"item_count": count}


def test_a_batch_job_has_tables_and_no_endpoint(lay: Lay) -> None:
    """Its capture names no times, and its metrics no endpoint."""
    opt_ml = lay([], sagemaker_endpoint_name="", dataset_format='{"csv":{"header":false}}')
    data = opt_ml.processing / "endpointdata" / ENDPOINT
    shutil.rmtree(data)
    data.mkdir()
    (data / "input.csv").write_text(text(rows(50, 18), INPUTS, header=False))
    assert main([]) == 0
    assert written(opt_ml)["statistics.json"]["dataset"] == {"item_count": 50}
    lines = (opt_ml.cloudwatch / "cloudwatch_metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["Dimensions"] == [{"Name": "MonitoringSchedule", "Value": SCHEDULE}]


def test_nothing_is_published_where_it_is_switched_off(lay: Lay) -> None:
    opt_ml = lay(rows(50, 19), publish_cloudwatch_metrics="Disabled")
    assert main([]) == 0
    assert not opt_ml.cloudwatch.exists()
