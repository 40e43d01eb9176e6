"""What the rows of an evaluation are to the model: rows it learnt from, cells it cannot read."""

from dataclasses import dataclass, replace

from sagetree.bundle.absent_cells import AbsentCells, missing_shares
from sagetree.bundle.training_rows import Repeats
from sagetree.evaluate.metrics.rows import said_of_copies
from sagetree.evaluate.verdict.gate import MetricVerdict, Verdict
from sagetree.tables.schema import Schema

# Where more than this share is of training (beyond chance), a metric is of what the model
# remembers: whatever it reaches on the other rows could be hidden by them.
MOST_REPEATED = 0.5


@dataclass(frozen=True)
class DataReport:
    """How an evaluation's rows compare with training's; without `repeats` these are not known.

    `copies` of them are copies of other ones.
    """

    schema: Schema
    absent: AbsentCells
    repeats: Repeats | None
    copies: int = 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """Why to distrust metrics of these rows, a sentence each."""
        copied = said_of_copies(self.copies, self.absent.rows)
        suspects = (*copied, *self.absent.suspects(self.schema))
        if self.repeats is None or not self.repeats.is_suspect:
            return suspects
        return (
            f"{self.repeats.repeated} of {self.repeats.compared} rows are rows of training, where "
            f"{self.repeats.by_chance:.1%} would be by chance: metrics of them show what the "
            "model remembers. Evaluate on rows that training does not have (sagetree prepare "
            "splits "
            "by key)",
            *suspects,
        )

    def judged(self, verdict: Verdict | MetricVerdict) -> Verdict | MetricVerdict:
        """Return the verdict that says which share of the rows is of training.

        It is a rejection where most are.
        """
        if self.repeats is None or not self.repeats.is_suspect:
            return verdict
        share = f"{self.repeats.share:.1%} of the rows are rows of training"
        if self.repeats.share - self.repeats.by_chance <= MOST_REPEATED:
            return replace(verdict, reason=f"{verdict.reason}; but {share}")
        reason = f"{share}, so nothing is known about other rows. {verdict.reason}"
        return replace(verdict, verdict="Rejected", reason=reason)

    def as_json(self) -> dict[str, object]:
        """Return what decision.json says about the rows."""
        shares, absent = missing_shares(self.schema), self.absent
        named = sorted({*absent.missing, *absent.unseen})
        return {
            "rows": absent.rows,
            "rows_of_training": None
            if self.repeats is None
            else {
                "repeated": self.repeats.repeated,
                "compared": self.repeats.compared,
                "share_by_chance": self.repeats.by_chance,
            },
            "absent_cells": {
                name: {
                    "missing": absent.missing.get(name, 0),
                    "unseen_categories": absent.unseen.get(name, 0),
                    "missing_share_in_training": shares.get(name),
                }
                for name in named
            },
            "warnings": self.warnings,
        }
