"""Body bytes to tables: what each shape means, and what each fault is called."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagetree.errors import (
    DecodingError,
    RequestError,
    SchemaError,
    UnsupportedMediaTypeError,
    UserError,
)
from sagetree.serve.bodies.csv_body import decode_csv
from sagetree.serve.bodies.decoders import DECODERS, decode_json, decode_json_lines
from sagetree.serve.bodies.hints import Decoder, Hints
from sagetree.tables.schema import Column, Schema
from sagetree.tables.table import Table

SCHEMA = Schema(
    columns=(
        Column(name="age", kind="number", missing=0, distinct=50),
        Column(name="état", kind="category", missing=0, distinct=2, categories=("CA", "WA")),
        Column(name="id", kind="identifier", missing=0, distinct=99),
    ),
    label=None,
    named=True,
)

SHAPES = (
    'Send records as [{"column": value, ...}, ...], or {"columns": [...], "data": [[...], ...]}, '
    'or {"instances": [...]}'
)
JSON_HINT = "Send JSON in UTF-8; a missing value is null or NaN"
EVERY_VALUE = "Give every row a value for every column, null where missing"

NAMED = (("age", "état"), [[31, None], ["WA", "CA"]])
POSITIONAL = (None, [[31, None], ["WA", "CA"]])


def one(
    decoder: Decoder, body: bytes, parameters: dict[str, str], schema: Schema = SCHEMA
) -> Table:
    """The table of a body that comes in one slice."""
    (table,) = decoder(body, Hints(schema, parameters))
    return table


def shape(table: Table) -> tuple[object, list[object]]:
    return (table.names if table.named else None), [list(cells) for cells in table.columns]


@pytest.mark.parametrize(
    ("body", "parameters", "expected"),
    [
        ("31,WA\n,CA\n", {}, (None, [["31", ""], ["WA", "CA"]])),
        ("age,état\n31,WA\n,CA", {}, (("age", "état"), [["31", ""], ["WA", "CA"]])),
        ("état,age\r\nWA,31\r\n", {}, (("état", "age"), [["WA"], ["31"]])),
        ("\ufeff état ,age\nWA,31\n\n", {}, (("état", "age"), [["WA"], ["31"]])),
        ("age,état\n", {"header": "absent"}, (None, [["age"], ["état"]])),
        ("a,b\n1,2\n", {"header": "Present"}, (("a", "b"), [["1"], ["2"]])),
        ('"1,5","say ""x"""\n', {}, (None, [["1,5"], ['say "x"']])),
    ],
)
def test_csv(body: str, parameters: dict[str, str], expected: object):
    assert shape(one(decode_csv, body.encode(), parameters)) == expected


@pytest.mark.parametrize("charset", ["utf-8", "UTF8", "latin-1", "windows-1252", "UTF-16"])
def test_the_charset_is_honoured(charset: str):
    body = "état,age\nWA,31\n".encode(charset)
    assert one(decode_csv, body, {"charset": charset}).names == ("état", "age")


def test_rows_are_located_by_their_line():
    assert one(decode_csv, b"1,2\n3,4\n", {}).locate(1) == "line 2"
    assert one(decode_csv, "age,état\n1,2\n3,4\n".encode(), {}).locate(1) == "line 3"
    assert one(decode_json, b"[[1,2],[3,4]]", {}).locate(1) == "row 2"


@pytest.mark.parametrize(
    ("body", "parameters", "kind", "text"),
    [
        (
            b"1,2\n3\n",
            {},
            DecodingError,
            "line 2: the line has 1 cells, and the first line has 2. "
            "Give every line the same number of cells; quote a cell that holds a comma",
        ),
        (
            b'1,2\n3,"4\n',
            {},
            DecodingError,
            "line 2: the line is not CSV: unexpected end of data. "
            'Close every quote; write a quote inside a quoted cell twice ("")',
        ),
        (
            b"\n\n",
            {},
            DecodingError,
            "line 1: there are no rows. Send at least one line of comma-separated values",
        ),
        (
            b"1,2\n\xff,4\n",
            {},
            DecodingError,
            "line 2: the text is not UTF-8. Save the file as UTF-8, such as with: "
            "iconv -f windows-1252 -t utf-8 FILE",
        ),
        (
            "age,état\n".encode(),
            {},
            DecodingError,
            "line 1: there is a header and there are no rows. Send at least one row below the "
            "header",
        ),
        (
            b"\xd8",
            {"charset": "utf-16"},
            DecodingError,
            "the body: the text is not utf-16. Correct the charset, or send UTF-8",
        ),
        (
            b"1,2",
            {"charset": "klingon"},
            UnsupportedMediaTypeError,
            "Content-Type: the charset 'klingon' is not supported. "
            "Send one of utf-8, us-ascii, iso-8859-1, windows-1252, utf-16",
        ),
        (
            b"1,2",
            {"charset": "zlib"},
            UnsupportedMediaTypeError,
            "Content-Type: the charset 'zlib' is not supported. "
            "Send one of utf-8, us-ascii, iso-8859-1, windows-1252, utf-16",
        ),
        (
            b"1,2",
            {"header": "maybe"},
            RequestError,
            "Content-Type: the parameter header is 'maybe'. "
            "Write header=present or header=absent, or leave it out",
        ),
        (
            b"age,age,id\n1,2,3\n",
            {},
            SchemaError,
            "column 'age' is given twice. Send every column once",
        ),
    ],
)
def test_faulty_csv(body: bytes, parameters: dict[str, str], kind: type[UserError], text: str):
    with pytest.raises(kind) as caught:
        one(decode_csv, body, parameters)
    assert (type(caught.value), str(caught.value)) == (kind, text)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('[{"age": 31, "état": "WA"}, {"état": "CA", "age": null}]', NAMED),
        ('\ufeff[{"age": 31, "état": "WA"}, {"age": null, "état": "CA"}]', NAMED),
        ('{"instances": [{"age": 31, "état": "WA"}, {"age": null, "état": "CA"}]}', NAMED),
        ('{"columns": ["age", "état"], "data": [[31, "WA"], [null, "CA"]]}', NAMED),
        ('{"columns": ["age", "état"], "data": [[31, "WA"], [NaN, "CA"]]}', NAMED),
        ('[{"age": 31, "état": "WA"}, {"age":NaN, "état": "CA"}]', NAMED),
        ('{"inputs": {"age": [31, NaN], "état": ["WA", "CA"]}}', NAMED),
        ('{"inputs": {"age": [31, null], "état": ["WA", "CA"]}, "params": {"a": 1}}', NAMED),
        ('{"inputs": [{"age": 31, "état": "WA"}, {"age": null, "état": "CA"}]}', NAMED),
        ('{"inputs": [[31, "WA"], [null, "CA"]], "params": null}', POSITIONAL),
        ('{"instances": [[31, "WA"], [null, "CA"]], "params": {}}', POSITIONAL),
        (
            '{"dataframe_split": {"columns": ["age", "état"], "data": [[31, "WA"], [NaN, "CA"]]}, '
            '"params": {}}',
            NAMED,
        ),
        ('{"columns": ["age", "état"], "rows": [[31, "WA"], [null, "CA"]]}', NAMED),
        (
            '{"columns": ["age", "état"], "index": [0, 1], "data": [[31, "WA"], [null, "CA"]]}',
            NAMED,
        ),
        ('{"instances": [[31, "WA"], [null, "CA"]], "signature_name": "predict"}', POSITIONAL),
        ('[[31, "WA"], [null, "CA"]]', POSITIONAL),
        ('{"age": 31, "état": "WA"}', (("age", "état"), [[31], ["WA"]])),
        ('{"instances": 3, "columns": "x"}', (("instances", "columns"), [[3], ["x"]])),
        ('{"dataframe_records": [{"age": 31, "état": "WA"}, {"age": null, "état": "CA"}]}', NAMED),
        (
            '{"dataframe_split": {"index": [0, 1], "columns": ["age", "état"], '
            '"data": [[31, "WA"], [null, "CA"]]}}',
            NAMED,
        ),
        ('{"features": [[31, "WA"], [null, "CA"]]}', POSITIONAL),
        ('{"instances": [{"features": [31, "WA"]}, {"features": [null, "CA"]}]}', POSITIONAL),
        ('[{"features": [31, "WA"]}, {"features": [null, "CA"]}]', POSITIONAL),
        ('{"features": [31, "WA"]}', (None, [[31], ["WA"]])),
        ('{"features": [{"age": 31, "état": "WA"}]}', (("age", "état"), [[31], ["WA"]])),
        ('{"features": 3}', (("features",), [[3]])),
        ("[[]]", (None, [])),
        ("{}", ((), [])),
    ],
)
def test_json(body: str, expected: object):
    schema = SCHEMA if "age" in body else SCHEMA.model_copy(update={"columns": ()})
    assert shape(one(decode_json, body.encode(), {}, schema)) == expected


def test_json_of_many_rows_comes_in_slices():
    hints = Hints(SCHEMA, {}, slice_values=6)
    tables = list(decode_json(orjson.dumps([[n, "x"] for n in range(7)]), hints))
    assert [table.columns[0] for table in tables] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [table.locate(0) for table in tables] == ["row 1", "row 4", "row 7"]


def test_a_column_the_model_does_not_need_may_come_and_go():
    body = b'[{"age": 1, "\xc3\xa9tat": "WA"}, {"id": 7, "age": 2, "\xc3\xa9tat": "CA"}]'
    table = one(decode_json, body, {})
    assert shape(table) == (("age", "état", "id"), [[1, 2], ["WA", "CA"], [None, 7]])


@pytest.mark.parametrize(
    ("decode", "body", "cells"),
    [
        (decode_json, b'[[NaN, "NaN"], [-Infinity, "a"]]', [[None, "-Infinity"], ["NaN", "a"]]),
        (decode_json, rb'[["\\", NaN], ["NaN\"NaN", Infinity]]',
         [["\\", 'NaN"NaN'], [None, "Infinity"]]),
        (decode_json_lines, b'[NaN, "NaN"]\n[Infinity, "a"]', [[None, "Infinity"], ["NaN", "a"]]),
        (decode_json_lines, b'{"features": [NaN, 1]}\n', [[None], [1]]),
    ],
)  # fmt: skip
def test_nan_is_missing_in_requests_and_no_text_is_changed(
    decode: Decoder, body: bytes, cells: object
):
    assert shape(one(decode, body, {}))[1] == cells


@pytest.mark.parametrize("word", ["nan", "NAN", "NaN1", "+Infinity", "1NaN", "-NaN", "Inf"])
def test_other_words_are_no_json(word: str):
    with pytest.raises(DecodingError, match="is not JSON"):
        one(decode_json, f"[[{word}, NaN]]".encode(), {})


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (
            '[{"age": NAN}]',
            DecodingError,
            "line 1 column 10: the body is not JSON: unexpected character, expected a JSON value. "
            + JSON_HINT,
        ),
        (
            '[{"age": 1},\n {"age": -Inf}]',
            DecodingError,
            "line 2 column 11: the body is not JSON: no digit after sign. " + JSON_HINT,
        ),
        ("3", DecodingError, f"the body: it holds no rows. {SHAPES}"),
        ("NaN", DecodingError, f"the body: it holds no rows. {SHAPES}"),
        (
            '{"inputs": {"age": [1], "état": ["WA", "CA"]}}',
            DecodingError,
            "inputs: its columns differ in length. "
            "Give every column a list of the same length, null where a value is missing",
        ),
        (
            '{"inputs": {"age": [1], "état": "WA"}}',
            DecodingError,
            "inputs: its columns differ in length. "
            "Give every column a list of the same length, null where a value is missing",
        ),
        ('{"inputs": {"age": []}}', DecodingError, f"the body: there are no rows. {SHAPES}"),
        ("null", DecodingError, f"the body: it holds no rows. {SHAPES}"),
        ("[]", DecodingError, f"the body: there are no rows. {SHAPES}"),
        ('{"instances": []}', DecodingError, f"the body: there are no rows. {SHAPES}"),
        (
            '{"columns": ["age"], "data": []}',
            DecodingError,
            f"the body: there are no rows. {SHAPES}",
        ),
        ("[1, 2]", DecodingError, f"row 1: the row is not a list of values. {SHAPES}"),
        ('[[1], {"age": 1}]', DecodingError, f"row 2: the row is not a list of values. {SHAPES}"),
        (
            '[{"age": 1}, [1]]',
            DecodingError,
            f"row 2: the row is not a record, and the first row is. {SHAPES}",
        ),
        (
            "[[1, 2], [3]]",
            DecodingError,
            f"row 2: the row has 1 values, and 2 are expected. {EVERY_VALUE}",
        ),
        (
            '{"columns": ["age"], "data": [[1, 2]]}',
            DecodingError,
            f"row 1: the row has 2 values, and 1 are expected. {EVERY_VALUE}",
        ),
        (
            '{"columns": ["age", 1], "data": [[1, 2]]}',
            DecodingError,
            "columns: the name '1' is not text. Name every column by a text",
        ),
        (
            '{"columns": ["age"], "data": [[1]], "rows": [[1]]}',
            DecodingError,
            "the body: the key 'rows' is unknown. The keys are columns, data, index",
        ),
        (
            '{"instances": [[1]], "threshold": 0.5}',
            DecodingError,
            "the body: the key 'threshold' is unknown. The keys are instances, params, "
            "signature_name",
        ),
        (
            '[{"age": 1, "état": "WA"}, {"age": 1}]',
            SchemaError,
            "row 2, column 'état': the column is missing from the record. "
            "Give every record every column, null where missing",
        ),
        (
            '[{"id": 1}, {"age": 1, "état": "WA"}, {"age": 2}]',
            SchemaError,
            "row 1, column 'age': the column is missing from the record (and 2 more like it). "
            "Give every record every column, null where missing",
        ),
        (
            '{"dataframe_records": [[1]], "x": 1}',
            DecodingError,
            "the body: the key 'x' is unknown. The keys are dataframe_records, params",
        ),
        (
            '{"dataframe_split": {"columns": ["age"], "data": [[1]]}, "x": 1}',
            DecodingError,
            "the body: the key 'x' is unknown. The keys are dataframe_split, params",
        ),
        (
            '{"input": [[1, 2]]}',
            SchemaError,
            f"row 1, column 'input': a list stands where a single value is expected. {SHAPES}",
        ),
        (
            '[[1, "WA"], [{"value": 1}, "WA"]]',
            SchemaError,
            f"row 2, column 'age': an object stands where a single value is expected. {SHAPES}",
        ),
        (
            "[[1, [2], 3]]",
            SchemaError,
            f"row 1, column '2': a list stands where a single value is expected. {SHAPES}",
        ),
        (
            '{"columns": ["age", "age"], "rows": [[1, 2]]}',
            SchemaError,
            "column 'age' is given twice. Send every column once",
        ),
    ],
)
def test_faulty_json(body: str, kind: type[UserError], text: str):
    with pytest.raises(kind) as caught:
        one(decode_json, body.encode(), {})
    assert (type(caught.value), str(caught.value)) == (kind, text)


WORDS = ["age", "1e5", "null", "NaN", '"age"', '"columns"', '"data"', '"instances"', "\r\n"]
SNIPPETS = st.sampled_from(WORDS) | st.sampled_from(',"\n{}[]:\0\xff ')
BODIES = st.one_of(
    st.binary(max_size=60),
    st.lists(SNIPPETS, max_size=30).map(lambda parts: "".join(parts).encode("latin-1")),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["age", "état", "id", "columns", "rows", "data", "instances", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "charset": st.sampled_from(["utf-8", "utf-16", "latin-1", "rot13", "", "\0"]),
        "header": st.sampled_from(["present", "absent", "?"]),
        "delimiter": st.sampled_from([";", "tab", "COMMA", "|"]),
    },
)


@given(body=BODIES, parameters=PARAMETERS, kind=st.sampled_from(sorted(DECODERS)))
def test_any_bytes_are_a_table_or_the_clients_fault(
    body: bytes, parameters: dict[str, str], kind: str
):
    try:
        tables = list(DECODERS[kind](body, Hints(SCHEMA, parameters, limit=10**6)))
    except (RequestError, SchemaError):
        return
    for table in tables:
        assert {len(cells) for cells in table.columns} <= {table.rows}


@given(value=VALUES)
def test_any_json_is_a_table_or_the_clients_fault(value: object):
    try:
        body = orjson.dumps(value)
    except (orjson.JSONEncodeError, TypeError):  # an integer of more than 64 bits, a surrogate
        return
    try:
        table = one(decode_json, body, {})
    except (RequestError, SchemaError):
        return
    cells = [cell for column in table.columns for cell in column]
    assert all(cell is None or isinstance(cell, (str, int, float)) for cell in cells)
    assert {len(column) for column in table.columns} <= {table.rows}


@pytest.mark.parametrize(
    ("body", "place"),
    [(b"age,id\n1,a\n2,b\n", "line 3"), (b'age,id\n1,"a\nb"\n2,b\n', "row 2")],
)
def test_a_row_is_named_by_its_line_only_where_rows_are_lines(body: bytes, place: str) -> None:
    assert one(decode_csv, body, {"header": "present"}).locate(1) == place


def test_a_body_nested_as_deeply_as_json_is_read_is_refused_for_its_shape() -> None:
    with pytest.raises(SchemaError) as caught:
        one(decode_json, b'{"age":' * 1000 + b"1" + b"}" * 1000, {})
    assert str(caught.value).startswith("row 1, column 'age': an object stands where a single")
