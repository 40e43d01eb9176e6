"""One SELECT in a file, and the names in it."""

from pathlib import Path

import pytest

from sagetree.errors import SettingsError
from sagetree.prepare.database import Database
from sagetree.prepare.query import read_query


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1 AS a",
        "SELECT 1 AS a;",
        "\ufeff-- first; a comment\nSELECT 1 AS a ; -- the end;\n",
        "SELECT 1 AS a;; /* nothing; */",
        "WITH one AS (SELECT 1 AS a) SELECT * FROM one;",
        "SELECT a FROM (VALUES (1)) t(a) WHERE 'é;' <> ';'\n;",
    ],
)
def test_text_can_stand_in_another_statement(db: Database, tmp_path: Path, text: str) -> None:
    (tmp_path / "q.sql").write_text(text)
    query = read_query(tmp_path / "q.sql")
    assert query.name == "q.sql"
    db.run(f"CREATE TABLE made.x AS {query.text}")
    assert db.rows("SELECT a FROM made.x") == [(1,)]


def test_words_are_the_names_in_the_query(db: Database, tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_text(
        '-- claim\nSELECT \'text\' FROM Claims c JOIN "a ""b""" USING ("x,y"), main.data;'
    )
    query = read_query(tmp_path / "q.sql")
    assert [name for name in ("claims", 'A "b"', "x,y", "data") if query.mentions(name)] == [
        "claims", 'A "b"', "x,y", "data",
    ]  # fmt: skip
    assert not [name for name in ("claim", "text", "b", "a") if query.mentions(name)]


ONE = "Name a file with one SELECT with --sql"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"q.sql: there are 0 statements. {ONE}"),
        ("-- nothing", f"q.sql: there are 0 statements. {ONE}"),
        ("SELECT 1; SELECT 2", f"q.sql: there are 2 statements. {ONE}"),
        ("DROP TABLE claims", f"q.sql: the statement is not a SELECT. {ONE}"),
        ("COPY (SELECT 1) TO 'x.csv'", f"q.sql: the statement is not a SELECT. {ONE}"),
        (
            "SELECT *\nFORM claims",
            'q.sql: Parser Error: syntax error at or near "claims"; LINE 2: FORM claims. '
            "Correct the query",
        ),
    ],
)
def test_faults(db: Database, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "q.sql").write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_query(tmp_path / "q.sql")
    assert str(caught.value) == message


def test_a_file_that_is_not_there_or_no_text(db: Database, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_query(tmp_path / "q.sql")
    assert str(caught.value) == (
        f"{tmp_path}/q.sql: the file cannot be read: No such file or directory. {ONE}"
    )
    (tmp_path / "q.sql").write_bytes(b"SELECT '\xe9'")
    with pytest.raises(SettingsError) as caught:
        read_query(tmp_path / "q.sql")
    assert str(caught.value) == "q.sql: the text is not UTF-8. Save the file as UTF-8"
