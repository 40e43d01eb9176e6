"""The command line of `prepare`."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from sagetree.desk.contract_folder import DEFAULT_OUT, is_marked
from sagetree.desk.options import parse_options
from sagetree.errors import SagetreeError, SettingsError
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG, refuse, run_job
from sagetree.prepare.settings import DEFAULTS, REQUIRED, PrepareSettings, read_settings

DESCRIPTION = """\
Join raw tables on a key and split them for training, validation and test.

With TABLE it takes files (CSV or Parquet) and folders of your own, and without
--sql joins to the rows of the first one what the others have for its keys:

  sagetree prepare claims.csv customers.csv --key policy_id --label fraud

It writes processing/output/ in sagetree-out; --out names another folder.

Without TABLE it works on SageMaker's folders:

  sagetree prepare --sql join.sql --key policy_id --label fraud

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
"""

HELP = {
    "sql": ("FILE", "the query, one SELECT; optional with TABLE, else"),
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

# The query that joins tables given by name, where no other is.
QUERY_NAME = "join.sql"


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
    if _names_tables(parser, argv):
        return _prepare_own(parser, argv)

    def work() -> int:
        return _run(opt_ml, read_settings(_given(parse_options(parser, argv))))

    return run_job(work, opt_ml.message)


def report(argv: Sequence[str]) -> Path | None:
    """Return the file in which the job says why it failed, None where it has none yet."""
    parser = _parser()
    if not _names_tables(parser, argv):
        return OptMl.from_environ(os.environ).message
    out = parse_options(parser, argv).out or DEFAULT_OUT
    return OptMl(out).message if is_marked(out) else None


def _names_tables(parser: Parser, argv: Sequence[str]) -> bool:
    """Say whether there are tables among the arguments; of wrong ones, whether they begin so."""
    try:
        return bool(parse_options(parser, argv).tables)
    except SettingsError:
        return bool(argv) and not argv[0].startswith("-")


def _prepare_own(parser: Parser, argv: Sequence[str]) -> int:
    # as much as the job itself imports
    from sagetree.prepare.own_files import ending, lay_out

    try:
        options = parse_options(parser, argv)
        out = options.out or DEFAULT_OUT
        query = OptMl(out).processing / QUERY_NAME
        settings = read_settings({"sql": str(query), **_given(options)})
        own_query = query if settings.sql == query else None
        laid_out = lay_out(out, options.tables, settings.key, own_query, os.environ)
    except (SagetreeError, OSError) as error:
        return refuse(error)

    def work() -> int:
        code = _run(laid_out, settings)
        LOG.info(ending(laid_out, settings))
        return code

    return run_job(work, laid_out.message)


def _given(options: argparse.Namespace) -> dict[str, str]:
    if options.out and not options.tables:
        raise SettingsError(
            "it goes with tables", where="--out", hint="Name files and folders before any option"
        )
    return {
        name: value
        for name, value in vars(options).items()
        if name not in ("tables", "out") and value is not None
    }


def _run(opt_ml: OptMl, settings: PrepareSettings) -> int:
    from sagetree.prepare.job import run  # takes time, and may fail

    return run(opt_ml, settings)


def _parser() -> Parser:
    parser = Parser(
        prog="sagetree prepare",
        description=DESCRIPTION,
        epilog=EPILOG,
        allow_abbrev=False,
        add_help=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "tables", nargs="*", type=Path, metavar="TABLE", help="files and folders, a table each"
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help=f"with TABLE: the folder to write to (default: {DEFAULT_OUT})",
    )
    for name, (metavar, text) in HELP.items():
        default = "required" if name in REQUIRED else f"default: {DEFAULTS.get(name, USUAL)}"
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, metavar=metavar, help=f"{text} ({default})")
    return parser
