"""Spark's part of the walk: tables found and loaded, parts written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sagetree.errors import DataError
from sagetree.machine.paths import OptMl
from sagetree.prepare.database import identifier
from sagetree.prepare.dialects.subset import check_query
from sagetree.prepare.inputs import TableFiles, find_tables
from sagetree.prepare.joining import JOINED
from sagetree.prepare.loading import RawTable
from sagetree.prepare.query import Query, read_query
from sagetree.prepare.settings import PARTS, PrepareSettings
from sagetree.prepare.spark.engine import SparkDatabase
from sagetree.prepare.spark.loading import load_table
from sagetree.prepare.spark.packages import check_shared
from sagetree.prepare.spark.session import open_spark, spark_errors
from sagetree.prepare.spark.storage import Storage, StoredFile, StoredTable, tables_at
from sagetree.prepare.splitting.assigning import Split

_ENDING = ".parquet"


@dataclass(frozen=True)
class SparkWork:
    """The tables on Spark, and the folder that gets one folder for each part."""

    db: SparkDatabase
    storage: Storage
    query: Query | None
    tables: Sequence[RawTable]
    folder: str

    def write(self, split: Split, first: Sequence[str], left_out: Sequence[str]) -> None:
        """Write the rows of each part, the columns `first` before the others."""
        rest = [name for name in self.db.columns(JOINED) if name not in (*first, *left_out)]
        selected = ", ".join(map(self._cell, (*first, *rest)))
        try:
            for part in split.parts:
                query = f"{split.rows(selected)} WHERE a.part = '{part}' ORDER BY {split.order}"
                frame = self.db.frame(query)
                with spark_errors():
                    frame.write.mode("overwrite").parquet(self._unfinished(part))
            for part in split.parts:
                self.storage.publish(self._unfinished(part), f"{self.folder}/{part}", part, _ENDING)
            for part in {*PARTS} - {*split.parts}:
                self.storage.remove_earlier(f"{self.folder}/{part}", part)
        finally:
            for part in split.parts:
                self.storage.remove(self._unfinished(part))

    def _cell(self, name: str) -> str:
        """Return a column as it is written: DuckDB writes whole numbers of 128 bits as DOUBLE."""
        cell = f"j.{identifier(name)}"
        return f"CAST({cell} AS DOUBLE) AS {identifier(name)}" if name in self.db.wide else cell

    def _unfinished(self, part: str) -> str:
        """Return a part's folder while it is written, within its own: nothing leaves a mount."""
        return f"{self.folder}/{part}/.{part}.unfinished"


@contextmanager
def spark_work(opt_ml: OptMl, settings: PrepareSettings) -> Iterator[SparkWork]:
    """Load the tables: those at the settings' addresses, else those below processing/input."""
    check_shared(opt_ml, settings)
    query = read_query(settings.sql) if settings.sql else None
    if query is not None:
        check_query(query.text, query.name)
    with open_spark() as session:
        storage = Storage(session)
        if settings.addresses:
            found = tables_at(storage, settings.addresses, query)
        else:
            found = [_local(t) for t in find_tables(opt_ml.processing / "input", query)]
        db = SparkDatabase(session)
        folder = settings.out or f"file://{(opt_ml.processing / 'output').resolve()}"
        try:
            tables = [load_table(db, storage, table) for table in found]
            yield SparkWork(db, storage, query, tables, folder.rstrip("/"))
        finally:
            db.close()


def _local(table: TableFiles) -> StoredTable:
    """Return a table of this machine with the addresses of its files."""
    if table.snapshot is not None:
        raise DataError(
            "--engine spark does not read Iceberg tables",
            where=f"table {table.name}",
            hint="Write what the table holds as Parquet first (in Athena: UNLOAD)",
        )
    files = [
        StoredFile(name, f"file://{path.resolve()}", path.stat().st_size)
        for name, path in table.files.items()
    ]
    return StoredTable(table.name, files)
