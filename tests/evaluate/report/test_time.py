"""How much processor time a report takes, of few rows and of a million."""

import cProfile
import pstats
from pathlib import Path
from time import process_time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.evaluate.cli import main as evaluate
from sagetree.evaluate.report.writing import write_report
from sagetree.train.cli import main as train

OF_A_THOUSAND, OF_A_MILLION = 3, 30

SETTINGS = {
    "binary": ["target=fraud", "decision=cost: miss=amount alarm=60"],
    "survival": ["target=months", "event_column=fraud", "objective=survival:cox"],
}


def table(rows: int, seed: int) -> pa.Table:
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(rows, 12))
    fraud = (numbers[:, 0] + random.normal(size=rows) > 1).astype(np.int8)
    return pa.table(
        {f"x{place}": numbers[:, place] for place in range(12)}
        | {
            "amount": np.exp(random.normal(6, 1, rows)),
            "state": random.choice(["CA", "WA", "OR"], rows),
            "fraud": fraud,
            "months": np.exp(random.normal(size=rows) - numbers[:, 1]) + 0.01,
        }
    )


def seconds_of_report(folder: Path, task: str, rows: int) -> float:
    """Train on few rows, evaluate on these, and return the report's part of the time."""
    pq.write_table(table(1000, 0), folder / "train.parquet")
    pq.write_table(table(rows, 1), folder / "test.parquet")
    out = str(folder / "out")
    settings = [word for each in ("num_round=30", *SETTINGS[task]) for word in ("--set", each)]
    assert train([str(folder / "train.parquet"), "--out", out, *settings]) == 0
    profile = cProfile.Profile(process_time)
    assert profile.runcall(evaluate, [out, str(folder / "test.parquet")]) == 0
    code = write_report.__code__
    place = code.co_filename, code.co_firstlineno, code.co_name
    return pstats.Stats(profile).stats[place][3]


@pytest.mark.long
@pytest.mark.parametrize("task", list(SETTINGS))
def test_a_thousand_rows(task: str, tmp_path: Path):
    assert seconds_of_report(tmp_path, task, 1000) < OF_A_THOUSAND


@pytest.mark.long
@pytest.mark.parametrize("task", list(SETTINGS))
def test_a_million_rows(task: str, tmp_path: Path):
    assert seconds_of_report(tmp_path, task, 1_000_000) < OF_A_MILLION
