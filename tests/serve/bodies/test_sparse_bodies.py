"""libsvm and recordio-protobuf bodies as tables of the model's columns."""

import numpy as np
import pytest

from sagetree.errors import DecodingError, SchemaError
from sagetree.formats.recordio import frame
from sagetree.serve.bodies.decoders import decode_json_lines
from sagetree.serve.bodies.hints import Hints
from sagetree.serve.bodies.sparse_bodies import decode_libsvm, decode_recordio
from tests.serve.bodies.test_csv_body import THREE, cells_of, schema_of
from tests.serve.encoded import recordio

RECORDS = recordio(np.array([[1, np.nan, 3], [4, 5, np.nan]], np.float32), sparse=True)
SMALL = {"slice_bytes": 8, "slice_values": 3}


@pytest.mark.parametrize("sizes", [{}, SMALL])
def test_absent_cells_are_missing(sizes: dict[str, int]):
    hints = Hints(THREE, {}, **sizes)
    expected = (None, [[1, 4], [None, 5], [3, None]], ["row 1", "row 2"])

    def found(tables: object) -> object:
        names, cells, places = cells_of(tables)
        return names, [[None if c != c else c for c in column] for column in cells], places

    assert found(decode_libsvm(b"0 qid:7 0:1 2:3\n1 qid:7 0:4 1:5 # x\n", hints)) == expected
    assert found(decode_libsvm(b"\n0:1 2:3\n\n0:4 1:5", hints)) == expected
    assert found(decode_recordio(RECORDS, hints)) == expected


def test_the_first_index_is_the_model_s():
    schema = THREE.model_copy(update={"first_index": 1})
    (table,) = decode_libsvm(b"0 1:7 3:9\n", Hints(schema, {}))
    assert [column[0] for column in table.columns][::2] == [7, 9]
    with pytest.raises(SchemaError) as caught:
        decode_libsvm(b"0 1:7\n0 0:1 4:1\n", Hints(schema, {}))
    assert [(v.row, v.reason) for v in caught.value.violations] == [
        (1, "the index 0 is not one of the model's, 1 to 3"),
        (1, "the index 4 is not one of the model's, 1 to 3"),
    ]
    assert str(caught.value) == (
        "row 2, column '0': the index 0 is not one of the model's, 1 to 3 "
        "(and 1 more like it). Count the columns from 1, as in training"
    )


def test_dense_records_have_the_columns_of_a_row():
    body = recordio(np.ones((2, 2), np.float32), sparse=False)
    (table,) = decode_recordio(body, Hints(THREE, {}))
    assert table.columns == ([1, 1], [1, 1])


@pytest.mark.parametrize("sizes", [{}, SMALL])
@pytest.mark.parametrize(
    ("decoder", "body", "where"),
    [
        (decode_libsvm, b"0 0:1\n\n0 0:x\n", "line 3"),
        (decode_recordio, RECORDS + frame(b"\xff"), "record 3"),
        (decode_recordio, RECORDS + b"junk", "record 3"),
        (decode_recordio, RECORDS + b"junkjunkjunk", "record 3"),
        (decode_recordio, RECORDS[:-4], "record 2"),
        (decode_json_lines, b'{"a": 1, "b": 2}\n\n{"a": 1, "b": 2}\n{', "line 4"),
        (decode_json_lines, b'{"a": 1, "b": 2}\n{"a": [1], "b": 2}\n', "line 2, column 'a'"),
        (decode_json_lines, b'{"a": 1, "b": 2}\n[1, 2]\n', "line 2"),
        (decode_json_lines, b'[1, 2]\n{"a": 1, "b": 2}\n', "line 2"),
    ],
)
def test_faults_are_counted_from_the_body_s_beginning(
    decoder: object, body: bytes, where: str, sizes: dict[str, int]
):
    with pytest.raises(DecodingError) as caught:
        list(decoder(body, Hints(THREE, {}, **sizes)))
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("decoder", "body", "text"),
    [
        (decode_libsvm, b"\n# only this\n", "line 1: there are no rows. "
         "Write a line as: label index:value index:value"),
        (decode_json_lines, b" \n\n", "line 1: there are no rows. "
         'Write one record a line: {"column": value, ...}, or {"features": [value, ...]}'),
        (decode_json_lines, b'{"features": [1, 2], "label": 0}', "column 'label' is the label: "
         "leave it out of the request. Send the features alone"),
        (decode_json_lines, b'{"a": 1, "b": 2}\n{"a": 1}', (
            "line 2, column 'b': the column is missing from the record. Give every record every "
            "column, null where missing"
        )),
        (decode_recordio, frame(b"\0" * 70_000), "record 1: the record is longer than 65536 "
         "bytes, more than a row of this model takes. Send each row as a record of its own"),
        (decode_recordio, b"\x0a\x23\xd7\xce\xff\xff\xff\x1f", "record 1: the record is longer "
         "than 65536 bytes, more than a row of this model takes. "
         "Send each row as a record of its own"),
    ],
)  # fmt: skip
def test_what_holds_no_rows_is_refused(decoder: object, body: bytes, text: str):
    with pytest.raises((DecodingError, SchemaError)) as caught:
        list(decoder(body, Hints(THREE, {})))
    assert str(caught.value) == text


def test_json_lines_are_located_by_their_line():
    hints = Hints(schema_of("a"), {}, slice_bytes=12)
    _, cells, places = cells_of(decode_json_lines(b'{"a": 1}\n{"a": 2}\n{"a": 3}\n', hints))
    assert (cells, places) == ([[1, 2, 3]], ["line 1", "line 2", "line 3"])
