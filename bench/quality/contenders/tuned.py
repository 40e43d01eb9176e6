"""sagetree with what its own search has found: `train` with `tune=30`, then with these settings.

Without a validation channel such a job searches six times, five of them to judge itself. Here
other folds judge, so the search is given a channel of a few rows, which chooses nothing, and a
job on all rows is given what it has found.
"""

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.quality.contenders import sagetree
from bench.quality.table import REGRESSION, FloatArray, Fold, IntArray, Table
from sagetree.bundle.learning_curve import TuningHistory

TRIALS = 30

# Rows of each class, or of all, in the channel that chooses nothing.
FEW, FEW_NUMBERS = 2, 10


def scores(table: Table, fold: Fold) -> FloatArray:
    """Return the scores of the fold's rows by a model of the others."""
    given = {**table.hyperparameters, **_found(table, fold.others(len(table.frame)))}
    return sagetree.scores(replace(table, hyperparameters=given), fold)


def _found(table: Table, rows: IntArray) -> dict[str, str]:
    """Return the settings that a search in these rows has chosen."""
    few = _few(table, rows)
    searched = replace(table, hyperparameters={**table.hyperparameters, "tune": str(TRIALS)})
    with tempfile.TemporaryDirectory() as folder:
        train, validation = (Path(folder) / f"{part}.csv" for part in ("train", "validation"))
        table.frame.iloc[np.setdiff1d(rows, few)].to_csv(train, index=False)
        table.frame.iloc[few].to_csv(validation, index=False)
        out = Path(folder) / "out"
        channels = (train, "--validation", validation, "--target", table.target, "--out", out)
        sagetree.run("train", *channels, *sagetree.settings(searched))
        manifest = json.loads((out / "model" / "sagetree" / "manifest.json").read_text())
    history = TuningHistory.model_validate(manifest["tuning"])
    found = {name: str(value) for name, value in history.trials[history.chosen].settings.items()}
    # Mean labels for many categories are what holds without a search; `target` means all columns.
    return {name: value for name, value in found.items() if (name, value) != ("encoding", "target")}


def _few(table: Table, rows: IntArray) -> IntArray:
    if table.task == REGRESSION:
        return rows[:FEW_NUMBERS]
    labels = table.labels[rows]
    return np.concatenate([rows[labels == one][:FEW] for one in np.unique(labels)])
