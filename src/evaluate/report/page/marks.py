"""What is drawn in a chart, in the units of its axes."""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# Colours by name: the page's style sheet has them for light and dark.
ONE, TWO, THREE, FOUR, MUTED = "one", "two", "three", "four", "muted"

# From low to high; as clear on white as on black.
SCALE = ("scale-1", "scale-2", "scale-3", "scale-4", "scale-5")

SCALE_COLOURS = MappingProxyType(
    dict(zip(SCALE, ("#2f7fd0", "#6b7fc4", "#9a74ad", "#c2638c", "#dd4f66"), strict=True))
)


@dataclass(frozen=True)
class Line:
    """A line through points (n, 2); only those with a label are in the legend."""

    points: Floats
    colour: str
    label: str = ""
    is_dashed: bool = False
    width: float = 2.0


@dataclass(frozen=True)
class Dots:
    """Points (n, 2), `size` pixels wide."""

    points: Floats
    colour: str
    size: float = 4.0


@dataclass(frozen=True)
class Boxes:
    """Filled boxes (n, 4): x and y of a corner, x and y of the one across."""

    corners: Floats
    colour: str
    label: str = ""


Mark = Line | Dots | Boxes


def line(x: ArrayLike, y: ArrayLike, colour: str, label: str = "", width: float = 2.0) -> Line:
    """Return a line through points given by x (n) and y (n)."""
    return Line(_paired(x, y), colour, label, width=width)


def guide(start: tuple[float, float], end: tuple[float, float], label: str = "") -> Line:
    """Return a thin dashed line between two points, to compare with."""
    return Line(np.array([start, end], np.float64), MUTED, label, is_dashed=True, width=1.0)


def dots(x: ArrayLike, y: ArrayLike, colour: str, size: float = 4.0) -> Dots:
    """Return points given by x (n) and y (n)."""
    return Dots(_paired(x, y), colour, size)


def outline(edges: Floats, heights: Floats, colour: str, label: str) -> Line:
    """Return a histogram's outline: `heights` (n) between `edges` (n + 1)."""
    return line(
        np.repeat(edges, 2), np.concatenate([[0.0], np.repeat(heights, 2), [0.0]]), colour, label
    )


def columns(edges: Floats, heights: Floats, colour: str) -> Boxes:
    """Return a histogram's columns: `heights` (n) between `edges` (n + 1)."""
    return Boxes(np.column_stack([edges[:-1], np.zeros_like(heights), edges[1:], heights]), colour)


def stairs(points: Floats, colour: str, label: str) -> Line:
    """Return a line that keeps its height from each point (n, 2) to the next."""
    x, y = np.repeat(points[:, 0], 2)[1:], np.repeat(points[:, 1], 2)[:-1]
    return line(x, y, colour, label)


def _paired(x: ArrayLike, y: ArrayLike) -> Floats:
    return np.column_stack([np.asarray(x, np.float64), np.asarray(y, np.float64)])
