"""Files of a table to rows of the database."""

import io
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.errors import DataError
from sagetree.prepare.database import Database
from sagetree.prepare.inputs import TableFiles
from sagetree.prepare.loading import RawTable, load_table


def load(db: Database, folder: Path, **files: str | bytes | pa.Table) -> RawTable:
    """Load a table called t; a file's name is the argument's, with _ for the point."""
    paths = {}
    for name, content in sorted(files.items()):
        path = folder / name.replace("_", ".")
        if isinstance(content, pa.Table):
            pq.write_table(content, path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        paths[f"t/{path.name}"] = path
    return load_table(db, TableFiles("t", paths))


def rows(db: Database, table: RawTable) -> list[tuple[object, ...]]:
    return db.rows(f"SELECT * FROM {table.sql} ORDER BY rowid")


def test_files_are_one_table_by_name_in_order(db: Database, tmp_path: Path) -> None:
    table = load(db, tmp_path, b_csv="y,x\n3,4\n", a_csv="x,y\n1,\n5,6\n")
    assert rows(db, table) == [("1", None), ("5", "6"), ("4", "3")]
    assert dict(table.columns) == {"x": "VARCHAR", "y": "VARCHAR"}
    places = [table.locate(row) for row in range(table.rows)]
    assert places == ["t/a.csv line 2", "t/a.csv line 3", "t/b.csv line 2"]


def test_header_lines_among_rows_are_left_out(db: Database, tmp_path: Path) -> None:
    text = "x,y\nx,y\n1,2\nx,1\n x , y \n3,4\nx,y\n"
    table = load(db, tmp_path, a_csv=text, b_csv="y,x\n5,6\ny,x\n")
    assert table.headers == 4
    assert rows(db, table) == [("1", "2"), ("x", "1"), ("3", "4"), ("6", "5")]
    places = [table.locate(row) for row in range(table.rows)]
    assert places == ["t/a.csv line 3", "t/a.csv line 4", "t/a.csv line 6", "t/b.csv line 2"]


def test_empty_files_among_others_are_left_out(
    db: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "sagetree")
    table = load(db, tmp_path, a_csv="", b_csv="x,y\n1,2\n")
    assert rows(db, table) == [("1", "2")]
    assert caplog.messages == ["t: empty and skipped: t/a.csv"]


def test_the_line_for_excel_tells_the_delimiter(db: Database, tmp_path: Path) -> None:
    table = load(db, tmp_path, a_csv="sep=;\r\nx;y\r\n1,5;2\r\n", b_csv="x,y\n3,4\n")
    assert rows(db, table) == [("1,5", "2"), ("3", "4")]
    assert table.locate(0) == "t/a.csv line 3"


def test_a_pointer_is_no_table(db: Database, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(db, tmp_path, a_csv="version https://git-lfs.github.com/spec/v1\noid sha256:4d\n")
    assert str(caught.value) == (
        "t/a.csv: this is a Git LFS pointer, not the file it stands for. "
        "Fetch the data (git lfs pull), and upload them again"
    )


@pytest.mark.parametrize("header", [",x,y", "Unnamed: 0,x,y", '"",x,y'])
def test_columns_without_a_name_are_left_out(db: Database, tmp_path: Path, header: str) -> None:
    table = load(db, tmp_path, a_csv=f"{header}\n0,1,2\n,x,y\n1,3,4\n", b_csv="x,y\n5,6\n")
    assert rows(db, table) == [("1", "2"), ("3", "4"), ("5", "6")]
    assert table.nameless == ("Unnamed: 0",)
    assert table.headers == 1


def test_parquet_files_keep_their_types(db: Database, tmp_path: Path) -> None:
    nothing = pa.array([None, None], pa.null())
    first = pa.table({"n": [1, 2], "t": ["007", ""], "none": nothing, "__index_level_0__": [0, 1]})
    second = pa.table({"none": pa.array([None], pa.null()), "t": ["N/A"], "n": [0.5]})
    table = load(db, tmp_path, a_parquet=first, b_parquet=second)
    assert rows(db, table) == [(1.0, "007", None), (2.0, "", None), (0.5, "N/A", None)]
    assert dict(table.columns) == {"n": "DOUBLE", "t": "VARCHAR", "none": "VARCHAR"}
    assert table.nameless == ("__index_level_0__",)
    assert [table.locate(row) for row in (0, 2)] == ["t/a.parquet row 1", "t/b.parquet row 1"]


def zipped() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.csv", "x,y\n1,2\n")
    return data.getvalue()


def parquet_bytes(**columns: list[object]) -> bytes:
    data = io.BytesIO()
    pq.write_table(pa.table(columns), data)
    return data.getvalue()


NEITHER = (
    "t/a.csv: this is neither CSV nor Parquet. "
    "Put CSV (UTF-8 text) or Parquet files there; unpack compressed ones"
)
FAULTS = {
    "a zip file": ({"a_csv": zipped()}, NEITHER),
    "UTF-16": ({"a_csv": "x,y\n1,2\n".encode("utf-16")}, NEITHER),
    "no rows": ({"a_csv": "x,y\n"}, "table t: there are no rows. Put rows below the header"),
    "no names": (
        {"a_csv": ",\n1,2\n"},
        "t/a.csv: no column has a name. Put a header on the first line",
    ),
    "other columns": (
        {"a_csv": "x,y\n1,2\n", "b_csv": "x,z\n1,2\n"},
        "column 'y' is only in t/a.csv, of t/a.csv and t/b.csv. "
        "All files of a table need the same columns",
    ),
    "both formats": (
        {"a_csv": "x\n1\n", "b_parquet": parquet_bytes(x=[1])},
        "table t: some of its files are CSV, and others Parquet. "
        "Leave files of one kind: is the same data there twice?",
    ),
    "one name twice in Parquet": (
        {"a_parquet": parquet_bytes(x=[1], X=[2])},
        "t/a.parquet: two columns are called 'x' and 'X'. "
        "Give every column its own name; SQL takes a and A for the same",
    ),
    "other columns in Parquet": (
        {"a_parquet": parquet_bytes(x=[1]), "b_parquet": parquet_bytes(x=[1], y=[1])},
        "column 'y' is only in t/b.parquet, of t/a.parquet and t/b.parquet. "
        "All files of a table need the same columns",
    ),
    "numbers and text in Parquet": (
        {"a_parquet": parquet_bytes(x=[1]), "b_parquet": parquet_bytes(x=["one"])},
        "table t, column 'x': it is BIGINT in t/a.parquet and VARCHAR in others. "
        "Write the column with the same type in all files",
    ),
    "a Parquet file cut off": (
        {"a_parquet": parquet_bytes(x=[1])[:-20]},
        "t/a.parquet: the Parquet file is damaged: Parquet magic bytes not found in footer. "
        "Either the file is corrupted or this is not a parquet file. "
        "Write the file again; it may be cut off",
    ),
}


@pytest.mark.parametrize(("files", "text"), FAULTS.values(), ids=FAULTS)
def test_faults(db: Database, tmp_path: Path, files: dict[str, str | bytes], text: str) -> None:
    with pytest.raises(DataError) as caught:
        load(db, tmp_path, **files)
    assert str(caught.value) == text


def test_a_parquet_file_damaged_inside(db: Database, tmp_path: Path) -> None:
    data = parquet_bytes(x=list(range(10_000)))
    with pytest.raises(DataError) as caught:
        load(db, tmp_path, a_parquet=data[:500] + bytes(2000) + data[2500:])
    assert str(caught.value).startswith("table t: the Parquet file is damaged: ")
    assert str(caught.value).endswith(". Write the file again; it may be cut off")
