"""Categories of many values: statistics of the label in the place of codes.

A split by codes of thousands of categories learns them by heart. What training found of
each one's label, drawn towards the mean of all rows, is a number that trees cut as any other.
A missing cell stays missing; a category that training never saw is as all rows are.
"""

from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from sagetree.features.category import Category, Codes
from sagetree.tables.cells import NAN, MissingValues
from sagetree.tables.encoding import CellEncoder, Floats


class ManyCategories(Category):
    """A category by its place in the fitted list, as training holds it.

    Which statistics stand for it there depends on the rows that are learnt from; the
    bundle has a TargetMean or ClassShares in its place. The place behind the last is
    for categories that are not in the list.
    """

    kind: Literal["many categories"] = "many categories"  # type: ignore[assignment]

    @property
    def unseen(self) -> float:
        """The code behind the last."""
        return float(len(self.categories))


class TargetMean(Category):
    """A category as the mean label of its rows of training, drawn towards `mean`, that of all.

    `means` has one for each category, a number of float32 as `mean` is.
    """

    kind: Literal["target mean"] = "target mean"  # type: ignore[assignment]
    types: ClassVar[str] = "q"

    means: tuple[float, ...]
    mean: float

    @model_validator(mode="after")
    def _has_a_mean_of_each(self) -> Self:
        if len(self.means) != len(self.categories):
            raise ValueError("every category needs its mean")
        return self

    @property
    def unseen(self) -> float:
        """The mean of all rows."""
        return self.mean

    def encoder(self, missing: MissingValues) -> CellEncoder:
        """Return the function cell -> mean label."""
        means = Codes(zip(self.categories, self.means, strict=True))
        means.update(dict.fromkeys(missing.texts, NAN))
        return means.__getitem__


class ClassShares(ManyCategories):
    """A category as the share of each class in its rows of training, drawn towards that in all.

    `shares` has the shares of `classes` for each category, and those of all rows last.
    """

    kind: Literal["class shares"] = "class shares"  # type: ignore[assignment]
    types: ClassVar[str] = "q"

    classes: tuple[str, ...]
    shares: tuple[tuple[float, ...], ...]

    @model_validator(mode="after")
    def _has_shares_of_each(self) -> Self:
        if len(self.shares) != len(self.categories) + 1:
            raise ValueError("every category needs its shares, and so do all rows")
        if any(len(shares) != len(self.classes) for shares in self.shares):
            raise ValueError("every class needs its share")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """One name per class: `column.class`."""
        return tuple(f"{self.column}.{name}" for name in self.classes)

    def expand(self, values: Floats) -> NDArray[np.float32]:
        """Return the shares (n, number of classes)."""
        return take_statistics(np.array(self.shares, np.float32), values)


def take_statistics(table: NDArray[np.float32], codes: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the rows of a table (codes, k) for codes (n), NaN for a missing one."""
    missing = np.isnan(codes)
    found = table[np.where(missing, 0, codes).astype(np.intp)]
    found[missing] = np.nan
    return found
