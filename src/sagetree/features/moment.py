"""Dates and times: expanded to the parts that trees can cut."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sagetree.features.base import Feature
from sagetree.tables.cells import NAN, Cell, CellError, MissingValues, category_text, to_moment
from sagetree.tables.encoding import Encoder, Floats

SECONDS_PER_DAY = 86400.0
PARTS = ("days", "year", "month", "day", "weekday", "hour")


def _moment_or_nan(text: str) -> float:
    try:
        return to_moment(text)
    except CellError:
        return NAN


class Moment(Feature):
    """An ISO 8601 date or time as days since 1970, year, month, day, weekday (Monday 0), hour."""

    kind: Literal["datetime"] = "datetime"

    @property
    def names(self) -> tuple[str, ...]:
        """One name per part: `column.year`."""
        return tuple(f"{self.column}.{part}" for part in PARTS)

    def encoder(self, missing: MissingValues) -> Encoder:
        """Return the function cell -> seconds since 1970 (UTC)."""
        texts = missing.texts
        if not texts:
            return to_moment
        moments = frozenset(map(_moment_or_nan, texts))

        def encoder(cell: Cell) -> float:
            if category_text(cell) in texts:
                return NAN
            value = to_moment(cell)
            return NAN if value in moments else value

        return encoder

    def expand(self, values: Floats) -> NDArray[np.float32]:
        """Return the parts (n, 6)."""
        missing = np.isnan(values)
        time = np.where(missing, 0, np.floor(values)).astype("datetime64[s]")
        days, months = time.astype("datetime64[D]"), time.astype("datetime64[M]")
        parts = np.stack(
            [
                values / SECONDS_PER_DAY,
                months.astype("datetime64[Y]").astype(np.int64) + 1970,
                months.astype(np.int64) % 12 + 1,
                (days - months).astype(np.int64) + 1,
                (days.astype(np.int64) + 3) % 7,  # 1970-01-01 was a Thursday
                (time - days).astype(np.int64) // 3600,
            ],
            axis=1,
        )
        parts[missing] = NAN
        return parts.astype(np.float32)
