"""A table's rows to its feature group, one PutRecord each, with nothing lost on the way.

A row that Feature Store does not take is kept with the reason, and the others go on. What says
that no row can be written, such as a permission that is missing, ends the work before the next
block; `following` then is the row to go on from.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sagetree.cloud.store.cells import as_feature, moment, written
from sagetree.cloud.store.failures import Failures
from sagetree.cloud.store.groups import FeatureGroup
from sagetree.cloud.store.tables import Row, SourceTable

# As many as AWS's SDK has connections; a call takes some 15 ms.
_AT_ONCE = 10

# What is over in a moment.
_BUSY = frozenset(
    {
        "InternalFailure", "ServiceUnavailable", "Throttling", "ThrottlingException",
        "TooManyRequestsException",
    }
)  # fmt: skip

# What is wrong with one record, or may be over with the next one.
_OF_ONE_RECORD = _BUSY | {"ValidationError"}

# Seconds before a record that Feature Store was too busy for is tried again.
_PAUSES = (0.1, 0.4, 1.6, 6.4)

Record = list[dict[str, str]]


class _TimeOverError(Exception):
    """The time was over before a record could be written."""


class WrittenRows:
    """How many rows of a table there are, were written before, are written now and failed.

    `following` is the first row that was not come to, None if there is none; `stopped` is the
    error that ended the work, None where it was the time.
    """

    def __init__(self, rows: int, skipped: int) -> None:
        self.rows = rows
        self.skipped = skipped
        self.written = 0
        self.failed = 0
        self.following: int | None = None
        self.stopped: Exception | None = None

    @property
    def left(self) -> int:
        """How many rows were not come to."""
        return self.rows - self.skipped - self.written - self.failed


class RecordWriter:
    """Writes rows to a group; `event_time` is the column that has it, "" for the time now."""

    def __init__(
        self,
        runtime: Any,  # noqa: ANN401 - boto3's clients have no types
        group: FeatureGroup,
        table: SourceTable,
        failures: Failures,
        event_time: str = "",
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.runtime = runtime
        self.group = group
        self.table = table
        self.failures = failures
        self.event_time = event_time
        self.pause = pause
        self._now = written(datetime.now(UTC))
        self._seen: dict[tuple[str, str], int] = {}

    def write(self, first: int = 1, until: float | None = None) -> WrittenRows:
        """Write the rows from `first`, which the table has, and begin none at `until` or later."""
        done = WrittenRows(self.table.rows, first - 1)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for block in self.table.blocks(self._texts()):
                if block[-1].number < first:
                    self._note(block)
                    continue
                if until is not None and time.time() >= until:
                    done.following = max(first, block[0].number)
                    break
                self._note([row for row in block if row.number < first])
                self._write_block(
                    [row for row in block if row.number >= first], done, threads, until
                )
                if done.following is not None:
                    break
        done.failed = self.failures.count
        return done

    def _texts(self) -> frozenset[str]:
        """Return the columns that the group has as texts."""
        return frozenset(name for name, kind in self.group.types.items() if kind == "String")

    def _write_block(
        self,
        rows: Sequence[Row],
        done: WrittenRows,
        threads: ThreadPoolExecutor,
        until: float | None,
    ) -> None:
        records = list(self._records(rows))
        results = threads.map(lambda entry: self._put(entry[1], until), records)
        for (row, _), error in zip(records, results, strict=True):
            if error is None:
                done.written += 1
            elif isinstance(error, _TimeOverError):
                done.following = done.following or row.number
            elif fault := _fault_of_one(error):
                self._fail(row, fault)
            else:  # the rows of this block that are not written are come to again
                done.stopped = done.stopped or error
                done.following = done.following or row.number

    def _records(self, rows: Sequence[Row]) -> Iterator[tuple[Row, Record]]:
        """Yield each row that can be written with its record."""
        for row in rows:
            try:
                cells = self._checked(row)
            except ValueError as fault:
                self._fail(row, str(fault))
                continue
            yield row, [{"FeatureName": n, "ValueAsString": cell} for n, cell in cells.items()]

    def _checked(self, row: Row) -> Mapping[str, str]:
        """Return the cells of a record. Raises ValueError with why there is none."""
        if row.fault:
            raise ValueError(row.fault)
        group = self.group
        if group.id_field not in row.cells:
            raise ValueError(f"{group.id_field}: it is missing")
        cells = {**row.cells, group.event_time: self._time(row)}
        for name, cell in cells.items():
            try:
                cells[name] = as_feature(cell, group.types[name])
            except ValueError as fault:
                raise ValueError(f"{name}: {fault}") from fault
        # the online store keeps the first of such two, `prepare` the last
        if (other := self._noted(row, cells)) != row.number:
            same = ", and the same event time" if self.event_time else ""
            raise ValueError(f"{group.id_field}: row {other} has the same one{same}")
        return cells

    def _time(self, row: Row) -> str:
        """Return the event time of a row. Raises ValueError where there is none."""
        if not self.event_time:
            return self._now
        if self.event_time not in row.cells:
            raise ValueError(f"{self.event_time}: it is missing")
        try:
            return moment(row.cells[self.event_time])
        except ValueError as error:
            raise ValueError(f"{self.event_time}: it is not an ISO 8601 time") from error

    def _noted(self, row: Row, cells: Mapping[str, str]) -> int:
        """Remember a row by its identifier and time; return the first row that has these."""
        time_of_row = cells[self.group.event_time] if self.event_time else ""
        return self._seen.setdefault((cells[self.group.id_field], time_of_row), row.number)

    def _note(self, rows: Sequence[Row]) -> None:
        """Remember rows that were written before, those that could be."""
        for row in rows:
            with suppress(ValueError):
                self._checked(row)

    def _put(self, record: Record, until: float | None) -> Exception | None:
        """Write a record; return why it is not written, None if it is."""
        failure: Exception | None = None
        for seconds in (0.0, *_PAUSES):
            if until is not None and time.time() + seconds >= until:
                return _TimeOverError()
            self.pause(seconds)
            try:
                self.runtime.put_record(FeatureGroupName=self.group.name, Record=record)
            except (BotoCoreError, ClientError) as error:
                failure = error
                if _code(error) not in _BUSY and not _is_unknown_group(error):
                    break
            else:
                return None
        return failure

    def _fail(self, row: Row, reason: str) -> None:
        identifier = row.cells.get(self.group.id_field)
        self.failures.add(row.number, self.table.where(row.number), identifier, reason)


def _fault_of_one(error: Exception) -> str:
    """Return what is wrong with one record, "" for what the next one would meet too."""
    code = _code(error)
    if not isinstance(error, ClientError) or code not in _OF_ONE_RECORD:
        return ""
    if _is_unknown_group(error):
        return ""
    return f"{code}: {error.response['Error'].get('Message', '')}"


def _is_unknown_group(error: Exception) -> bool:
    """Return whether the store does not know the group, which it may not at once everywhere."""
    return _code(error) == "ValidationError" and "Resource Not Found" in str(error)


def _code(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""
