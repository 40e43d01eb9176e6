"""JSON Lines: the same cells from the small reader and from Arrow's."""

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagetree.formats.json_lines import BULK_BYTES, HINT, parse_json_lines
from sagetree.formats.sparse_rows import RecordError
from sagetree.tables.cells import CellError, category_text, to_number
from sagetree.tables.table import Cells, column_cell


def lines(records: list, end: bytes = b"\n") -> bytes:
    return end.join(map(orjson.dumps, records))


def test_records() -> None:
    found = parse_json_lines(b'{"a": 1, "b": "x"}\n{"b": null, "c": true}\n')
    assert found.names == ("a", "b", "c")
    assert found.columns == ([1, None], ["x", None], [None, True])
    assert found.one_line_each
    assert found.label is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"features": [1, "x"]}\n{"features": [2, null]}',
        b'[1, "x"]\n[2, null]\n',
        b'\xef\xbb\xbf[1, "x"]\r\n\r\n[2, null]\r\n',
    ],
)
def test_values_in_order(body: bytes) -> None:
    found = parse_json_lines(body)
    assert found.names is None
    assert found.columns == ([1, 2], ["x", None])
    assert found.one_line_each == (b"\n\r\n" not in body)


def test_a_label_beside_the_features() -> None:
    found = parse_json_lines(b'{"features": [1], "label": 0}\n{"label": 1, "features": [2]}')
    assert (found.columns, found.label) == (([1, 2],), [0, 1])


def test_the_needed_keys_that_a_record_lacks() -> None:
    body = b'{"a": 1, "b": 2}\n{"b": 3}\n{"a": "a: \\"a\\":", "b": 3}'
    assert parse_json_lines(body, ("a", "b", "z")).lacking == {"a": 1, "z": 0}


def large(records: list, end: bytes = b"\n") -> bytes:
    return lines(records * (1 + BULK_BYTES // len(lines(records))), end)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_in_bulk_too(end: bytes) -> None:
    body = large([{"a": 1, "b": '"a":'}, {"b": "2026-01-31", "a": 2.5}], end)
    found = parse_json_lines(body, ("a", "b"))
    assert found.names == ("a", "b")
    assert isinstance(found.columns[0], pa.ChunkedArray)
    assert found.columns[1].type == pa.string()  # not a moment in time
    assert found.columns[1].to_pylist()[:2] == ['"a":', "2026-01-31"]
    assert found.lacking == {}
    assert parse_json_lines(body + end + b'{"a": 1}', ("a", "b")).lacking == {"b": found.rows}


def meaning(cells: Cells, row: int) -> tuple[object, str | None]:
    cell = column_cell(cells, row)
    try:
        number: object = repr(to_number(cell))
    except CellError as error:
        number = str(error)
    return number, category_text(cell)


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.integers(-9, 9),
    st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["", "x", "1", "2020-01-01"]),
)  # fmt: skip


@given(st.lists(st.fixed_dictionaries({"a": CELLS, "b": CELLS}), min_size=1, max_size=4))
def test_both_readers_give_cells_of_one_meaning(records: list) -> None:
    small, bulk = parse_json_lines(lines(records)), parse_json_lines(large(records))
    assert small.names == bulk.names
    for row in range(len(records)):
        for left, right in zip(small.columns, bulk.columns, strict=True):
            assert meaning(left, row) == meaning(right, row)


NOT_JSON = "Send JSON in UTF-8; write null for a missing value: NaN and Infinity are not JSON"
LENGTH = "Give every line a value for every column, null where missing"


@pytest.mark.parametrize(
    ("body", "message", "place", "hint"),
    [
        (b" \n", "there are no rows", "line 1", HINT),
        (
            b'{"a": 1}\n{"a": }',
            "the line is not JSON: unexpected character, expected a JSON value",
            "line 2",
            NOT_JSON,
        ),
        (
            b'{"a": NaN}',
            "the line is not JSON: unexpected character, expected a JSON value",
            "line 1",
            NOT_JSON,
        ),
        (b"3\n", "the line is not a record", "line 1", HINT),
        (b"{}\n{}", "the line has no values", "line 1", HINT),
        (b'{"a": 1}\n\n[2]', "the line is not a record, and the first line is", "line 3", HINT),
        (b'[1]\n{"a": 2}', "the line does not have the first line's shape", "line 2", HINT),
        (b"[1, 2]\n[1]", "the line has 1 values, and the first line has 2", "line 2", LENGTH),
        (
            b'{"a": 1, "b": [2]}',
            "a list stands where a single value is expected",
            "line 1, column 'b'",
            HINT,
        ),
        (
            b'{"a": 1}\n{"a": {}}',
            "an object stands where a single value is expected",
            "line 2, column 'a'",
            HINT,
        ),
        (b"[[1]]", "a list stands where a single value is expected", "line 1, column '1'", HINT),
        (
            b'{"features": [1], "label": 1}\n{"features": [1]}',
            "only one of this line and the first line has a 'label'",
            "line 2",
            "Give every line a label, or none",
        ),
        (
            b'{"features": [1], "label": []}',
            "a list stands where a single value is expected",
            "line 1, column 'label'",
            HINT,
        ),
    ],
)
def test_the_fault_and_its_line(body: bytes, message: str, place: str, hint: str) -> None:
    with pytest.raises(RecordError) as caught:
        parse_json_lines(body)
    assert (str(caught.value), caught.value.place, caught.value.hint) == (message, place, hint)


@pytest.mark.parametrize(
    "fault", [b'{"a": 1', b'{"a": "\xff"}', b'{"a": [1]}', b'{"a": 1} {"a": 1}']
)
def test_a_fault_in_a_large_body_is_named(fault: bytes) -> None:
    good = large([{"a": 1}])
    with pytest.raises(RecordError) as caught:
        parse_json_lines(good + b"\n" + fault)
    assert caught.value.place.startswith(f"line {good.count(b'{') + 1}")


@pytest.mark.parametrize("rows", [1, 3000])
def test_a_key_given_twice_is_refused(rows: int) -> None:
    body = b'{"a": 1, "b": 2}\n' * rows + b'{"a": 1, "b": 2, "a": 3}\n'
    with pytest.raises(RecordError) as caught:
        parse_json_lines(body)
    assert str(caught.value) == "the record has this key twice"
    assert (caught.value.place, caught.value.hint) == (
        f"line {rows + 1}, column 'a'", "Give every key once",
    )  # fmt: skip
