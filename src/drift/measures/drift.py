"""All that is measured of a capture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.model import Model
from sagetree.drift.captured.late_labels import JoinedLabels
from sagetree.drift.captured.reading import Capture
from sagetree.drift.measures.baselines import known_columns
from sagetree.drift.measures.columns import (
    ColumnDrift,
    check_count,
    compare_column,
    exceeds,
    tolerance,
)
from sagetree.drift.measures.decay import Decay, measure_decay
from sagetree.drift.measures.findings import Change, Severity, worst
from sagetree.drift.measures.scores import ScoreDrift, compare_scores
from sagetree.drift.settings import FALSE_ALARMS, Limits


@dataclass(frozen=True)
class Drift:
    """What a capture is beside training's rows; `findings` are all that counts, in order.

    `chance` is what each check may err by, so that all of them together keep to FALSE_ALARMS.
    """

    capture: Capture
    columns: tuple[ColumnDrift, ...]
    scores: Sequence[ScoreDrift]
    decay: Decay | None
    findings: tuple[Change, ...]
    limits: Limits
    chance: float

    @property
    def severity(self) -> Severity:
        """How serious the most serious change is."""
        return worst(self.findings)

    def unjudged(self) -> "Drift":
        """Return the same figures, marked as not counting."""
        return replace(
            self,
            columns=tuple(replace(one, findings=()) for one in self.columns),
            scores=[one._replace(findings=()) for one in self.scores],
            decay=self.decay._replace(findings=()) if self.decay else None,
            findings=(),
        )


def measure_drift(
    model: Model,
    bundle: ModelBundle,
    capture: Capture,
    joined: JoinedLabels | None,
    limits: Limits,
) -> Drift:
    """Measure a capture against what the bundle holds of training.

    Raises ArtifactError for a bundle that holds nothing of it.
    """
    known = known_columns(bundle)
    rows = capture.rows
    outputs = rows.scores.reshape(rows.rows, -1).shape[1]
    checks = sum(map(check_count, known, rows.columns)) + 2 * outputs + (joined is not None)
    chance = FALSE_ALARMS / checks
    columns = tuple(
        compare_column(one, cells, rows.rows, limits, chance)
        for one, cells in zip(known, rows.columns, strict=True)
    )
    scores = compare_scores(model, bundle, rows.scores, limits, chance)
    decay = measure_decay(model, bundle, rows.scores, joined, chance) if joined else None
    found = (
        *(decay.findings if decay else ()),
        *(finding for one in scores for finding in one.findings),
        *_of_refusals(capture, limits, chance),
        *(finding for one in columns for finding in one.findings),
    )
    ordered = tuple(sorted(found, key=lambda one: -one.severity))
    drift = Drift(capture, columns, scores, decay, ordered, limits, chance)
    return drift if limits.evaluates else drift.unjudged()


def _of_refusals(capture: Capture, limits: Limits, chance: float) -> Iterator[Change]:
    refusals, offered = capture.refusals, capture.offered
    margin = tolerance(limits.kinds)
    for reason, count in refusals.by_reason.items():
        severity = exceeds(count, offered, margin, 0.0, chance)
        if severity:
            yield Change(
                reason.column,
                reason.check,
                severity,
                f"{count} of {offered} rows or requests cannot be scored: "
                f"{refusals.examples[reason]}",
            )
