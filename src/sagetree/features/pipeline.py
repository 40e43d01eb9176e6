"""All transforms of a model, in order: checked columns in, feature matrix out."""

from collections.abc import Collection, Sequence
from functools import cached_property
from math import isnan
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sagetree.errors import SchemaError, Violation
from sagetree.features.base import UNSEEN, Feature
from sagetree.features.category import Category, OneHot, Ordinal
from sagetree.features.mixed import UNSEEN_WORD, Mixed
from sagetree.features.moment import Moment
from sagetree.features.number import Boolean, Number, RuledNumber
from sagetree.features.short_way import ShortWay, places_of
from sagetree.features.statistics import ClassShares, ManyCategories, TargetMean
from sagetree.tables.cells import NAN, MissingValues
from sagetree.tables.encoding import FEW_ROWS, Floats, doubles_at_once, words_at_once
from sagetree.tables.stored_record import StoredRecord
from sagetree.tables.table import OneRow, Table

AnyFeature = Annotated[
    Number
    | RuledNumber
    | Boolean
    | Category
    | Ordinal
    | OneHot
    | ManyCategories
    | TargetMean
    | ClassShares
    | Moment
    | Mixed,
    Field(discriminator="kind"),
]

MISFIT_HINT = "Correct the cell, or leave it empty if the value is missing"
UNSEEN_HINTS = {
    "error": "Send a trained category, or train with unknown_category=missing to score it as "
    "missing",
    # models of XGBoost's own
    "xgboost": "Send a trained category, as XGBoost itself demands, or leave the cell empty if the "
    "value is missing",
}

# Rows whose values are turned into a matrix at a time: they stay in the cache.
TURNED_ROWS = 1024

# XGBoost refuses the first three characters in feature names, and cuts a name at the last.
_SAFE = str.maketrans("[]<\0", "____")


class FeatureMatrix(NamedTuple):
    """What XGBoost is given.

    `values` is float32 of shape (n rows, m features), NaN where missing;
    `unseen` holds (row, column name) of each category that training never saw.
    """

    values: NDArray[np.float32]
    unseen: tuple[tuple[int, str], ...]


class FeaturePipeline(StoredRecord):
    """The fitted transforms; `features` has one for each input column, in the model's order."""

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
    def parts(self) -> tuple[slice, ...]:
        """For each column the places of its features."""
        ends = np.cumsum([len(feature.names) for feature in self.features]).tolist()
        return tuple(map(slice, [0, *ends], ends))

    @cached_property
    def number_columns(self) -> frozenset[str]:
        """The columns whose cells are taken as numbers, however they are written."""
        return frozenset(f.column for f in self.features if isinstance(f, Number))

    @cached_property
    def misses_unseen(self) -> frozenset[str]:
        """The columns where a category never seen is handed to XGBoost as missing."""
        places = zip(self._categories, self._unseen, strict=True)
        return frozenset(self.features[place].column for place, value in places if isnan(value))

    @cached_property
    def missing(self) -> MissingValues:
        """What counts as missing, beside the empty cell."""
        return MissingValues.of(self.missing_values)

    def transform(self, table: Table) -> FeatureMatrix:
        """Return the features of a table whose columns are the inputs, in order.

        Raises SchemaError if cells are not of their column's kind, naming each.
        """
        columns = table.columns
        if isinstance(columns, OneRow):
            row = self._short_way.row(columns.cells)
            if row is not None:
                return FeatureMatrix(row, ())
        values = self._short_way.encode(columns)
        if values is None:
            values = self._encode_columns(table)
        unseen = self._take_out_unseen(values)
        if unseen and self.unknown_category in UNSEEN_HINTS:
            raise self._unseen_error(table, unseen)
        return FeatureMatrix(self._expand(values), unseen)

    def in_own_units(self, matrix: NDArray[np.float32]) -> NDArray[np.floating]:
        """Return features (n, m) with numbers as the data hold them, in float64 if need be."""
        if not any(isinstance(feature, RuledNumber | Mixed) for feature in self.features):
            return matrix
        parts = zip(self.features, self.parts, strict=True)
        return np.concatenate([feature.restore(matrix[:, part]) for feature, part in parts], axis=1)

    @cached_property
    def _short_way(self) -> ShortWay:
        return ShortWay(self.features, self.missing, None if self._is_plain else self._expand)

    @cached_property
    def _categories(self) -> Sequence[int]:
        """The places of the columns that may hold a category never seen."""
        return [*places_of(Category, self.features), *places_of(Mixed, self.features)]

    @cached_property
    def _words(self) -> Sequence[int]:
        """The places of the columns whose cells are looked up in a list."""
        return [n for n, f in enumerate(self.features) if type(f) in (Category, Ordinal, OneHot)]

    @cached_property
    def _unseen_codes(self) -> Floats:
        """The code of such a category in each of these columns (columns, 1)."""
        columns = (self.features[place] for place in self._categories)
        codes = [UNSEEN_WORD if isinstance(column, Mixed) else UNSEEN for column in columns]
        return np.array(codes)[:, None]

    @cached_property
    def _unseen(self) -> Floats:
        """What stands for a category never seen, in each of these columns."""
        found = (self.features[place] for place in self._categories)
        return np.array([f.unseen if isinstance(f, Category) else NAN for f in found])

    @cached_property
    def _is_plain(self) -> bool:
        """Whether every encoded column is a feature as it stands."""
        return all(type(feature).expand is Feature.expand for feature in self.features)

    def _encode_columns(self, table: Table) -> Floats:
        """Return the encoded columns (columns, n). Raises SchemaError naming every misfit."""
        violations: list[Violation] = []
        encoded = np.empty((len(self.features), table.rows))
        at_once = self._encode_at_once(table, encoded)
        columns = zip(self.features, table.columns, strict=True)
        for place, (feature, cells) in enumerate(columns):
            if place in at_once:
                continue
            encoded[place], misfits = feature.encode(cells, self.missing)
            violations += [
                Violation(feature.column, misfit.reason, misfit.row, table.locate(misfit.row))
                for misfit in misfits
            ]
        if violations:
            raise SchemaError(violations, hint=MISFIT_HINT)
        return encoded

    def _encode_at_once(self, table: Table, encoded: Floats) -> Collection[int]:
        """Encode (columns, n) most columns of a table of few rows; return which.

        A text of many columns has its numbers as float64.
        """
        done: set[int] = set()
        if table.rows > FEW_ROWS:
            return done
        cells, way, words = table.columns, self._short_way, self._words
        found = (
            (way.numbers, doubles_at_once([cells[n] for n in way.numbers], self.missing)),
            (words, words_at_once([cells[n] for n in words], [way.encoders[n] for n in words])),
        )
        for places, values in found:
            if values is not None:
                encoded[places] = values
                done.update(places)
        return done

    def _take_out_unseen(self, values: Floats) -> tuple[tuple[int, str], ...]:
        """Put what stands for it in the place of UNSEEN (columns, n); return where it was."""
        if not self._categories:
            return ()
        is_unseen = values[self._categories] == self._unseen_codes
        if not is_unseen.any():
            return ()
        places = np.argwhere(is_unseen)
        columns = np.array(self._categories)[places[:, 0]]
        values[columns, places[:, 1]] = self._unseen[places[:, 0]]
        return tuple(
            (int(row), self.features[column].column)
            for column, row in zip(columns, places[:, 1], strict=True)
        )

    def _expand(self, values: Floats) -> NDArray[np.float32]:
        """Return the features (n, m) of the encoded columns (columns, n), read-only."""
        if self._is_plain:
            matrix = np.empty(values.shape[::-1], np.float32)
            for begin in range(0, len(matrix), TURNED_ROWS):
                end = begin + TURNED_ROWS
                matrix[begin:end] = values[:, begin:end].T
        else:
            columns = zip(self.features, values, strict=True)
            matrix = np.concatenate([feature.expand(column) for feature, column in columns], axis=1)
        matrix.flags.writeable = False
        return matrix

    def _unseen_error(self, table: Table, unseen: Sequence[tuple[int, str]]) -> SchemaError:
        violations = [
            Violation(
                column, "the category is one that training did not see", row, table.locate(row)
            )
            for row, column in unseen
        ]
        return SchemaError(violations, hint=UNSEEN_HINTS[self.unknown_category])
