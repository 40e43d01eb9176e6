"""Several hosts as one group, on XGBoost's own collective.

Each exchange begins with a head, in which every host says which exchange it has
come to; so an error can meet whatever the others do, and hosts that are out of step
are found. All is added up by XGBoost's allreduce: nothing is pickled.

Source: xgboost/collective.py; what breaks, and how, is measured (docs/decisions/hosts.md).
"""

import atexit
import json
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self

import numpy as np
import xgboost
from numpy.typing import NDArray
from xgboost import collective

from sagetree.errors import PlatformError
from sagetree.machine.program import FAILED
from sagetree.train.hosts.group import Group, Rows
from sagetree.train.hosts.meeting import Meeting
from sagetree.train.hosts.told_errors import raised, told

# What every head begins with: XGBoost's own sums would not add up to it.
_MAGIC = 0x5A6E_7EE5

_SETTLE, _FLAG, _BYTES, _TOTAL, _GREATEST, _ERROR, _END = range(7)

# What an error of XGBoost holds that comes from an exchange.
_OF_EXCHANGES = ("collective/", "allreduce", "allgather", "Poll error", "rabit")


class OutOfStepError(RuntimeError):
    """Two hosts came to different exchanges: a bug, and the model would be a wrong one."""


class Several(Group):
    """The hosts of a job that have met."""

    def __init__(self, meeting: Meeting) -> None:
        self.names = meeting.hosts.names
        self.rank = meeting.hosts.rank
        self.shares_files = bool(meeting.hosts.machine)
        self._meeting = meeting
        self._calls = 0
        self._agreed: BaseException | None = None
        self._is_broken = self._has_parted = False

    def gather(self, value: Any) -> list[Any]:  # noqa: ANN401 - JSON
        """Return the JSON value of each host, in order of rank."""
        return [json.loads(text) for text in self.gather_bytes(json.dumps(value).encode())]

    def gather_bytes(self, data: bytes) -> list[bytes]:
        """Return the bytes of each host, in order of rank."""
        return self._pieces(data, self._head(_BYTES, len(data)))

    def gather_rows(self, rows: Rows) -> Rows:
        """Return the rows of all hosts in order of rank; a host may have none.

        Raises TypeError for objects, which have no bytes of their own.
        """
        if rows.dtype.hasobject:
            raise TypeError(f"rows of {rows.dtype} cannot be exchanged")
        kind = _sum_of(rows.dtype.str, rows.shape[1:]).to_bytes(4, "big")
        found = self.gather_bytes(kind + np.ascontiguousarray(rows).tobytes())
        if any(piece[:4] != kind for piece in found):
            raise OutOfStepError(f"the hosts gather different rows; here {rows.dtype}{rows.shape}")
        parts = [np.frombuffer(piece, rows.dtype, offset=4) for piece in found]
        return np.concatenate(parts).reshape(-1, *rows.shape[1:])

    def any(self, flag: bool) -> bool:
        """Say whether the flag is set on any host."""
        return bool(self._head(_FLAG, int(flag)).any())

    def total(self, values: Rows) -> Rows:
        """Return the sum over all hosts of arrays of one shape."""
        return self._reduced(values, _TOTAL, collective.Op.SUM)

    def greatest(self, values: Rows) -> Rows:
        """Return the maximum over all hosts of arrays of one shape."""
        return self._reduced(values, _GREATEST, collective.Op.MAX)

    def settle(self) -> None:
        """Wait for all hosts, and raise the error of any."""
        self._head(_SETTLE, 0)

    @contextmanager
    def settling(self) -> Iterator[None]:
        """Return a context whose end all hosts reach: what one of them raised, all raise."""
        try:
            yield
        except BaseException as error:
            if error is not self._agreed and not self._is_broken:
                self._tell(error)
            raise
        self.settle()

    def raise_if_lost(self, error: Exception) -> None:
        """Raise PlatformError where `error`, XGBoost's, says that an exchange broke."""
        if self._is_broken or any(words in str(error) for words in _OF_EXCHANGES):
            self._is_broken = True
            raise self._meeting.ask_who_is_lost() from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the leader's end; or end by an error, at once where not all have it."""
        if error is None:
            try:
                self.part()
                self._meeting.finish()
            except BaseException as found:
                self._end_by(found)
                raise
        else:
            self._end_by(error)

    def part(self) -> None:
        """End the exchanges, once all have come here; at the group's end all wait for the leader.

        Raises what another host has raised, and OutOfStepError for one that is elsewhere.
        """
        if not self._has_parted:
            self._head(_END, 0)
            self._finalize()

    def _finalize(self) -> None:
        with self._guarded():
            collective.finalize()
        self._has_parted = True
        self._meeting.stop_watching()  # what becomes of the others is nothing to the leader now

    def _end_by(self, error: BaseException) -> None:
        if error is self._agreed:
            self._finalize()
            self._meeting.close()
            return
        self._meeting.leave(error)
        if not self._has_parted:
            self._is_broken = True
            # The interpreter's end would wait for the others, and crash: none of it is needed.
            atexit.register(_end_at_once)

    def _head(self, kind: int, number: int) -> NDArray[np.int64]:
        """Exchange what this host has come to; return each host's number.

        Raises the error that any host tells, OutOfStepError where another exchange is met.
        """
        heads = np.zeros((self.size, 4), np.int64)
        heads[self.rank] = (_MAGIC, self._calls, kind, number)
        self._calls += 1
        heads = self._allreduce(heads, collective.Op.SUM)
        kinds = heads[:, 2]
        failed = kinds == _ERROR
        if (heads[:, 0] != _MAGIC).any() or len(set(kinds[~failed])) > 1:
            raise OutOfStepError(f"the hosts are out of step: at exchange {self._calls}, {heads}")
        if failed.any():
            self._raise_told(heads, None)
        if len(set(heads[:, 1])) > 1:
            raise OutOfStepError(f"the hosts are out of step: they made {heads[:, 1]} exchanges")
        return heads[:, 3]

    def _tell(self, error: BaseException) -> None:
        """Answer the exchange that the others make next with an error; raise what all raise.

        Where they make none, but one of XGBoost's, nothing is agreed: this host ends alone.
        """
        text = json.dumps(told(error)).encode()
        heads = np.zeros((self.size, 4), np.int64)
        heads[self.rank] = (_MAGIC, self._calls, _ERROR, len(text))
        with suppress(PlatformError):
            heads = self._allreduce(heads, collective.Op.SUM)
        if (heads[:, 0] == _MAGIC).all():
            self._raise_told(heads, error)

    def _raise_told(self, heads: NDArray[np.int64], own: BaseException | None) -> None:
        sizes = np.where(heads[:, 2] == _ERROR, heads[:, 3], 0)
        data = json.dumps(told(own)).encode() if own else b""
        pieces = self._pieces(data, sizes)
        rank = int(np.argmax(sizes > 0))
        found = json.loads(pieces[rank])
        is_own = own is not None and told(own) == found  # which all hosts may have found
        error = own if own is not None and is_own else raised(found, self.names[rank])
        self._agreed = error
        raise error

    def _pieces(self, data: bytes, sizes: NDArray[np.int64]) -> list[bytes]:
        ends = np.cumsum(sizes)
        buffer = np.zeros(int(ends[-1]), np.uint8)
        start = int(ends[self.rank] - sizes[self.rank])
        buffer[start : start + len(data)] = np.frombuffer(data, np.uint8)
        whole = self._allreduce(buffer, collective.Op.MAX).tobytes()
        return [whole[end - size : end] for end, size in zip(ends, sizes, strict=True)]

    def _reduced(self, values: Rows, kind: int, operation: collective.Op) -> Rows:
        shape = _sum_of(values.dtype.str, values.shape)
        shapes = self._head(kind, shape)
        if (shapes != shape).any():
            raise OutOfStepError(
                f"the hosts add up different arrays; here {values.dtype}{values.shape}"
            )
        return self._allreduce(values, operation)

    def _allreduce(self, values: Rows, operation: collective.Op) -> Rows:
        if not values.size:
            return values
        with self._guarded():
            return collective.allreduce(values, operation).reshape(values.shape)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn a broken exchange into PlatformError that says who is lost."""
        try:
            yield
        except xgboost.core.XGBoostError as error:
            self._is_broken = True
            raise self._meeting.ask_who_is_lost() from error


def _sum_of(*parts: object) -> int:
    return zlib.crc32(repr(parts).encode())


def _end_at_once() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(FAILED)
