"""Predictions to response bytes: one function per type, and the table of them."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from sagemaker_inference import content_types

Value: TypeAlias = "float | str | Sequence[float] | Sequence[str] | Mapping[str, object]"

# Each asked key with one value per row, in the asked order.
Predictions: TypeAlias = Mapping[str, Sequence[Value]]


def encode_csv(predictions: Predictions) -> bytes:
    r"""Return one line per row; numbers print as the official container prints them.

    >>> encode_csv({"score": [0.25, 1.0], "reasons": [[], ["it's"]]})
    b'0.25,[]\n1.0,"[""it\'s""]"\n'
    """
    text = io.StringIO()
    rows = zip(*predictions.values(), strict=True)
    csv.writer(text, lineterminator="\n").writerows(map(_cells, rows))
    return text.getvalue().encode()


def _cells(row: Sequence[Value]) -> Iterator[object]:
    """Yield a row's cells: a vector of numbers takes one cell each, other parts are JSON."""
    for value in row:
        if isinstance(value, (float, str, int)):
            yield value
        elif not isinstance(value, Mapping) and value and isinstance(value[0], float):
            yield from value
        else:
            yield _json(value)


def encode_json(predictions: Predictions) -> bytes:
    """Return the official container's shape, to the byte.

    >>> encode_json({"score": [0.25, 1.0]})
    b'{"predictions": [{"score": 0.25}, {"score": 1.0}]}'
    """
    rows = zip(*predictions.values(), strict=True)
    return _json(
        {"predictions": [dict(zip(predictions, row, strict=True)) for row in rows]}
    ).encode()


def _json(value: object) -> str:
    # The standard library's: orjson prints 1e-05 and spaces in another way.
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


Encoder = Callable[[Predictions], bytes]

ENCODERS: Mapping[str, Encoder] = MappingProxyType(
    {content_types.CSV: encode_csv, content_types.JSON: encode_json}
)

# The header of the answer. SageMaker's monitor and Clarify read the charset.
CONTENT_TYPES: Mapping[str, str] = MappingProxyType(
    {
        content_types.CSV: "text/csv; charset=utf-8",
        content_types.JSON: "application/json",
    }
)
