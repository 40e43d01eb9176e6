"""Blocks of a CSV file against the csv module, wherever the cuts fall."""

import cProfile
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagetree.errors import DataError
from sagetree.prepare.csv_blocks import Block, check_names, read_blocks

CELLS = st.text(st.sampled_from('ab,"\n\r é1'), max_size=6)


def blocks_of(data: bytes, block_bytes: int) -> list[Block]:
    return list(read_blocks(io.BytesIO(data), "t.csv", block_bytes))


def rows_of(blocks: list[Block]) -> list[tuple[str, ...]]:
    return [tuple(row.values()) for block in blocks for row in block.rows.to_pylist()]


@given(
    rows=st.lists(st.tuples(CELLS, CELLS), max_size=12),
    line_end=st.sampled_from(["\n", "\r\n"]),
    block_bytes=st.integers(16, 200),
)
def test_blocks_hold_the_rows_of_the_csv_module(
    rows: list[tuple[str, str]], line_end: str, block_bytes: int
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([("first", "second, quoted"), *rows])
    blocks = blocks_of(text.getvalue().encode(), block_bytes)
    assert rows_of(blocks) == rows
    assert {tuple(block.rows.column_names) for block in blocks} == {("first", "second, quoted")}
    assert sum(source.rows for block in blocks for source in block.sources) == len(rows)


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"a,b\n1,2", [("1", "2")]),
        (b"a,b", []),
        (b"a,b\n\n\n", []),
        (b"\xef\xbb\xbfa,b\r\n1,2\r\n", [("1", "2")]),
        (b"a,b\r1,2\r3,4\r", [("1", "2"), ("3", "4")]),
        (b"a,b\r\n1,2\n3,4\r\n", [("1", "2"), ("3", "4")]),
        (b'a,b\r\n"1\r\n1",2\r\n', [("1\r\n1", "2")]),
        (b'a,b\n"",N/A\nNULL,None\n', [("", "N/A"), ("NULL", "None")]),
        (b"a,b\n 1 ,#x\n", [(" 1 ", "#x")]),
        (b'a,b\n5" pipe,6" pipe\n7,8\n', [('5" pipe', '6" pipe'), ("7", "8")]),
        (b'a,b\n5" pipe,6\n7,8\n', [('5" pipe', "6"), ("7", "8")]),
        (b'a, "b"\n1, "red\nish" \n "2","x"\n', [("1", "red\nish"), ("2", "x")]),
    ],
)
@pytest.mark.parametrize("block_bytes", [16, 10_000])
def test_cells_stay_what_they_are(
    data: bytes, rows: list[tuple[str, str]], block_bytes: int
) -> None:
    blocks = blocks_of(data, block_bytes)
    assert rows_of(blocks) == rows
    assert blocks[0].rows.column_names == ["a", "b"]


def test_names_are_stripped_and_may_have_any_character() -> None:
    (block,) = blocks_of('\ufeff" a""b ","x,y","x\ny",é,\n1,2,3,4,5\n'.encode(), 1000)
    assert block.rows.column_names == ['a"b', "x,y", "x\ny", "é", "Unnamed: 4"]
    assert rows_of([block]) == [("1", "2", "3", "4", "5")]


GOOD = b"".join(b"%d,%d\n" % (i, i) for i in range(100))
QUOTES = 'Close every quote; write a quote inside a quoted cell twice ("")'
FAULTS = [
    (b"", "t.csv: the file is empty. Remove it, or write it again"),
    (b"\n\n", "t.csv: the file is empty. Remove it, or write it again"),
    (
        b"a,b\n" + GOOD + b"1,2,\n" + GOOD,
        "t.csv line 102: the line has 3 cells, and the first line has 2. "
        "Give every line the same number of cells; quote a cell that holds a comma",
    ),
    (
        b"a,b\n" + GOOD + b"1\n" + GOOD,
        "t.csv line 102: the line has 1 cells, and the first line has 2. "
        "Give every line the same number of cells; quote a cell that holds a comma",
    ),
    (
        b"a,b\n" + GOOD + b"1,\xff\n" + GOOD,
        "t.csv line 102: the text is not UTF-8. Save the file as UTF-8, such as with: "
        "iconv -f windows-1252 -t utf-8 FILE",
    ),
    (
        b"a,b\n" + GOOD + b'1,"2"x\n',
        "t.csv line 102: the line is not CSV: ',' expected after '\"'. " + QUOTES,
    ),
    (b"a,b\n" + GOOD + b'1,"2\n' + GOOD, f"t.csv line 102: the row does not end. {QUOTES}"),
    (b'a,"b\n' + GOOD, f"t.csv line 1: the row does not end. {QUOTES}"),
    (
        b"Age,age\n1,2\n",
        "t.csv: two columns are called 'Age' and 'age'. "
        "Give every column its own name; SQL takes a and A for the same",
    ),
]


@pytest.mark.parametrize(("data", "text"), FAULTS)
def test_faults_are_found_at_their_line(data: bytes, text: str) -> None:
    with pytest.raises(DataError) as caught:
        blocks_of(data, 64)
    assert str(caught.value) == text


def test_sources_say_the_line_of_every_row() -> None:
    blocks = blocks_of(b"a,b\n" + GOOD, 64)
    assert len(blocks) > 5
    places = [(s.first, s.rows, s.unit) for b in blocks for s in b.sources]
    assert [first for first, *_ in places] == [
        2 + sum(rows for _, rows, _ in places[:index]) for index in range(len(places))
    ]
    assert {unit for *_, unit in places} == {"line"}


def test_sources_count_rows_where_cells_have_line_ends() -> None:
    (block,) = blocks_of(b'a,b\n"1\n1",2\n3,4\n', 1000)
    (source,) = block.sources
    assert (source.first, source.unit) == (1, "row")


def test_names_are_not_counted_one_by_one() -> None:
    names, profile = tuple(f"x{number}" for number in range(500)), cProfile.Profile()
    profile.runcall(check_names, names, "t.csv")
    assert not [one for one in profile.getstats() if "'count' of" in str(one.code)]
