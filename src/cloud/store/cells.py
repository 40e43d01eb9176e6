"""Cells as Feature Store takes them: texts that fit a feature's type, and times."""

import math
import re
from datetime import UTC, datetime

from sagetree.cloud.store.groups import FeatureType
from sagetree.errors import quote

_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_LARGEST = 2**63

# A column of CSV with one fraction in it has whole numbers so.
_POINT_ZERO = re.compile(r"(-?[0-9]+)\.0+")

_HALF = re.compile("[\ud800-\udfff]")


def as_feature(text: str, kind: FeatureType) -> str:
    """Return a text as a feature of this type has it; raise ValueError with why it is not a value.

    >>> as_feature("7.0", "Integral"), as_feature("7.0", "String")
    ('7', '7.0')
    """
    if kind == "Integral" and (whole := _POINT_ZERO.fullmatch(text)):
        text = whole[1]
    if fault := fault_of(text, kind):
        raise ValueError(fault)
    return text


def fault_of(text: str, kind: FeatureType) -> str:
    """Return why a text is not a value of a feature's type, "" if it is one.

    007 is none: the offline store would keep it as 7, which is another identifier.

    >>> fault_of("7", "Integral"), fault_of("1.5", "Integral")
    ('', "'1.5' is not a whole number of 64 bits")
    """
    match kind:
        case "Integral":
            is_whole = _WHOLE.fullmatch(text) and -_LARGEST <= int(text) < _LARGEST
            if text.lstrip("-").startswith("0") and not is_whole:
                return f"{quote(text)} is not a whole number: it begins with 0"
            return "" if is_whole else f"{quote(text)} is not a whole number of 64 bits"
        case "Fractional":
            return "" if _is_finite(text) else f"{quote(text)} is not a number"
        case _:
            return "it has half of a character" if _HALF.search(text) else ""


def _is_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def moment(text: str) -> str:
    """Return a time as Feature Store takes it: in UTC, with milliseconds.

    One that names no zone is taken for UTC. Raises ValueError where it is not an ISO 8601 time.

    >>> moment("2026-11-30T10:00:00+01:00")
    '2026-11-30T09:00:00.000Z'
    """
    time = datetime.fromisoformat(text.strip())
    return written(time if time.tzinfo else time.replace(tzinfo=UTC))


def written(time: datetime) -> str:
    """Return a time with its zone as Feature Store takes it."""
    try:
        utc = time.astimezone(UTC)
    except OverflowError as error:  # within a day of the year 1 or 9999
        raise ValueError("it is out of range") from error
    return f"{utc.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
