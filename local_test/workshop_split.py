"""Split the workshop's dataset.csv as the workshop did, row for row: 80 % train, the rest test.

Reads DIR/processing/input/dataset.csv and writes DIR/processing/output, the label
first, without the key and columns without a name. The workshop's rows are chosen
by pandas' random generator, so pandas chooses them here too; it sees the number
of rows alone.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from sagetree.errors import DataError
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG, run_job
from sagetree.prepare.database import Database, identifier, open_database
from sagetree.prepare.inputs import find_name, find_tables
from sagetree.prepare.joining import JOINED
from sagetree.prepare.kinds import key_column, typed_cells
from sagetree.prepare.loading import RawTable, load_table
from sagetree.prepare.outputs import PartFiles, write_parts
from sagetree.prepare.query import Query
from sagetree.prepare.report import parts_report
from sagetree.prepare.settings import FORMATS, Format
from sagetree.prepare.splitting.assigning import ASSIGNED, Split
from sagetree.prepare.splitting.labels import read_label
from sagetree.prepare.splitting.parts import count_parts

TABLE = "dataset"
QUERY = Query("SELECT * FROM dataset", "workshop_split", frozenset({TABLE}))
MEMORY_BYTES = 10**9

# create_dataset.py of the workshop: dataset.sample(frac=0.80, random_state=0)
TRAIN_SHARE = 0.8
RANDOM_STATE = 0


def main(argv: Sequence[str] | None = None) -> int:
    """Split DIR's table and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m local_test.workshop_split", description=__doc__
    )
    parser.add_argument("--key", default="policy_id", help="the column that is left out")
    parser.add_argument("--label", default="fraud", help="the column to predict")
    parser.add_argument("--format", choices=FORMATS, default="parquet")
    parser.add_argument("dir", type=Path, metavar="DIR", help="stands for /opt/ml")
    options = parser.parse_args(argv)
    opt_ml = OptMl(options.dir)
    return run_job(
        lambda: split(opt_ml, options.key, options.label, options.format), opt_ml.message
    )


def split(opt_ml: OptMl, key: str, label_name: str, format: Format) -> int:  # noqa: A002
    """Split processing/input/dataset and return 0. Raises UserError for what the user gave."""
    output = PartFiles(opt_ml.processing / "output", format)
    with open_database(MEMORY_BYTES) as db:
        (files,) = find_tables(opt_ml.processing / "input", QUERY)
        raw = load_table(db, files)
        db.confine(output.folders)
        key_name = take_rows(db, raw, key)
        label = read_label(db, label_name)
        rows = split_by_row(db)
        parts = count_parts(db, rows, label)
        write_parts(db, rows, [label.column], [key_name], output)
    LOG.info(parts_report(parts, label))
    return 0


def take_rows(db: Database, raw: RawTable, key: str) -> str:
    """Make the table as it is the joined one and return its key column's name."""
    column = key_column(raw, key)
    if find_name(raw.columns, "rowid"):
        hint = "Rename it: each row gets a number of that name"
        raise DataError("column 'rowid' exists already", where=f"table {raw.name}", hint=hint)
    cells = ", ".join(f"{cell} AS {identifier(c)}" for c, cell in typed_cells(db, raw).items())
    db.run(f"CREATE TABLE {JOINED} AS SELECT {cells} FROM {raw.sql} ORDER BY rowid")  # noqa: S608
    return column


def split_by_row(db: Database) -> Split:
    """Give 80 % of the rows to train, in the order in which pandas draws them, the rest to test."""
    rows = pd.RangeIndex(db.count(JOINED)).to_series()
    train = rows.sample(frac=TRAIN_SHARE, random_state=RANDOM_STATE)
    test = rows.drop(train.index)
    drawn = pa.table(
        {
            "id": pa.array(pd.concat([train, test]).to_numpy()),
            "part": ["train"] * len(train) + ["test"] * len(test),
            "place": range(len(rows)),
        }
    )
    db.run(f"CREATE TABLE {ASSIGNED} (id BIGINT, part VARCHAR, place BIGINT)")
    db.insert(ASSIGNED, "*", drawn)
    return Split(("train", "test"), "j.rowid = a.id", "a.place")


if __name__ == "__main__":
    sys.exit(main())
