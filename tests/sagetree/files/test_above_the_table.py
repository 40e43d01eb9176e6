"""Files with nothing in them, and lines above a table: for Excel, or for people."""

from pathlib import Path

import pytest

from sagetree.errors import DataError
from sagetree.files.csv_stream import CsvRules, read_csv
from sagetree.files.header import looks_like_header
from sagetree.files.reading import Reading, read_files, read_table
from tests.serve.encoded import parquet


def test_empty_files_among_others_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "sagetree")
    (tmp_path / "a.parquet").write_bytes(b"")
    (tmp_path / "b.parquet").write_bytes(parquet({"x": [1, 2]}))
    for name in ("c", "d", "e"):
        (tmp_path / f"{name}.csv").write_bytes(b"")
    assert read_table(tmp_path, looks_like_header).rows == 2
    listed = "a.parquet, c.csv, d.csv, ... (4 files)"
    assert caplog.messages == [f"{tmp_path.name}: empty and skipped: {listed}"]


@pytest.mark.parametrize(
    ("line", "delimiter"), [("sep=;", ";"), ('"sep=;"', ";"), ("SEP=\t", "\t"), ("sep=,", ",")]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_line_for_excel_tells_the_delimiter(
    tmp_path: Path, line: str, delimiter: str, end: str
) -> None:
    rows = [["y", "a"], ["0", "1 x|2"], ["1", "3 y|4"]]
    text = end.join([line, *map(delimiter.join, rows), ""])
    (tmp_path / "a.csv").write_text(text, newline="")
    table = read_table(tmp_path, looks_like_header)
    assert (table.names, table.columns[1].to_pylist()) == (("y", "a"), ["1 x|2", "3 y|4"])
    assert table.locate(0) == "a.csv line 3"


def test_a_delimiter_that_is_set_is_meant(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("sep=;\ny,a;b\n0,1;2\n")
    table = read_files(tmp_path, Reading(looks_like_header, delimiter=","))
    assert table.names == ("y", "a;b")


TITLE = "looks like a title above the table"
DELETE = "Delete the lines above the one with the names of the columns"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Sales\ny,a\n0,1\n1,2\n", f"'Sales' {TITLE}: it has 1 cell, and the lines below have 2"),
        (
            "Sales\nof 2025\ny;a;b\n0;1;3\n1;2;5\n",
            f"'Sales' {TITLE}: it has 1 cell, and the lines below have 3",
        ),
        (
            ",Sales,\ny,a,b\n0,1,2\n",
            f"'Sales' {TITLE}: its other cells are empty, and names stand below it",
        ),
    ],
)
def test_a_title_is_named(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        read_table(tmp_path, looks_like_header)
    assert str(caught.value) == f"a.csv line 1: {problem}. {DELETE}"


@pytest.mark.parametrize("text", ["y,a\n0,1\n1,2,3\n", "y,a\n0,1,2\n0,1,2\n", "y\n0\n1,2\n"])
def test_other_rows_of_other_widths_are_no_title(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with (tmp_path / "a.csv").open("rb") as file, pytest.raises(DataError) as caught:
        list(read_csv(file, b"", "a.csv", CsvRules(looks_like_header, ",")))
    assert TITLE not in str(caught.value)
    assert "cells, and the first line has" in str(caught.value)
