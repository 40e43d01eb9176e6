"""Dates and times, against Python's own calendar."""

import math
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sagetree.features.moment import Moment
from sagetree.tables.cells import Cell, MissingValues
from tests.sagetree.columns import chunked

NOTHING = MissingValues.of(())
FEATURE = Moment(column="seen")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_names_and_types() -> None:
    assert FEATURE.names == (
        "seen.days", "seen.year", "seen.month", "seen.day", "seen.weekday", "seen.hour",
    )  # fmt: skip
    assert FEATURE.feature_types == ("q",) * 6


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])))
@example(datetime(1970, 1, 1, tzinfo=UTC))
@example(datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
@example(datetime(2000, 2, 29, 12, tzinfo=UTC))
@example(datetime(1900, 3, 1, tzinfo=UTC))
@example(datetime(1, 1, 1, tzinfo=UTC))
@example(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
def test_parts_are_those_of_the_calendar(moment: datetime) -> None:
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:  # beyond the year 9999 in UTC: no calendar to compare with
        return
    values, _ = FEATURE.encode([moment], NOTHING)
    days = (moment - EPOCH).total_seconds() / 86400
    expected = [days, utc.year, utc.month, utc.day, utc.weekday(), utc.hour]
    assert FEATURE.expand(values).tolist() == [np.float32(expected).tolist()]


@pytest.mark.parametrize(
    "cells",
    [
        ["2026-01-31T13:45:00", ""],
        [" 2026-01-31 13:45 ", None],
        ["2026-01-31T14:45:00+01:00", "nan"],
        [datetime(2026, 1, 31, 13, 45), math.nan],
        chunked([datetime(2026, 1, 31, 13, 45), None], pa.timestamp("ns")),
        chunked([datetime(2026, 1, 31, 13, 45), None], pa.timestamp("s", tz="Asia/Tokyo")),
    ],
    ids=str,
)
def test_a_missing_moment_has_no_part(cells: list[Cell] | pa.ChunkedArray) -> None:
    values, misfits = FEATURE.encode(cells, NOTHING)
    assert misfits == []
    expected = [[20484.572916666668, 2026, 1, 31, 5, 13], [math.nan] * 6]
    np.testing.assert_array_equal(FEATURE.expand(values), np.float32(expected))


@pytest.mark.parametrize(
    "cell",
    [
        "1900-01-01",
        "1900-01-01T00:00:00",
        date(1900, 1, 1),
        datetime(1900, 1, 1),
        "never",
        " never ",
        "0",
        0,
        0.0,
    ],
)
def test_declared_missing_values_in_any_type(cell: Cell) -> None:
    missing = MissingValues.of(["1900-01-01", "never", "0"])
    values, misfits = FEATURE.encode([cell, "1970-01-02"], missing)
    np.testing.assert_array_equal(values, [math.nan, 86400])
    assert misfits == []


def test_a_declared_missing_date_in_arrow() -> None:
    missing = MissingValues.of(["1900-01-01"])
    for kind in (pa.date32(), pa.timestamp("us")):
        values, _ = FEATURE.encode(chunked([datetime(1900, 1, 1)], kind), missing)
        assert np.isnan(values).all()
