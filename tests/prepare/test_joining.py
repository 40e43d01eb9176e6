"""Clean tables to one, and what keeps them apart."""

import pytest

from sagetree.errors import DataError, SettingsError
from sagetree.prepare.database import Database, identifier
from sagetree.prepare.joining import JOINED, count_unmatched, join, table_query
from sagetree.prepare.loading import RawTable
from sagetree.prepare.query import Query
from sagetree.prepare.records import Cleaned, RecordColumns


def table(db: Database, name: str, columns: str, *rows: str) -> Cleaned:
    db.run(f"CREATE TABLE main.{identifier(name)} AS FROM (VALUES {', '.join(rows)}) t({columns})")
    return Cleaned(name, len(rows), 0, 0, 0, len(rows), ())


def test_keys_without_a_partner_are_counted_for_each_pair(db: Database) -> None:
    tables = [
        table(db, "a", "k", "(1)", "(2)", "(3)"),
        table(db, "b", "k", "(3)", "(4)"),
        table(db, "c", "k", "(3)", "(2)"),
    ]
    assert count_unmatched(db, tables, "k") == {
        ("a", "b"): 2, ("a", "c"): 1, ("b", "a"): 1, ("b", "c"): 1, ("c", "a"): 0, ("c", "b"): 1,
    }  # fmt: skip


def test_a_table_by_itself_lacks_nothing(db: Database) -> None:
    assert count_unmatched(db, [table(db, "a", "k", "(1)")], "k") == {}


def test_tables_that_share_no_key(db: Database) -> None:
    tables = [
        table(db, "a", "k", "('1')", "('2')"),
        table(db, "b", "k", "('2')", "('3')"),
        table(db, "c", "k", "('P-2')", "('P-1')"),
    ]
    with pytest.raises(DataError) as caught:
        count_unmatched(db, tables, "k")
    assert str(caught.value) == (
        "column 'k': no key of c is in a, b: it has keys such as 'P-1', a such as '1'. "
        "Name the column that the tables share with --key, and write its values alike"
    )


def test_a_left_join_keeps_rows_without_a_partner(db: Database) -> None:
    table(db, "a", "Key,x", "(1, 'N/A')", "(2, 'b')")
    table(db, "b", "KEY,y", "(1, 10)")
    query = Query("SELECT * FROM a LEFT JOIN b USING (key)", "q.sql", frozenset())
    assert join(db, query, "kEY") == "Key"
    assert db.rows(f"SELECT * FROM {JOINED} ORDER BY 1") == [(1, "N/A", 10), (2, "b", None)]


def raw(name: str, *columns: str) -> RawTable:
    return RawTable(name, dict.fromkeys(columns, "VARCHAR"), True, (), 0, ())


RECORDS = RecordColumns("k", "event_time", "is_deleted")


def test_one_table_is_its_own_query() -> None:
    query = table_query([raw('a "b"', "x", "y")], None, "y")
    assert (query.text, query.name) == ('SELECT * FROM "a ""b"""', 'the table a "b"')


def test_tables_are_joined_to_the_one_with_the_label(db: Database) -> None:
    table(db, "a", "K,x", "(1, 10)", "(3, 30)")
    table(db, "b", "k,Y", "(1, 0)", "(2, 1)")
    table(db, "c", "k,z", "(2, 200)")
    tables = [raw("a", "K", "x"), raw("b", "k", "Y", "event_time"), raw("c", "k", "z")]
    assert join(db, table_query(tables, RECORDS, "y"), "k") == "k"
    assert db.rows(f"SELECT k, y, x, z FROM {JOINED} ORDER BY 1") == [
        (1, 0, 10, None), (2, 1, None, 200),
    ]  # fmt: skip


WITHOUT_A_QUERY = {
    "no key": (
        None,
        (raw("a", "k", "x"), raw("b", "k", "y")),
        "--key: not given, and there are several tables: 'a', 'b'. Name the column that they "
        "share with --key, or a query with --sql; put files of one table into one folder",
    ),
    "no label": (
        RECORDS,
        (raw("a", "k", "x"), raw("b", "k", "z")),
        "--label: column 'y' is missing from all tables: 'a', 'b'. "
        "Name the label as its table does, or write a query (--sql)",
    ),
    "columns of one name": (
        RECORDS,
        (raw("a", "k", "X", "y", "event_time"), raw("b", "k", "x", "event_time", "Y"), raw("c")),
        "the columns 'x', 'y' are in several tables, 'x' in 'a', 'b'. "
        "Give each its own name, or say which to take with a query (--sql)",
    ),
}


@pytest.mark.parametrize(
    ("columns", "tables", "text"), WITHOUT_A_QUERY.values(), ids=WITHOUT_A_QUERY
)
def test_tables_that_need_a_query(
    columns: RecordColumns | None, tables: tuple[RawTable, ...], text: str
) -> None:
    with pytest.raises((DataError, SettingsError)) as caught:
        table_query(tables, columns, "y")
    assert str(caught.value) == text


FAULTS = {
    "a table that is not there": (
        "SELECT * FROM nope",
        'q.sql: Catalog Error: Table with name nope does not exist!; Did you mean "pg_enum"?. '
        "Correct the query; the tables are 'a', 'b'",
    ),
    "a column that is not there": (
        "SELECT k, z FROM a",
        'q.sql: Binder Error: Referenced column "z" not found in FROM clause!; '
        'Candidate bindings: "k". '
        "Correct the query; the tables are 'a', 'b'",
    ),
    "no key": (
        "SELECT x AS y FROM a",
        "q.sql: the result has no key column 'k'; its columns are 'y'. "
        "Select the key: the rows are split by it",
    ),
    "one name twice": (
        "SELECT * FROM a JOIN b ON a.k = b.k",
        "q.sql: two columns are called 'k' and 'k'. "
        "Give every column its own name; SQL takes a and A for the same",
    ),
    "no rows": (
        "SELECT * FROM a WHERE k > 9",
        "q.sql: the result has no rows. Is a condition too strict, or every record deleted?",
    ),
    "rows without a key": (
        "SELECT a.k, b.x FROM b LEFT JOIN a ON a.k = b.k",
        "q.sql, column 'k': 1 of 2 rows of the result have no key. "
        "Select the key of the table that has all of them: the rows are split by it",
    ),
    "a cell that does not fit": (
        "SELECT k, CAST(x AS INTEGER) AS x FROM b",
        "q.sql: Conversion Error: Could not convert string 'c' to INT32 when casting from source "
        "column x. "
        "Correct the query; the tables are 'a', 'b'",
    ),
}


@pytest.mark.parametrize(("sql", "text"), FAULTS.values(), ids=FAULTS)
def test_faults(db: Database, sql: str, text: str) -> None:
    table(db, "a", "k,x", "(1, 'a')", "(2, 'b')")
    table(db, "b", "k,x", "(1, '1')", "(3, 'c')")
    with pytest.raises((DataError, SettingsError)) as caught:
        join(db, Query(sql, "q.sql", frozenset()), "k")
    assert str(caught.value) == text
