"""How good the scores are of rows whose labels came later, against training's held-out rows."""

from math import isfinite, sqrt
from typing import NamedTuple

import numpy as np

from sagetree.boosters.scoring import Scores
from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.model import Model
from sagetree.drift.captured.late_labels import JoinedLabels
from sagetree.drift.measures.chance import at_least
from sagetree.drift.measures.findings import Change, Severity
from sagetree.evaluate.metrics.binary import Evaluation
from sagetree.evaluate.metrics.interval import TWO_SIDED
from sagetree.evaluate.metrics.measured import Measured
from sagetree.evaluate.metrics.tasks import evaluate_task
from sagetree.tables.label import Label

# Shares of what a model has over one that says the same of every row: lost, they count.
MODERATE_LOSS, SERIOUS_LOSS = 0.1, 0.25

# A metric of fewer rows says next to nothing.
LEAST_ROWS = 20

# What a useless model reaches by AUC.
_CHANCE_AUC = 0.5


class Decay(NamedTuple):
    """The metric of the labelled rows, and in training; None where either is not known.

    `deviation` is the standard deviation of their difference, `lost` the share of what the model
    had over one that says the same of every row. `unmeasured` says why there is no metric.
    """

    labels: JoinedLabels
    metric: str = ""
    value: float | None = None
    before: float | None = None
    deviation: float | None = None
    lost: float | None = None
    findings: tuple[Change, ...] = ()
    unmeasured: str = ""


def measure_decay(
    model: Model, bundle: ModelBundle, scores: Scores, joined: JoinedLabels, chance: float
) -> Decay:
    """Measure the scores (n) or (n, outputs) of the rows whose labels are known."""
    labels = joined.labels
    why = _why_not(model, joined)
    if why:
        return Decay(joined, unmeasured=why)
    label = model.schema.label
    found = evaluate_task(
        model.objective,
        labels,
        scores[joined.rows],
        threshold=model.threshold,
        classes=label.classes if label else (),
        quantiles=model.scorer.quantiles,
        where="the labelled rows",
    )
    metric, value = found.headline, found.scalars[found.headline]
    before = bundle.metrics.get(metric)
    if before is None:
        why = "the model's bundle does not hold the metric of training"
        return Decay(joined, metric, value, unmeasured=why)
    return _compared(joined, found, before, _held_out(bundle, len(labels)), chance)


def _why_not(model: Model, joined: JoinedLabels) -> str:
    labels = joined.labels
    if model.objective.task == "ranking":
        return "a ranking is measured within groups, which captured rows do not name"
    if len(labels) < LEAST_ROWS:
        return f"the metric needs {LEAST_ROWS} rows with a label"
    if isinstance(model.schema.label, Label) and len(np.unique(labels)) == 1:
        return "all labels are the same so far"
    return ""


def _held_out(bundle: ModelBundle, rows: int) -> int:
    """Return how many rows training's metric is of; as many as now where it does not say."""
    return sum(bundle.baseline.scores[0].counts) if bundle.baseline else rows


def _compared(
    joined: JoinedLabels,
    found: Evaluation | Measured,
    before: float,
    held_out: int,
    chance: float,
) -> Decay:
    metric, value = found.headline, found.scalars[found.headline]
    if isinstance(found, Evaluation):
        useless, rises = _CHANCE_AUC, True
    else:
        useless, rises = found.baseline, not found.falling
    worse = before - value if rises else value - before
    had = before - useless if rises else useless - before
    lost = worse / had if had > 0 else None
    own = _deviation(found)
    if own is None or lost is None:
        return Decay(joined, metric, value, before, lost=lost)
    # training's is not stored: as that of these rows, but for their number
    deviation = own * sqrt(1 + found.rows / max(held_out, 1))
    severity = Severity.NONE
    if lost >= MODERATE_LOSS and at_least(worse / max(deviation, 1e-12)) < chance:
        severity = Severity.SERIOUS if lost >= SERIOUS_LOSS else Severity.MODERATE
    check = "LessThanThreshold" if rises else "GreaterThanThreshold"
    description = (
        f"{metric} is {value:.4g} on {found.rows} rows whose labels came later, and was "
        f"{before:.4g} in training: {lost:.0%} of its advantage over a constant prediction is lost"
    )
    findings = (Change(metric, check, severity, description, metric),) if severity else ()
    return Decay(joined, metric, value, before, deviation, lost, findings)


def _deviation(found: Evaluation | Measured) -> float | None:
    if isinstance(found, Evaluation):
        low, high = found.auc_interval
        deviation = (high - low) / (2 * TWO_SIDED)
    else:
        deviation = found.deviations.get(found.headline, float("nan"))
    return deviation if isfinite(deviation) else None
