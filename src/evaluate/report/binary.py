"""What the scores of two labels are worth: curves, workloads, reliability."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.calibration import Calibration, Scores
from sagetree.decisions.rules import Rule
from sagetree.evaluate.calibration import calibration_line
from sagetree.evaluate.metrics.interval import Interval, share_interval
from sagetree.evaluate.metrics.rows import effective_rows
from sagetree.evaluate.metrics.thinning import thin
from sagetree.evaluate.metrics.weighted import cumulated
from sagetree.evaluate.report.savings import Saving, Savings
from sagetree.evaluate.report.subject import JudgedRows

Floats = NDArray[np.float64]

# The shares of rows, those of the highest scores, that people may have time to check.
WORKLOADS = (0.01, 0.02, 0.05, 0.1)

# Tenths of the rows by score.
GROUPS = 10

BINS = 30

# A chart's curve has no more points.
POINTS = 300


@dataclass(frozen=True)
class Workload:
    """What checking the rows of the highest scores finds, on average over rows that tie.

    `share` of all rows are checked; `caught` is the share of all positive rows among
    them, `precision` the share of them that is positive, `lift` how many times as
    many that is as by chance; `saving` is None where nothing says what mistakes cost.
    """

    share: float
    rows: float
    threshold: float
    found: float
    caught: float
    caught_interval: Interval
    precision: float
    precision_interval: Interval
    lift: float
    saving: Saving | None


@dataclass(frozen=True)
class Reliability:
    """A tenth of the rows: their mean score, that before calibration, the share of positives."""

    rows: int
    score: float
    uncalibrated: float
    share: float
    interval: Interval


@dataclass(frozen=True)
class Uncalibrated:
    """How scores were before a calibration, which was fitted on `fitted_on`, and why it was."""

    method: str
    fitted_on: str
    why: str
    slope: float | None


@dataclass(frozen=True)
class BinaryFacts:
    """What a chart or a table of two labels needs, and `slope`, which is 1 if scores are right.

    `slope` and `intercept` are of the logistic regression of the label on the scores'
    log-odds; None where the scores are not probabilities, or say all or nothing. `before` is
    None where scores are as XGBoost has them.
    """

    share_positive: float
    mean_score: float
    workloads: tuple[Workload, ...]
    reliability: tuple[Reliability, ...]
    slope: float | None
    intercept: float | None
    before: Uncalibrated | None
    roc: Floats  # (points, 2)
    precision_recall: Floats  # (points, 2)
    gain: Floats  # (points, 2)
    score_edges: Floats
    negatives_by_score: Floats
    positives_by_score: Floats


def measure_binary(
    rows: JudgedRows,
    *,
    are_probabilities: bool,
    calibration: Calibration | None = None,
    rule: Rule | None = None,
) -> BinaryFacts:
    """Return what is to be said about rows of both labels and their scores (n).

    `rule` is the decision's, which may say what mistakes cost.
    """
    labels, scores, weights = rows.labels, rows.scores, rows.weights
    distinct, true, called = cumulated(labels, scores, weights)
    false = called - true
    recall, checked = true / true[-1], called / called[-1]
    edges = np.histogram_bin_edges(scores.astype(np.float64), BINS)
    of_label = [
        np.histogram(scores[mask], edges, weights=None if weights is None else weights[mask])[0]
        for mask in (labels != 1, labels == 1)
    ]
    raw = calibration.undone(scores) if calibration else scores
    line = calibration_line(labels, scores, weights) if are_probabilities else None
    counts = effective_rows(weights, len(labels)), true[-1] / called[-1]
    savings = Savings.of(rows, rule)
    return BinaryFacts(
        share_positive=float(counts[1]),
        mean_score=float(np.average(scores.astype(np.float64), weights=weights)),
        workloads=tuple(
            _workload(share, distinct, true, called, counts[0], savings) for share in WORKLOADS
        ),
        reliability=_reliability(rows, raw) if are_probabilities else (),
        slope=line.slope if line else None,
        intercept=line.intercept if line else None,
        before=_uncalibrated(rows, calibration, raw) if calibration else None,
        roc=_curve(np.append(0.0, false / max(false[-1], 1e-300)), np.append(0.0, recall)),
        precision_recall=_curve(recall, true / called),
        gain=_curve(np.append(0.0, checked), np.append(0.0, recall)),
        score_edges=edges,
        negatives_by_score=of_label[0].astype(np.float64),
        positives_by_score=of_label[1].astype(np.float64),
    )


def _curve(x: Floats, y: Floats) -> Floats:
    keep = thin(x, y, POINTS)
    return np.column_stack([x[keep], y[keep]])


def _workload(
    share: float,
    distinct: NDArray[np.float32],
    true: Floats,
    called: Floats,
    rows: float,
    savings: Savings | None,
) -> Workload:
    reached = share * called[-1]
    found = float(np.interp(reached, np.append(0.0, called), np.append(0.0, true)))
    positives, per_row = float(true[-1]), rows / float(called[-1])
    caught, precision = found / positives, found / reached
    place = min(int(np.searchsorted(called, reached)), len(called) - 1)
    return Workload(
        share=share,
        rows=float(reached),
        threshold=float(distinct[place]),
        found=found,
        caught=caught,
        caught_interval=share_interval(caught, positives * per_row),
        precision=precision,
        precision_interval=share_interval(precision, reached * per_row),
        lift=caught / share,
        saving=savings.at(float(reached)) if savings else None,
    )


def _uncalibrated(rows: JudgedRows, calibration: Calibration, scores: Scores) -> Uncalibrated:
    line = calibration_line(rows.labels, scores, rows.weights)
    slope = line.slope if line else None
    return Uncalibrated(calibration.method, calibration.rows, calibration.chosen, slope)


def _reliability(rows: JudgedRows, uncalibrated: Scores) -> tuple[Reliability, ...]:
    """Return tenths of the rows by score; rows of one score stay together."""
    order = np.argsort(rows.scores, kind="stable")
    cuts = np.quantile(rows.scores, np.linspace(0, 1, GROUPS + 1)[1:-1], method="higher")
    places = np.unique(np.searchsorted(rows.scores[order], cuts))
    found = []
    for part in np.split(order, places):
        if not len(part):
            continue
        weights = None if rows.weights is None else rows.weights[part]
        share, score, before = (
            float(np.average(values[part].astype(np.float64), weights=weights))
            for values in (rows.labels == 1, rows.scores, uncalibrated)
        )
        interval = share_interval(share, effective_rows(weights, len(part)))
        found.append(Reliability(len(part), score, before, share, interval))
    return tuple(found)
