"""The model's scores of the captured rows, against those of rows held out in training."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.scoring import Scores
from sagetree.bundle.baseline import Histogram
from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.model import Model
from sagetree.drift.measures.columns import told
from sagetree.drift.measures.distribution import Distribution, of_numbers
from sagetree.drift.measures.findings import Change, Severity, worst
from sagetree.drift.settings import Limits
from sagetree.tables.label import ClassLabel


class ScoreDrift(NamedTuple):
    """One output of the model: its name, its values (n), and how they are spread before and now."""

    name: str
    values: NDArray[np.float64]
    spread: Distribution | None
    findings: tuple[Change, ...]

    @property
    def severity(self) -> Severity:
        """How serious the change is."""
        return worst(self.findings)


def output_names(model: Model, outputs: int) -> tuple[str, ...]:
    """Return what the scores are called, as `sagetree predict` calls its columns."""
    label = model.schema.label
    if outputs == 1:
        return ("score",)
    if isinstance(label, ClassLabel) and len(label.classes) == outputs:
        return tuple(f"score_{name}" for name in label.classes)
    return tuple(f"score_{number}" for number in range(outputs))


def compare_scores(
    model: Model, bundle: ModelBundle, scores: Scores, limits: Limits, chance: float
) -> Sequence[ScoreDrift]:
    """Compare scores (n) or (n, outputs) with training's, one output after the other.

    What counts is the nearer of two: the scores of held-out rows, by models that learnt from fewer,
    and those of training's own rows by this one.
    """
    outputs = scores.reshape(len(scores), -1).astype(np.float64)
    names = output_names(model, outputs.shape[1])
    found = []
    for place, (name, values) in enumerate(zip(names, outputs.T, strict=True)):
        spread = _nearest(_known(bundle, place), values, limits, chance)
        severity = spread.severity(limits.comparison, chance) if spread else Severity.NONE
        findings: tuple[Change, ...] = ()
        if spread is not None and severity and limits.compares:
            description = told(spread, limits.comparison)
            findings = (Change(name, "baseline_drift_check", severity, description),)
        found.append(ScoreDrift(name, values, spread, findings))
    return found


def _known(bundle: ModelBundle, place: int) -> Sequence[Histogram]:
    """Return training's scores; none where no rows were held out: its own alone say too little."""
    if bundle.baseline is None:
        return ()
    own = bundle.columns.scores[place : place + 1] if bundle.columns else ()
    return (bundle.baseline.scores[place], *own)


def _nearest(
    known: Sequence[Histogram], values: NDArray[np.float64], limits: Limits, chance: float
) -> Distribution | None:
    spreads = (of_numbers(histogram, values) for histogram in known)
    return min(
        (spread for spread in spreads if spread is not None),
        key=lambda one: (one.severity(limits.comparison, chance), one.distance),
        default=None,
    )
