"""Avro container files from Python values, as Iceberg's manifests are written."""

import json
import zlib
from typing import Any

import pyarrow as pa

_SYNC = bytes(range(16))


def container(schema: Any, rows: list[Any], codec: str = "deflate", raw: bool = False) -> bytes:
    """Return a file with the rows in two blocks; `raw` ones are encoded already."""
    meta = {"avro.schema": json.dumps(schema).encode(), "avro.codec": codec.encode()}
    entries = b"".join(
        encoded(key, "string") + encoded(value, "bytes") for key, value in meta.items()
    )
    head = b"Obj\x01" + encoded(len(meta), "long") + entries + b"\x00" + _SYNC
    blocks = [part for part in (rows[:3], rows[3:]) if part]
    return head + b"".join(_block(part, schema, codec, raw) for part in blocks)


def _block(rows: list[Any], schema: Any, codec: str, raw: bool) -> bytes:
    data = b"".join(row if raw else encoded(row, schema) for row in rows)
    if codec == "deflate":
        packer = zlib.compressobj(wbits=-15)
        data = packer.compress(data) + packer.flush()
    if codec == "zstandard":
        data = pa.compress(data, codec="zstd", asbytes=True)
    return encoded(len(rows), "long") + encoded(data, "bytes") + _SYNC


def encoded(value: Any, schema: Any, named: dict[str, Any] | None = None) -> bytes:
    """Return a value in Avro's binary encoding; of a union null, or else the last branch."""
    named = {} if named is None else named
    if isinstance(schema, list):
        branch = 0 if value is None else len(schema) - 1
        return encoded(branch, "long") + encoded(value, schema[branch], named)
    kind = schema["type"] if isinstance(schema, dict) else schema
    if isinstance(schema, dict) and "name" in schema:
        named[schema["name"]] = schema
    if kind in named and not isinstance(schema, dict):
        return encoded(value, named[kind], named)
    match kind:
        case "record":
            fields = schema["fields"]
            return b"".join(encoded(value[f["name"]], f["type"], named) for f in fields)
        case "array":
            items = b"".join(encoded(item, schema["items"], named) for item in value)
            return (encoded(len(value), "long") + items if value else b"") + b"\x00"
        case "map":
            pairs = value.items()
            items = b"".join(encoded(k, "string") + encoded(v, schema["values"]) for k, v in pairs)
            return (encoded(len(value), "long") + items if value else b"") + b"\x00"
        case "null":
            return b""
        case "boolean":
            return b"\x01" if value else b"\x00"
        case "int" | "long" | "enum":
            return _number(value)
        case "string":
            return encoded(value.encode(), "bytes")
        case "bytes":
            return _number(len(value)) + value
    return value  # fixed, float and double, as bytes


def _number(value: int) -> bytes:
    rest = (value << 1) ^ (value >> 63)
    found = bytearray()
    while rest > 0x7F:
        found.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*found, rest])
