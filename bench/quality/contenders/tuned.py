"""sagetree after a search of its own: `train` with `tune=30` and the label, then `predict`."""

from dataclasses import replace

from bench.quality.contenders import sagetree
from bench.quality.table import FloatArray, Fold, Table

TRIALS = 30


def scores(table: Table, fold: Fold) -> FloatArray:
    """Return the scores of the fold's rows by a model of the others."""
    given = {**table.hyperparameters, "tune": str(TRIALS)}
    return sagetree.scores(replace(table, hyperparameters=given), fold)
