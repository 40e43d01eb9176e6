"""The charts of what moves the scores: importance, and SHAP values of single rows."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sagetree.evaluate.report.drivers import DriverFacts, Explained
from sagetree.evaluate.report.page import axes, marks
from sagetree.evaluate.report.page.document import Chart, TextTable, shown
from sagetree.evaluate.report.page.marks import MUTED, ONE, SCALE, TWO, Dots

# Columns in the chart of importance, and those whose dependence is drawn.
BARS, DEPENDENCES = 12, 4

# Letters of a column's name beside its bar.
_NAME = 22

# A dependence on more categories would have no room for their names.
_MOST_WORDS = 8

_BINS = 60


def importance_chart(facts: DriverFacts) -> Chart:
    """Return the columns' shares of mean |SHAP| and of gain."""
    columns = facts.columns[:BARS]
    kinds = (("mean |SHAP|", "mean_abs_shap", ONE), ("gain", "gain", TWO))
    known = [
        (word, [float(getattr(c, name)) for c in columns], colour)
        for word, name, colour in kinds
        if all(getattr(column, name) is not None for column in columns)
    ]
    thick = 0.8 / max(1, len(known))
    places = np.arange(len(columns))
    bars = []
    for number, (word, shares, colour) in enumerate(known):
        begin = places - 0.4 + number * thick
        corners = np.column_stack([np.zeros(len(shares)), begin, shares, begin + thick])
        bars.append(marks.Boxes(corners, colour, word))
    most = max((share for _, shares, _ in known for share in shares), default=1.0)
    return Chart(
        "Importance of the columns",
        "Each column's share in the mean absolute SHAP values, that is in how far scores move, "
        "and in the gain of the trees' splits.",
        TextTable(
            ("column", *(word for word, _, _ in known)),
            tuple(
                (shown(column.column), *(f"{shares[n]:.1%}" for _, shares, _ in known))
                for n, column in enumerate(columns)
            ),
        ),
        axes.shares("share of all columns", high=1.05 * most),
        axes.words("", [shown(column.column, _NAME) for column in columns], is_down=True),
        tuple(bars),
        height=90 + 26 * max(3, len(columns)),
    )


def beeswarm_chart(facts: DriverFacts) -> Chart:
    """Return the SHAP values of rows, column by column, coloured by the column's value."""
    pictured = facts.pictured
    values = [one.contributions.astype(np.float64) for one in pictured]
    x = axes.numbers("SHAP value (in the margin's unit)", *values, [0.0])
    found = [
        marks.dots(value[mask], (place + 0.38 * _spread(value))[mask], colour)
        for place, (one, value) in enumerate(zip(pictured, values, strict=True))
        for colour, mask in _steps(one)
    ]
    names = [shown(one.column.name, _NAME) for one in pictured]
    return Chart(
        "What moves single rows",
        f"A dot is one of {facts.explained_rows} rows: right of the line the column raises its "
        "score, left of it lowers it. Blue is a low value of the column, red a high one, grey a "
        "category, a word or a missing cell.",
        TextTable(
            ("column", "least", "median", "greatest"),
            tuple(
                (shown(one.column.name), *(f"{v:.3g}" for v in np.quantile(value, (0, 0.5, 1))))
                for one, value in zip(pictured, values, strict=True)
            ),
            "SHAP values",
        ),
        x,
        axes.words("", names, is_down=True),
        (marks.line([0, 0], [-0.5, len(names) - 0.5], MUTED, width=1), *found),
        height=90 + 34 * max(3, len(names)),
    )


def dependence_chart(one: Explained) -> Chart:
    """Return a column's SHAP values by its value."""
    column, values = one.column, one.contributions.astype(np.float64)
    parts = [(text, mask) for text, mask in column.parts() if mask.any()]
    name = shown(column.name, 40)
    points: list[Dots] = []
    if column.categories:
        parts = parts[:_MOST_WORDS]
        x = axes.words(name, [shown(text, 12) for text, _ in parts])
        for place, (_, mask) in enumerate(parts):
            points.append(marks.dots(place + 0.3 * _spread(values[mask]), values[mask], ONE))
    else:
        there = ~column.has_none
        text = column.text if column.kind == "datetime" else None
        x = axes.numbers(name, column.values[there], text=text)
        points.append(marks.dots(column.values[there], values[there], ONE))
    return Chart(
        f"How {name} moves the score",
        "A dot is a row: the column's value, and how far it moves the row's score up or down.",
        TextTable(
            ("value", "rows", "mean SHAP value"),
            tuple(
                (shown(text), str(int(mask.sum())), f"{float(values[mask].mean()):.3g}")
                for text, mask in parts
            ),
        ),
        x,
        axes.numbers("SHAP value", values, [0.0]),
        (marks.line([x.low, x.high], [0, 0], MUTED, width=1), *points),
    )


def _spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each value (n) a place from -1 to 1 beside the others that are like it."""
    low, high = float(values.min()), float(values.max())
    bins = ((values - low) / ((high - low) or 1.0) * (_BINS - 1)).astype(int)
    counts = np.bincount(bins, minlength=_BINS)
    order = np.argsort(bins, kind="stable")
    rank = np.empty(len(values))
    rank[order] = np.arange(len(values)) - (np.cumsum(counts) - counts)[bins[order]]
    centred = rank - (counts[bins] - 1) / 2
    places: NDArray[np.float64] = 2 * centred / max(int(counts.max()), 2)
    return places


def _steps(one: Explained) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield colours and the rows that have them: by fifths of the value, or one for all."""
    column = one.column
    missing = column.has_none
    if column.kind == "category" or missing.all():
        yield MUTED, np.ones(len(missing), bool)
        return
    ranks = np.searchsorted(np.sort(column.values[~missing]), column.values, "left")
    highest = max(1, int(ranks[~missing].max()))
    step = np.minimum(ranks * len(SCALE) // (highest + 1), len(SCALE) - 1)
    if missing.any():
        yield MUTED, missing
    for number, colour in enumerate(SCALE):
        mask = ~missing & (step == number)
        if mask.any():
            yield colour, mask
