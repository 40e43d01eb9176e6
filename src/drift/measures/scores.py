"""The model's scores of the captured rows, against those of rows held out in training."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.scoring import Scores
from sagetree.bundle.baseline import Baseline
from sagetree.bundle.model import Model
from sagetree.drift.measures.columns import told
from sagetree.drift.measures.distribution import Distribution, of_numbers
from sagetree.drift.measures.findings import Finding, Severity, worst
from sagetree.drift.settings import Limits
from sagetree.tables.label import ClassLabel


class ScoreDrift(NamedTuple):
    """One output of the model: its name, its values (n), and how they are spread before and now."""

    name: str
    values: NDArray[np.float64]
    spread: Distribution | None
    findings: tuple[Finding, ...]

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
    model: Model, baseline: Baseline | None, scores: Scores, limits: Limits, chance: float
) -> Sequence[ScoreDrift]:
    """Compare scores (n) or (n, outputs) with the baseline's, one output after the other."""
    outputs = scores.reshape(len(scores), -1).astype(np.float64)
    names = output_names(model, outputs.shape[1])
    found = []
    for place, (name, values) in enumerate(zip(names, outputs.T, strict=True)):
        spread = None if baseline is None else of_numbers(baseline.scores[place], values)
        severity = spread.severity(limits.comparison, chance) if spread else Severity.NONE
        findings: tuple[Finding, ...] = ()
        if spread is not None and severity and limits.compares:
            description = told(spread, limits.comparison)
            findings = (Finding(name, "baseline_drift_check", severity, description),)
        found.append(ScoreDrift(name, values, spread, findings))
    return found
