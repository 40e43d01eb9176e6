"""The first row of a CSV text: where it ends, and what files and bodies make of it."""

import io
from collections.abc import Callable, Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sagetree.errors import DataError, DecodingError, SchemaError
from sagetree.files.csv_stream import CsvRules, read_csv
from sagetree.formats.csv_text import CsvText
from sagetree.formats.first_row import FirstRow, read_first_row
from sagetree.serve.bodies.csv_body import decode_csv
from sagetree.serve.bodies.csv_first_row import first_row_of
from sagetree.serve.bodies.hints import Hints
from sagetree.tables.schema import Column, Schema
from sagetree.tables.table import Table, cell_list


@pytest.mark.parametrize(
    ("body", "end"),
    [
        (b"a,b\n1,2\n", 4),
        (b"a,b\r\n1,2\r\n", 5),
        (b"a,b\r1,2\r", 4),
        (b"a,b", 3),
        (b'"a\nb",c\n1,2\n', 8),
        (b'x"y,"a\nb"\n1,2\n', 10),
        ("é,b\n1,2\n".encode(), 5),
    ],
)
def test_the_first_row_ends_behind_its_line_end(body: bytes, end: int) -> None:
    assert read_first_row(body).end == end


SCHEMA = Schema(
    columns=tuple(Column(name=n, kind="category", missing=0, distinct=2) for n in ("a", "b")),
    label=None,
    named=True,
)
CELLS = st.sampled_from(["", "1", "a", '"x"', '"a\nb"', '"a\r\nb"', '"q""q"', '"a,b"', 'x"y', "é"])
TEXTS = st.builds(
    lambda rows, end, last: (end.join(map(",".join, rows)) + end * last).encode(),
    st.lists(st.lists(CELLS, min_size=1, max_size=3), min_size=1, max_size=4),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(0, 2),
)


def of_file(body: bytes) -> FirstRow | str:
    seen: list[FirstRow] = []

    def is_header(text: CsvText) -> bool:
        seen.append(text.first)
        return True

    try:
        next(read_csv(io.BytesIO(body), b"", "t.csv", CsvRules(is_header, ",")))
    except DataError as error:
        return error.message
    return seen[0]._replace(is_header=True)


def of_body(body: bytes) -> FirstRow | str:
    try:
        return first_row_of(body, ",", Hints(SCHEMA, {"header": "present"}))
    except DecodingError as error:
        return error.message


@given(st.lists(CELLS, min_size=1, max_size=3), st.sampled_from(["\n", "\r\n", "\r"]))
@example(['x"y', '"a\nb"'], "\n")
def test_files_and_bodies_have_the_same_first_row(cells: list[str], end: str) -> None:
    body = (",".join(cells) + end + ",".join(["1"] * len(cells)) + end).encode()
    assert of_file(body) == of_body(body)


def rows_of(read: Callable[[], Iterable[Table]]) -> object:
    try:
        tables = [table for table in read() if table.rows]
    except (DataError, DecodingError) as error:
        return error.message, error.where.removeprefix("t.csv ")
    places = [table.locate(0).removeprefix("t.csv ") for table in tables]
    return [(t.names, [cell_list(c) for c in t.columns]) for t in tables], places


@given(TEXTS, st.booleans())
def test_files_and_bodies_are_the_same_rows(body: bytes, header: bool) -> None:
    rules = CsvRules(lambda _: header, ",")
    parameters = {"header": "present" if header else "absent", "delimiter": ","}
    try:
        found = rows_of(lambda: decode_csv(body, Hints(SCHEMA, parameters, batch=True)))
    except SchemaError:  # one name twice
        return
    repeated = 0

    def read() -> Iterable[Table]:
        nonlocal repeated
        for table in read_csv(io.BytesIO(body), b"", "t.csv", rules):
            repeated += table.repeated_headers
            yield table

    rows = rows_of(read)
    if "looks like a title" in str(rows):  # a file names what a body's fault is called otherwise
        assert "cells, and the first line has" in str(found)
    else:
        assert repeated or found == rows  # a header among the rows is left out of files only
