"""The hosts of a job as threads of this process: a group without a network."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any, Self, TypeVar

import numpy as np

from sagetree.train.hosts.group import Group, Rows

T = TypeVar("T")

# Nothing that a test gives hosts takes longer, on a busy machine either.
SECONDS = 60


class _Met:
    """Where threads meet: what each has brought."""

    def __init__(self, count: int) -> None:
        self.barrier = Barrier(count, timeout=SECONDS)
        self.brought: list[Any] = [None] * count


class Threads(Group):
    """One of the hosts."""

    def __init__(self, met: _Met, rank: int) -> None:
        self.names = tuple(f"algo-{number}" for number in range(1, len(met.brought) + 1))
        self.rank = rank
        self._met = met
        self._agreed: BaseException | None = None

    def _exchange(self, kind: str, value: Any) -> list[Any]:
        self._met.brought[self.rank] = (kind, value)
        self._met.barrier.wait()
        found = [*self._met.brought]
        self._met.barrier.wait()
        errors = [value for told, value in found if told == "error"]
        if errors:
            self._agreed = errors[0]
            raise errors[0]
        kinds = [told for told, _ in found]
        assert set(kinds) == {kind}, f"the hosts are out of step: {kinds}"
        return [value for _, value in found]

    def gather(self, value: Any) -> list[Any]:
        return [json.loads(text) for text in self._exchange("json", json.dumps(value))]

    def gather_bytes(self, data: bytes) -> list[bytes]:
        return self._exchange("bytes", data)

    def gather_rows(self, rows: Rows) -> Rows:
        parts = self._exchange("rows", rows)
        assert len({(part.dtype, part.shape[1:]) for part in parts}) == 1
        return np.concatenate(parts)

    def any(self, flag: bool) -> bool:
        return any(self._exchange("any", flag))

    def total(self, values: Rows) -> Rows:
        return self._of_one_shape("total", values).sum(axis=0)

    def greatest(self, values: Rows) -> Rows:
        return self._of_one_shape("greatest", values).max(axis=0)

    def _of_one_shape(self, kind: str, values: Rows) -> Rows:
        found = self._exchange(kind, values)
        assert len({(each.dtype, each.shape) for each in found}) == 1
        return np.stack(found)

    def settle(self) -> None:
        self._exchange("settle", None)

    @contextmanager
    def settling(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            if error is not self._agreed:
                self._exchange("error", error)
            raise
        self.settle()

    def part(self) -> None:
        self.settle()

    def raise_if_lost(self, error: Exception) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        pass


def together(count: int, work: Callable[[Group], T]) -> Sequence[T]:
    """Return what `work` returns on each of the hosts; raises what all of them raise."""
    met = _Met(count)

    def of(rank: int) -> T:
        group = Threads(met, rank)
        with group.settling():
            return work(group)

    with ThreadPoolExecutor(count) as pool:
        ran = [pool.submit(of, rank) for rank in range(count)]
    return [each.result() for each in ran]
