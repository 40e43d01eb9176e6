"""What one cell means: the same for CSV, JSON and Parquet, in training and serving.

A cell is what a format gives: text (CSV), or text, number, boolean or null
(JSON), or those and moments in time (Parquet). The functions here are the only
place where a cell becomes a value; whole columns go through them by way of
their distinct cells.
"""

import math
import re
from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple, TypeAlias

from sagetree.errors import quote

Decimal: TypeAlias = Literal["point", "comma"]
DateOrder: TypeAlias = Literal["iso", "year", "day", "month"]
Cell = str | int | float | bool | date | None

NAN = math.nan

# Written by numpy, pandas and C for a value that is not there. Other words
# ("NA", "N/A", "None", "null") are text unless the user lists them.
MISSING_TEXTS = frozenset({"", "nan", "NaN"})

# From here on a number rounds to infinity as float32, which XGBoost works in.
FLOAT32_LIMIT = 3.4028235677973366e38

# A float that is an integer, as text; -0.0 is written as 0.
_WHOLE = re.compile(r"(?:-(?=0\.))?([+-]?\d+)\.0*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
_BOOLEANS = {"true": 1.0, "false": 0.0}

# How people write numbers. Digits are grouped by what is not the decimal mark; a minus,
# or brackets around, make them negative; a unit stands before or behind. Codes such as
# 007 are none.
_CURRENCIES = (
    "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF IDR ILS INR JPY KRW MXN MYR NOK NZD PHP PLN RON "
    "RUB SEK SGD THB TRY TWD UAH USD VND ZAR"
)
CURRENCY = re.compile(rf"[$€£¥₹₽₩₺₫₪₴₦₱฿]|{_CURRENCIES.replace(' ', '|')}")
_MARKS = {"point": (".", ","), "comma": (",", ".")}
_SIGN = r"[-+\u2212]"
_GROUPED = r"[1-9]\d{0,2}(?P<mark>[%s'\u2019 \u00a0\u202f])(?:\d{3}(?P=mark))*\d{3}"
_LAKHS = r"[1-9]\d?(?:,\d\d)+,\d{3}"
_UNIT = r"%|°[CF]?|[^\W\d_][^\W\d_/²³]{0,9}"


def _written(mark: str, whole: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?P<open>\()?\s*(?P<minus>{_SIGN})?\s*(?P<before>{CURRENCY.pattern})?\s*"
        rf"(?P<late>{_SIGN})?(?P<digits>(?:{whole}|0|[1-9]\d*)(?:[{mark}]\d*)?|[{mark}]\d+)\s*"
        rf"(?P<behind>{CURRENCY.pattern}|{_UNIT})?\s*(?(open)\))"
    )


_WRITTEN = {
    "point": _written(".", f"{_GROUPED % ','}|{_LAKHS}"),
    "comma": _written(",", _GROUPED % "."),
}
_GROUPING = str.maketrans("", "", "'\u2019 \u00a0\u202f")

# How people write dates, a time behind them: the parts of each, and the orders that take it.
_TIME = r"(?:[T ,]\s*(?P<time>\d{1,2}:\d\d(?::\d\d(?:\.\d{1,6})?)?))?(?:\s?(?P<half>[AaPp][Mm]))?"
_ZONE = r"\s*(?P<zone>UTC|GMT|Z|[+-]\d\d:?\d\d)?"
_ANY: frozenset[DateOrder] = frozenset(("year", "day", "month"))
_DATES: tuple[tuple[str, frozenset[DateOrder]], ...] = (
    (r"(?P<y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})", _ANY),
    (r"(?P<d>\d{1,2})[-/. ]?(?P<n>[A-Za-z]{3,9})\.?[-/, ]{0,2}(?P<y>\d{4})", _ANY),
    (r"(?P<n>[A-Za-z]{3,9})\.? (?P<d>\d{1,2}),? (?P<y>\d{4})", _ANY),
    (r"(?P<d>\d{1,2})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<y>\d{4})", frozenset(("day",))),
    (r"(?P<m>\d{1,2})(?P<s>[-/.])(?P<d>\d{1,2})(?P=s)(?P<y>\d{4})", frozenset(("month",))),
)
_DATE_SHAPES = tuple((re.compile(date + _TIME + _ZONE), orders) for date, orders in _DATES)
_EXAMPLES = {"year": "2026/01/31", "day": "31/01/2026", "month": "01/31/2026"}
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip


class CellError(ValueError):
    """A cell that cannot be what its column needs; the text says why."""


class WordError(CellError):
    """A text that is not a number, finite or not."""


@dataclass(frozen=True)
class MissingValues:
    """The texts a user declared to mean "no value", beside the empty cell."""

    texts: frozenset[str]
    numbers: frozenset[float]

    @classmethod
    def of(cls, values: Iterable[str]) -> "MissingValues":
        """Declare `values`; one that is a number also matches other spellings of it."""
        texts = frozenset(category_text(value) or "" for value in values)
        return cls(texts, frozenset(n for n in map(_number_or_none, texts) if n is not None))


def whole_number(text: str) -> int | None:
    """Return the number that a text spells in its shortest way, None where it does not."""
    return int(text) if text.isascii() and text.isdecimal() and str(int(text)) == text else None


def to_number(cell: Cell) -> float:
    """Return the number in `cell`; NaN if it is missing.

    >>> [to_number(cell) for cell in (" 1e5 ", "1.0", "True", False, 7)]
    [100000.0, 1.0, 1.0, 0.0, 7.0]

    Raises CellError for text, for infinity and for what float32 cannot hold.
    """
    if type(cell) is str:  # the usual case on the request path, where each call counts
        try:
            value = float(cell)
        except ValueError:
            return _word(cell)
        if "_" in cell:  # float() reads 1_000; in data that is a code
            raise WordError(f"{quote(cell)} is text where a number is expected")
    elif cell is None:
        return NAN
    elif isinstance(cell, date):
        raise CellError("is a date where a number is expected")
    else:
        try:
            value = float(cell)
        except OverflowError:
            value = math.inf
    if -FLOAT32_LIMIT < value < FLOAT32_LIMIT or value != value:
        return value
    raise CellError(f"{quote(cell)} is infinite or too large for float32")


def _word(text: str) -> float:
    """Return the number a text stands for that is not written as one."""
    word = text.strip()
    if word in MISSING_TEXTS:
        return NAN
    value = _BOOLEANS.get(word.lower(), NAN)
    if value != value:
        raise WordError(f"{quote(text)} is text where a number is expected")
    return value


def _number_or_none(text: str) -> float | None:
    try:
        return to_number(text) if text and text not in _BOOLEANS else None
    except CellError:
        return None


def is_taken(cell: Cell, convert: Callable[[Cell], object]) -> bool:
    """Say whether `convert`, a function of this module or made of one, takes the cell."""
    try:
        convert(cell)
    except CellError:
        return False
    return True


def to_boolean(cell: Cell) -> float:
    """Return 1.0 for true, 0.0 for false (also as words or numbers), NaN if missing.

    Raises CellError for anything else.
    """
    value = to_number(cell)
    if value == value and value not in (0.0, 1.0):
        raise CellError(f"{quote(cell)} is neither true nor false")
    return value


def to_moment(cell: Cell) -> float:
    """Return seconds since 1970 (UTC) of an ISO 8601 date or time; NaN if missing.

    A time without a zone is taken as UTC. Raises CellError for anything else.
    """
    if isinstance(cell, str):
        text = cell.strip()
        if text in MISSING_TEXTS:
            return NAN
        try:
            cell = datetime.fromisoformat(text) if _DATE.fullmatch(text) else cell
        except ValueError as error:
            raise CellError(f"{quote(text)} is not a date: {error}") from error
    elif cell is None or cell != cell:
        return NAN
    if isinstance(cell, datetime):
        return (cell if cell.tzinfo else cell.replace(tzinfo=UTC)).timestamp()
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day, tzinfo=UTC).timestamp()
    raise CellError(f"{quote(cell)} is not a date written as 2026-01-31 or 2026-01-31T13:45:00")


@dataclass(frozen=True)
class NumberShape:
    """How the numbers of a column are written: by which decimal mark, and in which unit."""

    decimal: Decimal
    unit: str = ""


class WrittenNumber(NamedTuple):
    """A number as a person writes it: plain digits, its unit, and the marks among the digits."""

    digits: str
    unit: str
    marks: frozenset[str]


def written_number(text: str, decimal: Decimal) -> WrittenNumber | None:
    """Return a text's parts where it is a number with this decimal mark.

    >>> written_number("($1,160.50)", "point")[:2], written_number("1.299,99", "comma")[:2]
    (('-1160.50', '$'), ('1299.99', ''))
    """
    found = _WRITTEN[decimal].fullmatch(text.strip())
    if found is None or (found["before"] and found["behind"]):
        return None
    signs = [sign for sign in (found["open"], found["minus"], found["late"]) if sign]
    if len(signs) > 1:
        return None
    mark, group = _MARKS[decimal]
    digits = found["digits"]
    plain = digits.translate(_GROUPING).replace(group, "").replace(mark, ".")
    negative = "-" if signs and signs[0] != "+" else ""
    unit = found["before"] or found["behind"] or ""
    return WrittenNumber(negative + plain, unit, frozenset(digits) & {".", ","})


def to_shaped_number(cell: Cell, shape: NumberShape) -> float:
    """Return the number in `cell`, written as its column's are; NaN if it is missing.

    A percentage is a hundredth; one without its unit is taken as it stands.

    >>> [to_shaped_number(cell, NumberShape("comma", "%")) for cell in ("12,5 %", "0,5", 0.25)]
    [0.125, 0.5, 0.25]

    Raises CellError for other text, and as `to_number`.
    """
    if not isinstance(cell, str):
        return to_number(cell)
    found = written_number(cell, shape.decimal)
    if found is None:
        value = to_number(cell)
        if shape.decimal == "comma" and "." in cell:
            raise CellError(f"{quote(cell)} is not written with a decimal comma")
        return value
    if found.unit not in ("", shape.unit):
        unit = f"in {quote(shape.unit)}" if shape.unit else "a number without a unit"
        raise CellError(f"{quote(cell)} is not {unit}")
    return to_number(found.digits + ("e-2" if found.unit == "%" else ""))


def to_ordered_moment(cell: Cell, order: DateOrder) -> float:
    """Return seconds since 1970 (UTC) of a date in one of the usual shapes; NaN if missing.

    `order` says what stands first in 01/02/2020; with `iso` and `year` nothing does.

    >>> [to_ordered_moment("2/1/1970", order) for order in ("day", "month")]
    [86400.0, 2678400.0]

    Raises CellError for anything else.
    """
    if not isinstance(cell, str) or order == "iso" or cell.strip() in MISSING_TEXTS:
        return to_moment(cell)
    text = _iso_text(cell.strip(), order)
    if text is None:
        raise CellError(f"{quote(cell)} is not a date written as {_EXAMPLES[order]}")
    return to_moment(text)


def _iso_text(text: str, order: DateOrder) -> str | None:
    if _DATE.fullmatch(text) and not text.endswith(("UTC", "GMT")):
        return text
    for shape, orders in _DATE_SHAPES:
        found = shape.fullmatch(text) if order in orders else None
        if found is not None:
            parts = found.groupdict()
            year, day = int(parts["y"]), int(parts["d"])
            month = _month(parts["n"]) if parts.get("n") else int(parts["m"])
            clock = _clock(parts["time"], parts["half"])
            if clock and year and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]:
                zone = "+00:00" if parts["zone"] in ("UTC", "GMT", "Z") else parts["zone"] or ""
                return f"{year:04}-{month:02}-{day:02}T{clock}{zone}"
    return None


def _month(name: str) -> int:
    """Return the number of a month, 0 for what is none."""
    matches = (full.startswith(name.lower()) for full in _MONTHS)
    return next((number for number, matched in enumerate(matches, 1) if matched), 0)


def _clock(time: str | None, half: str | None) -> str | None:
    """Return a time as hh:mm:ss, None for what is none."""
    hour, _, rest = (time or "0:00").partition(":")
    number = int(hour)
    if half:
        if not (time and 1 <= number <= 12):
            return None
        number = number % 12 + (12 if half.lower() == "pm" else 0)
    seconds = rest if ":" in rest else f"{rest}:00"
    return f"{number:02}:{seconds}" if number < 24 and seconds < "60" and rest < "60" else None


def category_text(cell: Cell) -> str | None:
    """Return the one spelling of a category; None if it is missing.

    >>> [category_text(cell) for cell in (" Rear ", "1.0", 1, 1.0, True, "TRUE", "007", None)]
    ['Rear', '1', '1', '1', 'true', 'true', '007', None]
    """
    if isinstance(cell, float):
        cell = repr(cell)  # as CSV holds it
    if isinstance(cell, str):
        text = cell.strip()
        if text in MISSING_TEXTS:
            return None
        if text.lower() in _BOOLEANS:
            return text.lower()
        whole = _WHOLE.fullmatch(text)
        return whole[1] if whole else text
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell.isoformat() if isinstance(cell, date) else None if cell is None else str(cell)
