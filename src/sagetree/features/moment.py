"""Dates and times: expanded to the parts that trees can cut."""

from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sagetree.features.base import Feature
from sagetree.tables.cells import (
    NAN,
    Cell,
    CellError,
    DateOrder,
    MissingValues,
    category_text,
    to_moment,
    to_ordered_moment,
)
from sagetree.tables.encoding import CellEncoder, Floats

SECONDS_PER_DAY = 86400.0
PARTS = ("days", "year", "month", "day", "weekday", "hour")


def _moment_or_nan(text: str, moment: CellEncoder) -> float:
    try:
        return moment(text)
    except CellError:
        return NAN


class Moment(Feature):
    """A date or time as days since 1970, year, month, day, weekday (Monday 0) and hour.

    Its cells are ISO 8601, or another usual shape whose parts stand in `order`.
    """

    kind: Literal["datetime"] = "datetime"

    order: DateOrder = "iso"

    @property
    def names(self) -> tuple[str, ...]:
        """One name per part: `column.year`."""
        return tuple(f"{self.column}.{part}" for part in PARTS)

    def encoder(self, missing: MissingValues) -> CellEncoder:
        """Return the function cell -> seconds since 1970 (UTC)."""
        texts = missing.texts
        moment = to_moment if self.order == "iso" else partial(to_ordered_moment, order=self.order)
        if not texts:
            return moment
        moments = frozenset(_moment_or_nan(text, moment) for text in texts)

        def encoder(cell: Cell) -> float:
            if category_text(cell) in texts:
                return NAN
            value = moment(cell)
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
