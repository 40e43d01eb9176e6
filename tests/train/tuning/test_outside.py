"""SageMaker's own tuner from outside: every trial of every booster trains, and is read right."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from container.generate import algorithm
from sagetree.train.hyperparameters.parameters import PARAMETERS
from sagetree.train.hyperparameters.value_types import Integer
from tests.train.conftest import Job, lines

RANGES: Mapping[str, Mapping[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "local_test" / "sdk" / "ranges.json").read_text()
)
SPECIFIED = {found["Name"]: found for found in algorithm()["SupportedHyperParameters"]}

# What a table of hyperparameters says is worth searching: SageMaker's ranges of its own XGBoost.
TUNED = {
    parameter.name: (parameter.tuned.low or 0, parameter.tuned.high or 0)
    for parameter in PARAMETERS
    if parameter.tuned is not None
}

# Rounds make a trial long, and no trial another one.
MOST_ROUNDS = 40

# What only says what rows are called chooses no round: its last value is that of the best one.
METRICS: Mapping[str, Callable[[list[float]], float] | None] = {
    "validation:auc": max, "validation:logloss": min, "validation:f1_binary": None,
}  # fmt: skip


def test_the_examples_ranges_are_what_sagemaker_takes() -> None:
    for name, given in RANGES.items():
        specified = SPECIFIED[name]
        assert specified["IsTunable"]
        assert specified["Type"] == given["type"]
        (allowed,) = specified["Range"].values()
        assert float(allowed["MinValue"]) <= given["low"] < given["high"]
        assert given["high"] <= float(allowed["MaxValue"])
        assert given["scaling"] == "Linear" or given["low"] > 0  # of 0 there is no logarithm


def trials() -> list[dict[str, object]]:
    """All low, all high, and some between, over the example's ranges and over all there are."""
    random = np.random.default_rng(11)
    example = {name: (given["low"], given["high"]) for name, given in RANGES.items()}
    found = []
    for ranges in (example, TUNED):
        for share in (0.0, 1.0, *(random.random(len(ranges)) for _ in range(4))):
            shares = np.broadcast_to(share, len(ranges)).tolist()
            values = {
                name: low + part * (high - low)
                for part, (name, (low, high)) in zip(shares, ranges.items(), strict=True)
            }
            values["num_round"] = min(values["num_round"], MOST_ROUNDS)
            whole = {p.name for p in PARAMETERS if isinstance(p.type, Integer)}
            found.append({n: round(v) if n in whole else v for n, v in values.items()})
    return found


@pytest.mark.long
@pytest.mark.parametrize("booster", ["gbtree", "dart", "gblinear"])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("channels", [("train", "validation"), ("train",)], ids=len)
def test_every_trial_of_every_booster_trains_and_its_metric_is_found(
    job: Job, booster: str, metric: str, channels: tuple[str, ...]
) -> None:
    tables = {channel: lines(90, seed=seed) for seed, channel in enumerate(channels)}
    (pattern,) = (m["Regex"] for m in algorithm()["MetricDefinitions"] if m["Name"] == metric)
    for trial in trials():
        static = {"booster": booster, "_tuning_objective_metric": metric, "target": "fraud"}
        ran = job(tables, {**trial, **static, "nfold": 2})
        assert ran.code == 0, (trial, ran.log)
        # as CloudWatch has the log
        found = (re.search(pattern, line) for line in ran.log.replace("\t", "#011").splitlines())
        values = [float(match[1]) for match in found if match]
        assert len(values) >= 2, (trial, ran.log)
        best = METRICS[metric]
        assert values[-1] in values[:-1] if best is None else values[-1] == best(values[:-1])


@pytest.mark.long
def test_a_search_inside_a_trial_says_its_metric_once_and_last(job: Job) -> None:
    """Trials within are not values of the job: SageMaker takes the last one there is."""
    metric = "validation:auc"
    ran = job({"train": lines(seed=3)}, {"tune": 4, "_tuning_objective_metric": metric, "nfold": 2})
    assert ran.code == 0, ran.log
    (pattern,) = (m["Regex"] for m in algorithm()["MetricDefinitions"] if m["Name"] == metric)
    found = (re.search(pattern, line) for line in ran.log.replace("\t", "#011").splitlines())
    (value,) = (float(match[1]) for match in found if match)
    assert 0.5 < value <= 1
