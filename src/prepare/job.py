"""The walk of a processing job: raw tables to train, validation and test."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from sagetree.errors import SettingsError
from sagetree.machine.paths import OptMl
from sagetree.machine.processing import ONE_HOST, check_one_host
from sagetree.machine.program import LOG
from sagetree.prepare.database import Database, open_database
from sagetree.prepare.flow.running import read_flows, run_flows
from sagetree.prepare.inputs import find_tables, listing
from sagetree.prepare.joining import JOINED, count_unmatched, join, table_query
from sagetree.prepare.kinds import key_cells
from sagetree.prepare.loading import RawTable, load_table
from sagetree.prepare.outputs import PartFiles, write_parts
from sagetree.prepare.query import Query, read_query
from sagetree.prepare.records import Cleaned, RecordColumns, keep_all, keep_latest
from sagetree.prepare.report import keys_report, parts_report, tables_report
from sagetree.prepare.settings import PrepareSettings
from sagetree.prepare.spark.packages import require
from sagetree.prepare.splitting.assigning import Cut, Split, split_rows
from sagetree.prepare.splitting.labels import read_label
from sagetree.prepare.splitting.parts import count_parts
from sagetree.prepare.splitting.units import Unit, rows_as_units


class Work(Protocol):
    """What an engine has ready for the walk: tables as they were read, and where parts go."""

    @property
    def db(self) -> Database:
        """Where the tables are."""

    @property
    def query(self) -> Query | None:
        """The user's query, if there is one."""

    @property
    def tables(self) -> Sequence[RawTable]:
        """The tables, as they were read."""

    def write(self, split: Split, first: Sequence[str], left_out: Sequence[str]) -> None:
        """Write the rows of each part, the columns `first` before the others."""


def run(opt_ml: OptMl, settings: PrepareSettings) -> int:
    """Join and split the tables below processing/input and return 0.

    Raises UserError for what the user gave. The parts' files appear when all
    of them are written.
    """
    with _work(opt_ml, settings) as work:
        db = work.db
        columns = _record_columns(settings)
        query = work.query or table_query(work.tables, columns, settings.label)
        cleaned = _clean(db, work.tables, settings)
        LOG.info("%s\n", tables_report(cleaned))
        unmatched = count_unmatched(db, cleaned, settings.key) if settings.key else {}
        key = join(db, query, settings.key)
        LOG.info("%s\n", keys_report(unmatched, db.count(JOINED), key))
        label = read_label(db, settings.label, settings.positive_label)
        cut = Cut(settings.shares, settings.seed, settings.split_by_time)
        unit = Unit(key) if key else rows_as_units(db)
        split = split_rows(db, unit, label, cut)
        parts = count_parts(db, split, label)
        left_out = [unit.column] if unit.is_content else []
        work.write(split, [label.column, *([key] if key else [])], left_out)
    LOG.info(parts_report(parts, label))
    return 0


def _work(opt_ml: OptMl, settings: PrepareSettings) -> AbstractContextManager[Work]:
    if settings.engine == "spark":
        require("--engine spark", "pyspark", "sqlglot")
        from sagetree.prepare.spark.work import spark_work

        return spark_work(opt_ml, settings)
    return _duckdb_work(opt_ml, settings)


@dataclass(frozen=True)
class _DuckWork:
    db: Database
    query: Query | None
    tables: Sequence[RawTable]
    output: PartFiles

    def write(self, split: Split, first: Sequence[str], left_out: Sequence[str]) -> None:
        write_parts(self.db, split, first, left_out, self.output)


@contextmanager
def _duckdb_work(opt_ml: OptMl, settings: PrepareSettings) -> Iterator[Work]:
    check_one_host(
        opt_ml,
        "each would join and split only the rows that it has itself",
        f"{ONE_HOST}, or let them share the work with --engine spark",
    )
    flows = read_flows(settings.flows)
    output = PartFiles(opt_ml.processing / "output", settings.format)
    query = read_query(settings.sql) if settings.sql else None
    with open_database(settings.memory_limit) as db:
        files = find_tables(opt_ml.processing / "input", query, settings.flows)
        tables = run_flows(db, [load_table(db, table) for table in files], flows)
        db.confine(output.folders)
        yield _DuckWork(db, query, tables, output)


def _record_columns(settings: PrepareSettings) -> RecordColumns | None:
    """Return what tells records apart, if there is a key."""
    if settings.key is None:
        return None
    by_time = (settings.split_by_time or "").lower() == settings.event_time.lower()
    return RecordColumns(settings.key, settings.event_time, settings.deleted, by_time)


def _clean(
    db: Database, tables: Sequence[RawTable], settings: PrepareSettings
) -> Sequence[Cleaned]:
    """Make the tables that the query sees."""
    columns = _record_columns(settings)
    if columns is None:
        _check_keys(tables, settings)
        choosing = settings.event_time, settings.deleted
        return [keep_all(db, raw, choosing) for raw in tables]
    keys = key_cells(db, tables, columns.key)
    return [keep_latest(db, raw, keys[raw.name], columns) for raw in tables]


def _check_keys(tables: Sequence[RawTable], settings: PrepareSettings) -> None:
    """Raise SettingsError for a feature store's table whose old records would count as rows."""
    stores = [table.name for table in tables if table.written]
    if stores and settings.sql is None:
        raise SettingsError(
            f"not given, and {listing(stores)} is a feature group's offline store, with every "
            "version of each record, and deleted ones",
            where="--key",
            hint="Name the group's record identifier with --key, or choose the records by a "
            "query of your own (--sql)",
        )
