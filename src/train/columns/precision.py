"""Numbers that float32, all that XGBoost sees, would merge; and the shift that keeps them apart."""

from typing import NamedTuple

import numpy as np

from sagetree.files.shrink import CLOSE
from sagetree.tables.encoding import Floats
from sagetree.tables.schema import Shift

# float32 and float64 hold every whole number up to these.
EXACT_FLOAT32 = 2.0**24
EXACT_FLOAT64 = 2.0**53

# Larger numbers are measurements: no key or time comes near.
LARGEST = 2.0**63

# This many numbers are searched first for a step that all of them have in common.
FIRST = 1000


class Precision(NamedTuple):
    """How a column's numbers keep apart: the shift they need, and what is lost all the same."""

    shift: Shift | None = None
    lost: str = ""
    lost_unshifted: str = ""


def find_precision(present: Floats) -> Precision:
    """Return what a column's numbers (n, ascending, none missing) need to be told apart."""
    if not len(present):
        return Precision()
    low, high = float(present[0]), float(present[-1])
    largest = max(-low, high)
    is_close = high - low < largest * CLOSE / 2
    if largest >= LARGEST or (largest < EXACT_FLOAT32 and not is_close):
        return Precision()
    is_whole = bool((present == np.floor(present)).all())
    if not (is_whole or is_close):
        return Precision()
    distinct, seen = _distinct(present), _distinct(present.astype(np.float32))
    if seen == distinct:
        return Precision(lost=_rounded(largest, is_whole=is_whole))
    shift = _whole_shift(present) if is_whole else Shift(offset=(low + high) / 2, scale=1.0)
    shifted = _distinct(((present - shift.offset) / shift.scale).astype(np.float32))
    unshifted = f"{distinct} different ones become {seen}"
    if shifted <= seen:
        return Precision(lost=unshifted, lost_unshifted=unshifted)
    lost = f"{distinct} different ones become {shifted}" if shifted < distinct else ""
    return Precision(shift, lost or _rounded(largest, is_whole=is_whole), unshifted)


def _rounded(largest: float, *, is_whole: bool) -> str:
    return "those beyond 2^53 are rounded" if is_whole and largest > EXACT_FLOAT64 else ""


def _distinct(ascending: np.ndarray[tuple[int], np.dtype[np.floating]]) -> int:
    return int(np.count_nonzero(np.diff(ascending))) + 1


def _whole_shift(present: Floats) -> Shift:
    """Return the shift of ascending whole numbers: to their middle, in the step they share."""
    gaps = np.diff(present.astype(np.int64))
    step = int(np.gcd.reduce(gaps[:: len(gaps) // FIRST + 1]))
    if step > 1:
        step = int(np.gcd.reduce(gaps))
    low, high = int(present[0]), int(present[-1])
    return Shift(offset=float(low + (high - low) // step // 2 * step), scale=float(step))
