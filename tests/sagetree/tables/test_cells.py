"""What a cell means: DESIGN.md 4, cell by cell."""

import math
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagetree.tables.cells import (
    FLOAT32_LIMIT,
    CellError,
    DateOrder,
    MissingValues,
    NumberShape,
    category_text,
    to_boolean,
    to_moment,
    to_number,
    to_ordered_moment,
    to_shaped_number,
)

NOT_A_DATE = "is not a date written as 2026-01-31 or 2026-01-31T13:45:00"


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        (0, 0.0),
        (7, 7.0),
        (-7.25, -7.25),
        (True, 1.0),
        (False, 0.0),
        ("1", 1.0),
        ("1.0", 1.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-0.0", 0.0),
        ("+3", 3.0),
        ("007", 7.0),
        ("1e5", 100000.0),
        ("1E-2", 0.01),
        (" 12 ", 12.0),
        ("\t12\n", 12.0),
        ("True", 1.0),
        ("TRUE", 1.0),
        (" false ", 0.0),
        (2**53 + 1, 2.0**53),
        ("3.4028235e38", 3.4028235e38),
        (-3.4028235e38, -3.4028235e38),
    ],
)
def test_the_obvious_number(cell: object, number: float) -> None:
    assert to_number(cell) == number


@pytest.mark.parametrize("cell", [None, "", " ", "\t", "nan", "NaN", math.nan, " nan "])
def test_missing_is_an_empty_cell_null_or_nan(cell: object) -> None:
    assert math.isnan(to_number(cell))
    assert math.isnan(to_boolean(cell))
    assert math.isnan(to_moment(cell))
    assert category_text(cell) is None


@pytest.mark.parametrize("cell", ["N/A", "None", "NA", "null", "NULL", "n/a", "-", "?"])
def test_words_for_nothing_are_categories(cell: str) -> None:
    assert category_text(cell) == cell
    with pytest.raises(CellError) as caught:
        to_number(cell)
    assert str(caught.value) == f"'{cell}' is text where a number is expected"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("abc", "'abc' is text where a number is expected"),
        (" abc ", "' abc ' is text where a number is expected"),
        ("1,5", "'1,5' is text where a number is expected"),
        ("1_000", "'1_000' is text where a number is expected"),
        ("0x10", "'0x10' is text where a number is expected"),
        ("yes", "'yes' is text where a number is expected"),
        ("12 34", "'12 34' is text where a number is expected"),
        ("a\nb", r"'a\nb' is text where a number is expected"),
        ("x" * 41, f"'{'x' * 39}…' is text where a number is expected"),
        ("inf", "'inf' is infinite or too large for float32"),
        ("-Infinity", "'-Infinity' is infinite or too large for float32"),
        ("1e39", "'1e39' is infinite or too large for float32"),
        (math.inf, "'inf' is infinite or too large for float32"),
        (-1e39, "'-1e+39' is infinite or too large for float32"),
        (FLOAT32_LIMIT, "'3.4028235677973366e+38' is infinite or too large for float32"),
        (10**400, f"'1{'0' * 38}…' is infinite or too large for float32"),
        (date(2026, 1, 31), "is a date where a number is expected"),
        (datetime(2026, 1, 31, tzinfo=UTC), "is a date where a number is expected"),
    ],
)
def test_what_is_no_number(cell: object, text: str) -> None:
    with pytest.raises(CellError) as caught:
        to_number(cell)
    assert str(caught.value) == text


def test_the_limit_is_that_of_float32() -> None:
    with np.errstate(over="ignore"):
        assert np.isinf(np.float32(FLOAT32_LIMIT))
    assert np.isfinite(np.float32(math.nextafter(FLOAT32_LIMIT, 0)))


@pytest.mark.parametrize(
    ("cell", "value"),
    [(True, 1.0), (False, 0.0), (1, 1.0), (0.0, 0.0), ("1", 1.0), ("0.0", 0.0), (" TRUE ", 1.0)],
)
def test_booleans(cell: object, value: float) -> None:
    assert to_boolean(cell) == value


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (2, "'2' is neither true nor false"),
        ("0.5", "'0.5' is neither true nor false"),
        ("yes", "'yes' is text where a number is expected"),
    ],
)
def test_what_is_no_boolean(cell: object, text: str) -> None:
    with pytest.raises(CellError) as caught:
        to_boolean(cell)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("1970-01-01", 0.0),
        (" 1970-01-02 ", 86400.0),
        ("1970-01-01T00:01:00", 60.0),
        ("1970-01-01 00:01", 60.0),
        ("1970-01-01T00:00:00Z", 0.0),
        ("1970-01-01T00:00:00.25+01:00", -3599.75),
        ("1969-12-31T23:59:59", -1.0),
        (date(1970, 1, 2), 86400.0),
        (datetime(1970, 1, 1, 1), 3600.0),
        (datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), 0.0),
    ],
)
def test_moments_are_seconds_in_utc(cell: object, moment: float) -> None:
    assert to_moment(cell) == moment


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("yesterday", f"'yesterday' {NOT_A_DATE}"),
        ("31.01.2026", f"'31.01.2026' {NOT_A_DATE}"),
        ("20260131", f"'20260131' {NOT_A_DATE}"),
        ("N/A", f"'N/A' {NOT_A_DATE}"),
        (20260131, f"'20260131' {NOT_A_DATE}"),
        (1.5, f"'1.5' {NOT_A_DATE}"),
        (True, f"'True' {NOT_A_DATE}"),
    ],
)
def test_what_is_no_moment(cell: object, text: str) -> None:
    with pytest.raises(CellError) as caught:
        to_moment(cell)
    assert str(caught.value) == text


@pytest.mark.parametrize("text", ["2026-02-30", "2026-01-31T25:00"])
def test_a_date_that_does_not_exist_is_refused_in_pythons_words(text: str) -> None:
    """They are others in Python 3.14, which names the range of days."""
    with pytest.raises(ValueError) as python:
        datetime.fromisoformat(text)
    with pytest.raises(CellError) as caught:
        to_moment(text)
    assert str(caught.value) == f"{text!r} is not a date: {python.value}"


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))])))
def test_a_moment_equals_its_text(moment: datetime) -> None:
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    assert to_moment(moment) == to_moment(moment.isoformat()) == seconds


def test_a_moment_does_not_depend_on_the_machines_zone() -> None:
    code = (
        "import datetime; from sagetree.tables.cells import to_moment\n"
        "print(to_moment('1970-01-02'), to_moment(datetime.date(1970, 1, 2)), "
        "to_moment('1970-01-02T00:00:00'), to_moment(datetime.datetime(1970, 1, 2)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, timeout=60, env={"TZ": "Asia/Tokyo"},
    )  # fmt: skip
    assert result.stdout.split() == ["86400.0"] * 4


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("Rear", "Rear"),
        (" Rear  Collision ", "Rear  Collision"),
        ("1.0", "1"),
        ("1.", "1"),
        ("1.50", "1.50"),
        ("007", "007"),
        ("12.00", "12"),
        ("1_000", "1_000"),
        ("-0.0", "0"),
        (1, "1"),
        (1.0, "1"),
        (-0.0, "0"),
        (1.5, "1.5"),
        (2.0**53, "9007199254740992"),
        ("9007199254740992.0", "9007199254740992"),
        (1e16, "1e+16"),
        (True, "true"),
        ("True", "true"),
        (" FALSE", "false"),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 13), "2026-01-31T13:00:00"),
    ],
)
def test_a_category_has_one_spelling(cell: object, text: str) -> None:
    assert category_text(cell) == text


@given(st.integers() | st.floats(allow_nan=False) | st.booleans())
def test_a_category_is_spelled_as_in_csv(cell: float) -> None:
    assert category_text(cell) == category_text(str(cell)) == category_text(f" {cell!r} ")


@given(st.text())
def test_spelling_twice_changes_nothing(cell: str) -> None:
    text = category_text(cell)
    assert text is None or category_text(text) == text


@given(st.text(max_size=20) | st.from_regex(r"\A\s?[-+]?[\d_.eEinfaxNt]{1,9}\s?\Z"))
def test_text_is_a_number_missing_or_refused(cell: str) -> None:
    """Never another exception, never infinity."""
    try:
        value = to_number(cell)
    except CellError:
        return
    assert math.isnan(value) or abs(value) < FLOAT32_LIMIT


@given(st.text(max_size=20) | st.from_regex(r"\A\d{4}-\d\d-\d\d[T ][\d:.+Z-]{0,20}\Z"))
def test_text_is_a_moment_missing_or_refused(cell: str) -> None:
    try:
        assert not math.isinf(to_moment(cell))
    except CellError:
        return


def test_missing_values_match_other_spellings_of_a_number() -> None:
    missing = MissingValues.of([" ? ", "-1.0", "999", "N/A"])
    assert missing.texts == {"?", "-1", "999", "N/A"}
    assert missing.numbers == {-1.0, 999.0}


@pytest.mark.parametrize("values", [[], [""], ["nan"], [" "]])
def test_no_number_is_missing_unless_declared(values: list[str]) -> None:
    assert MissingValues.of(values).numbers == frozenset()


def test_a_declared_word_is_no_number() -> None:
    """Else 1 would be missing wherever "True" is."""
    missing = MissingValues.of(["True", "nan", "1_000"])
    assert missing.numbers == frozenset()


PIECES = [
    "1", "12", "2024", "31", ",", ".", "'", " ", "$", "EUR", "%", "(", ")", "-", "/", ":", "Oct",
    "UTC", "PM", "kg", "0", "²", "١", "_", "e", "NaN", "+00:00",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join) | st.text(max_size=12))
def test_texts_written_by_people_are_read_or_refused(text: str) -> None:
    for decimal in ("point", "comma"):
        for unit in ("", "$", "%"):
            refused_or_read(partial(to_shaped_number, text, NumberShape(decimal, unit)))
    for order in ("iso", "year", "day", "month"):
        refused_or_read(partial(to_ordered_moment, text, order))


def refused_or_read(read: Callable[[], float]) -> None:
    with suppress(CellError):
        assert isinstance(read(), float)


@pytest.mark.parametrize(
    ("cell", "order", "reason"),
    [
        ("01/02/2020", "year", "'01/02/2020' is not a date written as 2026/01/31"),
        ("01/13/2020", "day", "'01/13/2020' is not a date written as 31/01/2026"),
        ("13/01/2020", "month", "'13/01/2020' is not a date written as 01/31/2026"),
        ("30 Feb 2020", "day", "'30 Feb 2020' is not a date written as 31/01/2026"),
        ("2020/01/01 25:00", "year", "'2020/01/01 25:00' is not a date written as 2026/01/31"),
    ],
)
def test_dates_of_another_shape_are_refused(cell: str, order: DateOrder, reason: str) -> None:
    with pytest.raises(CellError) as raised:
        to_ordered_moment(cell, order)
    assert str(raised.value) == reason


@pytest.mark.parametrize(
    ("cell", "shape", "reason"),
    [
        ("€5", NumberShape("point", "$"), "'€5' is not in '$'"),
        ("5 kg", NumberShape("point"), "'5 kg' is not a number without a unit"),
        ("10.35", NumberShape("comma"), "'10.35' is not written with a decimal comma"),
        ("ten", NumberShape("point"), "'ten' is text where a number is expected"),
        ("-(5)", NumberShape("point"), "'-(5)' is text where a number is expected"),
    ],
)
def test_numbers_of_another_shape_are_refused(cell: str, shape: NumberShape, reason: str) -> None:
    with pytest.raises(CellError) as raised:
        to_shaped_number(cell, shape)
    assert str(raised.value) == reason
