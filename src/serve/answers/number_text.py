"""Many numbers as text at once, with the digits of Python's `repr`.

The official container prints a score as `repr` of the float32 widened to a
double. orjson finds the same shortest digits twenty times faster, but writes
very small and very large numbers in another way; those go through `repr`.
"""

from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

# Between these both write a number without an exponent. Of others orjson's text
# has one of these pieces: an exponent, a null, many zeros.
PLAIN_LOW, PLAIN_HIGH = 1e-4, 1e16
_OTHERS = (b"e", b"n", b"0.0000")

# Below this many the array's way costs more than `repr` of each.
BULK_NUMBERS = 12


def number_texts(values: NDArray[Any]) -> list[str]:
    """Return `repr(float(value))` of each value of a one-dimensional array.

    >>> number_texts(np.array([0.1, 1e-5, 3.0], np.float32))
    ['0.10000000149011612', '9.999999747378752e-06', '3.0']
    """
    if len(values) < BULK_NUMBERS:
        return list(map(repr, values.tolist()))
    return _bulk(values.astype(np.float64)).split(",")


def joined_numbers(values: NDArray[Any], separator: str) -> str:
    """Return the texts of `number_texts` with `separator` between them."""
    if len(values) < BULK_NUMBERS:
        return separator.join(map(repr, values.tolist()))
    text = _bulk(values.astype(np.float64))
    return text if separator == "," else text.replace(",", separator)


def _bulk(values: NDArray[np.float64]) -> str:
    found = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
    if not any(piece in found for piece in _OTHERS):
        return found.decode()
    size = np.abs(values)
    plain = (size >= PLAIN_LOW) & (size < PLAIN_HIGH) | (values == 0)
    texts = found.decode().split(",")
    for index in np.flatnonzero(~plain).tolist():
        texts[index] = repr(float(values[index]))
    return ",".join(texts)
