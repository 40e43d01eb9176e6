"""All transforms of a model, in order: checked columns in, feature matrix out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from sagetree.cells import CellError, MissingValues, to_number
from sagetree.errors import SchemaError, Violation
from sagetree.features.base import UNSEEN, Feature
from sagetree.features.category import Category, OneHot, Ordinal
from sagetree.features.moment import Moment
from sagetree.features.number import Boolean, Number
from sagetree.table import Cells, Encoder, Floats, Table, short_numbers

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

    @cached_property
    def owners(self) -> tuple[int, ...]:
        """For each feature (m) the number of the column it was made from."""
        return tuple(i for i, feature in enumerate(self.features) for _ in feature.names)

    @cached_property
    def number_columns(self) -> frozenset[str]:
        """The columns whose cells are taken as numbers, however they are written."""
        return frozenset(f.column for f in self.features if isinstance(f, Number))

    @cached_property
    def missing(self) -> MissingValues:
        """What counts as missing, beside the empty cell."""
        return MissingValues.of(self.missing_values)

    def transform(self, table: Table) -> FeatureMatrix:
        """Return the features of a table whose columns are the inputs, in order.

        Raises SchemaError if cells are not of their column's kind, naming each.
        """
        values = self._encode_lists(table.columns)
        if values is None:
            values = self._encode_columns(table)
        unseen = self._take_out_unseen(values)
        if unseen and self.unknown_category == "error":
            raise self._unseen_error(table, unseen)
        matrix = self._expand(values)
        matrix.flags.writeable = False
        return FeatureMatrix(matrix, unseen)

    @cached_property
    def _encoders(self) -> tuple[Encoder, ...]:
        return tuple(feature.encoder(self.missing) for feature in self.features)

    @cached_property
    def _numbers(self) -> Sequence[int]:
        """The columns whose cells are numbers as they stand."""
        return [place for place, encoder in enumerate(self._encoders) if encoder is to_number]

    @cached_property
    def _others(self) -> Sequence[int]:
        return [place for place, encoder in enumerate(self._encoders) if encoder is not to_number]

    @cached_property
    def _categories(self) -> NDArray[np.intp]:
        """The numbers of the columns that may hold a category never seen."""
        found = [i for i, feature in enumerate(self.features) if isinstance(feature, Category)]
        return np.array(found, np.intp)

    @cached_property
    def _is_plain(self) -> bool:
        """Whether every encoded column is a feature as it stands."""
        return all(type(feature).expand is Feature.expand for feature in self.features)

    def _encode_lists(self, columns: Sequence[Cells]) -> Floats | None:
        """Return the encoded columns (columns, n) of a small table.

        None where a column is Arrow's, or holds a cell that is not of its
        kind: `_encode_columns` takes more time, and finds every fault. For one
        row numpy's overhead for each column would be most of the whole time.
        """
        if {*map(type, columns)} != {list}:
            return None
        numbers = self._numbers
        others: Sequence[int] = range(len(columns))
        found = None
        if numbers:
            cells = [*chain.from_iterable(map(columns.__getitem__, numbers))]
            found = short_numbers(cells)
        if found is not None:
            found = found.reshape(len(numbers), -1)
            if len(numbers) == len(columns):
                return found
            others = self._others
        try:
            encoded = [[*map(self._encoders[place], columns[place])] for place in others]
        except CellError:
            return None
        if found is None:
            return np.array(encoded, np.float64)
        values = np.empty((len(columns), found.shape[1]))
        values[numbers], values[others] = found, encoded
        return values

    def _encode_columns(self, table: Table) -> Floats:
        """Return the encoded columns (columns, n). Raises SchemaError naming every misfit."""
        violations: list[Violation] = []
        encoded = np.empty((len(self.features), table.rows))
        columns = zip(self.features, table.columns, strict=True)
        for place, (feature, cells) in enumerate(columns):
            encoded[place], misfits = feature.encode(cells, self.missing)
            violations += [
                Violation(feature.column, misfit.reason, misfit.row, table.locate(misfit.row))
                for misfit in misfits
            ]
        if violations:
            raise SchemaError(violations, hint=MISFIT_HINT)
        return encoded

    def _take_out_unseen(self, values: Floats) -> tuple[tuple[int, str], ...]:
        """Make UNSEEN in the encoded columns (columns, n) missing; return where it was."""
        if not self._categories.size:
            return ()
        codes = values[self._categories]
        if not (codes == UNSEEN).any():
            return ()
        places = np.argwhere(codes == UNSEEN)
        columns = self._categories[places[:, 0]]
        values[columns, places[:, 1]] = np.nan
        return tuple(
            (int(row), self.features[column].column)
            for column, row in zip(columns, places[:, 1], strict=True)
        )

    def _expand(self, values: Floats) -> NDArray[np.float32]:
        """Return the features (n, m) of the encoded columns (columns, n)."""
        if self._is_plain:
            return np.array(values.T, np.float32, order="C")
        blocks = [
            feature.expand(column) for feature, column in zip(self.features, values, strict=True)
        ]
        return np.concatenate(blocks, axis=1)

    def _unseen_error(self, table: Table, unseen: Sequence[tuple[int, str]]) -> SchemaError:
        violations = [
            Violation(column, "holds a category that training did not see", row, table.locate(row))
            for row, column in unseen
        ]
        return SchemaError(violations, hint=UNSEEN_HINT)
