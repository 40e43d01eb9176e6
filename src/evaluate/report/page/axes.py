"""The two axes of a chart: from where to where, and what stands at which place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
from numpy.typing import ArrayLike

# Steps between the words on an axis, at most about so many.
_STEPS = 5

# Of an axis whose ends follow from its values: room beyond them.
_ROOM = 0.04


@dataclass(frozen=True)
class Axis:
    """What is measured, the two ends, and the words at some places between them.

    `low` is the left or lower end, and may be the greater one. Lines go through the
    places where `has_lines`.
    """

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    has_lines: bool = True


def numbers(
    label: str,
    *values: ArrayLike,
    low: float | None = None,
    high: float | None = None,
    text: Callable[[float], str] | None = None,
) -> Axis:
    """Return an axis for values, with the ends given, else some room around the values."""
    arrays = [np.ravel(np.asarray(each, np.float64)) for each in values]
    found = np.concatenate([np.empty(0), *arrays])
    found = found[np.isfinite(found)]
    least, most = (float(found.min()), float(found.max())) if len(found) else (0.0, 1.0)
    room = _ROOM * (most - least or abs(most) or 1.0)
    start = least - room if low is None else low
    end = most + room if high is None else high
    if not start < end:
        end = start + 1.0
    return Axis(label, start, end, _ticks(start, end, text))


def shares(label: str, low: float = 0.0, high: float = 1.0) -> Axis:
    """Return an axis of shares, in percent."""
    return Axis(label, low, high, _ticks(low, high, lambda share: f"{100 * share:.10g} %"))


def words(label: str, names: Sequence[str], *, is_down: bool = False) -> Axis:
    """Return an axis with a word at each of 0, 1, ...; the first one on top if it goes down."""
    ends = -0.5, len(names) - 0.5
    low, high = reversed(ends) if is_down else ends
    places = tuple((float(place), name) for place, name in enumerate(names))
    return Axis(label, low, high, places, has_lines=not is_down)


def _ticks(
    low: float, high: float, text: Callable[[float], str] | None
) -> tuple[tuple[float, str], ...]:
    """Return round numbers between two ends.

    >>> [word for _, word in _ticks(0.0, 0.37, None)]
    ['0', '0.1', '0.2', '0.3']
    """
    step = _round_up((high - low) / _STEPS)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    write = text or "{:.6g}".format
    # a product of a whole number, or 0.3 would be 0.30000000000000004
    places = [float(f"{number * step:.12g}") for number in range(first, last + 1)]
    return tuple((place, write(place)) for place in places)


def _round_up(step: float) -> float:
    """Return the next of 1, 2, 2.5, 5, 10, ... and of their tenths, hundredths, ..."""
    power = 10.0 ** floor(log10(step))
    return next(float(power * m) for m in (1, 2, 2.5, 5, 10) if power * m >= step * (1 - 1e-9))
