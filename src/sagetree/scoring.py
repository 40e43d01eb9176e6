"""Feature matrix to scores, and scores to reasons: the one path that predicts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson
import xgboost
from numpy.typing import NDArray

from sagetree.errors import ArtifactError

# XGBoost's own threads pay from about a thousand rows; below that they make
# the slowest requests ten times slower.
ROWS_PER_THREAD_POOL = 1000

Scores = NDArray[np.float32]

# XGBoost's messages begin with the time and a place in its own source.
_PLACE = re.compile(r"^\[[\d:]+\] \S+: ")


@dataclass(frozen=True)
class Scorer:
    """A booster that only predicts; `feature_count` is the width of its matrix."""

    booster: xgboost.Booster
    feature_count: int
    has_trees: bool = True
    threads: int = 1

    @classmethod
    def load(cls, model: bytes, *, threads: int = 1, name: str = "xgboost-model") -> "Scorer":
        """Build the booster from XGBoost's UBJSON or JSON; `name` is the file's, for errors.

        Never call it in a process that forks afterwards: the child would hang.
        Raises ArtifactError for bytes XGBoost cannot read.
        """
        # XGBoost reads on behind the end of a model that is cut off, and aborts on an empty one.
        if not (model.startswith(b"{") and model.rstrip().endswith(b"}")):
            raise _unreadable(name, "it is cut off, or no model in UBJSON or JSON")
        booster = xgboost.Booster({"nthread": threads})
        try:
            booster.load_model(bytearray(model))
        except (xgboost.core.XGBoostError, UnicodeDecodeError) as error:
            raise _unreadable(name, _PLACE.sub("", str(error).splitlines()[0])) from error
        booster.set_param({"nthread": threads})
        config = orjson.loads(booster.save_config())
        has_trees = config["learner"]["gradient_booster"]["name"] != "gblinear"
        return cls(booster, booster.num_features(), has_trees, threads)

    def score(self, matrix: NDArray[np.float32]) -> Scores:
        """Return one prediction per row of `matrix` (n, feature_count): float32 (n)."""
        if self.has_trees:
            scores: Scores = self.booster.inplace_predict(matrix, validate_features=False)
        else:  # a linear model cannot read the matrix in place
            data = xgboost.DMatrix(matrix, nthread=self.threads)
            scores = self.booster.predict(data, validate_features=False)
        return scores

    def contributions(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return exact SHAP values (n, feature_count + 1); the last column is the base value.

        They are in log-odds and add up to the row's margin.
        """
        booster = self.booster
        data = xgboost.DMatrix(
            matrix,
            feature_names=booster.feature_names,
            feature_types=booster.feature_types,
            nthread=self.threads,  # by default it takes all there are, also for one row
        )
        values: NDArray[np.float32] = booster.predict(data, pred_contribs=True)
        return values


def _unreadable(name: str, reason: str) -> ArtifactError:
    return ArtifactError(
        f"XGBoost cannot read the model: {reason}",
        where=name,
        hint="Save it with Booster.save_model, by an XGBoost that is not newer than "
        f"{xgboost.__version__}",
    )


def contributions_by_column(
    values: NDArray[np.float32], owners: Sequence[int]
) -> NDArray[np.float32]:
    """Return SHAP values summed to the user's own columns (n, columns + 1), base value last.

    `owners` gives each feature's column number.
    """
    columns = max(owners, default=-1) + 1
    summed = np.zeros((len(values), columns + 1), np.float32)
    np.add.at(summed.T, np.asarray(owners, np.intp), values.T[:-1])
    summed[:, -1] = values[:, -1]
    return summed
