"""The command line of `prepare`."""

import argparse
import os
from collections.abc import Sequence
from typing import NoReturn

from sagetree.errors import SettingsError
from sagetree.machine.paths import OptMl
from sagetree.machine.program import run_job
from sagetree.prepare.settings import DEFAULTS, REQUIRED, read_settings

DESCRIPTION = """\
Join raw tables, if there are several, and split their rows for training,
validation and test.

reads   /opt/ml/processing/input/TABLE/      all CSV (with header, UTF-8) or
        /opt/ml/processing/input/TABLE.csv   Parquet files of a table, or one
writes  /opt/ml/processing/output/train/train.parquet, and likewise
        validation/ and test/
        /opt/ml/output/message               the reason, if it fails

1 Cleans each table the query names, without a query all. Header lines among
  the rows and columns without a name (a written index) are left out. With a
  key, of the rows with one key the one with the latest event time is kept, of
  equal times the last one in file order (files by name); a key whose latest
  row is deleted goes. Without a column of event times equal rows are merged
  and different ones are an error. Without a key every row is kept.
2 Runs the query. With a key it sees one row per key, without deletion mark
  and event time (which stays if it is what to split by). Plain SQL, such as
  SELECT * FROM a LEFT JOIN b USING (key), runs on Athena too. Without a query
  one table is taken as it is; of several the one with the label keeps its
  rows, and the others are left-joined to it by the key.
3 Splits by key: rows of one key are in one part. Keys are ordered by
  md5(key:seed) within each label and cut at exact shares, so the split is the
  same in whatever order rows and files come. Classes each have their shares,
  train has at least one of each, and classes that a part lacks are logged;
  of numbers (more than 20 values) each tenth has its shares. Without a key
  the rows are split in this way, equal rows into one part.
  By time, train has the earliest keys and test the latest, by the latest time
  of each; equal times are in one part, which may shift the shares. A row
  without a time is an error.
4 Writes the label first, the key second, ordered by key, without one shuffled:
  the same input gives the same bytes. Files appear when all are whole.

Cells keep their meaning. N/A, None and NA are text; only an empty cell is
missing. A CSV column becomes numbers if every cell says just that number: 007
and numbers with more digits than a 64-bit number holds stay text.
"""

EPILOG = """\
Memory: --memory-limit bounds the database; the process needs some 400 MB more.
What exceeds it goes to a temporary folder (TMPDIR), about the tables' size.

The query can be an input, too: folders that it does not name are not read.
--sql /opt/ml/processing/input/query/join.sql

SAGEMAKER_BASE_DIR names another folder than /opt/ml.

examples: sagetree prepare --label fraud
          sagetree prepare --sql join.sql --key policy_id --label fraud
"""

HELP = {
    "sql": ("FILE", "the query, one SELECT"),
    "key": ("COLUMN", "the column that all tables share, one record each"),
    "label": ("COLUMN", "the column to predict: values, classes or numbers"),
    "positive_label": ("VALUE", "of two label values the one that is counted, as in training"),
    "event_time": ("COLUMN", "numbers or ISO 8601 times; a table may lack it"),
    "deleted": ("COLUMN", "true where a row says its key is gone; a table may lack it"),
    "split_by_time": ("COLUMN", "numbers or ISO 8601 times; the latest rows are test"),
    "split": ("SHARES", "of train, validation and test; no file for a share of 0"),
    "seed": ("N", "another one gives another split, but for one by time"),
    "format": ("FORMAT", "parquet or csv (with header)"),
    "memory_limit": ("SIZE", "what the database may hold in memory"),
}


# What happens where an option is not given, and has no default value.
ABSENT = {
    "sql": "the table as it is, or all joined by the key",
    "key": "rows are split one by one",
    "positive_label": "1, true or yes, else the rarer",
    "split_by_time": "none, split by the seed",
}


class Parser(argparse.ArgumentParser):
    """A parser whose errors end a job as every other fault does."""

    def error(self, message: str) -> NoReturn:
        """Raise SettingsError."""
        raise SettingsError(
            message, where=self.prog, hint=f"{self.prog} --help lists what it takes"
        )


def main(argv: Sequence[str]) -> int:
    """Run a preparation and return its exit code."""
    parser = _parser()
    if not {"-h", "--help"}.isdisjoint(argv):
        parser.print_help()
        parser.exit()
    opt_ml = OptMl.from_environ(os.environ)

    def work() -> int:
        options = vars(parser.parse_args(argv))
        given = {name: value for name, value in options.items() if value is not None}
        settings = read_settings(given)
        from sagetree.prepare.job import run  # takes time, and may fail

        return run(opt_ml, settings)

    return run_job(work, opt_ml.message)


def _parser() -> Parser:
    parser = Parser(
        prog="sagetree prepare",
        description=DESCRIPTION,
        epilog=EPILOG,
        allow_abbrev=False,
        add_help=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, (metavar, text) in HELP.items():
        usual = {**DEFAULTS, **ABSENT}.get(name)
        default = "required" if name in REQUIRED else f"default: {usual}"
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, metavar=metavar, help=f"{text} ({default})")
    return parser
