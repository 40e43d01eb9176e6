"""Moments as SageMaker writes them."""

from datetime import UTC, datetime

from sagetree.errors import DataError, quote


def parse_time(text: str, where: str) -> datetime:
    """Return a moment of ISO 8601, UTC where it names no zone; Model Monitor writes "16: 20: 00Z".

    Raises DataError for another text.

    >>> parse_time("2019-12-01T16: 20: 00Z", "start_time").isoformat()
    '2019-12-01T16:20:00+00:00'
    """
    try:
        found = datetime.fromisoformat(text.replace(" ", ""))
    except ValueError as error:
        hint = "Write it as 2026-01-31T16:20:00Z"
        raise DataError(f"{quote(text)} is not a time", where=where, hint=hint) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
