"""Rows as XGBoost reads them.

Small ones as a plain matrix. Large ones as quantiles of every feature, one byte
a value, made block by block: in memory, or from a file and to files.
"""

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from sagetree.machine.allocator import return_freed_memory
from sagetree.machine.program import LOG
from sagetree.tables.roles import RowRoles
from sagetree.train.examples.examples import BLOCK_CELLS, Examples, Matrix, group_sizes
from sagetree.train.examples.gathered import total_rows
from sagetree.train.examples.matrix import drop_pages
from sagetree.train.hosts.group import ONE, Group

# From this many values on quantiles save more time and memory than they cost.
QUANTISED_CELLS = 4_000_000

# A round from disk builds the histograms of every file anew, of all features: where those are
# many, a file has this many rows or values, whichever are fewer.
PAGE_ROWS, PAGE_CELLS = 4096, 2**26

# The cuts of this many rows are as good as those of all, and the other rows are
# then read once instead of three times.
QUANTILE_SAMPLE_ROWS = 100_000


@dataclass(frozen=True)
class DMatrixBuilder:
    """How rows are handed to XGBoost: names, types and weights of features (m), threads.

    `queries` says that groups are queries, whose rows stand together, `bounds`
    that labels are lower and upper ones (one label is both). `max_bin` is the
    number of quantiles, None where the trees need the values themselves. Weights
    of rows are divided by `weight_unit`. Of a `group` of several hosts each learns from
    rows of its own.
    """

    names: Sequence[str]
    types: Sequence[str]
    feature_weights: Matrix | None
    threads: int
    queries: bool
    bounds: bool
    max_bin: int | None
    weight_unit: float = 1.0
    group: Group = ONE

    def build_train(self, examples: Examples) -> xgboost.DMatrix:
        """Return rows to learn from; they are cut by the quantiles of all hosts' rows.

        The hosts agree on the kind of matrix: with each, XGBoost makes other exchanges.
        """
        if self.group.size == 1:
            return self.build(examples)
        external = self.group.any(examples.external)
        if self.max_bin is None:
            return self._plain(examples)
        ref = self._cuts_of_all(examples)
        if self.queries:
            return self._plain(examples, xgboost.QuantileDMatrix, ref=ref, max_bin=self.max_bin)
        return self._quantised(replace(examples, external=external), ref)

    def build(self, examples: Examples, ref: xgboost.DMatrix | None = None) -> xgboost.DMatrix:
        """Return rows as XGBoost reads them; with the quantiles of `ref`, which was trained on."""
        if self._is_quantised(examples, ref):
            return self._quantised(examples, ref)
        return self._plain(examples)

    def _plain(
        self,
        examples: Examples,
        kind: type[xgboost.DMatrix] = xgboost.DMatrix,
        **how: Any,  # noqa: ANN401 - XGBoost's
    ) -> xgboost.DMatrix:
        roles = examples.roles
        queries = group_sizes(roles.groups) if self.queries and roles.groups is not None else None
        weight = self._weight(roles)
        if weight is not None and queries is not None:  # XGBoost weighs whole queries
            weight = weight[np.cumsum(queries) - queries]
        return kind(
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
            **how,
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
        _make_room(examples)  # after whoever read them before
        LOG.info("Quantiles of %d rows and %d features", examples.rows, examples.width)
        if ref is None and examples.rows > 2 * QUANTILE_SAMPLE_ROWS:
            ref = self._cuts(_sample(examples, self.types, QUANTILE_SAMPLE_ROWS))
        kind = xgboost.ExtMemQuantileDMatrix if examples.external else xgboost.QuantileDMatrix
        blocks = _Blocks(examples, self._batch, cached=examples.external)
        data: xgboost.DMatrix = kind(blocks, ref=ref, **self._how)
        _make_room(examples)  # XGBoost's copies of the blocks are a quarter of what it keeps
        if self.feature_weights is not None:
            data.set_info(feature_weights=self.feature_weights)
        return data

    @property
    def _how(self) -> dict[str, Any]:
        return {"max_bin": self.max_bin, "nthread": self.threads, "enable_categorical": True}

    def _cuts(self, sample: Examples) -> xgboost.QuantileDMatrix:
        return xgboost.QuantileDMatrix(_Blocks(sample, self._batch), **self._how)

    def _cuts_of_all(self, examples: Examples) -> xgboost.QuantileDMatrix:
        """Return what the rows of all hosts are cut by: all rows, or the shares of a sample.

        The leader alone hands them to XGBoost, which adds up what the hosts have: the cuts
        are those that it would make of them on one host.
        """
        rows = total_rows(self.group, examples)
        if rows > 2 * QUANTILE_SAMPLE_ROWS:
            count = QUANTILE_SAMPLE_ROWS * examples.rows // rows
            examples = _sample(examples, self.types, count, self.group)
        weight = examples.roles.learning_weight
        sample = Examples(
            self.group.gather_rows(examples.matrix),
            self.group.gather_rows(examples.labels),
            RowRoles(weight=None if weight is None else self.group.gather_rows(weight)),
        )
        return self._cuts(sample if self.group.is_leader else sample.take(np.empty(0, np.intp)))

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


def _make_room(examples: Examples) -> None:
    """Give back what was freed, and the memory in which rows in a file have been read."""
    drop_pages(examples.source)
    drop_pages(examples.labels)
    return_freed_memory()


def _sample(examples: Examples, types: Sequence[str], count: int, group: Group = ONE) -> Examples:
    """Return some rows, and one more that has the greatest code of every category.

    XGBoost knows no category above those it cuts by.
    """
    chosen = np.sort(np.random.default_rng(0).choice(examples.rows, count, replace=False))
    taken = examples.take(chosen)
    last = np.full((1, examples.width), np.nan, np.float32)
    codes = np.flatnonzero(np.array(types) == "c")
    greatest = group.greatest(_greatest(examples, codes))
    last[0, codes] = np.where(greatest < 0, np.nan, greatest)
    if not examples.rows:  # a host that has none
        return taken
    weight = taken.roles.learning_weight
    roles = RowRoles(weight=None if weight is None else np.append(weight, np.float32(1)))
    labels = np.concatenate([taken.labels, examples.labels[:1]])
    return Examples(np.concatenate([taken.some(taken.rows), last]), labels, roles)


def _greatest(examples: Examples, codes: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the greatest value of each of the columns `codes`, -1 where all are missing."""
    greatest = np.full(len(codes), -1, np.float32)
    for _, block in examples.blocks():
        greatest = np.fmax(greatest, np.fmax.reduce(block[:, codes], axis=0, initial=-1))
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
        page = min(PAGE_ROWS * examples.width, PAGE_CELLS) if cached else 0
        self._cells = max(page, BLOCK_CELLS)
        self._blocks = examples.blocks(self._cells)

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
        self._blocks = self._examples.blocks(self._cells)
