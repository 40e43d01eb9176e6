"""The command line of `prepare`."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from sagetree.desk.contract_folder import DEFAULT_OUT, is_marked
from sagetree.desk.options import parse_options
from sagetree.errors import SagetreeError, SettingsError
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG, refuse, run_job
from sagetree.prepare.settings import DEFAULTS, REQUIRED, PrepareSettings, read_settings

DESCRIPTION = """\
Join raw tables, if there are several, and split their rows for training,
validation and test.

With TABLE it takes files (CSV or Parquet) and folders of your own:

  sagetree prepare claims.csv customers.csv --key policy_id --label fraud

It writes processing/output/ in sagetree-out; --out names another folder.

Without TABLE it works on SageMaker's folders:

  sagetree prepare --sql join.sql --key policy_id --label fraud

reads   /opt/ml/processing/input/TABLE/      all CSV (with header, UTF-8) or
        /opt/ml/processing/input/TABLE.csv   Parquet files of a table, or one
writes  /opt/ml/processing/output/train/train.parquet, and likewise
        validation/ and test/
        /opt/ml/output/message               the reason, if it fails

Folders called key=value are columns. A feature group's offline store, in
Glue's or Iceberg's layout, is read as it is: name its record identifier with
--key; its own columns go with the deletion marks.

1 Cleans each table the query names, without a query all. First the steps of a
  Data Wrangler flow (--flow) run on the table of the name that it reads, with
  the categories it was fitted on; a step that is not known is an error. Header
  lines among the rows and columns without a name (a written index) are left
  out. With a key, of the rows with one key the one with the latest event time
  is kept, of equal times the last one in file order (files by name); a key
  whose latest row is deleted goes. Without a column of event times equal rows
  are merged and different ones are an error. Without a key every row is kept.
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

--engine spark gives the same rows in the same parts, in files such as
train/train-00000.parquet, and takes tables where its cluster reads them:
sagetree prepare --engine spark s3://bucket/claims/ s3://bucket/customers/
--out s3://bucket/prepared --key policy_id --label fraud
It needs sagetree[spark]; --flow, --format and --memory-limit are DuckDB's.

The query can be an input, too: folders that it does not name are not read.
--sql /opt/ml/processing/input/query/join.sql

SAGEMAKER_BASE_DIR names another folder than /opt/ml.

examples: sagetree prepare --label fraud
          sagetree prepare --sql join.sql --key policy_id --label fraud
"""

HELP = {
    "sql": ("FILE", "the query, one SELECT"),
    "flow": ("FILE", "a Data Wrangler flow, run on the table that it reads; again for more"),
    "key": ("COLUMN", "the column that all tables share, one record each"),
    "label": ("COLUMN", "the column to predict: values, classes or numbers"),
    "positive_label": ("VALUE", "the positive one of two label values, as in training"),
    "event_time": ("COLUMN", "numbers or ISO 8601 times; a table may lack it"),
    "deleted": ("COLUMN", "true where a row marks its key as deleted; a table may lack it"),
    "split_by_time": ("COLUMN", "numbers or ISO 8601 times; the latest rows are test"),
    "split": ("SHARES", "of train, validation and test; no file for a share of 0"),
    "seed": ("N", "another seed gives another split, except by time"),
    "format": ("FORMAT", "parquet or csv (with header)"),
    "memory_limit": ("SIZE", "what the database may hold in memory"),
    "engine": ("ENGINE", "duckdb on one machine, or spark on as many as its cluster has"),
}


# What happens where an option is not given, and has no default value.
ABSENT = {
    "sql": "the table as it is, or all joined by the key",
    "flow": "none",
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
    if any(word.startswith("--print-unload") for word in argv):
        return _print_unload(parser, argv)
    opt_ml = OptMl.from_environ(os.environ)
    if _names_tables(parser, argv) and not _names_addresses(argv):
        return _prepare_own(parser, argv)

    def work() -> int:
        return _run(opt_ml, _settings(parse_options(parser, argv)))

    return run_job(work, opt_ml.message)


def report(argv: Sequence[str]) -> Path | None:
    """Return the file in which the job says why it failed, None where it has none yet."""
    parser = _parser()
    if not _names_tables(parser, argv) or _names_addresses(argv):
        return OptMl.from_environ(os.environ).message
    out = Path(parse_options(parser, argv).out or DEFAULT_OUT)
    return OptMl(out).message if is_marked(out) else None


def _names_tables(parser: Parser, argv: Sequence[str]) -> bool:
    """Say whether there are tables among the arguments; of wrong ones, whether they begin so."""
    try:
        return bool(parse_options(parser, argv).tables)
    except SettingsError:
        return bool(argv) and not argv[0].startswith("-")


def _print_unload(parser: Parser, argv: Sequence[str]) -> int:
    """Print the query as a statement for Athena; nothing is prepared."""
    try:
        options = parse_options(parser, argv)
        if options.sql is None:
            hint = "Name the file with the query"
            raise SettingsError("not given", where="--sql", hint=hint)
        from sagetree.prepare.query import read_query
        from sagetree.prepare.spark.packages import require

        require("--print-unload", "sqlglot")
        from sagetree.prepare.dialects.athena import unload_statement

        query = read_query(Path(options.sql))
        sys.stdout.write(f"{unload_statement(query, options.print_unload)}\n")
    except (SagetreeError, OSError) as error:
        return refuse(error)
    return 0


def _names_addresses(argv: Sequence[str]) -> bool:
    """Say whether there are tables that no path names but an address, such as s3://bucket/a/."""
    return any("://" in word and not word.startswith("-") for word in argv)


def _prepare_own(parser: Parser, argv: Sequence[str]) -> int:
    # as much as the job itself imports
    from sagetree.prepare.own_files import ending, laid_out

    def work(opt_ml: OptMl) -> int:
        code = _run(opt_ml, settings)
        LOG.info(ending(opt_ml, settings))
        return code

    try:
        options = parse_options(parser, argv)
        settings = _settings(options)
        out, tables = Path(options.out or DEFAULT_OUT), [*map(Path, options.tables)]
        with laid_out(out, tables, os.environ) as opt_ml:
            return run_job(lambda: work(opt_ml), opt_ml.message)
    except (SagetreeError, OSError) as error:
        return refuse(error)


def _settings(options: argparse.Namespace) -> PrepareSettings:
    if options.out and not options.tables:
        raise SettingsError(
            "it is used only with tables",
            where="--out",
            hint="Name files and folders before any option",
        )
    given = {
        name: value
        for name, value in vars(options).items()
        if name not in ("tables", "out", "flow", "print_unload") and value is not None
    }
    settings = read_settings(given, options.flow or ())
    addresses = [table for table in (*options.tables, options.out or "") if "://" in table]
    return _with_addresses(settings, options.tables, options.out) if addresses else settings


def _with_addresses(
    settings: PrepareSettings, tables: Sequence[str], out: str | None
) -> PrepareSettings:
    """Return the settings of tables that Spark reads where they are."""
    hint = "Name tables and --out by addresses, such as s3://bucket/claims/"
    if settings.engine != "spark":
        first = next(name for name in (*tables, out) if name and "://" in name)
        raise SettingsError(
            "addresses are read and written only with --engine spark",
            where=f"{'--out' if first == out else 'TABLE'} {first}",
            hint="Copy the tables to this machine, or let Spark read them",
        )
    if out is None:
        raise SettingsError("not given", where="--out", hint=hint)
    for name, where in (*((table, "TABLE") for table in tables), (out, "--out")):
        if "://" not in name:
            raise SettingsError(
                f"{name} is a path, and others are addresses", where=where, hint=hint
            )
    return replace(settings, addresses=tuple(tables), out=out)


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
        "tables", nargs="*", metavar="TABLE", help="files and folders, a table each"
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        help=f"with TABLE: the folder to write to (default: {DEFAULT_OUT})",
    )
    parser.add_argument(
        "--print-unload",
        metavar="ADDRESS",
        help="print the query of --sql as an UNLOAD to this folder in S3, for Athena, which is "
        "not run here; nothing is prepared",
    )
    for name, (metavar, text) in HELP.items():
        usual = {**DEFAULTS, **ABSENT}.get(name)
        default = "required" if name in REQUIRED else f"default: {usual}"
        flag = "--" + name.replace("_", "-")
        action = "append" if name == "flow" else "store"
        parser.add_argument(flag, metavar=metavar, action=action, help=f"{text} ({default})")
    return parser
