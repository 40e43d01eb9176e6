"""Texts are cut between two rows, whatever stands in their cells."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sagetree.formats.whole_rows import end_of_rows, has_tidy_quotes


@pytest.mark.parametrize(
    ("text", "end", "tidy"),
    [
        (b"", 0, True),
        (b"1,2", 0, True),
        (b"1,2\n3", 4, True),
        (b"1,2\r\n3,4\r", 5, True),  # the last \r may be half of a line end
        (b"1,2\r3,4\r5", 8, True),
        (b'1,"2\n3', 0, False),
        (b'1,2\n3,"4\n5', 4, True),
        (b'"1\n2",3\n4', 8, True),
        (b'5" pipe,6\n7,8\n9', 14, False),
        (b'1, "2\n3" ,4\n5', 12, False),
        (b'1,2\n3,\t"4\n5', 4, True),
        (b'5" pipe,6\n7,"8\n9",1\n2', 20, False),  # two quotes before a line end inside a cell
    ],
)
def test_rows_end_at_line_ends_outside_of_cells(text: bytes, end: int, tidy: bool) -> None:
    assert end_of_rows(text, ",") == (end, tidy)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_quoted_cell_begins_behind_the_delimiter(delimiter: str) -> None:
    text = f'1{delimiter}"x\ny"{delimiter}2\n3'.encode()
    assert end_of_rows(text, delimiter) == (len(text) - 1, True)


@given(st.text('a,"\n\r', max_size=30))
@example('a","\n"\n')
def test_no_cut_changes_the_rows(text: str) -> None:
    body = text.encode()
    end, tidy = end_of_rows(body, ",")
    assert rows(body[:end]) + rows(body[end:]) == rows(body)
    assert not tidy or has_tidy_quotes(body[:end], ",")


def rows(text: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode(), newline="")))
