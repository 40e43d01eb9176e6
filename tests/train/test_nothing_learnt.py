"""A label without two values, a model that tells no rows apart, rounds cut off: each is said."""

import numpy as np
import pytest

from tests.train.conftest import Job

RANDOM = np.random.default_rng(3)
ROWS = 200
XS = RANDOM.normal(size=ROWS).round(3)
NOISE = RANDOM.normal(size=ROWS).round(3)
SETTINGS = {"preset": "xgboost", "num_round": 5, "nfold": 2, "max_depth": 2}
FROM_LAST = "Name the column to predict, or give rows with other labels"


def table(labels: np.ndarray, xs: np.ndarray = XS) -> str:
    return "\n".join(["y,x", *(f"{y},{x}" for y, x in zip(labels, xs, strict=True)), ""])


@pytest.mark.parametrize(
    ("objective", "label", "more"),
    [
        ("reg:squarederror", "7.5", {}),
        ("reg:squarederror", "-1e-05", {}),
        ("reg:gamma", "2", {}),
        ("reg:tweedie", "0", {}),
        ("count:poisson", "0", {}),
        ("reg:quantileerror", "3", {"quantile_alpha": 0.5}),
        ("reg:logistic", "1", {}),
        ("rank:ndcg", "1", {"group_column": "x"}),
        ("survival:cox", "4", {}),
        ("survival:aft", "4", {}),
    ],
)
def test_a_constant_label_is_an_error(
    job: Job, objective: str, label: str, more: dict[str, object]
) -> None:
    text = "\n".join(["y,x,z", *(f"{label},{x},{z}" for x, z in zip(XS, NOISE, strict=True)), ""])
    ran = job({"train": text}, {**SETTINGS, "objective": objective, **more})
    assert ran.code == 1
    assert ran.failure == (
        f"data.csv line 2, column 'y': the label is '{label}' in every row. {FROM_LAST}\n"
    )


def test_constant_bounds_are_an_error_too(job: Job) -> None:
    text = "\n".join(["low,high,x", *(f"1,2,{x}" for x in XS), ""])
    settings = {"label_lower_bound": "low", "label_upper_bound": "high"}
    ran = job({"train": text}, {**SETTINGS, "objective": "survival:aft", **settings})
    assert ran.failure == (
        "data.csv line 2, column 'low' and 'high': the label is '1' to '2' in every row. "
        f"{FROM_LAST}\n"
    )


def test_a_validation_channel_needs_two_values_as_well(job: Job) -> None:
    ran = job(
        {"train": table(XS), "validation": table(np.full(ROWS, 1.5))},
        {**SETTINGS, "objective": "reg:squarederror"},
    )
    assert ran.code == 1
    assert ran.failure == (
        "channel validation, data.csv line 2, column 'y': the label is '1.5' in every row. "
        f"{FROM_LAST}\n"
    )


def test_trees_without_a_split_are_a_warning(job: Job) -> None:
    ran = job(
        {"train": table(XS)},
        {**SETTINGS, "objective": "reg:squarederror", "min_child_weight": 10_000},
    )
    assert ran.code == 0
    assert (
        "Warning: the model has learnt nothing: no tree has a split, so every row gets the same "
        "score. Each side of a split needs a hessian of min_child_weight=10000, and all rows have "
    ) in ran.log


@pytest.mark.parametrize(
    ("labels", "objective", "why"),
    [
        (NOISE, "reg:squarederror", "is not surely better than 0, which saying the same of every"),
        ((NOISE > 0.8).astype(int), "binary:logistic", "the 95 % interval of the AUC, "),
        (np.exp(NOISE).round(3), "survival:aft", "is not surely better than 0.5, which saying"),
    ],
)
def test_labels_that_are_noise_are_a_warning(
    job: Job, labels: np.ndarray, objective: str, why: str
) -> None:
    ran = job({"train": table(labels)}, {**SETTINGS, "objective": objective})
    assert ran.code == 0
    (line,) = [line for line in ran.log.splitlines() if "has learnt nothing" in line]
    assert line.startswith(
        "Warning: the model has learnt nothing that shows on the held-out rows of 2-fold "
        "cross-validation: "
    )
    assert why in line


@pytest.mark.parametrize(
    ("labels", "objective"),
    [
        (XS, "reg:squarederror"),
        ((XS > 0.8).astype(int), "binary:logistic"),
        (np.exp(XS).round(3), "survival:aft"),
        (np.digitize(XS, [-1, 1]), "multi:softprob"),
    ],
)
def test_a_model_that_has_learnt_is_not_warned_of(
    job: Job, labels: np.ndarray, objective: str
) -> None:
    ran = job({"train": table(labels)}, {**SETTINGS, "objective": objective})
    assert ran.code == 0
    assert "learnt nothing" not in ran.log
    assert "num_round were made" not in ran.log  # nothing was to stop them


def test_rounds_that_end_before_early_stopping_are_said(job: Job) -> None:
    settings = {**SETTINGS, "objective": "reg:squarederror", "early_stopping_rounds": 10}
    told = (
        "All 5 rounds of num_round were made before rmse stopped improving for 10: a higher "
        "num_round may give a better model\n"
    )
    assert told in job({"train": table(XS)}, settings).log
    ran = job({}, {**settings, "num_round": 2000})
    assert "num_round were made" not in ran.log
