"""Clean tables to one, and what keeps them apart."""

import pytest

from sagetree.errors import DataError, SettingsError
from sagetree.prepare.database import Database, identifier
from sagetree.prepare.joining import JOINED, count_unmatched, join
from sagetree.prepare.query import Query
from sagetree.prepare.records import Cleaned


def table(db: Database, name: str, columns: str, *rows: str) -> Cleaned:
    db.run(f"CREATE TABLE main.{identifier(name)} AS FROM (VALUES {', '.join(rows)}) t({columns})")
    return Cleaned(name, columns.split(",")[0], len(rows), 0, 0, 0, len(rows), ())


def test_keys_without_a_partner_are_counted_for_each_pair(db: Database) -> None:
    tables = [
        table(db, "a", "k", "(1)", "(2)", "(3)"),
        table(db, "b", "k", "(3)", "(4)"),
        table(db, "c", "k", "(3)", "(2)"),
    ]
    assert count_unmatched(db, tables) == {
        ("a", "b"): 2, ("a", "c"): 1, ("b", "a"): 1, ("b", "c"): 1, ("c", "a"): 0, ("c", "b"): 1,
    }  # fmt: skip


def test_a_table_by_itself_lacks_nothing(db: Database) -> None:
    assert count_unmatched(db, [table(db, "a", "k", "(1)")]) == {}


def test_tables_that_share_no_key(db: Database) -> None:
    tables = [
        table(db, "a", "k", "('1')", "('2')"),
        table(db, "b", "k", "('2')", "('3')"),
        table(db, "c", "k", "('P-2')", "('P-1')"),
    ]
    with pytest.raises(DataError) as caught:
        count_unmatched(db, tables)
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
        "q.sql: the result has no rows. Is a condition too strict?",
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
