import numpy as np
import pytest

from bench.quality.judge import Case
from bench.quality.report import Scored, report
from bench.quality.table import read_tables
from tests.bench.tables import cancer, diabetes, write_tables

RIVALS = ("catboost", "lightgbm", "histogram", "linear", "xgboost", "search", "tuned")


@pytest.fixture
def cases(tmp_path):
    folder = write_tables(tmp_path, cancer=cancer(), diabetes=diabetes(60))
    return [Case(table, tuple(table.split())) for table in read_tables(folder)]


def scored(case, **errors):
    """Scores that miss each label by as much as `errors` says about a contender."""
    table = case.table
    return Scored(case, {
        name: {
            (fold.repeat, fold.number): off(table.labels[fold.rows], errors.get(name))
            for fold in case.folds
            if name in errors
        }
        for name in ("sagetree", *RIVALS)
    })  # fmt: skip


def off(labels, error):
    return np.where(labels == 1, 1 - error, error) if labels.max() == 1 else labels + error


def row(text, *heads):
    """The cells of the first line that begins so."""
    start = "| " + " | ".join(heads) + " |"
    line = next(line for line in text.splitlines() if line.startswith(start))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_summary_counts_tables_and_means_gains(cases):
    better = dict.fromkeys(RIVALS, 0.3) | {"sagetree": 0.1}
    text = report([scored(case, **better) for case in cases], [])
    assert row(text, "binary", "Brier score")[2:6] == ["1", "0 (0)", "1 (1)", "+0.0800 ± nan"]
    assert row(text, "binary", "AUC")[2:6] == ["1", "0 (0)", "0 (0)", "+0.0000 ± nan"]
    assert row(text, "regression", "RMSE / sd")[3:5] == ["0 (0)", "1 (1)"]
    assert len(row(text, "binary", "AUC")) == 5 + len(RIVALS)


def test_the_best_of_the_peers_is_the_one_to_beat_and_the_search_is_apart(cases):
    errors = dict.fromkeys(RIVALS, 0.3) | {"sagetree": 0.2, "linear": 0.1, "search": 0.01}
    text = report([scored(cases[1], **errors)], [])
    assert row(text, "binary", "Brier score")[3:5] == ["1 (1)", "0 (0)"]
    brier = text.partition("| binary: Brier score |")[2]
    assert row(brier, "cancer")[-2] == "-0.0300 ± 0.0000 (logistic regression)"
    assert row(brier, "cancer")[-1] == "+0.0500 ± 0.0000"  # on tune=30
    assert row(brier, "cancer")[1] == "0.0400"


def test_slopes_are_counted(cases):
    case = cases[1]
    right = {
        (fold.repeat, fold.number): calibrated(case.table.labels[fold.rows]) for fold in case.folds
    }
    empty = {name: {} for name in RIVALS if name != "xgboost"}
    sure = {place: np.where(rows > 0.5, 0.99, 0.01) for place, rows in right.items()}
    text = report([Scored(case, {"sagetree": right, "xgboost": sure, **empty})], [])
    assert row(text, "tables within 0.9 to 1.1")[1] == "1 of 1"
    assert row(text, "tables within 0.9 to 1.1")[6] == "0 of 1"
    assert row(text, "tables within 0.9 to 1.1")[2] == "0 of 0"


def calibrated(labels):
    """Return .75 for rows that are 1 in about three quarters, .25 for the others: a quarter."""
    positive, negative = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    high = round((3 * len(positive) - len(negative)) / 8)
    scores = np.full(len(labels), 0.25)
    scores[positive[: 3 * high]] = 0.75
    scores[negative[:high]] = 0.75
    return scores


def test_what_is_missing_is_said(cases):
    text = report([scored(cases[0], sagetree=1.0, xgboost=2.0)], ["rossi"])
    assert "- diabetes: CatBoost lacks 3 of 3 folds" in text
    assert "XGBoost lacks" not in text
    assert text.endswith("- rossi: its task is not judged")
    assert row(text, "regression", "R2")[5] == "-"
    assert "tune=30 lacks" not in text  # which is computed only where it is asked for by name
