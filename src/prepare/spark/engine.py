"""Spark in the database's place: it takes DuckDB's SQL, and keeps each table it makes."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import (
    BooleanType,
    ByteType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    ShortType,
    StringType,
    TimestampNTZType,
    TimestampType,
)  # fmt: skip
from sqlglot import exp

from sagetree.errors import SettingsError, quote, quote_all
from sagetree.prepare.database import Database, QueryError, identifier
from sagetree.prepare.dialects.spark_sql import DOUBLE_TEXT, parse, spark_sql, view_name
from sagetree.prepare.inputs import NAMES_SHOWN
from sagetree.prepare.spark.session import spark_errors

_KINDS: Mapping[type[DataType], str] = {
    BooleanType: "BOOLEAN",
    ByteType: "TINYINT",
    ShortType: "SMALLINT",
    IntegerType: "INTEGER",
    LongType: "BIGINT",
    FloatType: "FLOAT",
    DoubleType: "DOUBLE",
    StringType: "VARCHAR",
    DateType: "DATE",
    TimestampType: "TIMESTAMP WITH TIME ZONE",
    TimestampNTZType: "TIMESTAMP",
}

# Sums of whole numbers, which DuckDB keeps in 128 bits; Spark stops where 64 are too few.
_WIDE, _LONG = "HUGEINT", "BIGINT"


def kind_of(kind: DataType) -> str | None:
    """Return what DuckDB calls a type; None for one whose values the two may not have alike."""
    if isinstance(kind, DecimalType):
        return f"DECIMAL({kind.precision},{kind.scale})"
    return _KINDS.get(type(kind))


class SparkDatabase(Database):
    """Tables as Spark's temporary views, each computed once and kept on the hosts' disks.

    `wide` are the columns of the query described last that DuckDB keeps in 128 bits.
    """

    def __init__(self, session: SparkSession) -> None:
        self.session = session
        self._kept: dict[str, DataFrame] = {}
        self.wide: frozenset[str] = frozenset()

    def close(self) -> None:
        """Forget all tables."""
        for view in [*self._kept]:
            self.release(view)

    def run(self, sql: str, values: Sequence[object] = ()) -> None:
        """Run a statement that makes, renames or drops a table.

        Raises QueryError for a query that fails, PlatformError where hosts do not suffice.
        """
        match parse(sql, values):
            case exp.Create() as tree:
                self.keep(view_name(tree.this), self.frame(tree.expression))
            case exp.Drop() as tree:
                self.release(view_name(tree.args["tables"][0]))
            case exp.Alter() as tree:
                new = tree.args["actions"][0].this
                old = view_name(tree.this)
                new.set("db", tree.this.args["db"])
                self.keep(view_name(new), self._kept[old])
                self._kept.pop(old)
            case tree:
                raise TypeError(f"no statement of ours: {tree}")

    def create_as(self, table: str, query: str) -> None:
        """Make a table of the result of a user's query. Raises as `run` does."""
        self.keep(view_name(exp.to_table(table)), self._users(query))

    def text(self, cell: str, kind: str) -> str:
        """Return the SQL of a cell of this type as text, the same text on every engine."""
        if kind == "FLOAT":
            raise SettingsError(
                "numbers of 32 bits have no text that DuckDB and Spark write alike, by which rows "
                "would be split",
                where=f"column {cell}",
                hint="Make it DOUBLE with CAST in a query (--sql), or name a key with --key",
            )
        if kind == "DOUBLE":
            return f"{DOUBLE_TEXT}({cell})"
        text = f"CAST({cell} AS VARCHAR)"
        return f"concat({text}, '+00')" if kind == "TIMESTAMP WITH TIME ZONE" else text

    def frame(self, query: exp.Expression | str) -> DataFrame:
        """Return a query's result, which is computed when it is asked for."""
        tree = parse(query) if isinstance(query, str) else query
        with spark_errors():
            return self.session.sql(spark_sql(tree, self._names))

    def _users(self, query: str) -> DataFrame:
        """Return the result of a user's query, whose values may be of any type anywhere.

        Its columns are in DuckDB's order: a key that tables share comes first in Spark.
        """
        names = [name for name, _ in self._in_duckdb(query)]
        with spark_errors():
            frame = self.session.sql(spark_sql(parse(query), self._names, any_type=True))
            if sorted(frame.columns) != sorted(names):
                raise QueryError(
                    f"Spark names the result's columns differently from DuckDB: "
                    f"{quote_all(frame.columns, NAMES_SHOWN)} for {quote_all(names, NAMES_SHOWN)}; "
                    "name them with AS"
                )
            return frame.select([f"`{name.replace('`', '``')}`" for name in names])

    def _in_duckdb(self, query: str) -> Sequence[tuple[str, str]]:
        """Return what DuckDB makes of a query on empty tables of the same columns."""
        with duckdb.connect() as connection:
            for view in self.tables():
                cells = (f"{identifier(n)} {kind}" for n, kind in _kinds(self._kept[view]))
                connection.execute(f"CREATE TABLE {identifier(view)} ({', '.join(cells)})")
            described = connection.execute(f"DESCRIBE {query}").fetchall()
        return [(name, kind) for name, kind, *_ in described]

    def keep(self, view: str, frame: DataFrame) -> DataFrame:
        """Compute a table, and give it its name."""
        with spark_errors():
            kept = frame.persist(StorageLevel.MEMORY_AND_DISK)
            kept.count()
            kept.createOrReplaceTempView(f"`{view.replace('`', '``')}`")
        self._kept[view] = kept
        return kept

    def release(self, view: str) -> None:
        """Forget a table, if there is one of that name."""
        if view in self._kept:
            self._kept.pop(view).unpersist()
            self.session.catalog.dropTempView(view)

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query. Raises as `run` does."""
        frame = self.frame(parse(sql, values))
        with spark_errors():
            return [tuple(row) for row in frame.collect()]

    def create(self, table: str, rows: pa.Table) -> None:
        """Make a table of Arrow rows."""
        kinds = ", ".join(f"`{field.name}` BIGINT" for field in rows.schema)
        values = [*zip(*(column.to_pylist() for column in rows.columns), strict=True)]
        with spark_errors():
            frame = self.session.createDataFrame(values, kinds)
        self.keep(view_name(exp.to_table(table)), frame)

    def columns(self, table: str) -> dict[str, str]:
        """Return the names and types of the columns of a table (as DuckDB's SQL), in order."""
        return dict(_kinds(self.frame(f"SELECT * FROM {table}")))

    def _names(self, view: str) -> Sequence[str]:
        return tuple(self._kept[view].columns)

    def tables(self) -> Sequence[str]:
        """Return the names of the tables that a user's query sees, in order."""
        return sorted(view for view in self._kept if not view.startswith("sagetree "))

    def described(self, query: str) -> Sequence[tuple[str, str]]:
        """Return the names and types of a query's result, as DuckDB has them.

        Raises duckdb.Error for what DuckDB refuses, QueryError where Spark has another result.
        """
        ours = self._in_duckdb(query)
        theirs = _kinds(self._users(query))
        self.wide = frozenset(name for name, kind in ours if kind == _WIDE)
        for (name, kind), (_, other) in zip(ours, theirs, strict=True):
            if kind != other and (kind, other) != (_WIDE, _LONG):
                raise QueryError(
                    f"the column {quote(name)} is {kind} in DuckDB and {other} in Spark: set its "
                    "type with CAST"
                )
        return ours


def _kinds(frame: DataFrame) -> list[tuple[str, str]]:
    return [(f.name, kind_of(f.dataType) or f.dataType.simpleString()) for f in frame.schema.fields]
