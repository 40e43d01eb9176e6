"""The charts of two labels, and of training."""

import numpy as np

from sagetree.bundle.learning_curve import LearningCurve
from sagetree.evaluate.report.binary import BinaryFacts, Floats
from sagetree.evaluate.report.page import axes, marks
from sagetree.evaluate.report.page.document import Chart, TextTable, shown
from sagetree.evaluate.report.page.marks import ONE, TWO

# Points of a curve in the table behind it.
TABLED = 11

# Room above a curve that ends at 100 %.
_FULL = 1.02


def roc_chart(facts: BinaryFacts, auc: float) -> Chart:
    """Return the ROC curve."""
    return Chart(
        "ROC curve",
        f"How many positive rows are found at each share of false alarms; the area is {auc:.4f}. "
        "The dashed line is chance.",
        _curve_table(facts.roc, "false alarms", "found"),
        axes.shares("negative rows called positive"),
        axes.shares("positive rows found", high=_FULL),
        (marks.guide((0, 0), (1, 1)), marks.Line(facts.roc, ONE)),
    )


def precision_recall_chart(facts: BinaryFacts, average: float) -> Chart:
    """Return the precision-recall curve."""
    chance = facts.share_positive
    return Chart(
        "Precision and recall",
        f"How many of the rows called positive are so, at each share found; the average precision "
        f"is {average:.4f}. The dashed line is chance, {chance:.2%}.",
        _curve_table(facts.precision_recall, "recall", "precision"),
        axes.shares("positive rows found (recall)"),
        axes.shares("called rows that are positive", high=_FULL),
        (marks.guide((0, chance), (1, chance)), marks.Line(facts.precision_recall, ONE)),
    )


def gain_chart(facts: BinaryFacts) -> Chart:
    """Return the cumulative gain: what is found by checking the highest scores."""
    loads = facts.workloads
    return Chart(
        "Gain",
        "How many of all positive rows are found by checking the rows of the highest scores; the "
        "dots are 1, 2, 5 and 10 % of the rows. The dashed line is checking at random.",
        _curve_table(facts.gain, "checked", "found"),
        axes.shares("rows checked, highest scores first"),
        axes.shares("positive rows found", high=_FULL),
        (
            marks.guide((0, 0), (1, 1)),
            marks.Line(facts.gain, ONE),
            marks.dots([load.share for load in loads], [load.caught for load in loads], TWO, 8),
        ),
    )


def reliability_chart(facts: BinaryFacts) -> Chart:
    """Return how often rows of each score are positive."""
    groups, was = facts.reliability, facts.before is not None
    scores, raw = [g.score for g in groups], [g.uncalibrated for g in groups]
    shares = [group.share for group in groups]
    top = 1.05 * max([*scores, *raw, *(group.interval[1] for group in groups), 1e-9])
    bars = (marks.line([g.score] * 2, g.interval, ONE, width=1.5) for g in groups)
    return Chart(
        "Reliability",
        "Tenths of the rows by score: the share of them that is positive, with its 95 % interval, "
        "against their mean score. On the dashed line scores are right."
        + (" The small dots are the same rows before calibration." if was else ""),
        TextTable(
            ("tenth", "rows", "mean score", "share positive", "95 % interval")
            + (("before calibration",) if was else ()),
            tuple(
                (str(n), str(g.rows), f"{g.score:.4g}", f"{g.share:.4g}", between(*g.interval))
                + ((f"{g.uncalibrated:.4g}",) if was else ())
                for n, g in enumerate(groups, start=1)
            ),
        ),
        axes.shares("mean score", high=top),
        axes.shares("share positive", high=top),
        (
            marks.guide((0, 0), (top, top)),
            *bars,
            *((marks.dots(raw, shares, TWO, 4),) if was else ()),
            marks.dots(scores, shares, ONE, 7),
        ),
    )


def scores_chart(facts: BinaryFacts, threshold: float, positive: str) -> Chart:
    """Return the distribution of the scores of either label."""
    parts = facts.negatives_by_score, facts.positives_by_score
    negative, other = (counts / max(counts.sum(), 1e-300) for counts in parts)
    edges = facts.score_edges
    top = 1.05 * float(max(negative.max(), other.max()))
    return Chart(
        "Scores of positive and negative rows",
        f"How the scores of rows with {shown(positive)} and of the others are spread, each as "
        "shares of its own rows.",
        TextTable(
            ("score from", "negative rows", "positive rows"),
            tuple(
                (f"{edge:.4g}", f"{low:g}", f"{high:g}")
                for edge, low, high in zip(edges[:-1], *parts, strict=True)
                if low or high
            ),
        ),
        axes.numbers("score", edges),
        axes.shares("share of these rows", high=top),
        (
            marks.outline(edges, negative, ONE, "negative rows"),
            marks.outline(edges, other, TWO, "positive rows"),
            marks.guide((threshold, 0), (threshold, top), "threshold"),
        ),
    )


def learning_chart(curve: LearningCurve, metric: str) -> Chart:
    """Return how a metric went from round to round."""
    series = {n.split("-", 1)[0]: v for n, v in curve.values.items() if n.endswith(f"-{metric}")}
    some = np.unique(np.linspace(0, len(curve.rounds) - 1, TABLED).astype(int)).tolist()
    y = axes.numbers(metric, *series.values())
    return Chart(
        f"Learning curve: {metric}",
        f"{metric} of the rows learnt from (train) and of held-out rows (validation) after each "
        f"round. Round {curve.best} is the last one that predicts.",
        TextTable(
            ("round", *series),
            tuple(
                (str(curve.rounds[n]), *(f"{values[n]:.5g}" for values in series.values()))
                for n in some
            ),
        ),
        axes.numbers("round", curve.rounds, low=1.0),
        y,
        (
            *(
                marks.line(curve.rounds, values, colour, name)
                for (name, values), colour in zip(series.items(), (ONE, TWO), strict=False)
            ),
            marks.guide((curve.best, y.low), (curve.best, y.high), "best round"),
        ),
    )


def between(low: float, high: float) -> str:
    """Return an interval in words, "-" where it is not known."""
    return f"{low:.4g} to {high:.4g}" if np.isfinite([low, high]).all() else "-"


def _curve_table(curve: Floats, x: str, y: str) -> TextTable:
    some = np.unique(np.linspace(0, len(curve) - 1, TABLED).astype(int))
    return TextTable((x, y), tuple((f"{a:.1%}", f"{b:.1%}") for a, b in curve[some].tolist()))
