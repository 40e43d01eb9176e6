"""A profile of a million rows: 20 columns, one of them of texts that are all different."""

from pathlib import Path
from time import process_time

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from sagetree.train.profiling.walk import run

pytestmark = pytest.mark.long

ROWS = 1_000_000

MOST_SECONDS = 30


def table() -> pa.Table:
    random = np.random.default_rng(1)
    numbers = random.normal(size=(ROWS, 12)).round(4)
    drawn = random.integers(0, 2**60, ROWS).tolist()
    day = np.datetime64("2020-01-01")
    return pa.table(
        {f"x{place}": numbers[:, place] for place in range(12)}
        | {
            "amount": np.exp(random.normal(6, 1, ROWS)).round(2),
            "age": random.integers(18, 90, ROWS),
            "state": random.choice(["CA", "WA", "OR", "NV", "AZ"], ROWS),
            "make": random.choice([f"make{number}" for number in range(200)], ROWS),
            "reported": day + random.integers(0, 1500, ROWS),
            "note": [f"claim of {code:x} at {row}" for row, code in enumerate(drawn)],
            "open": random.choice(["true", "false"], ROWS),
            "fraud": (numbers[:, 0] + random.normal(0, 2, ROWS) > 3).astype(np.int8),
        }
    )


def test_a_million_rows_take_less_than_half_a_minute(tmp_path: Path):
    pyarrow.csv.write_csv(table(), tmp_path / "million.csv")
    start = process_time()
    run([tmp_path / "million.csv"], {"target": "fraud"}, tmp_path / "profile.html")
    assert process_time() - start < MOST_SECONDS
