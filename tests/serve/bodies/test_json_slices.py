"""Large JSON bodies: slices hold what the whole holds, wherever a text looks like a row's end."""

import json
import mmap
import tempfile
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sagetree.errors import DecodingError, SagetreeError, SchemaError
from sagetree.serve.bodies.decoders import decode_json
from sagetree.serve.bodies.hints import Hints
from sagetree.serve.bodies.json_body import SHAPES
from sagetree.serve.bodies.json_slices import MOST_TRIES, row_list
from sagetree.serve.bodies.lines import LONGEST_ROW
from sagetree.tables.schema import Column, Schema
from sagetree.tables.table import cell_list

SCHEMA = Schema(
    columns=tuple(Column(name=name, kind="category", missing=0, distinct=9) for name in ("a", "b")),
    label=None,
    named=True,
)
WHOLE = Hints(SCHEMA, {})
JSON_HINT = "Send JSON in UTF-8; a missing value is null or NaN"

# Each shape of a body whose rows can be cut: its text, of a list of rows [a, b].
Shape = Callable[[list[list[object]]], object]
SHAPES_CUT: dict[str, Shape] = {
    "records": lambda rows: [{"a": a, "b": b} for a, b in rows],
    "lists": lambda rows: rows,
    "instances": lambda rows: {"instances": [{"b": b, "a": a} for a, b in rows]},
    "instances of features": lambda rows: {"instances": [{"features": row} for row in rows]},
    "features": lambda rows: {"features": rows},
    "dataframe_records": lambda rows: {"dataframe_records": [{"a": a, "b": b} for a, b in rows]},
    "columns": lambda rows: {"columns": ["b", "a"], "data": [[b, a] for a, b in rows]},
    "rows": lambda rows: {"columns": ["a", "b"], "rows": rows},
    "index": lambda rows: {"columns": ["a", "b"], "index": [*range(len(rows))], "data": rows},
    "dataframe_split": lambda rows: {"dataframe_split": {"columns": ["a", "b"], "data": rows}},
}

TEXTS = st.sampled_from(
    ["x", "", "},{", "],[", '"', '\\"},{"', "}, {", "é", "]", "\\", '[{"a":1},{', "1"]
)
CELLS = st.one_of(TEXTS, st.none(), st.integers(-9, 9), st.booleans(), st.floats(-1, 1))


def outcome(body: bytes, hints: Hints) -> object:
    """All cells by name, or the text of the error."""
    try:
        tables = list(decode_json(body, hints))
    except (DecodingError, SchemaError) as error:
        return str(error)
    cells: dict[str, list[object]] = {}
    for table in tables:
        for name, column in zip(table.names, table.columns, strict=True):
            cells.setdefault(name, []).extend(cell_list(column))
    places = [table.locate(row) for table in tables for row in range(table.rows)]
    return cells, places


@given(
    st.sampled_from(sorted(SHAPES_CUT)),
    st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=12),
    st.integers(1, 60),
    st.sampled_from([None, 1]),
    st.sampled_from(["", "\ufeff", " \n"]),
)
@example("records", [["},{", '\\"},{"'], ["],[", 1]], 1, None, "")
def test_slices_hold_what_the_whole_holds(
    shape: str, rows: list[list[object]], size: int, indent: int | None, before: str
):
    text = before + json.dumps(SHAPES_CUT[shape](rows), indent=indent, ensure_ascii=False)
    body = text.encode()
    assert row_list(body) is not None
    expected = outcome(body, WHOLE)
    assert isinstance(expected, tuple)
    assert outcome(body, WHOLE._replace(slice_bytes=size)) == expected


def test_a_body_comes_in_several_slices():
    body = json.dumps([{"a": n, "b": "x"} for n in range(100)]).encode()
    tables = list(decode_json(body, WHOLE._replace(slice_bytes=200)))
    assert len(tables) > 5
    assert sum(table.rows for table in tables) == 100


@pytest.mark.parametrize(
    "body", [b"[1,2,3]", b'{"a": [1], "b": 2}', b'{"instances": [[1,2]], "more": 1}', b"[]", b"["]
)
def test_other_bodies_are_read_as_a_whole(body: bytes):
    assert row_list(body) is None
    assert outcome(body, WHOLE._replace(slice_bytes=2)) == outcome(body, WHOLE)


RECORDS = [{"a": 1, "b": 2} for _ in range(9)]


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            [*RECORDS, {"a": 1}],
            "row 10, column 'b': the column is missing from the record. "
            "Give every record every column, null where missing",
        ),
        (
            [*RECORDS, {"a": 1, "b": [2]}],
            f"row 10, column 'b': a list stands where a single value is expected. {SHAPES}",
        ),
        (
            [*RECORDS, [1, 2]],
            "row 10: the row is not a record, unlike the first row. Send rows of one kind",
        ),
        (
            [[1, 2]] * 9 + [[1, 2, 3]],
            "row 10: the row has 3 values, and 2 are expected. "
            "Give every row a value for every column, null where missing",
        ),
    ],
)
def test_a_fault_has_the_number_that_its_row_has_in_the_body(rows: list[object], text: str):
    found = outcome(json.dumps(rows, separators=(",", ":")).encode(), WHOLE._replace(slice_bytes=8))
    assert found == text


def test_text_that_is_no_json_is_told_with_its_place():
    body = json.dumps(RECORDS).encode().replace(b"2}]", b"NAN}]")
    assert outcome(body, WHOLE._replace(slice_bytes=30)) == (
        f"byte 160: the body is not JSON: unexpected character, expected a JSON value. {JSON_HINT}"
    )


def test_a_text_full_of_ends_is_given_up_soon():
    text = "},{" * (3 * MOST_TRIES)
    body = json.dumps([{"a": text, "b": 1}] * 3).encode()
    found = outcome(body, WHOLE._replace(slice_bytes=8))
    assert isinstance(found, str)
    assert found.startswith("byte ")
    assert found.endswith(JSON_HINT)


def test_a_row_without_end_is_refused():
    body = b'[[1,2],["' + b"x" * (LONGEST_ROW + 100) + b'",2]]'
    with pytest.raises(SagetreeError) as caught:
        list(decode_json(body, WHOLE._replace(slice_bytes=4)))
    assert str(caught.value) == (
        "byte 8: a row is longer than 8 MB. Send rows one by one, in a list"
    )


def test_a_body_in_a_file_is_read_in_slices_too():
    body = json.dumps(RECORDS).encode()
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        assert outcome(mapped, WHOLE._replace(slice_bytes=20)) == outcome(body, WHOLE)


@pytest.mark.parametrize("slice_bytes", [None, 1])
@pytest.mark.parametrize(
    "body",
    [
        b'[{"a": 1, "b": 2}, {"a": 1, "b": 2, "a": 3}]',
        b'{"instances": [{"a": 1, "b": 2, "a": 3}, {"a": 1, "b": 2}]}',
        b'{"inputs": {"a": [1], "b": [2], "a": [3]}}',
        b'{"a": 1, "b": 2, "a": 3}',
    ],
)
def test_a_key_given_twice_is_refused(body: bytes, slice_bytes: int | None) -> None:
    """As a column is that stands twice in a header; it was scored by its last value."""
    hints = WHOLE if slice_bytes is None else Hints(SCHEMA, {}, slice_bytes=slice_bytes)
    assert outcome(body, hints) == (
        "the body: the key 'a' is given twice in one object. Send every key once"
    )
