"""SageMaker's recordio-protobuf: frames of bytes, each one a message `aialgs.data.Record`.

The frames are dmlc's RecordIO: a magic number, flag and length in 32 bits, the
bytes, zeros to a multiple of four. A record that holds the magic number itself
at a multiple of four is cut there into parts. The message is built from its
published definition, so that neither a compiler nor a generated file is needed.
"""

import io
import math
import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from sagetree.errors import quote
from sagetree.formats.sparse_rows import RecordError, SparseRows, join
from sagetree.tables.cells import NAN

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto
    from google.protobuf.message import Message

MAGIC = 0xCED7230A
_HEADER = struct.Struct("<II")
_MAGIC_BYTES = struct.pack("<I", MAGIC)
_LENGTH_BITS = 29
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)

# XGBoost numbers columns by 32 bits.
MAX_WIDTH = 2**31

# Records whose cells are put together at a time.
PART_ROWS = 4096

# What SageMaker's own writers call the one tensor of features, and of labels.
VALUES = "values"

HINT = "Write the records with sagemaker.amazon.common, or send another content type"

# The tensor messages: the type of their values, and their field in the message Value.
_TENSORS = {
    "Float32Tensor": ("float", "float32_tensor", 2),
    "Float64Tensor": ("double", "float64_tensor", 3),
    "Int32Tensor": ("int32", "int32_tensor", 7),
}


def frames(file: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes of each record. Raises RecordError naming the record."""
    number = 1
    parts: list[bytes] = []
    while header := file.read(_HEADER.size):
        if len(header) < _HEADER.size:
            raise _cut_off(number)
        magic, flag_and_length = _HEADER.unpack(header)
        if magic != MAGIC:
            raise _framing(f"it begins with {header[:4].hex()}", number)
        flag = flag_and_length >> _LENGTH_BITS
        length = flag_and_length & ((1 << _LENGTH_BITS) - 1)
        part = file.read(length)
        if len(part) < length:
            raise _cut_off(number)
        if flag > _LAST or (flag in (_MIDDLE, _LAST)) != bool(parts):
            raise _framing("its parts do not follow one another", number)
        parts.append(part)
        file.read(-length % 4)
        if flag in (_WHOLE, _LAST):
            yield _MAGIC_BYTES.join(parts)
            parts, number = [], number + 1
    if parts:
        raise _cut_off(number)


def _cut_off(number: int) -> RecordError:
    return _framing("it is cut off", number)


def _framing(reason: str, number: int) -> RecordError:
    return RecordError(f"the record is not RecordIO: {reason}", f"record {number}", HINT)


def frame(record: bytes) -> bytes:
    """Return the record with its header and padding, in parts where it holds the magic number."""
    cuts = [at for at in range(0, len(record) // 4 * 4, 4) if record[at : at + 4] == _MAGIC_BYTES]
    begins = [0, *(cut + 4 for cut in cuts)]
    parts = [record[begin:end] for begin, end in zip(begins, [*cuts, len(record)], strict=True)]
    flags = [_FIRST, *[_MIDDLE] * (len(parts) - 2), _LAST] if cuts else [_WHOLE]
    return b"".join(
        _HEADER.pack(MAGIC, flag << _LENGTH_BITS | len(part)) + part + bytes(-len(part) % 4)
        for flag, part in zip(flags, parts, strict=True)
    )


@cache
def record_class() -> "type[Message]":
    """Return the class of the message aialgs.data.Record."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(
        name="record.proto", package="aialgs.data", syntax="proto2"
    )
    value = file.message_type.add(name="Value")
    value.oneof_decl.add(name="value")
    for name, (kind, choice, number) in _TENSORS.items():
        tensor = file.message_type.add(name=name)
        for place, (part, scalar) in enumerate(
            (("values", kind), ("keys", "uint64"), ("shape", "uint64")), 1
        ):
            _add_field(tensor, part, place, scalar, many=True).options.packed = True
        _add_field(value, choice, number, name).oneof_index = 0
    binary = file.message_type.add(name="Bytes")
    _add_field(binary, "value", 1, "bytes", many=True)
    _add_field(binary, "content_type", 2, "string")
    _add_field(value, "bytes", 9, "Bytes").oneof_index = 0
    record = file.message_type.add(name="Record")
    for number, (name, entry) in enumerate(
        (("features", "FeaturesEntry"), ("label", "LabelEntry")), 1
    ):
        pair = record.nested_type.add(name=entry)
        pair.options.map_entry = True
        _add_field(pair, "key", 1, "string")
        _add_field(pair, "value", 2, "Value")
        _add_field(record, name, number, f"Record.{entry}", many=True)
    for number, name in enumerate(("uid", "metadata", "configuration"), 3):
        _add_field(record, name, number, "string")
    # a pool of our own: another package may bring the same definition
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("aialgs.data.Record"))


def _add_field(
    message: "DescriptorProto", name: str, number: int, kind: str, *, many: bool = False
) -> "FieldDescriptorProto":
    """Add a field whose type is a scalar's name or another message's."""
    field = message.field.add(name=name, number=number)
    field.label = field.LABEL_REPEATED if many else field.LABEL_OPTIONAL
    if kind[0].islower():
        field.type = getattr(field, f"TYPE_{kind.upper()}")
    else:
        field.type, field.type_name = field.TYPE_MESSAGE, f".aialgs.data.{kind}"
    return field


def parse_recordio(data: bytes) -> SparseRows:
    """Return the rows of recordio-protobuf: the tensor of features, dense or sparse, and the label.

    A record without cells is a row of missing values. Raises RecordError
    naming the record.
    """
    return join(parse_records(io.BytesIO(data)))


def parse_records(file: BinaryIO) -> list[SparseRows]:
    """Return the rows of a file, some thousands together. Raises as `parse_recordio` does."""
    make = record_class()
    records = enumerate(frames(file), 1)
    parts: list[SparseRows] = []
    dense = 0
    while batch := list(islice(records, PART_ROWS)):
        rows = []
        for number, record in batch:
            row = _row(make, record, number)
            if row.keys is None:
                if dense not in (0, row.width):
                    problem = f"it has {row.width} values, and an earlier record has {dense}"
                    raise _fault(
                        problem, number, "Give every dense record the same number of values"
                    )
                dense = row.width
            rows.append(row)
        parts.append(_joined(rows))
    if not parts:
        raise RecordError("there are no records", "record 1", HINT)
    return parts


def _joined(rows: Sequence["_Row"]) -> SparseRows:
    values, keys = array("d"), array("q")
    for row in rows:
        values.extend(row.values)
        keys.extend(range(len(row.values)) if row.keys is None else row.keys)
    counts = [len(row.values) for row in rows]
    return SparseRows(
        values=np.array(values),
        indices=np.array(keys),
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        width=max(row.width for row in rows),
        labels=np.array([row.label for row in rows], np.float64),
        dense=any(row.keys is None for row in rows),
    )


class _Row(NamedTuple):
    """One record: its cells, their places (None where dense), its width and its label."""

    values: Sequence[float]
    keys: Sequence[int] | None
    width: int
    label: float


def _row(make: "type[Message]", data: bytes, number: int) -> _Row:
    from google.protobuf.message import DecodeError

    record: Any = make()
    try:
        record.ParseFromString(data)
    except DecodeError as error:
        raise _fault("it is not an aialgs.data.Record", number) from error
    try:
        label = _label(_tensor(record.label, "labels", number), number)
        return _cells(_tensor(record.features, "features", number), label, number)
    except UnicodeDecodeError as error:  # the parser lets any bytes pass
        raise _fault("a name in it is not UTF-8", number) from error


def _fault(reason: str, number: int, hint: str = HINT) -> RecordError:
    return RecordError(f"the record cannot be read: {reason}", f"record {number}", hint)


def _tensor(entries: Any, what: str, number: int) -> Any:  # noqa: ANN401 - of three classes
    """Return the tensor called "values", or the only one; None if there is none."""
    if not entries:
        return None
    name = VALUES if VALUES in entries else next(iter(entries))
    if name != VALUES and len(entries) > 1:
        names = ", ".join(sorted(map(quote, entries)))
        hint = f"Call the tensor of {what} {quote(VALUES)}"
        raise _fault(f"it has several {what} ({names})", number, hint)
    entry = entries[name]
    kind = entry.WhichOneof("value")
    if kind == "bytes":
        raise _fault(f"its {what} are bytes", number, "Write them as a tensor of numbers")
    return getattr(entry, kind) if kind else None


def _label(tensor: Any, number: int) -> float:  # noqa: ANN401
    values = tensor.values if tensor is not None else ()
    if len(values) > 1:
        raise _fault(f"it has {len(values)} labels", number, "Give every record one label")
    return float(values[0]) if values else NAN


def _cells(tensor: Any, label: float, number: int) -> _Row:  # noqa: ANN401
    if tensor is None:
        return _Row((), (), 0, label)
    # a slice is a list: many times faster than the field itself
    values, keys, shape = tensor.values[:], tensor.keys[:], tensor.shape[:]
    size = math.prod(shape) if shape else 0
    if len(keys) != len(values) if keys else size not in (0, len(values)) and values:
        beside = f"{len(keys)} keys" if keys else f"the shape {shape}"
        raise _fault(f"it has {len(values)} values and {beside}", number)
    if not keys:  # without values it is, in a sparse table, a row without cells
        return _Row(values, None, len(values), label) if values else _Row((), (), size, label)
    if max(keys) >= min(size or MAX_WIDTH, MAX_WIDTH):
        raise _fault(f"its key {max(keys)} lies outside its shape {shape}", number)
    if len(set(keys)) != len(keys):
        raise _fault("it has the same key twice", number)
    return _Row(values, keys, size or max(keys) + 1, label)


def encode_recordio(rows: Iterable[Mapping[str, Sequence[float]]]) -> bytes:
    """Return one record per row whose labels are the given numbers, as float32 tensors.

    This is how the official container answers: `{"score": [0.5]}`.
    """
    make = record_class()
    written = []
    for row in rows:
        record: Any = make()
        for name, values in row.items():
            record.label[name].float32_tensor.values.extend(values)
        written.append(frame(record.SerializeToString(deterministic=True)))
    return b"".join(written)
