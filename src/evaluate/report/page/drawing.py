"""Charts as inline SVG, in the page's own colours and font.

It is drawn here, in milliseconds: matplotlib would take an evaluation two seconds of
processor time, and the image 85 MB, for lines, dots and boxes on two axes.
"""

from collections.abc import Iterator
from html import escape
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.evaluate.report.page.axes import Axis
from sagetree.evaluate.report.page.document import WIDTH, Chart
from sagetree.evaluate.report.page.marks import Boxes, Dots, Floats, Line, Mark

# Pixels: a letter's width and a line's height, the space around the axes.
_LETTER, _TEXT = 7.4, 12
_TOP, _RIGHT, _BELOW, _GAP = 10, 22, 42, 6

# With more words than these below an axis they are turned.
_WORDS_IN_LINE = 4


class _Frame(NamedTuple):
    """The rectangle that the axes span, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def places(self, chart: Chart, points: Floats) -> NDArray[np.float64]:
        """Return where points (n, 2) in the axes' units are, in tenths of a pixel."""
        x = _along(chart.x, points[:, 0], self.left, self.right)
        y = _along(chart.y, points[:, 1], self.bottom, self.top)
        return np.column_stack([x, y]).round(1)


def svg_of(chart: Chart, name: str) -> str:
    """Return a chart as an `svg` element; `name` is unique on its page."""
    frame = _frame(chart)
    parts = [
        *_axes(chart, frame),
        f'<g clip-path="url(#{name}-clip)">',
        *(_mark(chart, frame, mark) for mark in chart.marks),
        "</g>",
        *_legend(chart),
    ]
    width, height = frame.right - frame.left, frame.bottom - frame.top
    return (
        f'<svg role="img" aria-labelledby="{name}-title {name}-desc" '
        f'viewBox="0 0 {WIDTH} {chart.height}">\n'
        f'<title id="{name}-title">{escape(chart.title)}</title>\n'
        f'<desc id="{name}-desc">{escape(chart.description)}</desc>\n'
        # dots at an end are not to be cut in half
        f'<clipPath id="{name}-clip"><rect x="{frame.left - 4:g}" y="{frame.top - 4:g}" '
        f'width="{width + 8:g}" height="{height + 8:g}"/></clipPath>\n'
        + "\n".join(parts)
        + "\n</svg>"
    )


def _frame(chart: Chart) -> _Frame:
    longest = max((len(word) for _, word in chart.y.ticks), default=0)
    left = _LETTER * longest + 2 * _GAP + (_TEXT + _GAP if chart.y.label else 0)
    below: float = _BELOW if chart.x.label else _BELOW - _TEXT - _GAP
    if _is_turned(chart):
        below += _LETTER * max(len(word) for _, word in chart.x.ticks) - _TEXT
    top = _TOP + (_TEXT + 2 * _GAP if _labelled(chart) else 0)
    return _Frame(left, top, WIDTH - _RIGHT, chart.height - below)


def _is_turned(chart: Chart) -> bool:
    words = [word for _, word in chart.x.ticks]
    if len(words) <= _WORDS_IN_LINE:
        return False
    # each has as much room as the others, so the longest decides
    return len(words) * (max(map(len, words)) + 2) * _LETTER > 0.85 * WIDTH


def _labelled(chart: Chart) -> list[Line | Boxes]:
    return [mark for mark in chart.marks if not isinstance(mark, Dots) and mark.label]


def _along(axis: Axis, values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    return low + (values - axis.low) / (axis.high - axis.low) * (high - low)


def _axes(chart: Chart, frame: _Frame) -> Iterator[str]:
    """Yield the lines of both axes, what stands at them, and their names."""
    for place, word in chart.x.ticks:
        x = float(_along(chart.x, np.array([place]), frame.left, frame.right)[0])
        if chart.x.has_lines:
            yield _rule(x, frame.top, x, frame.bottom, "grid")
        y = frame.bottom + _GAP + _TEXT
        turn = ""
        if _is_turned(chart):
            y = frame.bottom + _GAP
            turn = f' transform="rotate(-90 {x:.1f} {y:.1f})" dy=".35em"'
        yield _words(x, y, word, "end" if turn else "middle", turn)
    for place, word in chart.y.ticks:
        y = float(_along(chart.y, np.array([place]), frame.bottom, frame.top)[0])
        if chart.y.has_lines:
            yield _rule(frame.left, y, frame.right, y, "grid")
        yield _words(frame.left - _GAP, y, word, "end", ' dy=".35em"')
    yield _rule(frame.left, frame.bottom, frame.right, frame.bottom, "muted")
    yield _rule(frame.left, frame.top, frame.left, frame.bottom, "muted")
    if chart.x.label:
        middle = (frame.left + frame.right) / 2
        yield _words(middle, chart.height - _GAP, chart.x.label, "middle")
    if chart.y.label:
        x, y = _TEXT, (frame.top + frame.bottom) / 2
        yield _words(x, y, chart.y.label, "middle", f' transform="rotate(-90 {x} {y:.1f})"')


def _mark(chart: Chart, frame: _Frame, mark: Mark) -> str:
    colour = f"var(--{mark.colour})"
    if isinstance(mark, Boxes):
        corners = (
            frame.places(chart, mark.corners[:, :2]),
            frame.places(chart, mark.corners[:, 2:]),
        )
        boxes = np.concatenate(corners, axis=1).tolist()
        path = " ".join(f"M{a:g} {b:g}H{c:g}V{d:g}H{a:g}Z" for a, b, c, d in boxes)
        return f'<path d="{path}" fill="{colour}"/>'
    points = mark.points[np.isfinite(mark.points).all(axis=1)]
    places = frame.places(chart, points).tolist()
    if isinstance(mark, Dots):
        # lines without length have round ends: an element for each would be five times as long
        path = "".join(f"M{x:g} {y:g}h0" for x, y in places)
        style = f'stroke-width="{mark.size:g}" stroke-linecap="round"'
    else:
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in places)
        dashes = ' stroke-dasharray="5 3"' if mark.is_dashed else ""
        style = f'stroke-width="{mark.width:g}" stroke-linejoin="round"{dashes}'
    return f'<path d="{path}" fill="none" stroke="{colour}" {style}/>'


def _legend(chart: Chart) -> Iterator[str]:
    x, y = float(_GAP), _TOP + _GAP
    for mark in _labelled(chart):
        dashes = ' stroke-dasharray="5 3"' if isinstance(mark, Line) and mark.is_dashed else ""
        width = 8 if isinstance(mark, Boxes) else mark.width
        yield (
            f'<path d="M{x:g} {y}h18" fill="none" stroke="var(--{mark.colour})" '
            f'stroke-width="{width:g}"{dashes}/>'
        )
        yield _words(x + 24, y, mark.label, "start", ' dy=".35em"')
        x += 24 + _LETTER * (len(mark.label) + 2)


def _rule(x: float, y: float, to_x: float, to_y: float, colour: str) -> str:
    return f'<path d="M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}" stroke="var(--{colour})"/>'


def _words(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>'
