"""Each function, operator and construct of the subset, on both engines."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sagetree.errors import SettingsError
from sagetree.prepare.database import QueryError
from sagetree.prepare.dialects.subset import check_query, functions
from tests.needs import needs_spark
from tests.prepare.spark.functions import AGGREGATES, EXPRESSIONS, QUERIES

pytestmark = [
    pytest.mark.long,
    needs_spark,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas"),
]

ROWS = """\
SELECT n, nullif(n % 5, 4) AS i, CAST(nullif(n % 3, 2) AS INTEGER) AS j,
  CAST(nullif([0.5, 1.5, 2.5, -2.5, 1e-5, 123456789.125, 1e16, 0.1, 3, -1e15][1 + n % 10], 3)
    AS DOUBLE) AS x,
  CAST([0.1, 16777216, 1e10, -1e-7, NULL, 2.5][1 + n % 6] AS FLOAT) AS f,
  CAST([0.5, 1.5, 2.345, -2.5, NULL][1 + n % 5] AS DECIMAL(10, 3)) AS d,
  ['a', 'ab', 'É ', ' b', NULL, '', 'a' || chr(160), 'ab''c\\', 'b' || chr(10)][1 + n % 9] AS s,
  TIMESTAMP '2020-01-01 00:00:00' + to_microseconds(n * 86400123456) AS ts,
  CAST(DATE '2019-12-25' + CAST(n AS INTEGER) AS DATE) AS day,
  TIMESTAMPTZ '2020-01-31 23:00:00+00' + to_hours(n) AS m, [true, false, NULL][1 + n % 3] AS b
FROM (SELECT CAST(range AS BIGINT) AS n FROM range(40))"""
OTHER = "SELECT * FROM (VALUES ('a', 1), ('ab', 2), (NULL, 3), ('z', 4)) o(s, extra)"


class Engines:
    """The same two tables on both."""

    def __init__(self, session: Any, folder: Path) -> None:
        from sagetree.prepare.spark.engine import SparkDatabase
        from sagetree.prepare.spark.session import RULES

        for name, value in RULES.items():
            session.conf.set(name, value)
        self.duck = duckdb.connect()
        self.duck.execute("SET TimeZone = 'UTC'")
        self.spark = SparkDatabase(session)
        for name, query in (("t", ROWS), ("o", OTHER)):
            self.duck.execute(f"CREATE TABLE {name} AS {query}")
            file = folder / f"{name}.parquet"
            self.duck.execute(f"COPY {name} TO '{file}'")
            self.spark.keep(name, session.read.parquet(str(file)))

    def rows_of_both(self, query: str) -> tuple[list[str], list[str]]:
        check_query(query, "q.sql")
        self.spark.described(query)
        self.spark.create_as("made.joined", query)
        theirs = self.spark.rows("SELECT * FROM made.joined")
        self.spark.run("DROP TABLE made.joined")
        ours = self.duck.sql(query).to_arrow_table().to_pylist()
        return shown([tuple(row.values()) for row in ours]), shown(theirs)


def shown(rows: list[tuple[Any, ...]]) -> list[str]:
    return sorted(repr(tuple(map(plain, row))) for row in rows)


def plain(cell: Any) -> Any:
    """Return a moment without its zone, which is UTC in both, and wide whole numbers as such."""
    if isinstance(cell, Decimal) and cell.as_tuple().exponent == 0:
        return int(cell)
    return cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell


@pytest.fixture(scope="module")
def engines(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    made = Engines(spark, tmp_path_factory.mktemp("tables"))
    yield made
    made.duck.close()
    for table in made.spark.tables():
        made.spark.release(table)


def test_expressions(engines: Engines) -> None:
    names = ", ".join(f"{text} AS c{place}" for place, text in enumerate(EXPRESSIONS))
    ours, theirs = engines.rows_of_both(f"SELECT t.n, {names} FROM t")
    assert theirs == ours


def test_aggregates(engines: Engines) -> None:
    names = ", ".join(f"{text} AS c{place}" for place, text in enumerate(AGGREGATES))
    ours, theirs = engines.rows_of_both(f"SELECT s, {names} FROM t GROUP BY s")
    assert theirs == ours


@pytest.mark.parametrize("query", QUERIES)
def test_queries(engines: Engines, query: str) -> None:
    ours, theirs = engines.rows_of_both(query)
    assert theirs == ours


def test_each_function_is_among_the_expressions() -> None:
    text = " ".join((*EXPRESSIONS, *AGGREGATES)).lower()
    called = {"logical_and": "bool_and", "logical_or": "bool_or", "substring": "substring"}
    missing = [name for name in functions() if f"{called.get(name, name)}(" not in text]
    assert not missing


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT i * 0.5 AS half FROM t", "the column 'half' is DECIMAL(21,1) in DuckDB and"),
        ("SELECT nothing FROM t", 'Referenced column "nothing" not found'),
        ("SELECT count(*) FROM t", "Spark names the result's columns differently from DuckDB"),
    ],
)
def test_what_the_two_take_otherwise(engines: Engines, query: str, said: str) -> None:
    with pytest.raises((QueryError, duckdb.Error)) as caught:
        engines.spark.described(query)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT CAST(s AS BIGINT) AS a FROM t",
        "SELECT CAST(s AS DOUBLE) AS a FROM t",
        "SELECT CAST(s AS DATE) AS a FROM t",
        "SELECT lower('Σ') AS a FROM t",
        "SELECT i / 0 AS a FROM t",
        "SELECT CAST(f AS VARCHAR) AS a FROM t",
        "SELECT CAST(CAST(1e23 AS DOUBLE) AS VARCHAR) AS a FROM t",
        "SELECT CAST(9223372036854775807 AS BIGINT) + i AS a FROM t",
    ],
)
def test_what_fails_rather_than_differs(engines: Engines, query: str) -> None:
    check_query(query, "q.sql")
    with pytest.raises(QueryError):
        engines.spark.create_as("made.joined", query)


def test_a_fault_of_a_host_is_told(engines: Engines) -> None:
    with pytest.raises((QueryError, SettingsError)) as caught:
        engines.spark.rows("SELECT nothing FROM t")
    assert "nothing" in str(caught.value)
