"""What could not be scored: how many rows, in which column, for which reason."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal, NamedTuple

from sagetree.errors import SchemaError, UserError, Violation
from sagetree.tables.schema import LABEL_IN_REQUEST

# Model Monitor's names of checks.
Check = Literal[
    "data_type_check", "completeness_check", "baseline_drift_check", "missing_column_check",
    "extra_column_check", "categorical_values_check",
]  # fmt: skip

# What stands for a column where a body as a whole cannot be read.
BODY = "(body)"

_MISSING = ("is missing", "the column is missing from the record")
_EXTRA = ("is unknown", LABEL_IN_REQUEST)


class Reason(NamedTuple):
    """What was wrong, and with which column."""

    check: Check
    column: str


class Refusals:
    """Rows that the model would refuse, and columns it has no use for, counted as they come."""

    def __init__(self) -> None:
        self.rows = 0
        self.by_reason: Counter[Reason] = Counter()
        self.examples: dict[Reason, str] = {}
        self.extra: Counter[str] = Counter()

    def count_body(self, error: UserError, rows: int = 1) -> None:
        """Count a table, or a body whose rows nobody knows, that is refused as a whole."""
        self.rows += rows
        violations = error.violations if isinstance(error, SchemaError) else ()
        columns = [each for each in violations if each.column]
        reasons = {_reason(each) for each in columns} or {Reason("data_type_check", BODY)}
        self._count(reasons, rows, str(error))

    def count_row(self, violations: Iterable[Violation]) -> None:
        """Count a row with cells that are not of their columns' kinds."""
        self.rows += 1
        for each in violations:
            reason = Reason("data_type_check", each.column)
            self._count([reason], 1, str(each))

    def count_extra(self, columns: Iterable[str], rows: int) -> None:
        """Count rows of a table with columns that are left out of it."""
        self.extra.update(dict.fromkeys(columns, rows))

    def _count(self, reasons: Iterable[Reason], rows: int, example: str) -> None:
        for reason in reasons:
            self.by_reason[reason] += rows
            self.examples.setdefault(reason, example)


def _reason(violation: Violation) -> Reason:
    if violation.reason in _MISSING:
        return Reason("missing_column_check", violation.column)
    if violation.reason in _EXTRA:
        return Reason("extra_column_check", violation.column)
    return Reason("data_type_check", violation.column)
