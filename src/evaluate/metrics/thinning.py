"""Curves with as few points as a chart or a JSON file needs."""

import numpy as np
from numpy.typing import NDArray

# More than a chart has pixels; two curves of it take some 80 kB of JSON.
MOST_POINTS = 1000


def thin(
    x: NDArray[np.float64], y: NDArray[np.float64], points: int = MOST_POINTS
) -> NDArray[np.intp]:
    """Return the numbers of at most `points` points that keep a curve's shape, ends included.

    They lie at equal steps along the curve, its length measured as |dx| + |dy|,
    so that steep parts keep as many as flat ones. A point that is left out is
    then nearer than one step, length / (points - 1), to one that is kept: for
    a ROC curve, whose length is 2, that is 0.002.
    """
    if len(x) <= points:
        return np.arange(len(x))
    length = np.append(0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    steps = np.linspace(0, length[-1], points)[1:-1]
    inner = np.searchsorted(length, steps)
    return np.unique(np.concatenate(([0], inner, [len(x) - 1])))
