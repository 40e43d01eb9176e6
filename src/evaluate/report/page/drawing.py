"""Charts to inline SVG, whose colours and fonts are those of the page around them.

matplotlib is imported here and only when a chart is drawn: it takes a second.
"""

import io
import logging
import re
import warnings
from collections.abc import Mapping, Sequence
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sagetree.evaluate.report.page.document import Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours that stand for the page's own: its style sheet has them for light and dark.
INK, MUTED, GRID = "#010101", "#020202", "#030303"
ONE, TWO, THREE, FOUR = "#040404", "#050505", "#060606", "#070707"
_PAGE_COLOURS = MappingProxyType(
    {
        INK: "var(--ink)",
        MUTED: "var(--muted)",
        GRID: "var(--grid)",
        ONE: "var(--one)",
        TWO: "var(--two)",
        THREE: "var(--three)",
        FOUR: "var(--four)",
    }
)

# From low to high; as clear on white as on black.
SCALE = ("#2f7fd0", "#6b7fc4", "#9a74ad", "#c2638c", "#dd4f66")

# Inches of 72 units; as wide as a phone, so that words keep their size there.
_WIDTH, _UNITS, _FONT = 5.8, 72, 12

_SETTINGS: Mapping[Any, object] = MappingProxyType(
    {
        "axes.axisbelow": True,
        "axes.edgecolor": MUTED,
        "axes.grid": True,
        "axes.labelcolor": INK,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.unicode_minus": True,
        "font.size": _FONT,
        "grid.color": GRID,
        "legend.frameon": False,
        "lines.linewidth": 2,
        "path.simplify": False,
        "svg.fonttype": "none",  # words stay words, in the page's font
        "svg.hashsalt": "sagetree",
        "text.color": INK,
        "text.parse_math": False,  # a column may be called $x$
        "xtick.color": INK,
        "ytick.color": INK,
    }
)
_NO_METADATA = MappingProxyType(dict.fromkeys(("Creator", "Date", "Format", "Type")))

# Of a tag: a text between tags may look like any of these.
_TAG = re.compile(r"<[^>]*>")
_FONT_FAMILY = re.compile(r" ?font-family: [^;\"]*;?")
_REFERENCE = re.compile(r'(id="|url\(#|href="#)')
_LONG_NUMBER = re.compile(r"(\d\.\d)\d+")
_STYLE = re.compile(r"<defs>\s*<style.*?</defs>\s*", re.DOTALL)

# Steps on an axis whose words are then never too near each other.
_STEPS = 5


def svgs_of(charts: Mapping[str, Chart]) -> dict[str, str]:
    """Return charts as `svg` elements, by names that are unique on their page."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # its notes are of its own caches
    from matplotlib import rc_context

    with rc_context(dict(_SETTINGS)), warnings.catch_warnings():
        # of letters that its font lacks; the page's may have them
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        return {name: _inline(_drawn(chart), chart, name) for name, chart in charts.items()}


def _drawn(chart: Chart) -> str:
    """Return a chart as matplotlib's SVG file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, chart.height), dpi=_UNITS)
    room = 0.62 / chart.height  # below the axes, for words of one line
    axes = figure.add_axes((chart.left, room, 0.94 - chart.left, 0.97 - room))
    axes.locator_params(nbins=_STEPS)
    chart.draw(axes)
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata=dict(_NO_METADATA))
    return text.getvalue()


def dots(
    axes: "Axes",
    x: Sequence[float] | NDArray[np.floating],
    y: Sequence[float] | NDArray[np.floating],
    colour: str,
    size: float = 4.0,
) -> None:
    """Draw points as one path of round ends: an element for each would be five times as long."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    points = np.repeat(np.column_stack([x, y]), 2, axis=0)
    codes = np.tile([Path.MOVETO, Path.LINETO], len(points) // 2)
    path = Path(points, codes)
    axes.add_artist(
        PathPatch(path, fill=False, edgecolor=colour, linewidth=size, capstyle="round", zorder=3)
    )
    axes.update_datalim(points)
    axes.autoscale_view()


def percents(axes: "Axes", *, x: bool = True, y: bool = True) -> None:
    """Show shares in percent on one axis or both."""
    for axis, is_meant in ((axes.xaxis, x), (axes.yaxis, y)):
        if is_meant:
            axis.set_major_formatter(lambda share, _: f"{100 * share:.3g} %")


def _inline(text: str, chart: Chart, name: str) -> str:
    """Return matplotlib's file as a part of a page, without links and metadata."""
    body = _STYLE.sub("", text[text.index("<svg") :], count=1)
    head, inner = body[: body.index(">")], body[body.index(">") + 1 :]
    size = re.search(r'viewBox="([^"]*)"', head)
    return (
        f'<svg role="img" aria-labelledby="{name}-title {name}-desc" '
        f'viewBox="{size[1] if size else ""}" stroke-linejoin="round">\n'
        f'<title id="{name}-title">{escape(chart.title)}</title>\n'
        f'<desc id="{name}-desc">{escape(chart.description)}</desc>'
        f"{_TAG.sub(lambda tag: _inline_tag(tag[0], name), inner)}"
    )


def _inline_tag(tag: str, name: str) -> str:
    if tag.startswith("<g id="):  # matplotlib's names of parts are those of all its pictures
        return "<g>"
    tag = _REFERENCE.sub(rf"\g<1>{name}-", tag.replace("xlink:href", "href"))
    tag = _LONG_NUMBER.sub(r"\1", _FONT_FAMILY.sub("", tag))
    for stand_in, colour in _PAGE_COLOURS.items():
        tag = tag.replace(stand_in, colour)
    return tag
