"""NumPy's .npy format, both directions: a line that describes an array, then its bytes.

Read by hand and not by numpy.load, which makes room for as much as the header
claims, and can hold Python objects.
"""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import DecodingError, quote
from sagetree.serve.bodies.hints import Hints
from sagetree.serve.bodies.tables import refuse_width, table_of_array
from sagetree.serve.protocol.messages import Body
from sagetree.tables.table import Table

MAGIC = b"\x93NUMPY"

# The bytes before the header's text, by version: magic, version, length.
PREFIXES = {b"\x01\x00": 10, b"\x02\x00": 12, b"\x03\x00": 12}

# NumPy pads the header, so that the numbers begin at a multiple of 64 bytes.
ALIGNMENT = 64

# The header of an array of numbers has 128 bytes; NumPy reads no longer ones either.
MAX_HEADER = 10_000

HINT = "Send what numpy.save writes of an array of numbers, of shape (rows, columns)"

_DESCR = re.compile(rb"['\"]descr['\"]\s*:\s*['\"]([<>|=]?)([biuf])(\d{1,2})['\"]")
_ORDER = re.compile(rb"['\"]fortran_order['\"]\s*:\s*(True|False)")
_SHAPE = re.compile(rb"['\"]shape['\"]\s*:\s*\(\s*(\d{1,18})\s*,\s*(?:(\d{1,18})\s*,?\s*)?\)")
_SIZES = {b"b": (1,), b"i": (1, 2, 4, 8), b"u": (1, 2, 4, 8), b"f": (2, 4, 8)}


def decode_npy(body: Body, hints: Hints) -> Iterable[Table]:
    """Return the rows of an array of shape (rows, columns), or (columns) for one row.

    Raises DecodingError for anything but an array of numbers that is there completely.
    """
    array = array_of(body)
    rows, width = array.shape
    refuse_width(width, hints.schema)
    step = max(1, hints.slice_values // max(width, 1))
    if rows <= step:
        return (table_of_array(array),)
    return (
        table_of_array(array[start : start + step], first_row=start + 1)
        for start in range(0, rows, step)
    )


def array_of(body: Body) -> NDArray[Any]:
    """Return the array in a .npy file (n, m), a view of its bytes."""
    start = _data_start(body)
    header = body[:start]
    kind, fortran, shape = _DESCR.search(header), _ORDER.search(header), _SHAPE.search(header)
    if not (kind and fortran and shape):
        raise _not("it does not describe an array of numbers with one or two dimensions")
    order, letter, size = kind[1].decode(), kind[2], int(kind[3])
    if size not in _SIZES[letter]:
        raise _not(f"its numbers are of type {quote((kind[2] + kind[3]).decode())}")
    rows, columns = (int(shape[1]), int(shape[2])) if shape[2] else (1, int(shape[1]))
    expected, found = rows * columns * size, len(body) - start
    if expected != found:
        raise _not(f"it has {found} bytes of numbers, and its header says {expected}")
    if not expected:
        raise DecodingError("there are no rows", where="the body", hint=HINT)
    dtype = np.dtype(f"{order.replace('|', '')}{letter.decode()}{size}")
    numbers: NDArray[Any] = np.frombuffer(body, dtype, offset=start)
    return numbers.reshape((rows, columns), order="F" if fortran[1] == b"True" else "C")


def _data_start(body: Body) -> int:
    """Return where the numbers begin."""
    prefix = PREFIXES.get(body[6:8], 0)
    if body[:6] != MAGIC or not prefix:
        raise _not("it does not begin as a .npy file does")
    length = int.from_bytes(body[8:prefix], "little")
    if length > MAX_HEADER or prefix + length > len(body):
        raise _not("its header is cut off or too long")
    return prefix + length


def _not(reason: str) -> DecodingError:
    return DecodingError(f"it is not a .npy file: {reason}", where="the body", hint=HINT)


def npy_header(shape: tuple[int, ...]) -> bytes:
    """Return the header of a float32 array, 128 bytes for any number of rows.

    >>> len(npy_header((3, 2))), len(npy_header((10**15,)))
    (128, 128)
    """
    described = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    length = 2 * ALIGNMENT - PREFIXES[b"\x01\x00"]
    text = described.ljust(length - 1) + "\n"
    return MAGIC + b"\x01\x00" + length.to_bytes(2, "little") + text.encode()
