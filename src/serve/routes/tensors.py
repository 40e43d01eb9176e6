"""Tensors of the Open Inference Protocol, in JSON or as binary data, to tables and back.

Binary data (the protocol's extension of that name) stand behind the JSON, those of each
tensor in turn: little-endian, row by row; a text as its length in four bytes and UTF-8.
"""

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import DecodingError, quote
from sagetree.predictions.keys import KEYS
from sagetree.serve.answers.encoders import AnswerColumn, json_text
from sagetree.serve.bodies.tables import columns_of_array, refuse_width, table_of_columns
from sagetree.tables.cells import Cell
from sagetree.tables.schema import Schema
from sagetree.tables.table import Cells, Source, Table

# What Python's JSON reader makes of each datatype's values, and what binary data hold.
_NUMBERS: tuple[type, ...] = (int, float)
DATATYPES: Mapping[str, tuple[type, ...]] = {
    "BOOL": (bool,),
    **dict.fromkeys(("INT8", "INT16", "INT32", "INT64"), (int,)),
    **dict.fromkeys(("UINT8", "UINT16", "UINT32", "UINT64"), (int,)),
    **dict.fromkeys(("FP16", "FP32", "FP64"), _NUMBERS),
    "BYTES": (str,),
}
_BINARY: Mapping[str, str] = {
    "BOOL": "?",
    **{f"INT{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
}

BINARY_SIZE = "binary_data_size"

HINT = (
    'Send {"inputs": [{"name": "column", "shape": [rows], "datatype": "FP64", "data": [...]}, '
    "...]}, a tensor for each column, or one of shape [rows, columns]"
)

_LENGTH = struct.Struct("<I")


class InputTensor(NamedTuple):
    """A tensor of a request: its values row by row, or as an array (rows, columns)."""

    name: str
    shape: tuple[int, ...]
    values: list[Cell] | NDArray[Any]

    def columns(self, width: int) -> Sequence[Cells]:
        """Return the values as columns."""
        if isinstance(self.values, list):
            return [self.values[column::width] for column in range(width)]
        return columns_of_array(self.values.reshape(-1, width))


class OutputTensor(NamedTuple):
    """A tensor of an answer; `values` are those of a flat array, or texts."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: NDArray[Any] | list[str]

    def as_json(self) -> dict[str, object]:
        """Return the tensor with its values; JSON has no infinity, it is null."""
        values = self.values if isinstance(self.values, list) else self.values.tolist()
        return {**self.described(), "data": values}

    def as_binary(self) -> tuple[dict[str, object], bytes]:
        """Return the tensor without its values, and these as binary data."""
        data = (
            b"".join(_LENGTH.pack(len(text)) + text for text in map(str.encode, self.values))
            if isinstance(self.values, list)
            else self.values.astype(_BINARY[self.datatype]).tobytes()
        )
        return {**self.described(), "parameters": {BINARY_SIZE: len(data)}}, data

    def described(self) -> dict[str, object]:
        """Return what the tensor is, without values."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


def output_tensor(name: str, column: AnswerColumn) -> OutputTensor:
    """Return a column of an answer as a tensor.

    Whole numbers as which a model's own keys come are INT64; the cells of a request
    that an answer repeats are texts, whatever they are.
    """
    if isinstance(column, np.ndarray):
        return OutputTensor(name, f"FP{column.dtype.itemsize * 8}", column.shape, column.ravel())
    if name in KEYS and all(type(value) is int for value in column):
        return OutputTensor(name, "INT64", (len(column),), np.array(column, np.int64))
    return OutputTensor(name, "BYTES", (len(column),), [_text(value) for value in column])


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json_text(value)


def table_of_tensors(inputs: Any, schema: Schema, binary: bytes = b"") -> Table:  # noqa: ANN401 - JSON
    """Return the rows in the request's tensors; `binary` is what stands behind the JSON.

    Raises DecodingError for what are none, or for ones that do not fit each other.
    """
    if not (isinstance(inputs, list) and inputs and all(isinstance(i, dict) for i in inputs)):
        raise DecodingError("there are no inputs", where="the body", hint=HINT)
    refuse_width(len(inputs), schema)
    tensors = _inputs(inputs, binary)
    (name, shape, _), *others = tensors
    if not others and len(shape) == 2 and (shape[1] != 1 or name not in schema.all_names):
        refuse_width(shape[1], schema, f"input {quote(name)}")
        return _table(None, tensors[0].columns(shape[1]) if shape[1] else [], shape[0])
    for tensor in tensors:
        if tensor.shape[1:] not in ((), (1,)):
            raise _wrong(tensor.name, f"its shape {list(tensor.shape)} is not that of a column")
    rows = {tensor.shape[0] for tensor in tensors}
    if len(rows) > 1:
        raise DecodingError("they differ in their number of rows", where="inputs", hint=HINT)
    columns = list(chain.from_iterable(tensor.columns(1) for tensor in tensors))
    return _table([tensor.name for tensor in tensors], columns, rows.pop())


def _table(names: Sequence[str] | None, columns: Sequence[Cells], rows: int) -> Table:
    if not rows or not columns:
        raise DecodingError("there are no rows", where="inputs", hint=HINT)
    return table_of_columns(names, columns, Source(rows))


def _inputs(inputs: Sequence[Mapping[str, Any]], binary: bytes) -> list[InputTensor]:
    found, start = [], 0
    for tensor in inputs:
        name, shape = _name(tensor), _shape(tensor)
        size = _binary_size(tensor, name)
        if size is None:
            found.append(InputTensor(name, shape, _values(tensor, name, math.prod(shape))))
            continue
        data, start = binary[start : start + size], start + size
        if len(data) < size:
            raise _wrong(name, "its binary data are cut off")
        found.append(InputTensor(name, shape, _binary_values(tensor, name, math.prod(shape), data)))
    if start < len(binary):
        problem = f"{len(binary) - start} bytes of binary data belong to no input"
        hint = f"Give {BINARY_SIZE} in the parameters of each input"
        raise DecodingError(problem, where="the body", hint=hint)
    return found


def _wrong(name: str, reason: str) -> DecodingError:
    return DecodingError(reason, where=f"input {quote(name)}", hint=HINT)


def _name(tensor: Mapping[str, Any]) -> str:
    name = tensor.get("name")
    if not isinstance(name, str):
        raise DecodingError("name is missing from an input", where="inputs", hint=HINT)
    return name


def _shape(tensor: Mapping[str, Any]) -> tuple[int, ...]:
    shape = tensor.get("shape")
    if not isinstance(shape, list) or not shape or any(type(n) is not int or n < 0 for n in shape):
        raise _wrong(_name(tensor), "its shape is not a list of sizes")
    return tuple(shape)


def _binary_size(tensor: Mapping[str, Any], name: str) -> int | None:
    parameters = tensor.get("parameters")
    size = parameters.get(BINARY_SIZE) if isinstance(parameters, dict) else None
    if size is None:
        return None
    if type(size) is not int or size < 0:
        raise _wrong(name, f"its {BINARY_SIZE} is {quote(size)}, which is not a number of bytes")
    if "data" in tensor:
        raise _wrong(name, "it has data in JSON and as binary data")
    return size


def _datatype(tensor: Mapping[str, Any], name: str) -> str:
    datatype = str(tensor.get("datatype"))
    if datatype not in DATATYPES:
        known = ", ".join(DATATYPES)
        raise _wrong(name, f"its datatype {quote(tensor.get('datatype'))} is not one of {known}")
    return datatype


def _values(tensor: Mapping[str, Any], name: str, size: int) -> list[Cell]:
    """Return the values of a tensor in JSON, row by row; null is a missing one."""
    kinds = DATATYPES[_datatype(tensor, name)]
    data = tensor.get("data")
    values = list(_flat(data)) if isinstance(data, list) else []
    if len(values) != size:
        raise _wrong(name, f"it has {len(values)} values, and its shape says {size}")
    found = set(map(type, values)) - {type(None)}
    if not found <= set(kinds):
        raise _wrong(name, f"its values are not of datatype {tensor['datatype']}")
    return values


def _flat(data: list[Any]) -> Iterator[Any]:
    """Yield values, which may also be nested by row."""
    if data and isinstance(data[0], list):
        rows = [row if isinstance(row, list) else [row] for row in data]
        return chain.from_iterable(rows)
    return iter(data)


def _binary_values(
    tensor: Mapping[str, Any], name: str, size: int, data: bytes
) -> list[Cell] | NDArray[Any]:
    datatype = _datatype(tensor, name)
    if datatype == "BYTES":
        texts: list[Cell] = list(_texts(data, name))
        if len(texts) != size:
            raise _wrong(name, f"it has {len(texts)} values, and its shape says {size}")
        return texts
    width = np.dtype(_BINARY[datatype]).itemsize
    if len(data) != size * width:
        raise _wrong(
            name, f"it has {len(data)} bytes, and its shape and datatype need {size * width}"
        )
    return np.frombuffer(data, _BINARY[datatype])


def _texts(data: bytes, name: str) -> Iterator[str]:
    start = 0
    while start < len(data):
        begin = start + _LENGTH.size
        if begin > len(data):
            raise _wrong(name, "its binary data are cut off")
        (length,) = _LENGTH.unpack_from(data, start)
        start = begin + length
        if start > len(data):
            raise _wrong(name, "its binary data are cut off")
        try:
            yield data[begin:start].decode()
        except UnicodeDecodeError as error:
            raise _wrong(name, "its texts are not UTF-8") from error
