"""What is said about a change: Model Monitor's violation, and how serious it is."""

from enum import IntEnum
from typing import NamedTuple


class Severity(IntEnum):
    """How serious a change is."""

    NONE = 0
    MODERATE = 1
    SERIOUS = 2

    @property
    def word(self) -> str:
        """How it is called."""
        return self.name.lower()


class Change(NamedTuple):
    """A change that counts: `check` is Model Monitor's name of what it violates."""

    feature: str
    check: str
    severity: Severity
    description: str
    metric: str = ""


def worst(findings: tuple[Change, ...]) -> Severity:
    """Return the severity of the most serious one."""
    return max((each.severity for each in findings), default=Severity.NONE)
