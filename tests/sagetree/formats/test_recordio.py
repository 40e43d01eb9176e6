"""SageMaker's recordio-protobuf, against bytes published with its other readers and writers."""

import io
import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagetree.formats.recordio import (
    HINT,
    encode_recordio,
    frame,
    frames,
    parse_recordio,
    record_class,
)
from sagetree.formats.sparse_rows import RecordError, SparseRows

MAGIC = struct.pack("<I", 0xCED7230A)


def record(values=(), keys=(), shape=(), kind="float32", label=None, names=("values", "values")):
    """Return a record as SageMaker's SDK writes it."""
    made = record_class()()
    tensor = getattr(made.features[names[0]], f"{kind}_tensor")
    tensor.SetInParent()
    tensor.values.extend(values)
    tensor.keys.extend(keys)
    tensor.shape.extend(shape)
    if label is not None:
        made.label[names[1]].float32_tensor.values.extend(np.atleast_1d(label).tolist())
    return made.SerializeToString(deterministic=True)


def rows(*records: bytes) -> SparseRows:
    return parse_recordio(b"".join(map(frame, records)))


# 42, 6, 9 as int32 and as float64; 1 at places 0 and 5 of 6 as int32: bytes that the
# official container's own tests decode.
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            b"\n#\xd7\xce\x13\x00\x00\x00\n\x11\n\x06values\x12\x07:\x05\n\x03*\x06\t\x00",
            [42, 6, 9],
        ),
        (
            b"\n#\xd7\xce(\x00\x00\x00\n&\n\x06values\x12\x1c\x1a\x1a\n\x18\x00\x00\x00"
            b'\x00\x00\x00E@\x00\x00\x00\x00\x00\x00\x18@\x00\x00\x00\x00\x00\x00"@',
            [42, 6, 9],
        ),
        (
            b"\n#\xd7\xce\x19\x00\x00\x00\n\x17\n\x06values\x12\r:\x0b\n\x02\x01\x01\x12"
            b"\x02\x00\x05\x1a\x01\x06\x00\x00\x00",
            [1, np.nan, np.nan, np.nan, np.nan, 1],
        ),
    ],
)
def test_published_bytes(data: bytes, expected: list[float]) -> None:
    found = parse_recordio(data)
    np.testing.assert_array_equal(found.matrix(0, found.width), [expected])
    np.testing.assert_array_equal(found.labels, [np.nan])


@pytest.mark.parametrize("kind", ["float32", "float64", "int32"])
def test_dense_records_and_their_labels(kind: str) -> None:
    found = rows(record([1, 2], kind=kind, label=1), record([3, 4], kind=kind, label=0))
    np.testing.assert_array_equal(found.matrix(0, 2), [[1, 2], [3, 4]])
    assert found.labels.tolist() == [1, 0]
    assert found.width == 2


@pytest.mark.parametrize("kind", ["float32", "float64", "int32"])
def test_sparse_records_of_which_one_is_empty(kind: str) -> None:
    found = rows(
        record([7, 8], [3, 0], [5], kind, 1), record([], [], [5], kind, 0), record(kind=kind), b""
    )
    nan = np.nan
    np.testing.assert_array_equal(
        found.matrix(0, found.width), [[8, nan, nan, 7, nan], [nan] * 5, [nan] * 5, [nan] * 5]
    )
    np.testing.assert_array_equal(found.labels, [1, 0, nan, nan])


def test_a_tensor_of_another_name_is_taken_where_it_is_the_only_one() -> None:
    found = rows(record([1, 2], label=3, names=("x", "y")))
    assert found.labels.tolist() == [3]
    assert found.width == 2


PARTS = st.lists(st.sampled_from([MAGIC, b"abcd", b"x"]), max_size=6).map(b"".join)


@given(st.lists(PARTS | st.binary(max_size=9), max_size=4))
def test_frames_hold_any_bytes(records: list[bytes]) -> None:
    data = b"".join(map(frame, records))
    assert list(frames(io.BytesIO(data))) == records
    assert len(data) % 4 == 0


def test_the_magic_number_in_a_record_cuts_it_into_parts() -> None:
    # as dmlc's writer: the number itself is not written again, the last part is flagged 3
    data = frame(b"abcd" + MAGIC + b"e")
    assert data == (
        MAGIC + struct.pack("<I", 1 << 29 | 4) + b"abcd" + MAGIC + struct.pack("<I", 3 << 29 | 1)
        + b"e\0\0\0"
    )  # fmt: skip


def test_answers_are_the_official_containers() -> None:
    assert encode_recordio([{"score": [0.5]}]) == (
        MAGIC + b"\x13\0\0\0" + b"\x12\x11\n\x05score\x12\x08\x12\x06\n\x04\0\0\0?" + b"\0"
    )
    both = encode_recordio([{"probabilities": [0.25, 0.75], "predicted_label": [1.0]}])
    (data,) = frames(io.BytesIO(both))
    found = record_class().FromString(data)
    assert list(found.label["probabilities"].float32_tensor.values) == [0.25, 0.75]
    assert list(found.label["predicted_label"].float32_tensor.values) == [1]


GOOD = frame(record([1, 2], label=0))
UNREADABLE = "the record cannot be read: "
NO_FRAME = "the record is not RecordIO: "


def binary() -> bytes:
    made = record_class()()
    made.features["values"].bytes.value.append(b"jpeg")
    return made.SerializeToString(deterministic=True)


def several() -> bytes:
    made = record_class()()
    for name in ("in", "out"):
        made.features[name].float32_tensor.values.append(1)
    return made.SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    ("data", "message", "number", "hint"),
    [
        (b"", "there are no records", 1, HINT),
        (b"1,2,3\n", NO_FRAME + "it is cut off", 1, HINT),
        (b"1,2,3\n4,5,6", NO_FRAME + "it begins with 312c322c", 1, HINT),
        (GOOD + GOOD[:-8], NO_FRAME + "it is cut off", 2, HINT),
        (GOOD + GOOD[:5], NO_FRAME + "it is cut off", 2, HINT),
        (MAGIC + struct.pack("<I", 1 << 29), NO_FRAME + "it is cut off", 1, HINT),
        (
            MAGIC + struct.pack("<I", 3 << 29),
            NO_FRAME + "its parts do not follow one another",
            1,
            HINT,
        ),
        (
            MAGIC + struct.pack("<I", 4 << 29),
            NO_FRAME + "its parts do not follow one another",
            1,
            HINT,
        ),
        (GOOD + frame(b"\xff\xff"), UNREADABLE + "it is not an aialgs.data.Record", 2, HINT),
        (
            GOOD + frame(record([1])),
            UNREADABLE + "it has 1 values, and an earlier record has 2",
            2,
            "Give every dense record the same number of values",
        ),
        (
            frame(record([1], label=[1, 2])),
            UNREADABLE + "it has 2 labels",
            1,
            "Give every record one label",
        ),
        (frame(record([1, 2], [0])), UNREADABLE + "it has 2 values and 1 keys", 1, HINT),
        (frame(record([1, 2], (), [3])), UNREADABLE + "it has 2 values and the shape [3]", 1, HINT),
        (
            frame(record([1], [3], [3])),
            UNREADABLE + "its key 3 lies outside its shape [3]",
            1,
            HINT,
        ),
        (
            frame(record([1], [2**40])),
            UNREADABLE + "its key 1099511627776 lies outside its shape []",
            1,
            HINT,
        ),
        (frame(record([1, 2], [0, 0], [3])), UNREADABLE + "it has the same key twice", 1, HINT),
        (
            frame(binary()),
            UNREADABLE + "its features are bytes",
            1,
            "Write them as a tensor of numbers",
        ),
        (
            frame(several()),
            UNREADABLE + "it has several features ('in', 'out')",
            1,
            "Call the tensor of features 'values'",
        ),
    ],
)
def test_the_fault_and_its_record(data: bytes, message: str, number: int, hint: str) -> None:
    with pytest.raises(RecordError) as caught:
        parse_recordio(data)
    assert str(caught.value) == message
    assert caught.value.place == f"record {number}"
    assert caught.value.hint == hint


@given(st.binary(max_size=40), st.integers(0, 2))
def test_anything_is_rows_or_a_named_fault(data: bytes, how: int) -> None:
    with suppress(RecordError):
        assert parse_recordio([data, GOOD + data, frame(data)][how]).rows
