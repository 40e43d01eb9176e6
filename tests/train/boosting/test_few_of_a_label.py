"""Few rows of a label: the defaults that yield, so that trees can tell them apart."""

import numpy as np
import pytest

from sagetree.machine.paths import OptMl
from tests.serve.artifacts import client_for
from tests.serve.asking import post
from tests.train.conftest import Job

XS = np.random.default_rng(4).normal(size=(5000, 2)).round(3)


def table(rows: int, positives: int) -> dict[str, object]:
    """Rows that are positive where a is greatest."""
    some = XS[:rows]
    cut = np.sort(some[:, 0])[-positives]
    lines = [f"{int(a >= cut)},{a},{b}" for a, b in some.tolist()]
    return {"train": "\n".join(["y,a,b", *lines])}


def scores(opt_ml: OptMl, cells: list[float]) -> list[float]:
    body = "\n".join(f"{cell},0" for cell in cells).encode()
    return list(map(float, post(client_for(opt_ml.model), body).text.split()))


def told(log: str) -> list[str]:
    return [line for line in log.splitlines() if line.startswith("There are few rows of the rarer")]


def test_separable_labels_get_probabilities_near_0_and_1(job: Job) -> None:
    ran = job(table(40, 20), {"num_round": "500", "max_depth": "1"})
    low, high = scores(ran.opt_ml, [-2.0, 2.0])
    assert low < 0.07
    assert high > 0.93
    assert told(ran.log) == [
        "There are few rows of the rarer label: min_child_weight is 0.5 in place of 2 and "
        "lambda is 2 in place of 10"
    ]


def test_three_positives_in_fifty_rows_teach_something(job: Job) -> None:
    ran = job(table(50, 3), {"num_round": "100", "max_depth": "2"})
    low, high = scores(ran.opt_ml, [-2.0, 2.5])
    assert high > 2 * low
    assert "no tree has a split" not in ran.log


@pytest.mark.parametrize(
    ("rows", "positives", "given", "lower"),
    [
        (50, 3, {}, "min_child_weight is 0.141 in place of 2 and lambda is 1 in place of 10"),
        (1000, 42, {}, "lambda is 8.05 in place of 10"),
        pytest.param(1000, 60, {}, "", marks=pytest.mark.long),
        (50, 3, {"lambda": "10"}, "min_child_weight is 0.141 in place of 2"),
        (50, 3, {"reg_lambda": "4", "min_child_weight": "2"}, ""),
        (50, 3, {"preset": "xgboost"}, ""),
        pytest.param(
            1000,
            60,
            {"scale_pos_weight": "0.5"},
            "min_child_weight is 1.45 in place of 2 and lambda is 5.81 in place of 10",
            marks=pytest.mark.long,
        ),
    ],
)
def test_what_yields(
    job: Job, rows: int, positives: int, given: dict[str, str], lower: str
) -> None:
    ran = job(table(rows, positives), {"num_round": "1", "max_depth": "1", **given})
    assert ran.code == 0, ran.log
    assert told(ran.log) == ([f"There are few rows of the rarer label: {lower}"] if lower else [])
