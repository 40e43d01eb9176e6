"""Predictions to response bytes: one class per type, and the table of them.

An answer is written in parts, one for each slice of the request's rows, so
that a large request never holds all of its answer's values at once.
"""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import NotAcceptableError
from sagetree.formats.media_types import CSV, JSON, JSON_LINES, NPY, RECORDIO
from sagetree.formats.recordio import encode_recordio
from sagetree.serve.answers.number_text import joined_numbers, number_texts
from sagetree.serve.answers.spool import Spool
from sagetree.serve.bodies.npy import npy_header
from sagetree.serve.protocol.messages import Body

Value: TypeAlias = (
    "float | str | Sequence[float] | Sequence[str] | Mapping[str, object] | Sequence[object] | None"
)

# One value per row, or numbers of shape (n) or (n, k).
AnswerColumn: TypeAlias = "Sequence[Value] | NDArray[Any]"

# Each asked key with its column, in the asked order.
Predictions: TypeAlias = Mapping[str, AnswerColumn]


class Encoder(ABC):
    """Writes the answers of one type; `content_type` is the header's value."""

    content_type: ClassVar[str]
    separator: ClassVar[bytes] = b""

    def encode(self, predictions: Predictions) -> bytes:
        """Return the answer to a request whose rows came in one slice."""
        return self.head(predictions, _rows(predictions)) + self.part(predictions) + self.tail()

    def encode_all(self, slices: Iterable[Predictions]) -> Body:
        """Return the answer to a request whose rows came in one or several slices, in order."""
        slices = iter(slices)
        first, second = next(slices, None), next(slices, None)
        if first is None:
            return b""
        if second is None:
            return self.encode(first)
        rows = 0
        with Spool() as spool:
            spool.write(self.head(first, 0))
            for number, predictions in enumerate(chain((first, second), slices)):
                if number:
                    spool.write(self.separator)
                spool.write(self.part(predictions))
                rows += _rows(predictions)
            spool.write(self.tail())
            return spool.finish(self.head(first, rows))

    def head(self, predictions: Predictions, rows: int) -> bytes:  # noqa: ARG002 - npy's needs them
        """Return what comes first, of a length that does not depend on `rows`."""
        return b""

    @abstractmethod
    def part(self, predictions: Predictions) -> bytes:
        """Return the rows of one slice."""

    def tail(self) -> bytes:
        """Return what comes last."""
        return b""


def _rows(predictions: Predictions) -> int:
    return len(next(iter(predictions.values())))


class CsvEncoder(Encoder):
    r"""One line per row; numbers print as the official container prints them.

    >>> CsvEncoder().encode({"score": np.array([0.25, 1.0]), "labels": [[0, 1], [0, 1]]})
    b'0.25,"[0, 1]"\n1.0,"[0, 1]"\n'
    """

    content_type = CSV

    def part(self, predictions: Predictions) -> bytes:
        """Return a line for each row; several numbers take a cell each if they stand alone."""
        (column, *others) = predictions.values()
        if not others and isinstance(column, np.ndarray):
            lines = joined_numbers(column, "\n") if column.ndim == 1 else _lines(_vectors(column))
        else:
            lines = _lines(zip(*map(_csv_cells, predictions.values()), strict=True))
        return f"{lines}\n".encode()


def _lines(rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(map(",".join, rows))


def _csv_cells(column: AnswerColumn) -> Iterable[str]:
    if isinstance(column, np.ndarray) and column.ndim == 1:
        return number_texts(column)
    return map(_csv_cell, column.tolist() if isinstance(column, np.ndarray) else column)


def _csv_cell(value: Value) -> str:
    if isinstance(value, str):
        text = value
    elif value is None:
        return ""
    elif isinstance(value, (int, float)):
        return repr(value)
    else:
        text = json_text(value)
    if not text or any(character in text for character in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _vectors(column: NDArray[Any]) -> Iterator[list[str]]:
    """Yield the numbers of each row of an array (n, k) as texts."""
    texts, width = number_texts(column.ravel()), column.shape[1]
    return (texts[start : start + width] for start in range(0, len(texts), width))


class JsonEncoder(Encoder):
    """The official container's shape, to the byte.

    >>> JsonEncoder().encode({"score": np.array([0.25, 1.0])})
    b'{"predictions": [{"score": 0.25}, {"score": 1.0}]}'
    """

    content_type = JSON
    separator = b", "

    def head(self, predictions: Predictions, rows: int) -> bytes:  # noqa: ARG002
        """Return what stands before the first row."""
        return b'{"predictions": ['

    def part(self, predictions: Predictions) -> bytes:
        """Return an object for each row, with commas between them."""
        return json_objects(predictions, ", ").encode()

    def tail(self) -> bytes:
        """Return what closes the list."""
        return b"]}"


class JsonLinesEncoder(Encoder):
    r"""An object per line.

    >>> JsonLinesEncoder().encode({"score": np.array([0.25, 1.0])})
    b'{"score": 0.25}\n{"score": 1.0}\n'
    """

    content_type = JSON_LINES

    def part(self, predictions: Predictions) -> bytes:
        """Return a line for each row."""
        return f"{json_objects(predictions, chr(10))}\n".encode()


def json_objects(predictions: Predictions, separator: str) -> str:
    """Return an object for each row, with `separator` between them."""
    keys = json_keys(tuple(predictions))
    (column, *others) = predictions.values()
    if not others and isinstance(column, np.ndarray) and column.ndim == 1 and _finite(column):
        between = f"}}{separator}{{{keys[0]}"
        return f"{{{keys[0]}{joined_numbers(column, between)}}}"
    cells = [
        [key + text for text in _json_cells(column)]
        for key, column in zip(keys, predictions.values(), strict=True)
    ]
    return separator.join(f"{{{', '.join(row)}}}" for row in zip(*cells, strict=True))


@lru_cache(64)
def json_keys(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names as JSON has them before a value."""
    return tuple(f"{json_text(name)}: " for name in names)


def _json_cells(column: AnswerColumn) -> Iterable[str]:
    if not isinstance(column, np.ndarray):
        return map(json_text, column)
    if column.ndim == 1:
        return json_numbers(column)
    if _finite(column):
        return (f"[{', '.join(row)}]" for row in _vectors(column))
    return (f"[{', '.join(json_numbers(row))}]" for row in column)


def json_numbers(values: NDArray[Any]) -> Iterable[str]:
    """Return the numbers (n) as JSON, which has no infinity: null."""
    if _finite(values):
        return number_texts(values)
    return [repr(value) if math.isfinite(value) else "null" for value in values.tolist()]


def _finite(column: NDArray[Any]) -> bool:
    return bool(np.isfinite(column).all())


# The standard library's: orjson prints 1e-05 and spaces in another way.
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


class JsonText(str):
    """A value that is written as JSON already."""

    __slots__ = ()


def json_text(value: object) -> str:
    """Return a value as JSON, spelled as the official container spells it."""
    return value if isinstance(value, JsonText) else _JSON.encode(value)


class NpyEncoder(Encoder):
    """NumPy's own file format: float32 of shape (n) or (n, outputs), of several keys (n, keys)."""

    content_type = NPY

    def head(self, predictions: Predictions, rows: int) -> bytes:
        """Return the header."""
        columns = _arrays(predictions, self.content_type).values()
        width = sum(column.shape[1] for column in columns)
        (column, *others) = predictions.values()
        flat = not others and not (isinstance(column, np.ndarray) and column.ndim == 2)
        return npy_header((rows,) if flat else (rows, width))

    def part(self, predictions: Predictions) -> bytes:
        """Return the numbers, row by row."""
        arrays = _arrays(predictions, self.content_type)
        return np.concatenate(list(arrays.values()), axis=1).tobytes()


def _arrays(predictions: Predictions, accept: str) -> dict[str, NDArray[np.float32]]:
    return {key: _array(key, column, accept) for key, column in predictions.items()}


def _array(key: str, column: AnswerColumn, accept: str) -> NDArray[np.float32]:
    """Return a column as numbers (n, k). Raises NotAcceptableError for texts and objects."""
    try:
        numbers = np.asarray(column, np.float32)
    except (ValueError, TypeError) as error:
        raise NotAcceptableError(
            f"the values of {key} are not numbers, and {accept} can hold only numbers",
            where="Accept",
            hint="Accept application/json",
        ) from error
    return numbers.reshape(len(numbers), -1)


class RecordioEncoder(Encoder):
    """The official container's records: float32 tensors as labels, named by the key."""

    content_type = RECORDIO

    def part(self, predictions: Predictions) -> bytes:
        """Return a record for each row."""
        arrays = {key: array.tolist() for key, array in _arrays(predictions, RECORDIO).items()}
        rows = zip(*arrays.values(), strict=True)
        return encode_recordio(dict(zip(arrays, row, strict=True)) for row in rows)


ENCODERS: Mapping[str, Encoder] = MappingProxyType(
    {
        CSV: CsvEncoder(),
        JSON: JsonEncoder(),
        JSON_LINES: JsonLinesEncoder(),
        RECORDIO: RecordioEncoder(),
        NPY: NpyEncoder(),
    }
)

# In a batch transform job one record has to be one line. An answer ends in a line end, as
# everywhere: AssembleWith=None, the default, joins answers as they are.
BATCH_ENCODERS: Mapping[str, Encoder] = MappingProxyType({**ENCODERS, JSON: JsonLinesEncoder()})


def encoder_for(accept: str, *, batch: bool) -> Encoder:
    """Return the encoder of a type that `sagetree.serve.negotiation` chose."""
    return (BATCH_ENCODERS if batch else ENCODERS)[accept]
