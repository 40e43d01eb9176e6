"""Rows as XGBoost reads them.

Small ones as a plain matrix. Large ones as quantiles of every feature, one byte
a value, made block by block: in memory, or from a file and to files.
"""

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from sagetree.machine.program import LOG
from sagetree.tables.roles import RowRoles
from sagetree.train.examples.examples import Examples, Matrix, group_sizes
from sagetree.train.examples.matrix import drop_pages

# From so many values on quantiles save more time and memory than they cost.
QUANTISED_CELLS = 4_000_000

# The cuts of so many rows are as good as those of all, and the other rows are
# then read once instead of three times.
QUANTILE_SAMPLE_ROWS = 100_000


@dataclass(frozen=True)
class DMatrixBuilder:
    """How rows are handed to XGBoost: names, types and weights of features (m), threads.

    `queries` says that groups are queries, whose rows stand together, `bounds`
    that labels are lower and upper ones (one label is both). `max_bin` is the
    number of quantiles, None where the trees need the values themselves. Weights
    of rows are divided by `weight_unit`.
    """

    names: Sequence[str]
    types: Sequence[str]
    feature_weights: Matrix | None
    threads: int
    queries: bool
    bounds: bool
    max_bin: int | None
    weight_unit: float = 1.0

    def build(self, examples: Examples, ref: xgboost.DMatrix | None = None) -> xgboost.DMatrix:
        """Return rows as XGBoost reads them; with the quantiles of `ref`, which was trained on."""
        if self._is_quantised(examples, ref):
            return self._quantised(examples, ref)
        roles = examples.roles
        queries = group_sizes(roles.groups) if self.queries and roles.groups is not None else None
        weight = self._weight(roles)
        if weight is not None and queries is not None:  # XGBoost weighs whole queries
            weight = weight[np.cumsum(queries) - queries]
        return xgboost.DMatrix(
            examples.matrix,
            weight=weight,
            base_margin=roles.base_margin,
            feature_names=self.names,
            feature_types=self.types,
            feature_weights=self.feature_weights,
            enable_categorical=True,
            nthread=self.threads,
            group=queries,
            **self._labels(examples, slice(None)),
        )

    def _weight(self, roles: RowRoles) -> Matrix | None:
        weight = roles.learning_weight
        return None if weight is None else weight / np.float32(self.weight_unit)

    def _is_quantised(self, examples: Examples, ref: xgboost.DMatrix | None) -> bool:
        large = examples.rows * examples.width >= QUANTISED_CELLS
        if ref is not None:  # rows to predict: from quantiles it takes three times as long
            quantised = xgboost.QuantileDMatrix | xgboost.ExtMemQuantileDMatrix
            return large and isinstance(ref, quantised)
        return (large or examples.external) and self.max_bin is not None and not self.queries

    def _labels(self, examples: Examples, rows: slice) -> dict[str, Any]:
        labels = examples.labels[rows]
        if not self.bounds:
            return {"label": labels}
        lower, upper = (labels[:, 0], labels[:, 1]) if labels.ndim == 2 else (labels, labels)
        return {"label_lower_bound": lower, "label_upper_bound": upper}

    def _quantised(self, examples: Examples, ref: xgboost.DMatrix | None) -> xgboost.DMatrix:
        drop_pages(examples.source)  # of whoever looked at it before
        LOG.info("Quantiles of %d rows and %d features", examples.rows, examples.width)
        how = {"max_bin": self.max_bin, "nthread": self.threads, "enable_categorical": True}
        if ref is None and examples.rows > 2 * QUANTILE_SAMPLE_ROWS:
            ref = xgboost.QuantileDMatrix(
                _Blocks(_sample(examples, self.types), self._batch), **how
            )
        kind = xgboost.ExtMemQuantileDMatrix if examples.external else xgboost.QuantileDMatrix
        blocks = _Blocks(examples, self._batch, cached=examples.external)
        data: xgboost.DMatrix = kind(blocks, ref=ref, **how)
        if self.feature_weights is not None:
            data.set_info(feature_weights=self.feature_weights)
        return data

    def _batch(self, examples: Examples, rows: slice) -> dict[str, Any]:
        """Return what stands beside the features of some rows."""
        roles = examples.roles
        beside = {"weight": self._weight(roles), "base_margin": roles.base_margin}
        return {
            **self._labels(examples, rows),
            **{name: values[rows] for name, values in beside.items() if values is not None},
            "feature_names": self.names,
            "feature_types": self.types,
        }


def _sample(examples: Examples, types: Sequence[str]) -> Examples:
    """Return some rows, and one more that has the greatest code of every category.

    XGBoost knows no category above those it cuts by.
    """
    chosen = np.sort(
        np.random.default_rng(0).choice(examples.rows, QUANTILE_SAMPLE_ROWS, replace=False)
    )
    taken = examples.take(chosen)
    codes = np.flatnonzero(np.array(types) == "c")
    last = np.full((1, examples.width), np.nan, np.float32)
    for _, block in examples.blocks():
        last[0, codes] = np.fmax(last[0, codes], _greatest(block[:, codes]))
    weight = taken.roles.learning_weight
    roles = RowRoles(weight=None if weight is None else np.append(weight, 1))
    labels = np.concatenate([taken.labels, taken.labels[:1]])
    return Examples(np.concatenate([taken.some(taken.rows), last]), labels, roles)


def _greatest(values: Matrix) -> NDArray[np.float32]:
    """Return the greatest value of each column (m), NaN where all are missing."""
    greatest: NDArray[np.float32] = np.fmax.reduce(values, axis=0)
    return greatest


class _Blocks(xgboost.DataIter):
    """The rows, block by block, as often as XGBoost asks.

    With `cached` it keeps what it makes of them in files.
    """

    def __init__(
        self,
        examples: Examples,
        beside: Callable[[Examples, slice], dict[str, Any]],
        *,
        cached: bool = False,
    ) -> None:
        # XGBoost removes its files when the matrix made of them goes
        prefix = str(Path(tempfile.gettempdir()) / f"sagetree-{os.getpid()}-{id(self)}")
        super().__init__(cache_prefix=prefix if cached else None, on_host=False)
        self._examples = examples
        self._beside = beside
        self._blocks = examples.blocks()

    def next(self, input_data: Callable[..., Any]) -> bool:
        """Hand over the next block. Says whether there was one."""
        found = next(self._blocks, None)
        if found is None:
            return False
        rows, features = found
        input_data(data=features, **self._beside(self._examples, rows))
        return True

    def reset(self) -> None:
        """Begin again."""
        self._blocks = self._examples.blocks()
