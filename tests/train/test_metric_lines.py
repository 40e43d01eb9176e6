"""What a job logs of its metrics: those asked for, of rows left out, as tuning jobs read them."""

import csv
import io
import re

import pytest
from sklearn import metrics as sklearn

from container.generate import algorithm
from sagetree.files.header import looks_like_header
from sagetree.files.reading import read_table
from tests.train.conftest import Job, Ran, lines

PATTERNS = {m["Name"]: re.compile(m["Regex"]) for m in algorithm()["MetricDefinitions"]}


def weighted(seed: int) -> str:
    """The usual rows, with a weight of 1, 2 or 3 as their last column."""
    rows = [*csv.reader(io.StringIO(lines(seed=seed)))]
    text = [
        ",".join([*rows[0], "w"]),
        *(",".join([*r, str(i % 3 + 1)]) for i, r in enumerate(rows[1:])),
    ]
    return "\n".join(text) + "\n"


def logged(ran: Ran, metric: str) -> list[float]:
    """The values SageMaker finds in the log, in order."""
    found = (PATTERNS[metric].search(line) for line in ran.log.replace("\t", "#011").splitlines())
    return [float(match[1]) for match in found if match]


def test_a_tuning_job_reads_the_best_value_last_and_rounds_stop_by_it(job: Job) -> None:
    ran = job(
        {"train": weighted(0), "validation": weighted(1)},
        {
            "num_round": 60,
            "early_stopping_rounds": 15,
            "max_depth": 4,
            "eta": 0.3,
            "weight_column": "w",
            "scale_pos_weight": 2,
            "eval_metric": "recall_at_precision@0.5,accuracy",
            "_tuning_objective_metric": "validation:f1",
        },
    )
    assert ran.code == 0, ran.log
    values = logged(ran, "validation:f1")
    assert len(values) > 15
    best = max(values[:-1])
    assert values[-1] == best
    assert values.index(best) + 1 == ran.model.scorer.boosters[0].rounds
    # Only what was asked for is computed: no default metric of XGBoost's beside it.
    assert {name for name in PATTERNS if logged(ran, name)} == {
        "validation:f1", "validation:accuracy", "validation:recall_at_precision",
    }  # fmt: skip
    rows = read_table(ran.opt_ml.data / "validation", looks_like_header)
    labels = [int(cell) for cell in rows.column("fraud").to_pylist()]
    weights = [int(cell) for cell in rows.column("w").to_pylist()]
    scores = ran.model.score(ran.model.schema.arrange(rows.without("fraud").without("w")))
    calls = scores > 0.5
    expected = sklearn.f1_score(labels, calls, average="macro", sample_weight=weights)
    assert best == pytest.approx(expected, abs=1e-5)
    accuracy = sklearn.accuracy_score(labels, calls, sample_weight=weights)
    assert logged(ran, "validation:accuracy")[-1] == pytest.approx(accuracy, abs=1e-5)


def test_a_metric_that_should_fall_stops_where_it_is_least(job: Job) -> None:
    ran = job(
        {"train": lines(), "validation": lines(seed=1)},
        {"num_round": 60, "early_stopping_rounds": 5, "max_depth": 4, "eta": 0.5,
         "eval_metric": "auc,logloss"},
    )  # fmt: skip
    values = logged(ran, "validation:logloss")
    assert values[-1] == min(values)
    assert values.index(min(values)) + 1 == ran.model.scorer.boosters[0].rounds
    assert len(logged(ran, "validation:auc")) == len(values)


def test_what_has_no_effect_is_logged_once(job: Job) -> None:
    settings = {"sketch_eps": 0.1, "tree_method": "hist", "nfold": 3}
    ran = job({"train": lines(), "validation": lines(seed=1)}, settings)
    assert ran.log.count("sketch_eps has no effect: take max_bin\n") == 1
    assert ran.log.count("nfold has no effect: the validation channel chooses the rounds\n") == 1
