"""Categories: own integer codes, whose meaning is a stored list.

XGBoost's own category tables are not used: a sliced booster loses them
without an error (measured with 3.2), and then scores wrongly.
"""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from sagetree.features.base import UNSEEN, Feature
from sagetree.tables.cells import NAN, Cell, MissingValues, category_text
from sagetree.tables.encoding import CellEncoder, Floats


class Codes(dict[Cell, float]):
    """The number of each spelling that is stored; others are brought to it, or are UNSEEN.

    A dict's own look-up, without a call in Python, is what most cells need.
    """

    def __missing__(self, cell: Cell) -> float:
        text = category_text(cell)
        return NAN if text is None else self.get(text, UNSEEN)


class Category(Feature):
    """A category as its place in the fitted list, for XGBoost's categorical splits."""

    kind: Literal["category"] = "category"
    types: ClassVar[str] = "c"

    categories: tuple[str, ...]

    @property
    def unseen(self) -> float:
        """What the encoded column has for a category that training never saw: NaN is missing."""
        return NAN

    def encoder(self, missing: MissingValues) -> CellEncoder:
        """Return the function cell -> code."""
        codes = Codes((text, float(code)) for code, text in enumerate(self.categories))
        codes.update(dict.fromkeys(missing.texts, NAN))
        return codes.__getitem__


class Ordinal(Category):
    """A category as its place in the user's order; splits cut the order in two."""

    kind: Literal["ordinal"] = "ordinal"  # type: ignore[assignment]
    types: ClassVar[str] = "q"


class OneHot(Category):
    """A category as one indicator for each in the fitted list; all 0 where missing."""

    kind: Literal["onehot"] = "onehot"  # type: ignore[assignment]
    types: ClassVar[str] = "i"

    @property
    def names(self) -> tuple[str, ...]:
        """One name per category: `column=category`."""
        return tuple(f"{self.column}={category}" for category in self.categories)

    def expand(self, values: Floats) -> NDArray[np.float32]:
        """Return the indicators (n, number of categories)."""
        indicators = np.eye(len(self.categories) + 1, len(self.categories), dtype=np.float32)
        # the row after the last category is the one without any indicator
        codes = np.nan_to_num(values, nan=len(self.categories))
        return np.take(indicators, codes.astype(np.intp), axis=0)

    def is_absent(self, values: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Say which rows have no indicator."""
        return np.asarray(~values.any(axis=1))
