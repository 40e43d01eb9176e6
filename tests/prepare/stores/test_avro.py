"""Avro's container files: the codecs and types of manifests, and files that are none."""

import pytest

from sagetree.prepare.stores.avro import AvroError, read_avro
from tests.prepare.stores.avro_files import container, encoded

SCHEMA = {
    "type": "record",
    "name": "r",
    "fields": [
        {"name": "n", "type": "long"},
        {"name": "t", "type": ["null", "string"]},
        {"name": "m", "type": {"type": "map", "values": "int"}},
        {"name": "a", "type": {"type": "array", "items": {"type": "enum", "name": "e", "symbols": ["x", "y"]}}},  # noqa: E501
        {"name": "f", "type": {"type": "fixed", "name": "four", "size": 4}},
        {"name": "again", "type": ["null", "four"]},
        {"name": "b", "type": "boolean"},
        {"name": "d", "type": {"type": "double", "logicalType": "none"}},
        {"name": "s", "type": "float"},
        {"name": "child", "type": ["null", "r"]},
    ],
}  # fmt: skip


def row(number: int) -> dict[str, object]:
    return {
        "n": number, "t": None if number % 2 else "text ä", "m": {"k": number // 2}, "a": [0, 1, 0],
        "f": b"abcd", "again": b"efgh", "b": True, "d": b"8 bytes.", "s": b"four", "child": None,
    }  # fmt: skip


ROWS = [row(n) for n in (0, -1, 63, 64, -65, 2**62, -(2**63), 2**63 - 1)]


@pytest.mark.parametrize("codec", ["null", "deflate", "zstandard"])
def test_records_are_read_as_they_were_written(codec: str) -> None:
    nested = {**ROWS[0], "child": ROWS[1]}
    assert read_avro(container(SCHEMA, [*ROWS, nested], codec)) == [*ROWS, nested]
    assert read_avro(container(SCHEMA, [], codec)) == []


def test_arrays_in_blocks_that_say_their_bytes() -> None:
    schema = {"type": "array", "items": "long"}
    blocks = encoded(-2, "long") + encoded(2, "long") + b"\x02\x04" + b"\x02\x06" + b"\x00"
    assert read_avro(container(schema, [blocks], "null", raw=True)) == [[1, 2, 3]]


def whole_of(schema: dict[str, object]) -> bytes:
    """Return a file of one record, a byte of some type."""
    return container(schema, [b"x"], "null", raw=True)


def test_files_that_are_none() -> None:
    whole = container(SCHEMA, ROWS, "deflate")
    faults = {
        b"PAR1": "it is not an Avro file",
        b"Obj": "it ends too early",
        whole[:-3]: "it ends too early",
        whole[:-3] + b"xyz": "its blocks are damaged",
        container(
            SCHEMA, ROWS, "snappy"
        ): "it is compressed with snappy, and only deflate and zstandard are supported",
        container({"type": "record", "name": "r"}, [], "null"): "its schema cannot be read",
    }
    other = {**SCHEMA, "fields": [{"name": "n", "type": "other"}]}
    faults[whole_of(other)] = "its schema cannot be read"
    for data, text in faults.items():
        with pytest.raises(AvroError, match=text):
            read_avro(data)


def test_any_change_of_a_byte_is_an_error_or_other_records() -> None:
    whole = container(SCHEMA, ROWS, "null")
    for at in range(0, len(whole), 3):
        for changed in (whole[:at], whole[:at] + bytes([whole[at] ^ 0x81]) + whole[at + 1 :]):
            try:
                read_avro(changed)
            except AvroError:
                continue
