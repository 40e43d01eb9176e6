"""Copied rows: held out together, counted once, and said; too few distinct ones hold none out."""

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sagetree.bundle.bundle import ModelBundle
from sagetree.train.examples.copies import TOLD_COPIES
from tests.sagetree.models import table_of
from tests.train.conftest import Job, Ran

QUICK = {"num_round": 30, "max_depth": 2, "nfold": 3, "eta": 0.1}


def drawn(rows: int, seed: int = 0) -> list[str]:
    """Lines of a label and five numbers; one of them says something about it."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 5)).round(4)
    positive = random.random(rows) < 1 / (1 + np.exp(-1.2 * x[:, 0]))
    return [",".join(map(str, [int(y), *row])) for y, row in zip(positive, x, strict=True)]


def csv(lines: list[str]) -> str:
    return "\n".join(["y,a,b,c,d,e", *lines, ""])


def measured(ran: Ran) -> tuple[float, tuple[float, float]]:
    """Return the AUC and its interval."""
    assert ran.code == 0, ran.log
    found = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())
    low, high = found["auc_interval"]
    return found["binary_classification_metrics"]["auc"]["value"], (low, high)


def truth(ran: Ran) -> float:
    """Return the AUC of the model on rows that nobody has seen."""
    cells = np.array([line.split(",") for line in drawn(4000, seed=9)], float)
    table = table_of(dict(zip("abcde", cells[:, 1:].T.tolist(), strict=True)))
    return float(roc_auc_score(cells[:, 0], ran.model.score(table)))


def said(copies: int, rows: int, channel: str = "train") -> str:
    return (
        f"Warning: channel {channel}: {copies} of {rows} rows are copies of other rows "
        f"({rows - copies} are distinct). Copies are held out together. Copies count once in "
        "intervals and standard deviations. Upsampled rows add no information: weights "
        "(weight_column, scale_pos_weight) do the same\n"
    )


@pytest.mark.long
def test_a_table_repeated_six_times_is_measured_as_the_table(job: Job) -> None:
    lines = drawn(400, seed=3)
    alone, (low, high) = measured(job({"train": csv(lines)}, QUICK))
    ran = job({"train": csv(lines * 6)}, QUICK)
    auc, interval = measured(ran)
    assert said(2000, 2400) in ran.log
    assert auc == pytest.approx(alone, abs=0.08)
    assert interval[0] < truth(ran) < interval[1]
    assert interval[1] - interval[0] == pytest.approx(high - low, rel=0.3)


def test_upsampled_positives_are_measured_as_they_are(job: Job) -> None:
    lines = drawn(800, seed=1)
    negative = [line for line in lines if line[0] == "0"][:300]
    positive = [line for line in lines if line[0] == "1"][:30]
    ran = job({"train": csv(negative + positive * 10)}, QUICK)
    auc, (low, high) = measured(ran)
    assert said(270, 600) in ran.log
    assert auc < 0.85
    assert low < truth(ran) < high
    assert high - low > 0.12  # thirty positives say no more


def test_a_validation_channel_with_copies_counts_them_once(job: Job) -> None:
    channels = {"train": csv(drawn(240)), "validation": csv(drawn(100, seed=2))}
    once, (low, high) = measured(job(channels, QUICK))
    channels["validation"] = csv(drawn(100, seed=2) * 9)
    ran = job(channels, QUICK)
    auc, interval = measured(ran)
    assert said(800, 900, "validation") in ran.log
    assert auc == pytest.approx(once, abs=1e-6)
    assert interval == pytest.approx((low, high), abs=1e-6)


def test_copies_stay_with_their_group_where_a_column_names_groups(job: Job) -> None:
    lines = [f"{line},{number % 40}" for number, line in enumerate(drawn(200))]
    text = "\n".join(["y,a,b,c,d,e,g", *lines * 3, ""])
    ran = job({"train": text}, {**QUICK, "group_column": "g"})
    assert ran.code == 0, ran.log
    assert "400 of 600 rows are copies of other rows (200 are distinct). Copies count" in ran.log


def test_a_few_copies_are_not_worth_a_line(job: Job) -> None:
    lines = drawn(240)
    ran = job({"train": csv([*lines, lines[0]])}, QUICK)
    assert TOLD_COPIES > 1 / 241
    assert ran.code == 0
    assert "are copies" not in ran.log


@pytest.mark.parametrize(
    ("lines", "objective"),
    [
        (["0,1.5,7,2,6,1", "1,2.5,3,9,8,2"] * 100, "binary:logistic"),
        ([*["0,1.5,7,2,6,1", "0,4.5,4,3,7,5", "0,0.5,1,0,3,9"] * 50, *["1,2.5,3,9,8,2"] * 50],
         "binary:logistic"),
        # each label has two distinct rows, but one's twins do not agree
        ([*["0,1.5,7,2,6,1"] * 99, "1,1.5,7,2,6,1", *["1,2.5,3,9,8,2"] * 99], "binary:logistic"),
        (["7.5,1.5,7,2,6,1"] * 50 + ["7.5,1.5,7,2,6,1"] * 50 + ["9,1,2,3,4,5"], "multi:softprob"),
    ],
)  # fmt: skip
def test_too_few_distinct_rows_to_leave_any_out(job: Job, lines: list[str], objective: str) -> None:
    ran = job({"train": csv(lines)}, {"num_round": 5, "objective": objective})
    assert ran.code == 0, ran.log
    assert (
        "Warning: the distinct rows of train are too few to hold some out: 5 rounds are made, "
        "and nothing shows how good the model is. Add rows, or give a validation channel\n"
    ) in ran.log
    assert not ModelBundle.load(ran.opt_ml.model).metrics


def test_folds_that_were_asked_for_need_distinct_rows(job: Job) -> None:
    lines = ["0,1.5,7,2,6,1", "0,4.5,4,3,7,5", "1,2.5,3,9,8,2"] * 60
    ran = job({"train": csv(lines)}, {"nfold": 2})
    assert ran.code == 1
    assert ran.failure == (
        "channel train: the rarer label has 1 distinct row, too few for 2 folds. Add rows of it, "
        "set neither nfold nor _kfold, or give a validation channel\n"
    )
