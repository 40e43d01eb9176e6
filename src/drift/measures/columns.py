"""One column's cells, against training's: values, missing cells, categories never seen."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sagetree.drift.captured.rows import ColumnCells
from sagetree.drift.measures.baselines import KnownColumn
from sagetree.drift.measures.chance import more_than
from sagetree.drift.measures.distribution import Distribution, of_categories, of_numbers
from sagetree.drift.measures.findings import Change, Severity, worst
from sagetree.drift.settings import SERIOUS_ABSENT, Limits
from sagetree.errors import quote

# What stands for all numbers among the words of a mixed column.
A_NUMBER = "(a number)"

# Categories that a sentence names.
_NAMED = 3


@dataclass(frozen=True)
class ColumnDrift:
    """A column of `rows` rows: what it was in training, what it holds, and what counts of that.

    `values` compares its numbers, `categories` its categories; a mixed column has both.
    `unmeasured` says in a clause what the model's bundle does not allow.
    """

    known: KnownColumn
    cells: ColumnCells
    rows: int
    values: Distribution | None
    categories: Distribution | None
    findings: tuple[Change, ...]
    unmeasured: str = ""

    @property
    def missing(self) -> float:
        """The share of cells that are missing."""
        return self.cells.missing / max(self.rows, 1)

    @property
    def unseen(self) -> float | None:
        """The share of cells of categories that training did not see; None without categories."""
        if self.cells.codes is None:
            return None
        return sum(self.cells.unseen.values()) / max(self.rows, 1)

    @property
    def severity(self) -> Severity:
        """How serious the most serious change is."""
        return worst(self.findings)

    @property
    def shown(self) -> Distribution | None:
        """The distribution that says most of the change."""
        found = [each for each in (self.values, self.categories) if each is not None]
        return max(found, key=lambda each: each.index, default=None)


def check_count(known: KnownColumn, cells: ColumnCells) -> int:
    """Return how many checks of a column chance may fail."""
    values = 0 if known.is_moment else 2 * (cells.numbers is not None)
    return 1 + values + 2 * (cells.codes is not None)


def compare_column(
    known: KnownColumn, cells: ColumnCells, rows: int, limits: Limits, chance: float
) -> ColumnDrift:
    """Compare a column's cells with training's; `chance` is what a single check may err by."""
    values = categories = None
    if cells.numbers is not None and known.numbers is not None:
        values = of_numbers(known.numbers, cells.numbers)
    if cells.codes is not None and known.counts is not None:
        before, now = dict(known.counts), _counts(cells)
        if cells.numbers is not None and known.numbers is not None:
            before[A_NUMBER] = sum(known.numbers.counts[:-1])
            now[A_NUMBER] = int(np.count_nonzero(~np.isnan(cells.numbers)))
        categories = of_categories(before, now)
    findings = (
        *_of_missing(known, cells, rows, limits, chance),
        *_of_unseen(known, cells, rows, limits, chance),
        *_of_values(known, values, categories, limits, chance),
    )
    unmeasured = "" if known.is_known else "the model's bundle does not hold its values"
    return ColumnDrift(known, cells, rows, values, categories, findings, unmeasured)


def _counts(cells: ColumnCells) -> dict[str, int]:
    """Return the rows of each category, those never seen by their own names."""
    return {**dict(zip(cells.words, cells.counts, strict=True)), **cells.unseen}


def _of_missing(
    known: KnownColumn, cells: ColumnCells, rows: int, limits: Limits, chance: float
) -> Iterator[Change]:
    demanded = limits.completeness.get(known.name)
    if demanded is None and known.missing is None:
        return
    before = known.missing or 0.0
    allowed = 1 - demanded if demanded is not None else before + tolerance(limits.kinds)
    severity = exceeds(cells.missing, rows, allowed, before, chance)
    if severity:
        told = f"in training {before:.1%}" if known.missing is not None else "not known of training"
        yield Change(
            known.name,
            "completeness_check",
            severity,
            f"{cells.missing} of {rows} cells are missing ({cells.missing / rows:.1%}; {told}); "
            f"up to {allowed:.1%} may be",
        )


def _of_unseen(
    known: KnownColumn, cells: ColumnCells, rows: int, limits: Limits, chance: float
) -> Iterator[Change]:
    expected = known.unseen_share(chance)
    if expected is None:
        return
    allowed = max(expected, 0.0) + tolerance(limits.domains)
    found = sum(cells.unseen.values())
    severity = exceeds(found, rows, allowed, expected, chance)
    if severity:
        names = sorted(cells.unseen, key=lambda name: -cells.unseen[name])[:_NAMED]
        yield Change(
            known.name,
            "categorical_values_check",
            severity,
            f"{found} of {rows} cells ({found / rows:.1%}) are of categories that training did not "
            f"see, such as {', '.join(map(quote, names))}; up to {allowed:.1%} may be",
        )


def _of_values(
    known: KnownColumn,
    values: Distribution | None,
    categories: Distribution | None,
    limits: Limits,
    chance: float,
) -> Iterator[Change]:
    """Yield a finding where values are spread differently; dates always are, as time goes on."""
    if known.is_moment or not limits.compares:
        return
    found = [each for each in (values, categories) if each is not None]
    if not found:
        return
    changed = max(found, key=lambda each: (each.severity(limits.comparison, chance), each.index))
    severity = changed.severity(limits.comparison, chance)
    if severity:
        description = told(changed, limits.comparison)
        yield Change(known.name, "baseline_drift_check", severity, description)


def told(found: Distribution, comparison: float) -> str:
    """Return how unlike two distributions are, in words."""
    return (
        f"the values are spread differently from training's: stability index {found.index:.3g}, "
        f"distance {found.distance:.3g}; from {comparison:g} on either counts"
    )


def tolerance(matching: float) -> float:
    """Return the share that may be different, where `matching` must be right."""
    return max(0.0, 1 - matching)


def exceeds(found: int, rows: int, allowed: float, expected: float, chance: float) -> Severity:
    """Return how serious it is that `found` of the rows are so, where `allowed` (a share) may be.

    It is, where chance does not explain it; seriously, from a quarter beyond `expected` on.
    """
    if more_than(found, rows, allowed) >= chance:
        return Severity.NONE
    limit = max(allowed, expected + SERIOUS_ABSENT)
    return Severity.SERIOUS if more_than(found, rows, limit) < chance else Severity.MODERATE
