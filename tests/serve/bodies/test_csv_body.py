"""CSV bodies: their delimiter, their header, and large ones in slices."""

import mmap
import tempfile
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sagetree.errors import DecodingError, RequestError, SagetreeError, SchemaError
from sagetree.features.category import Category
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.serve.bodies.csv_body import UNEVEN_BYTES, decode_csv
from sagetree.serve.bodies.hints import Hints
from sagetree.serve.bodies.lines import LONGEST_ROW
from sagetree.tables.schema import Column, Schema
from sagetree.tables.table import Table, cell_list


def schema_of(*names: str, identifiers: Sequence[str] = ()) -> Schema:
    kinds = {name: "identifier" if name in identifiers else "number" for name in names}
    columns = [Column(name=n, kind=k, missing=0, distinct=9) for n, k in kinds.items()]
    return Schema(columns=tuple(columns), label=None, named=True)


THREE = schema_of("id", "a", "b", identifiers=["id"])  # two inputs, three columns
ONE = schema_of("a")


def cells_of(tables: Iterable[Table]) -> tuple[object, list[list[object]], list[str]]:
    """Names, all cells by column, and the place of each row."""
    tables = list(tables)
    names = {table.names if table.named else None for table in tables}
    columns = zip(*(table.columns for table in tables), strict=True)
    cells = [[cell for part in column for cell in cell_list(part)] for column in columns]
    places = [table.locate(row) for table in tables for row in range(table.rows)]
    (name,) = names
    return name, cells, places


def read(body: bytes, schema: Schema = THREE, **parameters: str) -> object:
    return cells_of(decode_csv(body, Hints(schema, parameters)))[:2]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"1;2\n3;4\n", (None, [["1", "3"], ["2", "4"]])),
        (b"1\t2\r\n3\t4", (None, [["1", "3"], ["2", "4"]])),
        (b"1,5;2,5\n", None),  # three columns by comma, two by semicolon
        (b"7;1,5;2,5\n", None),
        (b"b;a\n2;1\n", (("b", "a"), [["2"], ["1"]])),
        (b"a\tb\tid\n1\t2\t3\n", (("a", "b", "id"), [["1"], ["2"], ["3"]])),
        (b'"x;y";2\n', (None, [["x;y"], ["2"]])),
        (b"1,2\n", (None, [["1"], ["2"]])),
        (b'"1;5",2\n', (None, [["1;5"], ["2"]])),
        (b"1,x;y;z;z\n", (None, [["1"], ["x;y;z;z"]])),
    ],
)
def test_the_delimiter_is_what_fits_the_model(body: bytes, expected: object):
    if expected is None:
        with pytest.raises(RequestError) as caught:
            read(body)
        assert str(caught.value) == (
            "Content-Type: the delimiter may be comma or semicolon: the first row fits the model "
            "with each of them. Write text/csv; delimiter=comma"
        )
    else:
        assert read(body) == expected


def test_a_told_delimiter_holds():
    assert read(b"1,5;2,5\n", delimiter=";") == (None, [["1,5"], ["2,5"]])
    assert read(b"1,5;2,5\n", delimiter="Comma") == (None, [["1"], ["5;2"], ["5"]])
    assert read(b"1\t2\n", delimiter="tab") == (None, [["1"], ["2"]])
    with pytest.raises(RequestError) as caught:
        read(b"1:2\n", delimiter=":")
    assert str(caught.value) == (
        "Content-Type: the parameter delimiter is ':'. Write delimiter= and one of comma, "
        "semicolon, tab, pipe, space, or leave it out"
    )


@pytest.mark.parametrize(("names", "mark"), [(("|", "pipe"), "|"), ((" ", "space"), " ")])
def test_bars_and_spaces_are_delimiters_where_they_are_told(names: tuple[str, str], mark: str):
    for name in names:
        row = f'1{mark}"x{mark}y"\n'.encode()
        assert read(row, delimiter=name) == (None, [["1"], [f"x{mark}y"]])
        header = f"b{mark}a\n2{mark}1\n".encode()
        assert read(header, delimiter=name) == (("b", "a"), [["2"], ["1"]])
        many = f"7{mark}1{mark}2\n".encode() * (UNEVEN_BYTES // 6 + 1)
        assert {*cells_of(decode_csv(many, Hints(THREE, {"delimiter": name})))[1][2]} == {"2"}


@pytest.mark.parametrize("blank", ["\n", "\r\n", "  \n"])
@pytest.mark.parametrize("times", [1, UNEVEN_BYTES])
def test_a_blank_line_is_called_blank(blank: str, times: int):
    body = "1,2\n" * times + blank + "3,4\n"
    with pytest.raises(DecodingError) as caught:
        read(body.encode())
    assert str(caught.value) == (
        f"line {times + 1}: the line has 1 cells, and the first line has 2. "
        "The line is blank: remove it"
    )


def test_one_column_is_never_split():
    assert read(b"1;5\n2;5\n", ONE) == (None, [["1;5", "2;5"]])


def test_a_told_header_counts_for_the_delimiter():
    assert read(b"a;b\n1;2\n", header="present") == (("a", "b"), [["1"], ["2"]])
    assert read(b"a;b\n1;2\n", header="absent") == (None, [["a", "1"], ["b", "2"]])


def batch(body: bytes, **parameters: str) -> object:
    return cells_of(decode_csv(body, Hints(THREE, parameters, batch=True)))[:2]


def test_in_a_batch_job_a_header_must_hold_for_the_parts_behind_it():
    assert batch(b"id,a,b\n1,2,3\n") == (("id", "a", "b"), [["1"], ["2"], ["3"]])
    assert batch(b"a,b\n2,3\n") == (("a", "b"), [["2"], ["3"]])
    assert batch(b"b,a\n3,2\n", header="present") == (("b", "a"), [["3"], ["2"]])
    assert list(decode_csv(b"id,a,b\n", Hints(THREE, {}, batch=True))) == []
    with pytest.raises(SchemaError) as caught:
        batch(b"b,a\n3,2\n")
    assert str(caught.value) == (
        "line 1: the header's columns are not in the trained order. A batch job cuts a file "
        "into parts, "
        "and only the first part has the header. Put the columns in the trained order, or write "
        "header=present if every body has a header (SplitType None)"
    )


def test_a_row_that_is_far_too_wide_is_not_taken_apart():
    with pytest.raises(SchemaError) as caught:
        read(b"1," * 10**6 + b"1\n")
    assert str(caught.value) == (
        "line 1: there are more than 1000 columns, and the model has 3. Send the trained columns"
    )
    quoted = b'"' + b"," * 5000 + b'",2\n'
    assert read(quoted) == (None, [["," * 5000], ["2"]])


def sliced(body: bytes, hints: Hints, size: int) -> object:
    return cells_of(decode_csv(body, hints._replace(slice_bytes=size)))


CELLS = st.sampled_from(["", "1", "a", '"x"', '"a\nb"', '"a\r\nb"', '"q""q"', '"a,b"', 'x"y', "é"])
LINES = st.lists(st.lists(CELLS, min_size=2, max_size=2).map(",".join), min_size=1, max_size=12)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def outcome(tables: "Iterable[Table] | None", body: bytes, hints: Hints) -> object:
    try:
        names, cells, _ = cells_of(decode_csv(body, hints))
    except (SagetreeError, ValueError) as error:
        return type(error).__name__
    return names, cells


@given(LINES, ENDS, st.sampled_from(["", "a,b", "\ufeffb,a"]), st.integers(1, 40), st.booleans())
@example(["1,1", 'x"y,1', '"a\nb",1'], "\n", "", 6, True)
@example(['x"y,"a\nb"'], "\n", "", 1, False)
def test_slices_hold_what_the_whole_holds(
    lines: list[str], end: str, header: str, size: int, last: bool
):
    body = (end.join([header] * bool(header) + lines) + end * last).encode()
    hints = Hints(THREE, {})
    whole = outcome(None, body, hints)
    assert outcome(None, body, hints._replace(slice_bytes=size)) == whole


@given(st.lists(st.sampled_from(["", "1", '"\n"']), min_size=1, max_size=9), st.integers(1, 5))
def test_empty_lines_of_a_single_column_are_rows_in_slices_too(lines: list[str], size: int):
    body = "\n".join(lines).encode()
    hints = Hints(ONE, {})
    whole = outcome(None, body, hints)
    assert outcome(None, body, hints._replace(slice_bytes=size)) == whole


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"1,2\n3,4\n5,6,7\n", "line 3"),
        (b"a,b\n1,2\n3,4\n5\n", "line 4"),
        (b'"x\ny",2\n3,4\n5\n', "line 4"),
        (b"1,2\r\n3,4\r\n5,\xff\r\n", "line 3"),
    ],
)
def test_a_fault_has_the_line_it_has_in_the_whole(body: bytes, place: str):
    for size in (4, 100):
        with pytest.raises(DecodingError) as caught:
            sliced(body, Hints(THREE, {}), size)
        assert caught.value.where == place


def test_rows_have_the_line_or_the_number_they_have_in_the_whole():
    lines = b"a,b\n1,2\n3,4\n5,6\n"
    assert sliced(lines, Hints(THREE, {}), 5)[2] == ["line 2", "line 3", "line 4"]
    assert sliced(b'1,2\n"x\ny",4\n5,6\n', Hints(THREE, {}), 5)[2] == ["line 1", "row 2", "row 3"]


def test_a_body_in_a_file_is_read_too():
    body = b"a;b\n" + b"1;2\n" * 1000
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        found = decode_csv(mapped, Hints(THREE, {}, slice_bytes=100))
        assert cells_of(found)[:2] == (("a", "b"), [["1"] * 1000, ["2"] * 1000])


def test_a_row_without_an_end_is_refused():
    body = b"1,2\n" + b'"' + b"x\n" * LONGEST_ROW
    with pytest.raises(DecodingError) as caught:
        list(decode_csv(body, Hints(THREE, {})))
    assert str(caught.value) == (
        "byte 5: a row is longer than 8 MB. End every row by a line end, and close every quote"
    )


def test_uneven_text_is_read_in_smaller_pieces():
    body = b'x"y,1\n' + b"1,2\n" * (UNEVEN_BYTES // 2)
    assert len(list(decode_csv(body, Hints(THREE, {})))) == 3


MIXED = FeaturePipeline(
    missing_values=("999", "none"),
    unknown_category="missing",
    features=(Number(column="a"), Category(column="b", categories=("1", "x"))),
)
NUMBER_CELLS = st.sampled_from(
    ["", "1", "-2.5", "1e5", "999", "999.0", " 999 ", "none", " none", "nan", "NaN", "NAN", " 7 "]
)
ODD_CELLS = st.sampled_from(["true", "1_0", "1e39", "inf", "-Infinity", "x", "0x1", "1,5", "٣"])


def features_of(body: bytes, hints: Hints) -> object:
    """The matrix of a body as the walk makes it, or the text of its error."""
    matrices, before = [], 0
    try:
        for table in decode_csv(body, hints):
            found = MIXED.transform(hints.schema.arrange(table))
            matrices.append(found.values.tobytes())
            before += table.rows
    except SchemaError as error:
        return str(error)
    except DecodingError as error:
        return str(error)
    return b"".join(matrices), before


@settings(max_examples=min(settings().max_examples // 2, 12))  # each of many lines
@given(
    st.lists(st.tuples(NUMBER_CELLS, st.sampled_from(["1", "1.0", "x", "", "y"])), min_size=1),
    st.one_of(st.none(), ODD_CELLS),
    st.sampled_from(["", "a,b", "b,a", '"a","b"', "id,a,b"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_numbers_read_in_bulk_are_those_of_their_cells(
    rows: list[tuple[str, str]], odd: str | None, header: str, end: str
):
    rows = rows * (UNEVEN_BYTES // (2 * len(rows)) + 1)
    if odd is not None:
        rows[len(rows) // 2] = (f'"{odd}"', "1")
    swapped, wide = header == "b,a", header.startswith("id")
    lines = [f"{b},{a}" if swapped else f"k,{a},{b}" if wide else f"{a},{b}" for a, b in rows]
    body = end.join([header] * bool(header) + lines).encode()
    cells = Hints(THREE, {})
    numbers = cells._replace(numbers=MIXED.number_columns, missing=MIXED.missing.texts)
    assert len(body) > UNEVEN_BYTES
    assert features_of(body, numbers) == features_of(body, cells)


def test_numbers_in_bulk_are_not_read_as_text():
    body = b"a,b\n" + b"1.50,x\n" * (UNEVEN_BYTES // 7 + 1)
    for numbers, kind in ((("a",), "double"), ((), "string")):
        (table,) = decode_csv(body, Hints(THREE, {}, numbers=numbers))
        assert [str(column.type) for column in table.columns] == [kind, "string"]


def test_a_byte_order_mark_in_the_first_cell_below_a_header_is_text():
    body = "a,b\n\ufeff1,2\n".encode() + b"1,2\n" * (UNEVEN_BYTES // 4 + 1)
    (table,) = decode_csv(body, Hints(THREE, {}, numbers=("a", "b")))
    assert cell_list(table.columns[0])[:2] == ["\ufeff1", "1"]


def test_a_header_in_another_case_is_not_a_row_of_categories() -> None:
    """It was scored, so that every score after it was that of the row before."""
    columns = [Column(name=n, kind="category", missing=0, distinct=9) for n in ("color", "size")]
    schema = Schema(columns=tuple(columns), label=None, named=True)
    (table,) = decode_csv(b"COLOR,Size\nred,S\n", Hints(schema, {}))
    with pytest.raises(SchemaError) as caught:
        schema.arrange(table)
    assert [violation.reason for violation in caught.value.violations] == [
        "is missing", "is missing", "is unknown", "is unknown",
    ]  # fmt: skip
    assert caught.value.hint == "The model needs color, size"
