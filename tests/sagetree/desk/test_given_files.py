"""Files that a command names: what is refused, and under which names a channel has them."""

import os
from pathlib import Path

import pytest

from sagetree.desk.given_files import channel_links, check_given
from sagetree.errors import UserError
from sagetree.files.finding import data_files

ROWS = Path("rows.csv")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a file, a folder with one, an empty folder, a pipe and what Spark leaves."""
    monkeypatch.chdir(tmp_path)
    ROWS.write_text("rows")
    for folder in ("rows", "empty", "day=1", "other"):
        Path(folder).mkdir()
    for name in ("rows/a.csv", "_SUCCESS", "rows.csv.crc", "day=1/a.csv", "other/a.csv"):
        Path(name).write_text("rows")
    os.mkfifo("pipe")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "rows.cvs",
            "DATA rows.cvs: the file or folder does not exist (did you mean 'rows.csv'?). "
            "Correct the name; it is relative to the current folder",
        ),
        (
            "nowhere/x",
            "DATA nowhere/x: the file or folder does not exist. "
            "Correct the name; it is relative to the current folder",
        ),
        ("empty", "empty: the folder holds no data file. Put CSV or Parquet there"),
        (
            "pipe",
            "DATA pipe: it is neither a file nor a folder. "
            "Save the rows as a file first: they are read more than once",
        ),
        (
            "rows.csv.crc",
            "DATA rows.csv.crc: files with such a name are not read as data. "
            "Rename it if it holds rows",
        ),
        (
            "_SUCCESS",
            "DATA _SUCCESS: files with such a name are not read as data. "
            "Rename it if it holds rows",
        ),
        (
            ".",
            "DATA .: what the job writes to rows/out would be read as rows of this folder. "
            "Name the files in it, or a folder outside it with --out",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(path: str, text: str):
    with pytest.raises(UserError) as raised:
        check_given([ROWS, Path(path)], "DATA", Path("rows/out"))
    assert str(raised.value) == text


def test_files_and_folders_are_taken():
    check_given([ROWS, Path("rows"), Path("day=1")], "DATA", Path("out"))


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["rows.csv"], ["c/rows.csv"]),
        (["rows.csv", "rows"], ["c/rows.csv", "c/rows"]),
        (["rows"], ["c"]),
        (["day=1"], ["c"]),
        (["day=1", "rows"], ["c/day=1", "c/rows"]),
        (["rows/a.csv", "other/a.csv"], ["c/1/a.csv", "c/2/a.csv"]),
        (["rows.csv", "rows.csv"], ["c/1/rows.csv", "c/2/rows.csv"]),
        ([".rows.csv"], ["c/rows.csv"]),  # else it would be left out as hidden
        (["rows/../rows.csv"], ["c/rows.csv"]),
        (["rows/.", "other/../other"], ["c/rows", "c/other"]),
    ],
)
def test_the_names_in_a_channel(paths: list[str], names: list[str]):
    links = channel_links(Path("c"), [*map(Path, paths)])
    assert links == dict(zip(map(Path, names), map(Path, paths), strict=True))


def test_a_folder_s_name_is_found_where_it_is_written_as_dots(tmp_path: Path):
    links = channel_links(Path("c"), [Path("rows/.."), Path("rows")])
    assert [*links] == [Path("c") / tmp_path.name, Path("c/rows")]


def test_a_single_hidden_folder_is_a_channel():
    Path(".hidden").mkdir()
    Path(".hidden/a.csv").write_text("rows")
    check_given([Path(".hidden")], "DATA", Path("out"))
    assert [path.name for path in data_files(Path(".hidden"))] == ["a.csv"]
