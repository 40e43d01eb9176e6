"""The pictures: a column's values or the scores, in training and now."""

import numpy as np

from sagetree.drift.measures.distribution import Distribution
from sagetree.drift.measures.groups import Groups
from sagetree.evaluate.report.page import axes, marks
from sagetree.evaluate.report.page.document import Chart, Row, TextTable, shown
from sagetree.evaluate.report.page.marks import ONE, TWO

TRAINING, NOW = "training", "captured"

# Half the width of a bar, of a group's place that is 1 wide.
_BAR = 0.38

# Pixels beyond the bars, and of each group.
_FRAME, _GROUP = 90, 34


def groups_chart(name: str, found: Distribution) -> Chart:
    """Return the shares of each group of values, in training and now."""
    groups = found.groups
    before, now = groups.shares
    names = [shown(each, 18) for each in groups.names]
    top = 1.05 * float(max(before.max(), now.max()))
    places = np.arange(len(names), dtype=np.float64)
    return Chart(
        shown(name, 40),
        f"Shares of the rows that have each value: stability index {found.index:.3g}, "
        f"distance {found.distance:.3g}.",
        _table(groups),
        axes.shares("share of the rows that have a value", high=top),
        axes.words("", names, is_down=True),
        (
            marks.Boxes(_bars(places - _BAR, places, before), ONE, TRAINING),
            marks.Boxes(_bars(places, places + _BAR, now), TWO, NOW),
        ),
        height=_FRAME + _GROUP * len(names),
    )


def _bars(low: marks.Floats, high: marks.Floats, shares: marks.Floats) -> marks.Floats:
    return np.column_stack([np.zeros_like(shares), low, shares, high])


def steps_chart(name: str, found: Distribution) -> Chart | None:
    """Return the cumulative shares of numbers, None where there are too few edges to draw."""
    steps = found.steps
    if steps is None or len(steps.edges) < 2:
        return None
    return Chart(
        f"{shown(name, 40)}: share of rows below",
        f"How many of the rows lie below each value; the lines are at most {steps.distance:.3g} "
        "apart.",
        TextTable(
            ("value", TRAINING, NOW),
            tuple(
                (f"{edge:.6g}", f"{one:.1%}", f"{other:.1%}")
                for edge, one, other in zip(*steps, strict=True)
            ),
        ),
        axes.numbers(shown(name, 30), steps.edges),
        axes.shares("rows below", high=1.02),
        (
            marks.line(steps.edges, steps.before, ONE, TRAINING),
            marks.line(steps.edges, steps.now, TWO, NOW),
        ),
    )


def _table(groups: Groups) -> TextTable:
    before, now = groups.shares
    rows: list[Row] = [
        (shown(name), f"{int(b)}", f"{one:.1%}", f"{int(n)}", f"{other:.1%}")
        for name, b, one, n, other in zip(
            groups.names, groups.before, before, groups.now, now, strict=True
        )
    ]
    columns = "value", "rows of training", "share", "rows captured", "share now"
    return TextTable(columns, tuple(rows))
