"""The charts of what moves the scores: importance, and SHAP values of single rows."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sagetree.evaluate.report.drivers import DriverFacts, Explained
from sagetree.evaluate.report.page.document import Chart, Table, shown
from sagetree.evaluate.report.page.drawing import MUTED, ONE, SCALE, TWO, dots, percents

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import MaxNLocator

# Columns in the chart of importance, and those whose dependence is drawn.
BARS, DEPENDENCES = 12, 4

# Letters of a column's name beside its bar.
_NAME = 22

# A dependence on more categories would have no room for their names.
_MOST_TICKS = 8

_BINS = 60


def importance_chart(facts: DriverFacts) -> Chart:
    """Return the columns' shares of mean |SHAP| and of gain."""
    kinds = [
        (word, [getattr(d, name) for d in facts.columns[:BARS]], colour)
        for word, name, colour in (("mean |SHAP|", "mean_abs_shap", ONE), ("gain", "gain", TWO))
    ]
    kinds = [kind for kind in kinds if None not in kind[1]]
    names = [driver.column for driver in facts.columns[:BARS]]
    places = np.arange(len(names))

    def draw(axes: "Axes") -> None:
        thick = 0.8 / max(1, len(kinds))
        for number, (word, shares, colour) in enumerate(kinds):
            middle = places + (number - (len(kinds) - 1) / 2) * thick
            axes.barh(middle, shares, thick, color=colour, label=word)
        axes.set_yticks(places, [shown(name, _NAME) for name in names])
        axes.set(ylim=(len(names) - 0.5, -0.5), xlabel="share of all columns")
        axes.grid(visible=False, axis="y")
        percents(axes, y=False)
        axes.legend(loc="lower right")

    return Chart(
        "Importance of the columns",
        "Each column's share in the mean absolute SHAP values, that is in how far scores move, "
        "and in the gain of the trees' splits.",
        Table(
            ("column", *(word for word, _, _ in kinds)),
            tuple(
                (shown(name), *(f"{shares[n]:.1%}" for _, shares, _ in kinds))
                for n, name in enumerate(names)
            ),
        ),
        draw,
        left=0.42,
        height=1.2 + 0.38 * max(3, len(names)),
    )


def beeswarm_chart(facts: DriverFacts) -> Chart:
    """Return the SHAP values of rows, column by column, coloured by the column's value."""
    pictured = facts.pictured

    def draw(axes: "Axes") -> None:
        axes.axvline(0, color=MUTED, linewidth=1)
        for place, one in enumerate(pictured):
            heights = place + 0.38 * _spread(one.contributions)
            for step, mask in _steps(one):
                dots(axes, one.contributions[mask], heights[mask], step)
        axes.set_yticks(range(len(pictured)), [shown(p.column.name, _NAME) for p in pictured])
        axes.set(ylim=(len(pictured) - 0.5, -0.5), xlabel="SHAP value (in the margin's unit)")
        axes.margins(x=0.03)

    return Chart(
        "What moves single rows",
        f"A dot is one of {facts.explained_rows} rows: right of the line the column raises its "
        "score, left of it lowers it. Blue is a low value of the column, red a high one, grey a "
        "category or a missing cell.",
        Table(
            ("column", "least", "median", "greatest"),
            tuple(
                (
                    shown(p.column.name),
                    *(f"{v:.3g}" for v in np.quantile(p.contributions, (0, 0.5, 1))),
                )
                for p in pictured
            ),
            "SHAP values",
        ),
        draw,
        left=0.42,
        height=1.2 + 0.5 * max(3, len(pictured)),
    )


def dependence_chart(one: Explained) -> Chart:
    """Return a column's SHAP values by its value."""
    column, values = one.column, one.contributions
    parts = [(text, mask) for text, mask in column.parts() if mask.any()]
    are_words = bool(column.categories)
    name = shown(column.name, 40)

    def draw(axes: "Axes") -> None:
        axes.axhline(0, color=MUTED, linewidth=1)
        if are_words:
            shown_parts = parts[:_MOST_TICKS]
            for place, (_, mask) in enumerate(shown_parts):
                dots(axes, place + 0.3 * _spread(values[mask]), values[mask], ONE)
            words = [shown(text, 12) for text, _ in shown_parts]
            axes.set_xticks(range(len(words)), words, rotation=90 if len(words) > 4 else 0)
        else:
            there = ~column.is_missing
            dots(axes, column.values[there], values[there], ONE)
            axes.margins(x=0.03)
            if column.kind == "datetime":
                axes.xaxis.set_major_locator(_few_ticks())
                axes.xaxis.set_major_formatter(lambda days, _: column.text(days))
        axes.set(ylabel="SHAP value", xlabel=name)

    return Chart(
        f"How {name} moves the score",
        "A dot is a row: the column's value, and how far it moves the row's score up or down.",
        Table(
            ("value", "rows", "mean SHAP value"),
            tuple(
                (shown(text), str(int(mask.sum())), f"{float(values[mask].mean()):.3g}")
                for text, mask in parts
            ),
        ),
        draw,
        left=0.17,
    )


def _few_ticks() -> "MaxNLocator":
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(3)


def _spread(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return for each value (n) a place from -1 to 1 beside the others that are like it."""
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.linspace(-1, 1, len(values)) if len(values) > 1 else np.zeros(len(values))
    bins = ((values - low) / (high - low) * (_BINS - 1)).astype(int)
    counts = np.bincount(bins, minlength=_BINS)
    order = np.argsort(bins, kind="stable")
    rank = np.empty(len(values))
    rank[order] = np.arange(len(values)) - (np.cumsum(counts) - counts)[bins[order]]
    centred = rank - (counts[bins] - 1) / 2
    places: NDArray[np.float64] = 2 * centred / max(int(counts.max()), 2)
    return places


def _steps(one: Explained) -> list[tuple[str, NDArray[np.bool_]]]:
    """Return colours and the rows that have them: by fifths of the value, or one for all."""
    column = one.column
    missing = column.is_missing
    if column.kind == "category" or missing.all():
        return [(MUTED, np.ones(len(missing), bool))]
    ranks = np.searchsorted(np.sort(column.values[~missing]), column.values, "left")
    highest = max(1, int(ranks[~missing].max()))
    step = np.minimum(ranks * len(SCALE) // (highest + 1), len(SCALE) - 1)
    found = [(colour, ~missing & (step == n)) for n, colour in enumerate(SCALE)]
    return [(colour, mask) for colour, mask in [(MUTED, missing), *found] if mask.any()]
