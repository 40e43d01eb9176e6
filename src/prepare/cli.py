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
Join raw tables on a key and split them for training, validation and test.

reads   /opt/ml/processing/input/TABLE/      all CSV (with header, UTF-8) or
        /opt/ml/processing/input/TABLE.csv   Parquet files of a table, or one
writes  /opt/ml/processing/output/train/train.parquet, and likewise
        validation/ and test/
        /opt/ml/output/message               the reason, if it fails

1 Cleans each table the query names. Header lines among the rows and columns
  without a name (a written index) are left out. Of the rows with one key the
  one with the latest event time is kept, of equal times the last one in file
  order (files by name); a key whose latest row is deleted goes. Without a
  column of event times equal rows are merged and different ones are an error.
2 Runs the query. It sees one row per key, without event time and deletion
  mark. Plain SQL, such as SELECT * FROM a LEFT JOIN b USING (key), runs on
  Athena too.
3 Splits by key: rows of one key are in one part. Keys are ordered by
  md5(key:seed) within each label and cut at exact shares, so the split is the
  same in whatever order rows and files come.
4 Writes the label first, the key second, ordered by key: the same input gives
  the same bytes. Files appear when all are whole.

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

example: sagetree prepare --sql join.sql --key policy_id --label fraud
"""

HELP = {
    "sql": ("FILE", "the query, one SELECT"),
    "key": ("COLUMN", "the column that all tables share"),
    "label": ("COLUMN", "the column to predict, of two values"),
    "positive_label": ("VALUE", "the label value that is counted, as in training"),
    "event_time": ("COLUMN", "numbers or ISO 8601 times; a table may lack it"),
    "deleted": ("COLUMN", "true where a row says its key is gone; a table may lack it"),
    "split": ("SHARES", "of train, validation and test; no file for a share of 0"),
    "seed": ("N", "another one gives another split"),
    "format": ("FORMAT", "parquet or csv (with header)"),
    "memory_limit": ("SIZE", "what the database may hold in memory"),
}


# The default where the label itself says it.
USUAL = "1, true or yes, else the rarer"


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
        default = "required" if name in REQUIRED else f"default: {DEFAULTS.get(name, USUAL)}"
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, metavar=metavar, help=f"{text} ({default})")
    return parser
