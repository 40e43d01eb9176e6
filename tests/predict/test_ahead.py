"""Slices that are read ahead: all, in order, one at a time, and errors in their place."""

import threading
from collections.abc import Iterator

import pytest

from sagetree.errors import DataError
from sagetree.predict.ahead import read_ahead
from sagetree.tables.table import Source, Table


def table(number: int) -> Table:
    return Table(("n",), ([number],), 1, True, (Source(1),))


def test_slices_come_in_order() -> None:
    found = [slice_.columns[0][0] for slice_ in read_ahead(map(table, range(20)))]
    assert found == list(range(20))
    assert [*read_ahead(iter(()))] == []


def test_an_error_comes_behind_what_was_read_before_it() -> None:
    def slices() -> Iterator[Table]:
        yield table(0)
        yield table(1)
        raise DataError("it ends", where="rows.csv line 3", hint="Mend it")

    reading = read_ahead(slices())
    assert [next(reading).columns[0][0], next(reading).columns[0][0]] == [0, 1]
    with pytest.raises(DataError, match="it ends"):
        next(reading)


def test_no_more_is_read_than_one_slice_ahead_and_who_stops_ends_the_thread() -> None:
    read: list[int] = []
    closed = threading.Event()

    def slices() -> Iterator[Table]:
        try:
            for number in range(100):
                read.append(number)
                yield table(number)
        finally:
            closed.set()

    reading = read_ahead(slices())
    next(reading)
    reading.close()
    assert closed.wait(10)
    assert len(read) <= 4
