"""What one comparison found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sagetree.cloud.account.stack import Stack

# The physical ids of the stack's resources, by CloudFormation's types.
Resources = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Finding:
    """What is so or should be, whether it is, and what to do where it is not."""

    promise: str
    holds: bool
    remedy: str = ""

    def __str__(self) -> str:
        return f"ok      {self.promise}" if self.holds else f"not ok  {self.promise}: {self.remedy}"


@dataclass(frozen=True)
class Launched:
    """The stack that is checked, with its resources."""

    stack: Stack
    resources: Resources

    def of_type(self, type_: str) -> Sequence[str]:
        """Return the physical ids of the resources of a type."""
        return self.resources.get(type_, ())
