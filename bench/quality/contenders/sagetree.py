"""sagetree as a user has it: `train` with nothing set but the label, then `predict`."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from bench.quality.table import BINARY, MULTICLASS, OBJECTIVES, FloatArray, Fold, Table

PROGRAM = Path(sys.executable).with_name("sagetree")


def scores(table: Table, fold: Fold) -> FloatArray:
    """Return the scores of the fold's rows by a model of the others."""
    with tempfile.TemporaryDirectory() as folder:
        train, rows, scored = (Path(folder) / f"{part}.csv" for part in ("train", "rows", "scored"))
        table.frame.iloc[fold.others(len(table.frame))].to_csv(train, index=False)
        table.frame.iloc[fold.rows].drop(columns=table.target).to_csv(rows, index=False)
        out = Path(folder) / "out"
        run("train", train, "--target", table.target, "--out", out, *settings(table))
        run("predict", "--model", out / "model", rows, "--output", scored)
        found = pd.read_csv(scored)
    if table.task == MULTICLASS:
        return np.asarray(found[[f"score_{label}" for label in table.classes]], dtype=np.float64)
    return np.asarray(found["score"], dtype=np.float64)


def settings(table: Table) -> list[str]:
    """Return the words of `sagetree train` that a table needs."""
    given = {"nthread": "1", "objective": OBJECTIVES[table.task], **table.hyperparameters}
    if table.task == BINARY:
        given["positive_label"] = str(table.positive)
    return [word for name, value in given.items() for word in ("--set", f"{name}={value}")]


def run(*words: str | Path) -> None:
    """Run `sagetree`; raise RuntimeError with its log where it fails."""
    process = subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=False)
    if process.returncode:
        raise RuntimeError(f"sagetree {words[0]} failed:\n{process.stdout}{process.stderr}")
