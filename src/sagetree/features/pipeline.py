"""All transforms of a model, in order: checked columns in, feature matrix out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from sagetree.cells import MissingValues
from sagetree.errors import SchemaError, Violation
from sagetree.features.base import UNSEEN
from sagetree.features.category import Category, OneHot, Ordinal
from sagetree.features.moment import Moment
from sagetree.features.number import Boolean, Number
from sagetree.table import Table

AnyFeature = Annotated[
    Number | Boolean | Category | Ordinal | OneHot | Moment, Field(discriminator="kind")
]

MISFIT_HINT = "Correct the cell, or leave it empty if the value is missing"
UNSEEN_HINT = (
    "Send a trained category, or train with unknown_category=missing to score it as missing"
)

# XGBoost refuses the first three characters in feature names, and cuts a name at the last.
_SAFE = str.maketrans("[]<\0", "____")


@dataclass(frozen=True)
class FeatureMatrix:
    """What XGBoost is given.

    `values` is float32 of shape (n rows, m features), NaN where missing;
    `unseen` holds (row, column name) of each category that training never saw.
    """

    values: NDArray[np.float32]
    unseen: tuple[tuple[int, str], ...]


class FeaturePipeline(BaseModel):
    """The fitted transforms; `features` has one for each input column, in the model's order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    missing_values: tuple[str, ...]
    unknown_category: str
    features: tuple[AnyFeature, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in the user's words (m)."""
        return tuple(name for feature in self.features for name in feature.names)

    @property
    def safe_names(self) -> tuple[str, ...]:
        """The features' names as XGBoost takes them (m): unique, without [ ] < and NUL."""
        taken: dict[str, None] = {}
        for name in self.names:
            safe = name.translate(_SAFE)
            while safe in taken:
                safe += "_"
            taken[safe] = None
        return tuple(taken)

    @property
    def types(self) -> tuple[str, ...]:
        """XGBoost's type of each feature (m)."""
        return tuple(kind for feature in self.features for kind in feature.feature_types)

    @property
    def owners(self) -> tuple[int, ...]:
        """For each feature (m) the number of the column it was made from."""
        return tuple(i for i, feature in enumerate(self.features) for _ in feature.names)

    @cached_property
    def missing(self) -> MissingValues:
        """What counts as missing, beside the empty cell."""
        return MissingValues.of(self.missing_values)

    def transform(self, table: Table) -> FeatureMatrix:
        """Return the features of a table whose columns are the inputs, in order.

        Raises SchemaError if cells are not of their column's kind, naming each.
        """
        violations: list[Violation] = []
        unseen: list[tuple[int, str]] = []
        blocks = []
        for feature, cells in zip(self.features, table.columns, strict=True):
            values, misfits = feature.encode(cells, self.missing)
            violations += [
                Violation(feature.column, misfit.reason, misfit.row, table.locate(misfit.row))
                for misfit in misfits
            ]
            if isinstance(feature, Category):
                new = np.flatnonzero(values == UNSEEN)
                unseen += [(int(row), feature.column) for row in new]
                values[new] = np.nan
            blocks.append(feature.expand(values))
        if violations:
            raise SchemaError(violations, hint=MISFIT_HINT)
        if unseen and self.unknown_category == "error":
            raise self._unseen_error(table, unseen)
        matrix = np.concatenate(blocks, axis=1)
        matrix.flags.writeable = False
        return FeatureMatrix(matrix, tuple(unseen))

    def _unseen_error(self, table: Table, unseen: Sequence[tuple[int, str]]) -> SchemaError:
        violations = [
            Violation(column, "holds a category that training did not see", row, table.locate(row))
            for row, column in unseen
        ]
        return SchemaError(violations, hint=UNSEEN_HINT)
