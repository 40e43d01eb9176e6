"""Cells that are missing only after training: the scores stay near those of whole rows."""

import json

import numpy as np
import pytest

from sagetree.machine.paths import OptMl
from tests.serve.artifacts import client_for
from tests.serve.asking import post
from tests.train.conftest import Job

HEADER = "y,a,b,c"


def rows(count: int, seed: int, missing: float = 0.0) -> list[str]:
    """Rows of a label that is 1 in some 15 %, for high numbers of a and b."""
    random = np.random.default_rng(seed)
    cells = random.normal(size=(count, 3)).round(3)
    labels = 2.0 * cells[:, 0] + cells[:, 1] + random.logistic(size=count) > 2.7
    absent = random.random(cells.shape) < missing
    return [
        ",".join(
            [str(int(y)), *("" if gone else str(x) for x, gone in zip(line, out, strict=True))]
        )
        for y, line, out in zip(labels, cells, absent, strict=True)
    ]


def scores(opt_ml: OptMl, lines: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and what the served model says."""
    labels = np.array([int(line[0]) for line in lines])
    body = "\n".join(line[2:] for line in lines).encode()
    return labels, np.array(post(client_for(opt_ml.model), body).text.split(), float)


@pytest.mark.long
def test_the_mean_score_stays_near_the_labels(job: Job) -> None:
    ran = job({"train": "\n".join([HEADER, *rows(600, 1)])}, {"num_round": "60"})
    labels, found = scores(ran.opt_ml, rows(3000, 2, missing=0.3))
    assert found.mean() == pytest.approx(labels.mean(), rel=0.3)


def test_metrics_are_those_of_the_model_that_serves(job: Job) -> None:
    validation = rows(400, 3, missing=0.3)
    ran = job(
        {
            "train": "\n".join([HEADER, *rows(600, 1)]),
            "validation": "\n".join([HEADER, *validation]),
        },
        {"num_round": "60", "calibration": "none"},  # rounds know none
    )
    labels, found = scores(ran.opt_ml, validation)
    logloss = -np.log(np.where(labels, found, 1 - found)).mean()
    metrics = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())
    value = metrics["binary_classification_metrics"]["validation:logloss"]["value"]
    assert value == pytest.approx(logloss, rel=1e-4)
    assert f"validation-logloss:{value:.5f}"[:24] in ran.log


def test_the_preset_of_xgboost_leaves_its_ways(job: Job) -> None:
    data = {"train": "\n".join([HEADER, *rows(600, 1)])}
    ran = job(data, {"num_round": "20", "max_depth": "2", "preset": "xgboost"})
    _, whole = scores(ran.opt_ml, rows(300, 2))
    _, missing = scores(ran.opt_ml, rows(300, 2, missing=0.5))
    assert missing.mean() > 1.3 * whole.mean()
