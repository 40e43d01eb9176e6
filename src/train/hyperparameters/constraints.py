"""What the user asks of single columns while trees grow, turned into XGBoost's features."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import SettingsError, did_you_mean, quote, quote_all
from sagetree.features.mixed import Mixed
from sagetree.features.pipeline import AnyFeature, FeaturePipeline
from sagetree.features.statistics import ClassShares, TargetMean
from sagetree.tables.schema import ROLES, Schema

# The error that shows which numbers there are shows this many of them.
NUMBERS_SHOWN = 20

Directions = Mapping[str, int] | tuple[int, ...]
Groups = tuple[tuple[str | int, ...], ...]


@dataclass(frozen=True)
class Constraints:
    """Directions, groups and weights, by the user's columns or by their numbers.

    A number is the column's place in the data beside label and roles, in libsvm
    its index: columns that training leaves out keep theirs. `monotone` and
    `interaction` are None where not given; `weights` says how likely a column is
    drawn, 1 for those not named.
    """

    monotone: Directions | None = None
    interaction: Groups | None = None
    weights: Mapping[str, float] | None = None

    def params(self, schema: Schema, features: FeaturePipeline) -> dict[str, str]:
        """Return XGBoost's monotone_constraints and interaction_constraints.

        What is set for a column holds for each feature made of it. Raises
        SettingsError for columns that are none.
        """
        params: dict[str, str] = {}
        if self.monotone is not None:
            directions = self._directions(self.monotone, schema, features)
            params["monotone_constraints"] = f"({','.join(map(str, directions))})"
        if self.interaction is not None:
            params["interaction_constraints"] = str(
                self._groups(self.interaction, schema, features)
            )
        return params

    def feature_weights(self, features: FeaturePipeline) -> NDArray[np.float32] | None:
        """Return the weight of each feature (m), None where none was given."""
        if self.weights is None:
            return None
        columns = _columns(features)
        _check("feature_weights", self.weights, columns)
        weights = [self.weights.get(columns[owner], 1.0) for owner in features.owners]
        return np.asarray(weights, np.float32)

    def _directions(
        self, monotone: Directions, schema: Schema, features: FeaturePipeline
    ) -> tuple[int, ...]:
        columns = _columns(features)
        if isinstance(monotone, Mapping):
            _check("monotone_constraints", monotone, columns)
            named = monotone
        else:
            named = _by_name(monotone, schema)
        directions = tuple(
            direction
            for feature in features.features
            for direction in _of_features(feature, named.get(feature.column, 0))
        )
        for direction, kind, owner in zip(directions, features.types, features.owners, strict=True):
            is_mean = isinstance(features.features[owner], TargetMean | ClassShares)
            if direction and (kind == "c" or is_mean):
                raise SettingsError(
                    f"monotone_constraints gives a direction to {quote(columns[owner])}, whose "
                    "categories have no order",
                    hint="Give them one with ordinal_columns, or set encoding=onehot",
                )
        return directions

    def _groups(
        self, interaction: Groups, schema: Schema, features: FeaturePipeline
    ) -> list[list[int]]:
        columns, numbers = _columns(features), _numbers(schema)
        groups = []
        for group in interaction:
            for item in group:
                if isinstance(item, int) and item not in numbers:
                    raise _no_such_number("interaction_constraints names", item, numbers)
            _check("interaction_constraints", [i for i in group if isinstance(i, str)], columns)
            named = {numbers[item] if isinstance(item, int) else item for item in group}
            groups.append([i for i, owner in enumerate(features.owners) if columns[owner] in named])
        if not any(groups):
            raise SettingsError(
                "interaction_constraints names only columns that are left out of training",
                hint=f"The columns in training are {quote_all(columns)}",
            )
        return [group for group in groups if group]


def _numbers(schema: Schema) -> dict[int, str]:
    """Return the columns by their numbers: those with a role have none, as in XGBoost."""
    names = (column.name for column in schema.columns if column.kind not in ROLES)
    return dict(enumerate(names, schema.first_index))


def _by_name(monotone: tuple[int, ...], schema: Schema) -> dict[str, int]:
    """Return column -> direction of the tuple whose first value is for number 0.

    Where libsvm's indices count from 1, a tuple as long as they go has a value
    for 0, which means nothing; in a shorter one a direction there is a slip.
    """
    numbers = _numbers(schema)
    width = schema.first_index + len(numbers)
    if len(monotone) > width:
        raise SettingsError(
            f"monotone_constraints has {len(monotone)} values, and the numbers of columns end at "
            f"{width - 1}",
            hint=_numbering(numbers),
        )
    if len(monotone) < width and any(monotone[: schema.first_index]):
        raise _no_such_number("the first value of monotone_constraints is for", 0, numbers)
    return {name: monotone[i] for i, name in numbers.items() if i < len(monotone)}


def _no_such_number(what: str, number: int, numbers: Mapping[int, str]) -> SettingsError:
    return SettingsError(f"{what} column {number}, which does not exist", hint=_numbering(numbers))


def _numbering(numbers: Mapping[int, str]) -> str:
    shown = [f"{number} {quote(name)}" for number, name in numbers.items()]
    if len(shown) > NUMBERS_SHOWN:
        shown[NUMBERS_SHOWN - 1 : -1] = ["..."]
    return f"The columns are {', '.join(shown)}; or name them"


def _of_features(feature: AnyFeature, direction: int) -> tuple[int, ...]:
    """Return the direction of each produced feature; of a mixed column only numbers have one."""
    several = len(feature.names)
    if isinstance(feature, Mixed):
        return (direction, *(0,) * (several - 1))
    return (direction,) * several


def _columns(features: FeaturePipeline) -> list[str]:
    return [feature.column for feature in features.features]


def _check(setting: str, named: Mapping[str, Any] | list[str], columns: list[str]) -> None:
    unknown = [quote(name) + did_you_mean(name, columns) for name in named if name not in columns]
    if unknown:
        raise SettingsError(
            f"{setting} names {', '.join(unknown)}, which the model does not use",
            hint=f"The columns are {quote_all(columns)}",
        )
