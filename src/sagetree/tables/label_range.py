"""Which numbers a label may be, for a check and in words."""

import numpy as np
from numpy.typing import NDArray

from sagetree.tables.stored_record import StoredRecord


class LabelRange(StoredRecord):
    """Which numbers a label may be; `above` leaves `low` itself out."""

    low: float | None = None
    high: float | None = None
    above: bool = False
    whole: bool = False

    @property
    def words(self) -> str:
        """The range in words.

        >>> LabelRange(low=0, high=1).words
        'a number from 0 to 1'
        """
        parts = ["a whole number" if self.whole else "a number"]
        if self.low is not None:
            parts.append(f"{'above' if self.above else 'from'} {self.low:g}")
        if self.high is not None:
            parts.append(f"to {self.high:g}")
        return " ".join(parts)

    def fits(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return for each value whether it is in the range; NaN is not."""
        fits = ~np.isnan(values)
        if self.low is not None:
            fits &= values > self.low if self.above else values >= self.low
        if self.high is not None:
            fits &= values <= self.high
        if self.whole:
            fits &= values == np.floor(values)
        return fits
