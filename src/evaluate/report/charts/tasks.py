"""The charts of numbers, classes, rankings, and times to an event."""

import numpy as np

from sagetree.evaluate.report.page import axes, marks
from sagetree.evaluate.report.page.document import WIDTH, Chart, TextTable, shown
from sagetree.evaluate.report.page.marks import FOUR, ONE, THREE, TWO
from sagetree.evaluate.report.tasks import (
    ClassesFacts,
    Floats,
    NumberFacts,
    RankingFacts,
    SurvivalFacts,
)

# Classes in a matrix.
MOST_CLASSES = 12

# A curve of rows without event is shown until this share of them is left.
FEW_LEFT = 0.05


def predicted_chart(facts: NumberFacts, label: str) -> Chart:
    """Return predicted against true numbers."""
    name = shown(label, 30)
    low, high = float(facts.points.min()), float(facts.points.max())
    return Chart(
        "Predicted and true",
        f"{len(facts.points)} rows: what was predicted, and what was true. On the dashed line "
        "predictions are right.",
        TextTable(
            ("tenth", "rows", "mean predicted", "mean true", "rmse"),
            tuple(
                (str(n), str(t.rows), f"{t.predicted:.5g}", f"{t.true:.5g}", f"{t.rmse:.5g}")
                for n, t in enumerate(facts.tenths, start=1)
            ),
            "Tenths of the rows by prediction",
        ),
        axes.numbers(f"predicted {name}", facts.points),
        axes.numbers(f"true {name}", facts.points),
        (marks.guide((low, low), (high, high)), marks.Dots(facts.points, ONE, 3)),
    )


def residuals_chart(facts: NumberFacts) -> Chart:
    """Return how far the predictions miss."""
    top = 1.05 * float(facts.errors.max())
    return Chart(
        "Residuals",
        "How much the true number is above the predicted one. Left of 0 the prediction is too "
        "high.",
        _histogram_table("true less predicted, from", facts.error_edges, facts.errors),
        axes.numbers("true less predicted", facts.error_edges, [0.0]),
        axes.numbers("rows", low=0.0, high=top),
        (marks.columns(facts.error_edges, facts.errors, ONE), marks.guide((0, 0), (0, top))),
    )


def confusion_chart(facts: ClassesFacts) -> Chart:
    """Return which class is called what, as shares of the rows of each class."""
    largest = sorted(range(len(facts.classes)), key=lambda n: -facts.classes[n].rows)
    kept = sorted(largest[:MOST_CLASSES])
    counts = facts.confusion[np.ix_(kept, kept)]
    totals = np.array([max(facts.classes[n].rows, 1e-300) for n in kept])
    names = [shown(facts.classes[n].name, 12) for n in kept]
    rows, columns = np.indices(counts.shape)
    half = 0.46 * np.sqrt(counts / totals[:, None])
    corners = np.stack([columns - half, rows - half, columns + half, rows + half], axis=-1)
    is_right = rows == columns
    more = "" if len(kept) == len(facts.classes) else f" The {len(kept)} largest classes are shown."
    return Chart(
        "Who is called what",
        "Each row is a true class, each column what its rows were called; a square's area is the "
        f"share of the class.{more}",
        TextTable(
            ("true class", *(shown(facts.classes[n].name, 20) for n in kept)),
            tuple(
                (shown(facts.classes[n].name, 40), *(f"{count:g}" for count in row))
                for n, row in zip(kept, counts.tolist(), strict=True)
            ),
        ),
        axes.words("called", names),
        axes.words("true class", names, is_down=True),
        (
            marks.Boxes(corners[is_right], ONE, "called right"),
            marks.Boxes(corners[~is_right], TWO, "called wrong"),
        ),
        height=WIDTH,
    )


def ndcg_chart(facts: RankingFacts) -> Chart:
    """Return how well groups are ordered."""
    return Chart(
        "Groups by ndcg",
        f"{facts.groups} groups have rows of different relevance; 1 is the best order of a group.",
        _histogram_table("ndcg from", facts.ndcg_edges, facts.ndcg_counts),
        axes.numbers("ndcg of a group", low=0.0, high=1.0),
        axes.numbers("groups", low=0.0, high=1.05 * float(facts.ndcg_counts.max())),
        (marks.columns(facts.ndcg_edges, facts.ndcg_counts, ONE),),
    )


def survival_chart(facts: SurvivalFacts) -> Chart:
    """Return how many rows are still without an event, by quarters of the score."""
    quarters = facts.quarters
    curves = [_until_few_are_left(quarter.curve) for quarter in quarters]
    end = max(float(curve[-1, 0]) for curve in curves)
    return Chart(
        "Without event, by quarters of the score",
        "Kaplan and Meier's estimate for each quarter of the rows by score; the first has the "
        "earliest predicted events. Curves that lie apart are told apart by the model; each is "
        f"shown until {FEW_LEFT:.0%} are left.",
        TextTable(
            ("quarter", "rows", "events", "median time"),
            tuple(
                (str(n), str(q.rows), str(q.events), "-" if q.median is None else f"{q.median:.4g}")
                for n, q in enumerate(quarters, start=1)
            ),
        ),
        axes.numbers("time", np.array([end]), low=0.0),
        axes.shares("without event", high=1.02),
        tuple(
            marks.stairs(curve, colour, f"quarter {n}")
            for n, (curve, colour) in enumerate(
                zip(curves, (ONE, TWO, THREE, FOUR), strict=False), start=1
            )
        ),
    )


def _until_few_are_left(curve: Floats) -> Floats:
    """Return a curve (n, 2) up to where few are left: those last times may be many times as far."""
    few = np.flatnonzero(curve[:, 1] <= FEW_LEFT)
    return curve[: few[0] + 1] if len(few) else curve


def _histogram_table(name: str, edges: Floats, counts: Floats) -> TextTable:
    rows = zip(edges[:-1], counts, strict=True)
    return TextTable((name, "count"), tuple((f"{e:.4g}", f"{c:g}") for e, c in rows if c))
