"""What the scores of two labels are worth: curves, workloads, reliability."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.evaluate.metrics.interval import Interval, share_interval
from sagetree.evaluate.metrics.rows import Weights, effective_rows
from sagetree.evaluate.metrics.thinning import thin
from sagetree.evaluate.metrics.weighted import cumulated
from sagetree.evaluate.report.subject import JudgedRows

Floats = NDArray[np.float64]

# The shares of rows, those of the highest scores, that people may have time to check.
WORKLOADS = (0.01, 0.02, 0.05, 0.1)

# Tenths of the rows by score.
GROUPS = 10

BINS = 30

# A chart's curve has no more points.
POINTS = 300

# Scores nearer to 0 or 1 have no log-odds that a float32 could say.
_EDGE = 1e-7


@dataclass(frozen=True)
class Workload:
    """What checking the rows of the highest scores finds, on average over rows that tie.

    `share` of all rows are checked; `caught` is the share of all positive rows among
    them, `precision` the share of them that is positive, `lift` how many times as
    many that is as by chance.
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


@dataclass(frozen=True)
class Reliability:
    """A tenth of the rows: their mean score, and the share of them that is positive."""

    rows: int
    score: float
    share: float
    interval: Interval


@dataclass(frozen=True)
class BinaryFacts:
    """What a chart or a table of two labels needs, and `slope`, which is 1 if scores are right.

    `slope` and `intercept` are of the logistic regression of the label on the scores'
    log-odds; None where the scores are no probabilities, or say all or nothing.
    """

    share_positive: float
    mean_score: float
    workloads: tuple[Workload, ...]
    reliability: tuple[Reliability, ...]
    slope: float | None
    intercept: float | None
    roc: Floats  # (points, 2)
    precision_recall: Floats  # (points, 2)
    gain: Floats  # (points, 2)
    score_edges: Floats
    negatives_by_score: Floats
    positives_by_score: Floats


def measure_binary(rows: JudgedRows, *, are_probabilities: bool) -> BinaryFacts:
    """Return what is to be said of rows of both labels and their scores (n)."""
    labels, scores, weights = rows.labels, rows.scores, rows.weights
    distinct, true, called = cumulated(labels, scores, weights)
    false = called - true
    recall, checked = true / true[-1], called / called[-1]
    edges = np.histogram_bin_edges(scores.astype(np.float64), BINS)
    of_label = [
        np.histogram(scores[mask], edges, weights=None if weights is None else weights[mask])[0]
        for mask in (labels != 1, labels == 1)
    ]
    slope = _calibration(labels, scores, weights) if are_probabilities else None
    counts = effective_rows(weights, len(labels)), true[-1] / called[-1]
    return BinaryFacts(
        share_positive=float(counts[1]),
        mean_score=float(np.average(scores.astype(np.float64), weights=weights)),
        workloads=tuple(_workload(s, distinct, true, called, counts[0]) for s in WORKLOADS),
        reliability=_reliability(rows) if are_probabilities else (),
        slope=slope[1] if slope else None,
        intercept=slope[0] if slope else None,
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
    share: float, distinct: NDArray[np.float32], true: Floats, called: Floats, rows: float
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
    )


def _reliability(rows: JudgedRows) -> tuple[Reliability, ...]:
    """Return tenths of the rows by score; rows of one score stay together."""
    order = np.argsort(rows.scores, kind="stable")
    cuts = np.quantile(rows.scores, np.linspace(0, 1, GROUPS + 1)[1:-1], method="higher")
    places = np.unique(np.searchsorted(rows.scores[order], cuts))
    found = []
    for part in np.split(order, places):
        if not len(part):
            continue
        weights = None if rows.weights is None else rows.weights[part]
        share = float(np.average(rows.labels[part] == 1, weights=weights))
        score = float(np.average(rows.scores[part].astype(np.float64), weights=weights))
        interval = share_interval(share, effective_rows(weights, len(part)))
        found.append(Reliability(len(part), score, share, interval))
    return tuple(found)


def _calibration(
    labels: NDArray[np.generic], scores: NDArray[np.float32], weights: Weights
) -> tuple[float, float] | None:
    """Return intercept and slope of the label's log-odds on the scores', by Newton's method.

    None where they are not there: of one score for all, or labels that scores separate.
    """
    shares = scores.astype(np.float64).clip(_EDGE, 1 - _EDGE)
    x = np.column_stack([np.ones(len(shares)), np.log(shares / (1 - shares))])
    if np.ptp(x[:, 1]) < _EDGE:
        return None
    weight = np.ones(len(x)) if weights is None else weights.astype(np.float64)
    target, beta = (labels == 1).astype(np.float64), np.array([0.0, 1.0])
    for _ in range(50):
        fitted = 1 / (1 + np.exp(-(x @ beta).clip(-500, 500)))
        curvature = (x * (weight * fitted * (1 - fitted))[:, None]).T @ x
        gradient = x.T @ (weight * (target - fitted))
        if not np.isfinite(curvature).all() or np.linalg.cond(curvature) > 1 / _EDGE**2:
            return None
        step = np.linalg.solve(curvature, gradient)
        beta = beta + step
        if np.abs(step).max() < 1e-9:
            return float(beta[0]), float(beta[1])
    return None
