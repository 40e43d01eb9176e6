"""Which folders and files are tables."""

from pathlib import Path

import pytest

from sagetree.errors import DataError
from sagetree.prepare.inputs import find_tables
from sagetree.prepare.query import Query


def query(*tables: str) -> Query:
    return Query("", "q.sql", frozenset(tables))


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x\n1\n")
    return folder


def test_folders_and_files_are_tables(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "claims/b.csv",
        "claims/2024/01/a.parquet",
        "claims/_SUCCESS",
        "claims/.b.csv.crc",
        "claims/b.csv.crc",
        "claims/s3.manifest",
        "claims/.hidden/c.csv",
        "Customers.CSV",
        "code/script.py",
        "README.md",
        ".claims.csv",
    )
    tables = find_tables(tmp_path, query("claims", "customers", "readme"))
    assert {table.name: list(table.files) for table in tables} == {
        "Customers": ["Customers.CSV"],
        "claims": ["claims/2024/01/a.parquet", "claims/b.csv"],
    }


def test_folders_that_the_query_does_not_name_are_not_looked_into(tmp_path: Path) -> None:
    touch(tmp_path, "claims.csv")
    (tmp_path / "query").mkdir()
    assert [table.name for table in find_tables(tmp_path, query("claims"))] == ["claims"]


def test_without_a_query_every_table_is_taken(tmp_path: Path) -> None:
    touch(tmp_path, "b.csv", "a/1.csv", "notes.txt")
    assert [table.name for table in find_tables(tmp_path, None)] == ["a", "b"]


def test_links_are_followed(tmp_path: Path) -> None:
    elsewhere = touch(tmp_path / "elsewhere", "claims/a.csv", "b.csv")
    folder = tmp_path / "input"
    folder.mkdir()
    (folder / "claims").symlink_to(elsewhere / "claims")
    (folder / "b.csv").symlink_to(elsewhere / "b.csv")
    tables = find_tables(folder, query("claims", "b"))
    assert [list(table.files) for table in tables] == [["b.csv"], ["claims/a.csv"]]


PUT = "Put a CSV or Parquet file there for each table, or a folder of them, named as in the query"


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], f"{{}}: no table there. {PUT}"),
        (["notes.txt"], f"{{}}: no table there. {PUT}"),
        (
            ["claim.csv", "Kunden/a.csv"],
            f"{{}}: q.sql reads none of the tables there: 'Kunden', 'claim'. {PUT}",
        ),
        (
            [f"{i:02}.csv" for i in range(30)],
            "{}: q.sql reads none of the tables there: "
            f"{', '.join(repr(f'{i:02}') for i in range(20))}, ... (30 in all). {PUT}",
        ),
        (
            ["claims.csv", "claims/a.csv"],
            "{}: claims and claims.csv are one table to SQL. "
            "Leave one of them, or put the files of both into one folder",
        ),
        (
            ["claims.csv", "Claims.parquet"],
            "{}: Claims.parquet and claims.csv are one table to SQL. "
            "Leave one of them, or put the files of both into one folder",
        ),
        (
            ["claims/.keep"],
            "{}/claims: the folder holds no data file. Put CSV or Parquet there",
        ),
    ],
)
def test_faults(tmp_path: Path, names: list[str], text: str) -> None:
    touch(tmp_path, *names)
    with pytest.raises(DataError) as caught:
        find_tables(tmp_path, query("claims"))
    assert str(caught.value) == text.format(tmp_path)


def test_no_table_without_a_query(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        find_tables(tmp_path, None)
    assert str(caught.value) == (
        f"{tmp_path}: no table there. "
        "Put a CSV or Parquet file there for each table, or a folder of them"
    )


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        find_tables(tmp_path / "input", query("claims"))
    assert str(caught.value) == f"{tmp_path}/input: no table there. {PUT}"
