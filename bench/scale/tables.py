"""Generated tables of any size as CSV: python -m bench.scale.tables FOLDER ROWS COLUMNS."""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

# Three of four columns are numbers, the fourth is text with WORDS values; 2 % of cells are empty.
WORDS, MISSING = 12, 0.02

# Cells made and written at once.
STEP = 5_000_000


def generate(root: Path, rows: int, columns: int) -> None:
    """Write the tables: two that have a key to prepare, and other rows for train and test."""
    for seed, name in enumerate(("train", "validation", "test", "tables")):
        count = rows // 10 if name == "validation" else rows
        (root / name).mkdir(parents=True)
        _write(root / name, np.random.default_rng(seed), count, columns)


def _write(folder: Path, random: np.random.Generator, rows: int, columns: int) -> None:
    is_keyed = folder.name == "tables"
    writers: dict[str, pa_csv.CSVWriter] = {}
    step = max(1, STEP // columns)
    for begin in range(0, rows, step):
        whole = _rows(random, min(step, rows - begin), columns)
        parts = {"data": whole}
        if is_keyed:
            keys = pa.array(np.arange(begin, begin + len(whole)))
            parts = {
                "features": whole.drop_columns(["y"]).append_column("id", keys),
                "labels": pa.table({"id": keys, "y": whole["y"]}),
            }
        for name, part in parts.items():
            if name not in writers:
                writers[name] = pa_csv.CSVWriter(
                    folder / f"{name}.csv",
                    part.schema,
                    write_options=pa_csv.WriteOptions(quoting_style="none"),
                )
            writers[name].write_table(part)
    for writer in writers.values():
        writer.close()


def _rows(random: np.random.Generator, rows: int, columns: int) -> pa.Table:
    words = pa.array([f"w{number}" for number in range(WORDS)])
    found: dict[str, pa.Array] = {}
    margin = np.zeros(rows)
    for place in range(columns):
        lacks = random.random(rows) < MISSING
        if place % 4 == 3:
            codes = random.integers(0, WORDS, rows).astype(np.int32)
            found[f"c{place}"] = words.take(pa.array(codes, mask=lacks))
            continue
        values = random.normal(size=rows).astype(np.float32).round(4)
        found[f"x{place}"] = pa.array(values, mask=lacks)
        margin += values if place < 4 else 0
    labels = (random.random(rows) < 1 / (1 + np.exp(1 - margin))).astype(np.int8)
    return pa.table({"y": pa.array(labels), **found})


if __name__ == "__main__":
    generate(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
