"""What the hosts of a job exchange, and the one that is alone, which exchanges nothing.

All hosts make the same calls in the same order: a sequence that differs is not an error to XGBoost,
but another model. So no call stands below an `if` on what only one host knows, and what leads to a
call is decided from what all have sent.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from sagetree.errors import DataError

Rows = NDArray[Any]


class Group(ABC):
    """The hosts of a job. `ONE` is a job of one: each method hands back what it is given.

    Arrays are of numbers or of fixed width, and have the same dtype on all hosts.
    """

    names: Sequence[str]
    rank: int
    shares_files = False  # all read the same files: they are processes of one machine

    @property
    def size(self) -> int:
        """How many hosts there are."""
        return len(self.names)

    @property
    def name(self) -> str:
        """The name of this host."""
        return self.names[self.rank]

    @property
    def is_leader(self) -> bool:
        """Whether this host is the one that writes the model."""
        return self.rank == 0

    @abstractmethod
    def gather(self, value: Any) -> list[Any]:  # noqa: ANN401 - JSON
        """Return the JSON value of each host, in order of rank; NaN and infinity are kept."""

    @abstractmethod
    def gather_bytes(self, data: bytes) -> list[bytes]:
        """Return the bytes of each host, in order of rank."""

    @abstractmethod
    def gather_rows(self, rows: Rows) -> Rows:
        """Return the rows of all hosts in order of rank; a host may have none."""

    @abstractmethod
    def any(self, flag: bool) -> bool:
        """Say whether the flag is set on any host."""

    @abstractmethod
    def total(self, values: Rows) -> Rows:
        """Return the sum over all hosts of arrays of one shape."""

    @abstractmethod
    def greatest(self, values: Rows) -> Rows:
        """Return the maximum over all hosts of arrays of one shape."""

    @abstractmethod
    def settle(self) -> None:
        """Wait for all hosts, and raise the error of any."""

    @abstractmethod
    def settling(self) -> AbstractContextManager[None]:
        """Return a context whose end all hosts reach: what one of them raised, all raise.

        The error is that of the lowest rank; on other hosts its place names the host.
        """

    @abstractmethod
    def raise_if_lost(self, error: Exception) -> None:
        """Raise PlatformError where `error`, XGBoost's, says that an exchange broke."""

    @abstractmethod
    def part(self) -> None:
        """End the exchanges, once all have come here; at the group's end all wait for the leader.

        What the leader does in between, it does alone; XGBoost exchanges nothing more.
        """

    @abstractmethod
    def __enter__(self) -> Self: ...

    @abstractmethod
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def same(self, value: Any, what: str) -> None:  # noqa: ANN401 - JSON
        """Check that a JSON value is the same on all hosts.

        Raises DataError that names the first host on which `what` differs from the leader's.
        """
        found = self.gather(value)
        for name, other in zip(self.names, found, strict=True):
            if other != found[0]:
                raise DataError(
                    f"{what} differ from those on host {self.names[0]}",
                    where=f"host {name}",
                    hint="Give all hosts of the job the same",
                )


class One(Group):
    """A job of one host."""

    names = ("algo-1",)
    rank = 0

    def gather(self, value: Any) -> list[Any]:  # noqa: ANN401 - JSON
        """Return the value alone."""
        return [value]

    def gather_bytes(self, data: bytes) -> list[bytes]:
        """Return the bytes alone."""
        return [data]

    def gather_rows(self, rows: Rows) -> Rows:
        """Return the rows."""
        return rows

    def any(self, flag: bool) -> bool:
        """Return the flag."""
        return flag

    def total(self, values: Rows) -> Rows:
        """Return the values."""
        return values

    def greatest(self, values: Rows) -> Rows:
        """Return the values."""
        return values

    def settle(self) -> None:
        """Do nothing."""

    @contextmanager
    def settling(self) -> Iterator[None]:
        """Let an error through."""
        yield

    def raise_if_lost(self, error: Exception) -> None:
        """Do nothing."""

    def part(self) -> None:
        """Do nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        pass


ONE = One()
