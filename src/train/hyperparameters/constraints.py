"""What the user asks of single columns while trees grow, turned into XGBoost's features."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import SettingsError, quote
from sagetree.features.pipeline import FeaturePipeline

Directions = Mapping[str, int] | tuple[int, ...]
Groups = tuple[tuple[str | int, ...], ...]


@dataclass(frozen=True)
class Constraints:
    """Directions, groups and weights, by the user's columns or by number of feature.

    `monotone` and `interaction` are None where not given; `weights` says how
    likely a column is drawn, 1 for those not named.
    """

    monotone: Directions | None = None
    interaction: Groups | None = None
    weights: Mapping[str, float] | None = None

    def params(self, features: FeaturePipeline) -> dict[str, str]:
        """Return XGBoost's monotone_constraints and interaction_constraints.

        What is said of a column holds for each feature made of it. Raises
        SettingsError for columns that are none.
        """
        params: dict[str, str] = {}
        if self.monotone is not None:
            directions = self._directions(self.monotone, features)
            params["monotone_constraints"] = f"({','.join(map(str, directions))})"
        if self.interaction is not None:
            groups = [self._numbers(group, features) for group in self.interaction]
            params["interaction_constraints"] = str(groups)
        return params

    def feature_weights(self, features: FeaturePipeline) -> NDArray[np.float32] | None:
        """Return the weight of each feature (m), None where none was given."""
        if self.weights is None:
            return None
        columns = _columns(features)
        _check("feature_weights", self.weights, columns)
        weights = [self.weights.get(columns[owner], 1.0) for owner in features.owners]
        return np.asarray(weights, np.float32)

    def _directions(self, monotone: Directions, features: FeaturePipeline) -> tuple[int, ...]:
        columns = _columns(features)
        if isinstance(monotone, Mapping):
            _check("monotone_constraints", monotone, columns)
            directions = tuple(monotone.get(columns[owner], 0) for owner in features.owners)
        elif len(monotone) == len(features.names):
            directions = monotone
        else:
            raise SettingsError(
                f"monotone_constraints has {len(monotone)} values for "
                f"{len(features.names)} features",
                hint=f"The features are {', '.join(features.safe_names)}",
            )
        for direction, kind, owner in zip(directions, features.types, features.owners, strict=True):
            if direction and kind == "c":
                raise SettingsError(
                    f"monotone_constraints gives a direction to {quote(columns[owner])}, whose "
                    "categories have no order",
                    hint="Give them one with ordinal_columns, or set encoding=onehot",
                )
        return directions

    def _numbers(self, group: tuple[str | int, ...], features: FeaturePipeline) -> list[int]:
        named = [item for item in group if isinstance(item, str)]
        if named:
            columns = _columns(features)
            _check("interaction_constraints", named, columns)
            return [i for i, owner in enumerate(features.owners) if columns[owner] in named]
        numbers = [item for item in group if isinstance(item, int)]
        if max(numbers) >= len(features.names):
            raise SettingsError(
                f"interaction_constraints names feature {max(numbers)} of {len(features.names)}",
                hint="Features count from 0; better name columns",
            )
        return numbers


def _columns(features: FeaturePipeline) -> list[str]:
    return [feature.column for feature in features.features]


def _check(setting: str, named: Mapping[str, Any] | list[str], columns: list[str]) -> None:
    unknown = [name for name in named if name not in columns]
    if unknown:
        raise SettingsError(
            f"{setting} names {', '.join(map(quote, unknown))}, which the model does not use",
            hint=f"The columns are {', '.join(map(quote, columns))}",
        )
