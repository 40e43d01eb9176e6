"""container/algorithm.json and hyperparameters.md are fresh, and what SageMaker takes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import botocore.validate
import pytest

from container.generate import FOLDER, UNSPECIFIED, files
from sagetree.train.boosting.progress import metric_line
from sagetree.train.hyperparameters.eval_metrics import METRICS, is_maximized
from sagetree.train.hyperparameters.parameters import BY_NAME, UNUSED
from sagetree.train.hyperparameters.value_types import Real
from sagetree.train.settings.settings import TrainSettings
from tests.train.hyperparameters.test_eval_metrics import DOWN, UP

SPECIFICATION = json.loads((FOLDER / "algorithm.json").read_text())


@pytest.mark.parametrize("name", files())
def test_generated_files_are_fresh(name: str) -> None:
    assert (FOLDER / name).read_text() == files()[name], (
        f"container/{name} does not follow from src/train any more: run 'make generated'"
    )


@pytest.fixture(scope="module")
def shape() -> Any:
    model = botocore.session.get_session().get_service_model("sagemaker")
    return model.shape_for("CreateAlgorithmInput").members["TrainingSpecification"]


def test_create_algorithm_takes_the_specification(shape: Any) -> None:
    given = SPECIFICATION | {"TrainingImage": "111111111111.dkr.ecr/sagetree:1"}
    report = botocore.validate.ParamValidator().validate(given, shape)
    assert not report.has_errors(), report.generate_report()
    assert [*_beyond(given, shape, "")] == []


def _beyond(value: Any, shape: Any, path: str) -> Iterator[str]:
    """Yield what breaks a rule of the service that its client does not check."""
    if shape.type_name == "structure":
        for name, inner in value.items():
            yield from _beyond(inner, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for index, inner in enumerate(value):
            yield from _beyond(inner, shape.member, f"{path}[{index}]")
    rules = shape.metadata
    if shape.type_name in ("list", "string") and len(value) > rules.get("max", len(value)):
        yield f"{path}: longer than {rules['max']}"
    if "enum" in rules and value not in rules["enum"]:
        yield f"{path}: {value} is none of the enumeration"
    pattern = rules.get("pattern", "").replace(r"\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}", r"\x20-\x7e")
    if pattern and not re.fullmatch(pattern, value):
        yield f"{path}: {value!r} does not match {pattern}"


def test_it_names_every_hyperparameter_with_an_effect() -> None:
    names = {entry["Name"] for entry in SPECIFICATION["SupportedHyperParameters"]}
    assert names == {p.name for p in BY_NAME.values()} - {p.name for p in UNUSED} - {*UNSPECIFIED}


def test_the_ends_of_each_range_and_each_word_are_taken() -> None:
    for entry in SPECIFICATION["SupportedHyperParameters"]:
        parameter = BY_NAME[entry["Name"]]
        for kind, found in entry.get("Range", {}).items():
            if kind.startswith("Categorical"):
                for word in found["Values"]:
                    parameter.parse(word)
            else:
                is_open = isinstance(parameter.type, Real) and parameter.type.below
                parameter.parse(
                    str(float(found["MaxValue"]) - 0.1) if is_open else found["MaxValue"]
                )
                assert float(found["MinValue"]) < float(found["MaxValue"])


def test_what_a_tuning_job_may_vary_trains() -> None:
    """The ends of the ranges worth searching are values."""
    tuned = [p for p in BY_NAME.values() if p.tuned is not None]
    assert len(tuned) > 10
    for parameter in tuned:
        assert parameter.tuned is not None
        for end in (parameter.tuned.low, parameter.tuned.high):
            TrainSettings.of({parameter.name: f"{end:g}"})


PATTERNS = {m["Name"]: re.compile(m["Regex"]) for m in SPECIFICATION["MetricDefinitions"]}


@pytest.mark.parametrize("tab", ["\t", "#011"])
def test_each_line_is_found_by_its_metrics_expression_and_no_other(tab: str) -> None:
    asked = sorted(UP | DOWN | {"ndcg@5-", "map-", "error@0.25", "tweedie-nloglik@1.2"})
    for spelling in asked:
        name = spelling.partition("@")[0].removesuffix("-")
        for value, text in ((0.79012345, "0.79012"), (3e-5, "3e-05"), (-1234.5, "-1234.50000")):
            line = metric_line(
                7, {"train-auc": 0.9, f"validation-{spelling}": value, "test-auc": 0.1}
            ).replace("\t", tab)
            found = {n: m.group(1) for n, p in PATTERNS.items() if (m := p.search(line))}
            assert found == {f"validation:{name}": text}


def test_a_value_that_is_no_number_is_not_found() -> None:
    line = metric_line(7, {"validation-auc": float("nan")})
    assert not any(pattern.search(line) for pattern in PATTERNS.values())


def test_tuning_jobs_are_told_which_way_is_better() -> None:
    told = {m["MetricName"]: m["Type"] for m in SPECIFICATION["SupportedTuningJobObjectiveMetrics"]}
    assert told.keys() == PATTERNS.keys() == {f"validation:{name}" for name in METRICS}
    for spelling in UP | DOWN:
        name = f"validation:{spelling.partition('@')[0]}"
        assert told[name] == ("Maximize" if is_maximized(spelling) else "Minimize")


def test_readme_leads_to_the_table() -> None:
    readme = (Path(FOLDER).parent / "README.md").read_text()
    assert "(container/hyperparameters.md)" in readme
    assert "container/algorithm.json" in readme
