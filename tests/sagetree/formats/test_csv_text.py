"""CSV: the same cells from the small and from the bulk reader, and errors with their line."""

import csv
import io
import tracemalloc
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sagetree.formats.csv_text import (
    BULK_BYTES,
    CsvText,
    Numbers,
    _parse_bulk,
    _parse_small,
    is_plain,
    parse_csv,
    parse_rows,
)
from sagetree.formats.first_row import CsvError, FirstRow, read_first_row
from tests.sagetree.columns import texts

BLANK_HINT = "The line is blank: remove it"
WIDTH_HINT = "Give every line the same number of cells; quote a cell that holds a comma"
QUOTE_HINT = 'Close every quote; write a quote inside a quoted cell twice ("")'


def cells_of(text: CsvText) -> tuple[tuple[str, ...], list[list[str]], int]:
    columns = [c if isinstance(c, list) else c.to_pylist() for c in text.columns]
    return text.first.cells, columns, text.rows


def cells_or_error(parse: Callable[[bytes], CsvText], body: bytes) -> tuple[Any, ...]:
    """What `parse` makes of `body`: the cells, or the line and message of its error."""
    try:
        return cells_of(parse(body))
    except CsvError as error:
        return error.line, str(error)


@pytest.mark.parametrize(
    ("body", "columns"),
    [
        (b"1,2\n3,4\n", [["1", "3"], ["2", "4"]]),
        (b"1,2\r\n3,4\r\n", [["1", "3"], ["2", "4"]]),
        (b"1,2\r3,4\r", [["1", "3"], ["2", "4"]]),
        (b"1,2\n3,4", [["1", "3"], ["2", "4"]]),
        (b"1,2\n3,4\n\n\r\n\n", [["1", "3"], ["2", "4"]]),
        (b"\xef\xbb\xbf1,2\n", [["1"], ["2"]]),
        (b"1,\n,2\n", [["1", ""], ["", "2"]]),
        (b",\n", [[""], [""]]),
        (b" a , b\n", [[" a "], [" b"]]),
        (b'"x,y","a ""b"""\n', [["x,y"], ['a "b"']]),
        (b'"line 1\nline 2",2\n', [["line 1\nline 2"], ["2"]]),
        (b'ab"c,2\n', [['ab"c'], ["2"]]),
        ("größe,日本\n".encode(), [["größe"], ["日本"]]),
        (b"a\x00b,2\n", [["a\x00b"], ["2"]]),
        # one column: an empty line is a row with a missing cell
        (b"1\n", [["1"]]),
        (b"1\n\n", [["1", ""]]),
        (b"1\n\n\n", [["1", "", ""]]),
        (b"1\r\n\r\n", [["1", ""]]),
        (b"x\n\n2\n", [["x", "", "2"]]),
        (b"\n1\n", [["", "1"]]),
        (b'"x,y"\n\n', [["x,y", ""]]),
        (b'"x,\ny"\n1\n\n', [["x,\ny", "1", ""]]),
        # more columns, whose first cell holds a line end
        (b'"x\n,y",z\n1,2\n\n\n', [["x\n,y", "1"], ["z", "2"]]),
    ],
)
def test_cells_as_they_stand(body: bytes, columns: list[list[str]]) -> None:
    text = parse_csv(body)
    assert cells_of(text) == (tuple(column[0] for column in columns), columns, len(columns[0]))


RECODE_HINT = "Save the file as UTF-8, such as with: iconv -f windows-1252 -t utf-8 FILE"

BAD = {
    "nothing": (b"", 1, "there are no rows", "Send at least one line of comma-separated values"),
    "only a byte-order mark": (
        b"\xef\xbb\xbf",
        1,
        "there are no rows",
        "Send at least one line of comma-separated values",
    ),
    "only line ends": (
        b"\r\n\n",
        1,
        "there are no rows",
        "Send at least one line of comma-separated values",
    ),
    "too few cells": (
        b"1,2\n3\n",
        2,
        "the line has 1 cells, and the first line has 2",
        WIDTH_HINT,
    ),
    "too many cells": (
        b"1,2\n3,4\n5,6,7\n",
        3,
        "the line has 3 cells, and the first line has 2",
        WIDTH_HINT,
    ),
    "an empty line between": (
        b"1,2\n\n3,4\n",
        2,
        "the line has 1 cells, and the first line has 2",
        BLANK_HINT,
    ),
    "after a quoted line end": (
        b'"1\n1",2\n3\n',
        3,
        "the line has 1 cells, and the first line has 2",
        WIDTH_HINT,
    ),
    "an open quote": (
        b'1,2\n"3,4\n',
        2,
        "the line is not CSV: unexpected end of data",
        QUOTE_HINT,
    ),
    "an open quote in the first row": (
        b'"1,2\n\n',
        1,
        "the line is not CSV: unexpected end of data",
        QUOTE_HINT,
    ),
    "text after a quote": (
        b'1,2\n"3"4,5\n',
        2,
        "the line is not CSV: ',' expected after '\"'",
        QUOTE_HINT,
    ),
    "latin-1": (b"1,2\n3,gr\xf6\xdfe\n", 2, "the text is not UTF-8", RECODE_HINT),
    "after an empty line": (b"\n\xff", 2, "the text is not UTF-8", RECODE_HINT),
    "utf-16": ("1,2\n".encode("utf-16"), 1, "the text is not UTF-8",
               RECODE_HINT.replace("windows-1252", "utf-16")),
}  # fmt: skip


@pytest.mark.parametrize(("body", "line", "message", "hint"), BAD.values(), ids=BAD)
def test_what_is_no_csv(body: bytes, line: int, message: str, hint: str) -> None:
    with pytest.raises(CsvError) as caught:
        parse_csv(body)
    error = caught.value
    assert (error.line, str(error), error.hint) == (line, message, hint)


@pytest.mark.parametrize(
    ("row", "message", "hint"),
    [
        (b"x\n", "the line has 1 cells, and the first line has 2", WIDTH_HINT),
        (b"x,y,z\n", "the line has 3 cells, and the first line has 2", WIDTH_HINT),
        (b'x,"y"z\n', "the line is not CSV: ',' expected after '\"'", QUOTE_HINT),
        (b"\n", "the line has 1 cells, and the first line has 2", BLANK_HINT),
        (b"x,\xff\n", "the text is not UTF-8", RECODE_HINT),
    ],
)
def test_the_line_is_named_in_a_large_text_too(row: bytes, message: str, hint: str) -> None:
    before = BULK_BYTES // len(b"1,2\n") + 1
    with pytest.raises(CsvError) as caught:
        parse_csv(b"1,2\n" * before + row + b"1,2\n" * 10)
    error = caught.value
    assert (error.line, str(error), error.hint) == (before + 1, message, hint)


@given(
    st.binary(max_size=30) | st.text(alphabet='a1," \r\n\ufeff\x00é', max_size=30).map(str.encode)
)
def test_any_bytes_are_cells_or_a_csv_error(body: bytes) -> None:
    outcome = cells_or_error(parse_csv, body)
    if len(outcome) == 2:
        assert 1 <= outcome[0] <= body.count(b"\n") + body.count(b"\r") + 1
    else:
        _, columns, rows = outcome
        assert [len(column) for column in columns] == [rows] * len(columns)


@given(st.text(alphabet='a1," \r\n\ufeff\x00é', min_size=1, max_size=40))
@example("\ufeffa,b\n")
@example('a,"x\ny"\n1,2')
@example('"a""b",\n,')
@example("a\rb")
@example("a\n")
def test_both_readers_give_the_same_cells(text: str) -> None:
    """Also where the text is faulty: the bulk reader then asks the small one."""
    body = text.encode()
    if not is_plain(body):
        return

    def by(parse: Callable[[bytes, FirstRow], CsvText]) -> tuple[Any, ...]:
        return cells_or_error(lambda body: parse(body, read_first_row(body)), body)

    assert by(_parse_bulk) == by(_parse_small)


rows_of_cells = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(texts.filter(lambda cell: "\x00" not in cell), min_size=width, max_size=width),
        min_size=1,
        max_size=5,
    )
)


@given(
    rows_of_cells,
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.booleans(),
)
def test_what_pythons_writer_wrote(
    rows: list[list[str]], end: str, quoting: Literal[0, 1], bulk: bool
) -> None:
    """The public function on either side of its limit, on what programs really write."""
    if quoting == csv.QUOTE_MINIMAL:  # which leaves a carriage return unquoted
        rows = [[cell.replace("\r", "") for cell in row] for row in rows]
    if bulk:
        rows = rows * (BULK_BYTES // (2 * len(rows[0]) * len(rows)) + 1)
    out = io.StringIO()
    csv.writer(out, lineterminator=end, quoting=quoting).writerows(rows)
    body = out.getvalue().encode()
    if body.startswith(b"\xef\xbb\xbf"):  # a name cannot start with a byte-order mark
        body = b"\xef\xbb\xbf" + body
    text = parse_csv(body)
    assert cells_of(text) == (tuple(rows[0]), [list(c) for c in zip(*rows, strict=True)], len(rows))


@given(rows_of_cells, st.sampled_from(["\n", "\r\n"]), st.data(), st.booleans())
def test_blanks_around_quoted_cells_belong_to_no_cell(
    rows: list[list[str]], end: str, data: st.DataObject, bulk: bool
) -> None:
    """Through the small reader and the bulk one: the cells are what stood between the quotes."""
    blanks = st.sampled_from(["", " ", "  ", "\t", " \t "])
    marked = [
        [
            f'{data.draw(blanks)}"{cell.replace(chr(34), chr(34) * 2)}"{data.draw(blanks)}'
            for cell in row
        ]
        for row in rows
    ]
    times = BULK_BYTES // (2 * len(rows)) if bulk else 1
    body = ("".join(",".join(row) + end for row in marked) * times).encode()
    text = parse_csv(body)
    columns = [list(cells) for cells in zip(*(rows * times), strict=True)]
    assert cells_of(text) == (tuple(rows[0]), columns, len(rows) * times)
    assert body[: text.first.end] == (",".join(marked[0]) + end).encode()
    if len(body) >= BULK_BYTES and "\r" not in "".join(map("".join, rows)):
        assert all(isinstance(cells, list) != bulk for cells in text.columns)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('1, "red", 4', ["1", "red", " 4"]),
        ('1,"red" ,4', ["1", "red", "4"]),
        (' "red, dark" , "a ""b"" c","  "', ["red, dark", 'a "b" c', "  "]),
        ('5" pipe, x "y" z, "', ['5" pipe', ' x "y" z', ' "']),  # quotes that open no cell
        ('"a", "b" c', ["a", ' "b" c']),
    ],
)
@pytest.mark.parametrize("rows", [2, BULK_BYTES // 10])
def test_only_blanks_beside_the_quotes_of_a_whole_cell_go(
    text: str, row: list[str], rows: int
) -> None:
    _, columns, _ = cells_of(parse_csv(f"{text}\n".encode() * rows))
    assert [*zip(*columns, strict=True)] == [tuple(row)] * rows


@pytest.mark.parametrize(("delimiter", "blank"), [("\t", " "), (" ", "\t"), (";", " ")])
def test_a_delimiter_is_no_blank(delimiter: str, blank: str) -> None:
    body = f'"a"{delimiter}{blank}"b"{delimiter}{delimiter}"c"\n'.encode()
    assert cells_of(parse_csv(body, delimiter))[1] == [["a"], ["b"], [""], ["c"]]


@pytest.mark.parametrize("end", ['"', ""])
def test_a_huge_cell_takes_no_huge_memory(end: str) -> None:
    """A quote that is never closed makes such a cell; it took 100 bytes for each of its own."""
    body = f'1,"{"x" * 2_000_000}{end}'.encode()
    tracemalloc.start()
    try:
        cells_or_error(parse_csv, body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(body)


def test_a_first_row_of_many_lines_takes_no_square_time() -> None:
    """One second, not an hour, where a quote is never closed."""
    body = b'"' + b"x\n" * 1_000_000 + b"\n"
    assert cells_or_error(parse_csv, body) == (
        65_537,  # where Python's reader gives up
        "the line is not CSV: field larger than field limit (131072)",
    )


def test_a_large_text_becomes_arrow_and_a_small_one_lists() -> None:
    rows = BULK_BYTES // len(b"1,2\n") + 1
    assert isinstance(parse_csv(b"1,2\n" * rows).columns[0], pa.ChunkedArray)
    assert isinstance(parse_csv(b"1,2\n" * 10).columns[0], list)


@pytest.mark.parametrize("rows", [3, BULK_BYTES])
def test_the_rows_below_a_header(rows: int) -> None:
    text = parse_csv(b"a,b\n" + b"1,2\n" * rows).without_first_row()
    assert cells_of(text) == (("a", "b"), [["1"] * rows, ["2"] * rows], rows)


@pytest.mark.parametrize(
    ("row", "one_line_each"),
    [(b"1,2\n", True), (b'"1","2,3"\r\n', True), (b'1,"2\n3"\n', False), (b'1,"2\r3"\n', False)],
)
@pytest.mark.parametrize("rows", [2, BULK_BYTES // 4])
def test_a_row_may_have_several_lines(row: bytes, one_line_each: bool, rows: int) -> None:
    text = parse_csv(row * rows)
    assert text.rows == rows
    assert text.one_line_each == text.without_first_row().one_line_each == one_line_each


@pytest.mark.parametrize("body", [b'"1"\n\n', b'"1"\r\r', b'"x"\r\n\r\n\r\n'])
def test_the_empty_rows_of_one_column_are_lines_too(body: bytes) -> None:
    assert parse_csv(body).one_line_each


def test_quoted_line_ends_do_not_hinder_the_bulk_reader() -> None:
    """In blocks of 1 MB; some end between quotes."""
    cells = ["a\nb", 'say ""no"",\r\n', "c" * 50]
    row = ",".join(f'"{cell}"' for cell in cells) + "\n"
    text = parse_csv(row.encode() * 40_000)
    assert text.rows == 40_000
    assert not text.one_line_each
    assert isinstance(text.columns[0], pa.ChunkedArray)
    expected = [cell.replace('""', '"') for cell in cells]
    assert [column.unique().to_pylist() for column in text.columns] == [[c] for c in expected]


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " "])
def test_another_delimiter_is_read_as_the_comma_is(delimiter: str) -> None:
    rows = 'a,"1,5;\t| x","say ""no"""\n,2,\n'
    expected = [["a", ""], ["1,5;\t| x", "2"], ['say "no"', ""]]
    text = rows.replace('"1,5;\t| x"', "\0").replace(",", delimiter).replace("\0", '"1,5;\t| x"')
    body = text.encode()
    for times in (1, BULK_BYTES // len(body) + 1):
        found = parse_csv(body * times, delimiter)
        assert [list(map(str, cells)) for cells in found.columns] == [c * times for c in expected]


def test_rows_of_a_text_cut_in_pieces_keep_its_width_and_its_empty_lines() -> None:
    found = parse_rows(b"1\n\n", read_first_row(b"x\n"))
    assert (found.rows, found.columns) == (2, (["1", ""],))
    with pytest.raises(CsvError) as caught:
        parse_rows(b"1,2\n1,2\n", read_first_row(b"a,b,c\n"))
    assert (str(caught.value), caught.value.line) == (
        "the line has 2 cells, and the first line has 3",
        1,
    )


def test_text_of_which_arrow_loses_a_piece_is_read_without_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is wrong with the text: a busy machine has been seen to do it."""
    body = b"1,a\n2,b\n" * BULK_BYTES

    def lose(*_: object, **__: object) -> None:
        raise pa.ArrowException("Unknown error: a chunk failed converting for an unknown reason")

    monkeypatch.setattr("pyarrow.csv.read_csv", lose)
    found = parse_csv(body)
    assert found.rows == 2 * BULK_BYTES
    assert list(found.columns) == [["1", "2"] * BULK_BYTES, ["a", "b"] * BULK_BYTES]


@pytest.mark.parametrize(("rows", "width"), [(40, 300), (2000, 20), (30_000, 20), (3, 4000)])
def test_numbers_are_those_that_are_written_and_nothing_else_is_one(rows: int, width: int) -> None:
    random = np.random.default_rng(rows)
    values = random.normal(size=(rows, width)).round(4)
    values[random.random(values.shape) < 0.1] = np.nan
    places = [place for place in range(width) if place % 3]

    def parsed(change: Callable[[list[list[str]]], None] = lambda _: None) -> CsvText:
        cells = [["" if cell != cell else repr(cell) for cell in row] for row in values.tolist()]
        change(cells)
        body = "".join(f"{','.join(row)}\n" for row in cells).encode()
        first = read_first_row(b"," * (width - 1))
        return parse_rows(body, first, Numbers(places, ("-999",)))

    def write(text: str) -> Callable[[list[list[str]]], None]:
        return lambda cells: cells[rows // 2].__setitem__(places[-1], text)

    found = parsed(write("-999"))
    values[rows // 2, places[-1]] = np.nan
    for place, column in enumerate(found.columns):
        assert isinstance(column, pa.ChunkedArray)
        assert (column.type == pa.float64()) == (place in places)
        if place in places:
            assert column.null_count == 0
            np.testing.assert_array_equal(column.to_numpy(), values[:, place])
    for text in ("inf", "-1e39", "-nan", "word"):
        columns = parsed(write(text)).columns
        assert {column.type for column in columns} == {pa.string()}
        assert columns[places[-1]][rows // 2].as_py() == text
