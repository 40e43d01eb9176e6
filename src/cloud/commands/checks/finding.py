"""What one comparison found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sagetree.cloud.account.stack import Stack

# The physical ids of the stacks' resources, by CloudFormation's types.
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
    """The core, all stacks of the solution, and what these have.

    Siblings are held to the core's parameters, which they take over.
    """

    stack: Stack
    stacks: Sequence[Stack]
    resources: Resources

    def of_type(self, type_: str) -> Sequence[str]:
        """Return the physical ids of the resources of a type."""
        return self.resources.get(type_, ())
