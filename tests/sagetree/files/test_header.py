"""Which first rows are headers, what is said about those in doubt, and headers among the rows."""

from pathlib import Path

import pytest

from sagetree.files.header import header_rule, look_for_header, looks_like_header
from sagetree.files.reading import read_table
from sagetree.formats.csv_text import parse_csv

SPECIES = "species,2019,2020\n" + "cat,1,5\ndog,9,4\nfox,5,7\n" * 10
NUMBERED = "0,1,2\n" + "1,5.5,3.1\n0,4.5,2.7\n" * 10


def looks(text: str) -> bool:
    return looks_like_header(parse_csv(text.encode()))


@pytest.mark.parametrize(
    "text",
    [
        SPECIES,
        "species,2020\n" + "cat,1\ndog,9\n" * 10,
        "2019,2020,species\n" + "1,5,cat\n9,4,dog\n" * 10,
        "age,2019,2020\n34,1,5\n35,9,4\n",
        # pandas' names of columns that have none, with its index and without
        NUMBERED,
        ",0,1\n0,1,5.5\n1,0,4.5\n2,1,3.5\n",
        "0,1,2,3,4\n" + "1,1,5,1,1\n0,0,3,2,1\n" * 10,
        "target,0,1,2,3\n" + "1,5,6,7,8\n0,6,1,3,3\n" * 10,
    ],
)
def test_numbers_may_be_names(text: str) -> None:
    assert looks(text)


@pytest.mark.parametrize(
    "text",
    [
        # the word comes again, or stands for a value that is not there
        "cat,2019,2020\n" + "cat,1,5\ndog,9,4\n" * 10,
        "1,NA,2\n" + "1,5,4\n0,2,2\n" * 10,
        "NA,2019,2020\n" + "1,5,4\n0,2,2\n" * 10,
        # numbers that are not names, or that come again
        "rare,5.1,3.5\n" + "cat,4.9,3.0\ndog,4.7,3.2\n" * 10,
        "lynx,7,3\n" + "cat,1,5\ndog,9,4\n" * 10,
        "0,1,2\n" + "0,1,3\n1,2,2\n" * 10,
        "0,1\n" + "1,5.5\n0,4.5\n" * 10,
        "1,2,3\n" + "4,5,6\n7,8,9\n" * 10,
        "0,1,2\n",
    ],
)
def test_numbers_may_be_data(text: str) -> None:
    assert not looks(text)


LONE = "'lynx' is in no other row"


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        (SPECIES, "its words and numbers are not like those below them"),
        (NUMBERED, "its cells number the columns"),
        ("0,1,2\n" + "0,1,3\n1,2,9\n" * 10, "its cells number the columns"),
        ("0,1\n" + "1,5.5\n0,4.5\n" * 10, "its cells number the columns"),
        ("lynx,7,3\n" + "cat,1,5\ndog,9,4\n" * 10, LONE),
        ("lynx,x,y\n" + "cat,x,z\ndog,u,y\n" * 10, LONE),
        ("a,b\n1,2\n", ""),
        ("1,2\n3,4\n", ""),
        ("cat,7\n" + "cat,1\ndog,9\n" * 10, ""),
    ],
)
def test_what_is_in_doubt_is_said(text: str, doubt: str) -> None:
    assert look_for_header(parse_csv(text.encode())).doubt == doubt


def test_a_doubt_is_told_once_and_known_names_leave_none() -> None:
    told: list[str] = []
    text = parse_csv(SPECIES.encode())
    rule = header_rule((), None, told.append)
    assert rule(text)
    assert rule(text)
    why = "its words and numbers are not like those below them"
    assert told == [f"line 1 (species, 2019, 2020) is taken for the header: {why}"]
    told.clear()
    for known, trained in [(("2020", "other"), None), ((), lambda cells: "species" in cells)]:
        assert header_rule(known, trained, told.append)(text)
    assert not told


@pytest.mark.parametrize("rows", [20, 300_000])
def test_a_header_among_the_rows_is_left_out(tmp_path: Path, rows: int) -> None:
    half = "".join(f"{row % 2},{row},{row}\n" for row in range(rows // 2))
    header = "y,amount,count\n"
    (tmp_path / "a.csv").write_text(header + half + header + half + " y ,amount, count\n")
    (tmp_path / "b.csv").write_text("amount,y,count\n5,1,6\n")
    table = read_table(tmp_path, looks_like_header)
    assert table.rows == rows // 2 * 2 + 1
    assert {*table.column("y").to_pylist()} == {"0", "1"}
    assert table.locate(rows // 2) == f"a.csv line {rows // 2 + 3}"
    assert table.locate(rows - 1) == f"a.csv line {rows + 2}"
    assert table.locate(rows) == "b.csv line 2"


def test_a_later_file_has_the_names_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(SPECIES)
    (tmp_path / "b.csv").write_text("species,2019,2020\ncat,1,2019\n")
    assert read_table(tmp_path, looks_like_header).rows == 31
