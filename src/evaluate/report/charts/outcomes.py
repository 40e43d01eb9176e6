"""The charts of two labels, of training, and of other tasks."""

from typing import TYPE_CHECKING

import numpy as np

from sagetree.bundle.learning_curve import LearningCurve
from sagetree.evaluate.report.binary import BinaryFacts
from sagetree.evaluate.report.page.document import Chart, Table, shown
from sagetree.evaluate.report.page.drawing import (
    FOUR,
    MUTED,
    ONE,
    THREE,
    TWO,
    dots,
    percents,
)
from sagetree.evaluate.report.tasks import (
    ClassesFacts,
    Floats,
    NumberFacts,
    RankingFacts,
    SurvivalFacts,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Rectangle

# Points of a curve in the table behind it, and classes in a matrix.
TABLED, MOST_CLASSES = 11, 12

_SERIES = (ONE, TWO, THREE, FOUR)


def roc_chart(facts: BinaryFacts, auc: float) -> Chart:
    """Return the ROC curve."""

    def draw(axes: "Axes") -> None:
        axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1)
        axes.plot(*facts.roc.T, color=ONE)
        _shares(axes, "negative rows called positive", "positive rows found")

    return Chart(
        "ROC curve",
        f"How many positive rows are found at each share of false alarms; the area is {auc:.4f}. "
        "The dashed line is chance.",
        _curve_table(facts.roc, "false alarms", "found"),
        draw,
    )


def precision_recall_chart(facts: BinaryFacts, average: float) -> Chart:
    """Return the precision-recall curve."""

    def draw(axes: "Axes") -> None:
        axes.axhline(facts.share_positive, color=MUTED, linestyle="--", linewidth=1)
        axes.plot(*facts.precision_recall.T, color=ONE)
        _shares(axes, "positive rows found (recall)", "called rows that are positive")

    return Chart(
        "Precision and recall",
        f"How many of the rows called positive are so, at each share found; the average precision "
        f"is {average:.4f}. The dashed line is chance, {facts.share_positive:.2%}.",
        _curve_table(facts.precision_recall, "recall", "precision"),
        draw,
    )


def gain_chart(facts: BinaryFacts) -> Chart:
    """Return the cumulative gain: what is found by checking the highest scores."""

    def draw(axes: "Axes") -> None:
        axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1)
        axes.plot(*facts.gain.T, color=ONE)
        shares = [(w.share, w.caught) for w in facts.workloads]
        dots(axes, [s for s, _ in shares], [c for _, c in shares], TWO, 8)
        _shares(axes, "rows checked, highest scores first", "positive rows found")

    return Chart(
        "Gain",
        "How many of all positive rows are found by checking the rows of the highest scores; the "
        "dots are 1, 2, 5 and 10 % of the rows. The dashed line is checking at random.",
        _curve_table(facts.gain, "checked", "found"),
        draw,
    )


def reliability_chart(facts: BinaryFacts) -> Chart:
    """Return how often rows of each score are positive."""
    scores = [group.score for group in facts.reliability]
    shares = [group.share for group in facts.reliability]
    ends = [group.interval for group in facts.reliability]
    top = 1.05 * max([*scores, *(high for _, high in ends), 1e-9])

    def draw(axes: "Axes") -> None:
        axes.plot([0, top], [0, top], color=MUTED, linestyle="--", linewidth=1)
        axes.vlines(scores, *zip(*ends, strict=True), color=ONE, linewidth=1.5)
        axes.plot(scores, shares, color=ONE, linewidth=1)
        dots(axes, scores, shares, ONE, 7)
        axes.set(xlim=(0, top), ylim=(0, top), xlabel="mean score", ylabel="share positive")
        percents(axes)

    return Chart(
        "Reliability",
        "Tenths of the rows by score: the share of them that is positive, with its 95 % interval, "
        "against their mean score. On the dashed line scores are right.",
        Table(
            ("tenth", "rows", "mean score", "share positive", "95 % interval"),
            tuple(
                (str(n), str(g.rows), f"{g.score:.4g}", f"{g.share:.4g}", between(*g.interval))
                for n, g in enumerate(facts.reliability, start=1)
            ),
        ),
        draw,
    )


def scores_chart(facts: BinaryFacts, threshold: float, positive: str) -> Chart:
    """Return the distribution of the scores of either label."""
    parts = facts.negatives_by_score, facts.positives_by_score
    shares = [counts / max(counts.sum(), 1e-300) for counts in parts]
    words = ("negative rows", "positive rows")

    def draw(axes: "Axes") -> None:
        for share, colour, word in zip(shares, (ONE, TWO), words, strict=True):
            axes.stairs(share, facts.score_edges, color=colour, linewidth=2, label=word)
        if facts.score_edges[0] <= threshold <= facts.score_edges[-1]:
            axes.axvline(threshold, color=MUTED, linestyle="--", linewidth=1, label="threshold")
        axes.set(xlabel="score", ylabel="share of these rows", ylim=(0, None))
        percents(axes, x=False)
        axes.legend()

    edges = facts.score_edges
    return Chart(
        "Scores of positive and negative rows",
        f"How the scores of rows with {shown(positive)} and of the others are spread, each as "
        "shares of its own rows.",
        Table(
            ("score from", "negative rows", "positive rows"),
            tuple(
                (f"{edge:.4g}", f"{low:g}", f"{high:g}")
                for edge, low, high in zip(edges[:-1], *parts, strict=True)
                if low or high
            ),
        ),
        draw,
    )


def learning_chart(curve: LearningCurve, metric: str) -> Chart:
    """Return how a metric went from round to round."""
    series = {n.split("-", 1)[0]: v for n, v in curve.values.items() if n.endswith(f"-{metric}")}
    some = np.unique(np.linspace(0, len(curve.rounds) - 1, TABLED).astype(int)).tolist()

    def draw(axes: "Axes") -> None:
        for (name, values), colour in zip(series.items(), _SERIES, strict=False):
            axes.plot(curve.rounds, values, color=colour, label=name)
        axes.axvline(curve.best, color=MUTED, linestyle="--", linewidth=1, label="best round")
        axes.set(xlabel="round", ylabel=metric)
        axes.legend()

    return Chart(
        f"Learning curve: {metric}",
        f"{metric} of the rows learnt from (train) and of rows left out (validation) after each "
        f"round. Round {curve.best} is the last one that predicts.",
        Table(
            ("round", *series),
            tuple(
                (str(curve.rounds[n]), *(f"{values[n]:.5g}" for values in series.values()))
                for n in some
            ),
        ),
        draw,
        left=0.17,
    )


def predicted_chart(facts: NumberFacts, label: str) -> Chart:
    """Return predicted against true numbers."""
    name = shown(label, 30)

    def draw(axes: "Axes") -> None:
        ends = [facts.points.min(), facts.points.max()]
        axes.plot(ends, ends, color=MUTED, linestyle="--", linewidth=1)
        dots(axes, facts.points[:, 0], facts.points[:, 1], ONE, 3)
        axes.set(xlabel=f"predicted {name}", ylabel=f"true {name}")

    return Chart(
        "Predicted and true",
        f"{len(facts.points)} rows: what was predicted, and what was true. On the dashed line "
        "predictions are right.",
        Table(
            ("tenth", "rows", "mean predicted", "mean true", "rmse"),
            tuple(
                (str(n), str(t.rows), f"{t.predicted:.5g}", f"{t.true:.5g}", f"{t.rmse:.5g}")
                for n, t in enumerate(facts.tenths, start=1)
            ),
            "Tenths of the rows by prediction",
        ),
        draw,
        left=0.18,
    )


def residuals_chart(facts: NumberFacts) -> Chart:
    """Return how far the predictions miss."""

    def draw(axes: "Axes") -> None:
        axes.stairs(facts.errors, facts.error_edges, color=ONE, fill=True)
        axes.axvline(0, color=MUTED, linestyle="--", linewidth=1)
        axes.set(xlabel="true less predicted", ylabel="rows")

    return Chart(
        "Residuals",
        "How much the true number is above the predicted one. Left of 0 the prediction is too "
        "high.",
        _histogram_table("true less predicted, from", facts.error_edges, facts.errors),
        draw,
        left=0.18,
    )


def confusion_chart(facts: ClassesFacts) -> Chart:
    """Return which class is called what, as shares of the rows of each class."""
    largest = sorted(range(len(facts.classes)), key=lambda n: -facts.classes[n].rows)
    kept = sorted(largest[:MOST_CLASSES])
    counts = facts.confusion[np.ix_(kept, kept)]
    totals = np.array([max(facts.classes[n].rows, 1e-300) for n in kept])
    names = [shown(facts.classes[n].name, 12) for n in kept]

    def draw(axes: "Axes") -> None:
        axes.grid(visible=False)
        shares = counts / totals[:, None]
        for place, share in np.ndenumerate(shares):
            row, column = place
            side = 0.92 * float(share) ** 0.5
            corner = (column - side / 2, row - side / 2)
            axes.add_patch(_square(corner, side, TWO if row != column else ONE))
        axes.set_xticks(range(len(kept)), names, rotation=90 if len(kept) > 4 else 0)
        axes.set_yticks(range(len(kept)), names)
        axes.set(xlim=(-0.5, len(kept) - 0.5), ylim=(len(kept) - 0.5, -0.5), ylabel="true class")
        axes.set_xlabel("" if len(kept) > 4 else "called")

    more = "" if len(kept) == len(facts.classes) else f" The {len(kept)} largest classes are shown."
    return Chart(
        "Who is called what",
        "Each row is a true class, each column what its rows were called; a square's area is the "
        f"share of the class.{more}",
        Table(
            ("true class", *(shown(facts.classes[n].name, 20) for n in kept)),
            tuple(
                (shown(facts.classes[n].name, 40), *(f"{count:g}" for count in row))
                for n, row in zip(kept, counts.tolist(), strict=True)
            ),
        ),
        draw,
        left=0.26,
        height=5.0,
    )


def ndcg_chart(facts: RankingFacts) -> Chart:
    """Return how well groups are ordered."""

    def draw(axes: "Axes") -> None:
        axes.stairs(facts.ndcg_counts, facts.ndcg_edges, color=ONE, fill=True)
        axes.set(xlabel="ndcg of a group", ylabel="groups")

    return Chart(
        "Groups by ndcg",
        f"{facts.groups} groups have rows of different relevance; 1 is the best order of a group.",
        _histogram_table("ndcg from", facts.ndcg_edges, facts.ndcg_counts),
        draw,
    )


def survival_chart(facts: SurvivalFacts) -> Chart:
    """Return how many rows are still without an event, by quarters of the score."""

    def draw(axes: "Axes") -> None:
        for number, (quarter, colour) in enumerate(
            zip(facts.quarters, _SERIES, strict=False), start=1
        ):
            x, y = quarter.curve.T
            axes.step(x, y, where="post", color=colour, label=f"quarter {number}")
        axes.set(xlabel="time", ylabel="without event", ylim=(0, 1.02))
        percents(axes, x=False)
        axes.legend()

    return Chart(
        "Without event, by quarters of the score",
        "Kaplan and Meier's estimate for each quarter of the rows by score; the first has the "
        "earliest predicted events. Curves that lie apart are told apart by the model.",
        Table(
            ("quarter", "rows", "events", "median time"),
            tuple(
                (str(n), str(q.rows), str(q.events), "-" if q.median is None else f"{q.median:.4g}")
                for n, q in enumerate(facts.quarters, start=1)
            ),
        ),
        draw,
    )


def between(low: float, high: float) -> str:
    """Return an interval in words, "-" where it is not known."""
    return f"{low:.4g} to {high:.4g}" if np.isfinite([low, high]).all() else "-"


def _shares(axes: "Axes", x: str, y: str) -> None:
    axes.set(xlabel=x, ylabel=y, xlim=(0, 1), ylim=(0, 1.02))
    percents(axes)


def _square(corner: tuple[float, float], side: float, colour: str) -> "Rectangle":
    from matplotlib.patches import Rectangle

    return Rectangle(corner, side, side, color=colour, linewidth=0)


def _curve_table(curve: Floats, x: str, y: str) -> Table:
    some = np.unique(np.linspace(0, len(curve) - 1, TABLED).astype(int))
    return Table((x, y), tuple((f"{a:.1%}", f"{b:.1%}") for a, b in curve[some].tolist()))


def _histogram_table(name: str, edges: Floats, counts: Floats) -> Table:
    rows = zip(edges[:-1], counts, strict=True)
    return Table((name, "count"), tuple((f"{e:.4g}", f"{c:g}") for e, c in rows if c))
