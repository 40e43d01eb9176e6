"""Cells as Feature Store takes them: texts that fit a feature's type, and times."""

import math
import re
from datetime import UTC, datetime

from sagetree.cloud.store.groups import FeatureType
from sagetree.errors import quote

_WHOLE = re.compile(r"-?\d{1,19}")
_LARGEST = 2**63


def fault_of(text: str, kind: FeatureType) -> str:
    """Return why a text is no value of a feature's type, "" if it is one.

    >>> fault_of("007", "Integral"), fault_of("1.5", "Integral")
    ('', "'1.5' is not a whole number of 64 bits")
    """
    match kind:
        case "Integral":
            is_whole = _WHOLE.fullmatch(text) and -_LARGEST <= int(text) < _LARGEST
            return "" if is_whole else f"{quote(text)} is not a whole number of 64 bits"
        case "Fractional":
            return "" if _is_finite(text) else f"{quote(text)} is not a number"
        case _:
            return ""


def _is_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def moment(text: str) -> str:
    """Return a time as Feature Store takes it: in UTC, with milliseconds.

    One that names no zone is taken for UTC. Raises ValueError where it is no ISO 8601 time.

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
