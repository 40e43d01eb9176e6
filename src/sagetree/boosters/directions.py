"""Where trees send a missing cell of a feature that training never saw without a value.

XGBoost learns that from rows with missing cells. Without any it sends them to one side of
every split, whichever that is, and the scores of such rows say nothing: a mean of .17 for
a label of .10. Most of training's rows are the better guess.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# The types of UBJSON's arrays that a tree has.
_DTYPES = {b"U": "u1", b"l": ">i4", b"L": ">i8", b"d": ">f4"}


class _Array(NamedTuple):
    """The values of a tree's array, which is part of the model's bytes, and where it ends."""

    values: NDArray[Any]
    end: int


def send_missing_to_most(model: bytes, features: NDArray[np.bool_]) -> bytes:
    """Return a model (UBJSON) whose splits by these features send the missing to most rows.

    `features` (m) says which. Rows in which they have a value score as before.
    """
    changed = bytearray(model)
    place = changed.find(_key("default_left"))
    while place >= 0:
        default = _array(changed, "default_left", place)
        left = _array(changed, "left_children", default.end)
        right = _array(changed, "right_children", left.end)
        feature = _array(changed, "split_indices", right.end)
        hessian = _array(changed, "sum_hessian", feature.end)
        is_split = left.values >= 0
        nodes = np.flatnonzero(is_split)[features[feature.values[is_split]]]
        weights = (hessian.values[side.values[nodes]] for side in (left, right))
        default.values[nodes] = np.greater_equal(*weights)
        place = changed.find(_key("default_left"), hessian.end)
    return bytes(changed)


def _key(name: str) -> bytes:
    return b"L" + len(name).to_bytes(8) + name.encode()


def _array(model: bytearray, name: str, begin: int) -> _Array:
    """Return the next array of this name, which is written as `[$`, type, `#L`, length, values."""
    key = _key(name)
    place = model.index(key, begin) + len(key)
    dtype = np.dtype(_DTYPES[bytes(model[place + 2 : place + 3])])
    head = place + len(b"[$d#L") + 8
    count = int.from_bytes(model[head - 8 : head])
    values = np.frombuffer(model, dtype, count, head)
    return _Array(values, head + values.nbytes)
