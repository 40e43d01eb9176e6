"""Avro's object container files to Python values: what Iceberg's manifests are written in.

Source: Apache Avro 1.12, "Specification": the container, its blocks, and the binary encoding.
"""

import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

_MAGIC = b"Obj\x01"
_SYNC_BYTES = 16

Reader = Callable[["_Bytes"], Any]


class AvroError(Exception):
    """A file that is not an Avro file, or one that this module cannot read; the text says why."""


class _Bytes:
    """Bytes read front to back."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        if not 0 <= size <= len(self.data) - self.at:
            raise AvroError("it ends too early")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self) -> int:
        """Return a whole number: seven bits a byte, the lowest first, zigzag."""
        shift = value = 0
        more = True
        while more:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            more = byte > 0x7F
        return (value >> 1) ^ -(value & 1)

    def limited(self, count: int) -> int:
        """Return the number of items that follow: each has a byte at least."""
        if not 0 <= count <= len(self.data) - self.at:
            raise AvroError("it ends too early")
        return count

    def sized(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        try:
            return self.sized().decode()
        except UnicodeDecodeError as error:
            raise AvroError("a text in it is not UTF-8") from error


def read_avro(data: bytes) -> list[Any]:
    """Return the records of a container file, records and maps as dicts. Raises AvroError."""
    source = _Bytes(data)
    if source.take(len(_MAGIC)) != _MAGIC:
        raise AvroError("it is not an Avro file")
    header = dict(_blocks(source, lambda s: (s.text(), s.sized())))
    sync = source.take(_SYNC_BYTES)
    read = _record_reader(header.get("avro.schema", b""))
    codec = header.get("avro.codec", b"null").decode(errors="replace")
    found: list[Any] = []
    while source.at < len(data):
        count = source.number()
        block = _Bytes(_unpacked(source.sized(), codec))
        found += [read(block) for _ in range(block.limited(count))]
        if source.take(_SYNC_BYTES) != sync:
            raise AvroError("its blocks are damaged")
    return found


def _unpacked(data: bytes, codec: str) -> bytes:
    try:
        match codec:
            case "null":
                return data
            case "deflate":
                return zlib.decompress(data, wbits=-zlib.MAX_WBITS)
            case "zstandard":
                with pa.input_stream(pa.BufferReader(data), compression="zstd") as stream:
                    return bytes(stream.read())
    except (zlib.error, OSError) as error:
        raise AvroError("its blocks are damaged") from error
    raise AvroError(f"it is compressed with {codec}, and only deflate and zstandard are supported")


def _record_reader(schema: bytes) -> Reader:
    try:
        return _reader(json.loads(schema), {})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise AvroError("its schema cannot be read") from error


_PRIMITIVE: Mapping[str, Reader] = {
    "null": lambda _: None,
    "boolean": lambda source: source.take(1) != b"\x00",
    "int": _Bytes.number,
    "long": _Bytes.number,
    "float": lambda source: source.take(4),  # Iceberg's metadata have none that count here
    "double": lambda source: source.take(8),
    "bytes": _Bytes.sized,
    "string": _Bytes.text,
}


def _reader(schema: Any, named: dict[str, Reader]) -> Reader:  # noqa: ANN401 - JSON
    """Return what reads a value of a schema; `named` are the types that have a name."""
    if isinstance(schema, list):
        return _union_reader([_reader(branch, named) for branch in schema])
    if isinstance(schema, str):
        return _PRIMITIVE[schema] if schema in _PRIMITIVE else _later(schema, named)
    match schema["type"]:
        case "record":
            reader = _fields_reader(schema["fields"], named)
        case "fixed":
            size = int(schema["size"])
            reader = lambda source: source.take(size)  # noqa: E731 - one of several
        case "enum":
            reader = _Bytes.number
        case "array":
            item = _reader(schema["items"], named)
            return lambda source: _blocks(source, item)
        case "map":
            value = _reader(schema["values"], named)
            return lambda source: dict(_blocks(source, lambda s: (s.text(), value(s))))
        case inner:
            return _reader(inner, named)
    named[schema["name"]] = reader
    return reader


def _later(name: str, named: Mapping[str, Reader]) -> Reader:
    """Return what reads a type by its name: one that is used inside itself is known only later."""

    def read(source: _Bytes) -> Any:  # noqa: ANN401 - whatever the type is
        if name not in named:
            raise AvroError("its schema cannot be read")
        return named[name](source)

    return read


def _fields_reader(fields: list[Mapping[str, Any]], named: dict[str, Reader]) -> Reader:
    readers = [(field["name"], _reader(field["type"], named)) for field in fields]
    return lambda source: {name: read(source) for name, read in readers}


def _union_reader(branches: list[Reader]) -> Reader:
    def read(source: _Bytes) -> Any:  # noqa: ANN401 - whatever the branch is
        branch = source.number()
        if not 0 <= branch < len(branches):
            raise AvroError("the type of a value in it is missing")
        return branches[branch](source)

    return read


def _blocks(source: _Bytes, item: Reader) -> list[Any]:
    """Return the items of an array or a map: blocks of them, a negative count before its bytes."""
    found: list[Any] = []
    while count := source.number():
        if count < 0:
            source.number()
        found += [item(source) for _ in range(source.limited(abs(count)))]
    return found
