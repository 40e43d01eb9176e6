"""Signs that the answer is among the questions, looked for before anything is learnt.

Three of them: one column alone that tells the label; rows of train that are
rows of validation too; columns that are good for nothing. They are looked for
in some thousand rows, in a fraction of a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import DataError, quote
from sagetree.machine.program import LOG
from sagetree.train.examples.examples import Examples

# A column whose own AUC is above this is no feature but the label under another name.
TELLTALE_AUC = 0.99

# Rows looked at, and how many of each label the half that is scored must have: a
# column of noise separates a handful of rows by chance.
EXAMINED_ROWS = 20_000
LEAST_OF_LABEL = 10

# Numbers are compared in so many bins of equal counts, and missing ones in one more.
BINS = 64

# Rows of validation may repeat train as much as train repeats itself, and a little more.
REPEATS_BEYOND = 0.01

# A column with fewer values present than this share says next to nothing.
LEAST_PRESENT = 0.01

_SEED = 0


@dataclass(frozen=True)
class Leakage:
    """What looks like leakage, each in a sentence."""

    suspects: tuple[str, ...]

    def check(self, *, fails: bool) -> None:
        """Raise DataError naming the suspects if `fails` (the setting fail_on_leakage)."""
        if fails and self.suspects:
            raise DataError(
                "; ".join(self.suspects),
                where="channel train",
                hint="List such columns in drop_columns, and split by key (sagetree prepare does); "
                "or set fail_on_leakage=false if all of it is known before the label is",
            )

    def tell(self, *, fails: bool) -> None:
        """Log the suspects, a line each; raises as `check`."""
        self.check(fails=fails)
        for suspect in self.suspects:
            LOG.warning("Leakage? %s", suspect)


def find_leakage(
    train: Examples,
    validation: Examples | None,
    names: Sequence[str],
    types: Sequence[str],
    *,
    is_binary: bool,
) -> Leakage:
    """Look for leakage; `names` and `types` are those of the features (m)."""
    suspects = []
    if is_binary:
        suspects += [
            f"column {quote(name)} alone tells the label (AUC {auc:.3f})"
            for name, auc in _telltales(train, names, types)
        ]
    if validation is not None:
        repeated = _repeated(train, validation)
        if repeated:
            suspects.append(
                f"{repeated} of {validation.rows} rows of validation are rows of train too"
            )
    return Leakage(tuple(suspects))


def useless_columns(train: Examples, names: Sequence[str]) -> list[str]:
    """Return, in a sentence each, features that are all but empty or repeat another."""
    matrix = _sample(train).matrix
    notes, seen = [], dict[bytes, str]()
    for index, name in enumerate(names):
        values = np.ascontiguousarray(matrix[:, index])
        present, rows = int(np.count_nonzero(~np.isnan(values))), len(values)
        if present < LEAST_PRESENT * rows:
            notes.append(f"column {quote(name)} has a value in {present} of {rows} rows")
        other = seen.setdefault(values.tobytes(), name)
        if other != name:
            notes.append(f"column {quote(name)} holds the same as {quote(other)}")
    return notes


def _sample(examples: Examples) -> Examples:
    """Return some rows, drawn the same way each time, in no order."""
    order = np.random.default_rng(_SEED).permutation(examples.rows)[:EXAMINED_ROWS]
    some = examples.take(np.sort(order).astype(np.intp))  # from a disk, front to back
    shuffle = np.argsort(np.argsort(order))
    # `some` lets go of the pages of a large file, of which these rows touch all
    return Examples(some.some(some.rows)[shuffle], some.labels[shuffle])


def _telltales(
    train: Examples, names: Sequence[str], types: Sequence[str]
) -> list[tuple[str, float]]:
    sample = _sample(train)
    labels = sample.labels > 0
    half = len(labels) // 2
    if min(labels[half:].sum(), (~labels[half:]).sum()) < LEAST_OF_LABEL:
        return []
    found = []
    for index, (name, kind) in enumerate(zip(names, types, strict=True)):
        auc = column_auc(sample.matrix[:, index], labels, half, is_category=kind == "c")
        if auc > TELLTALE_AUC:
            found.append((name, auc))
    return found


def column_auc(
    values: NDArray[np.float32], labels: NDArray[np.bool_], half: int, *, is_category: bool
) -> float:
    """Return the AUC of one column's values (n) alone.

    The share of positives in each bin of the first half scores the second: so
    any kind of dependence counts, also that on whether a value is missing, and
    categories that are all different tell nothing.
    """
    bins = _codes(values) if is_category else _quantile_bins(values, half)
    count = int(bins.max()) + 1
    fitted, scored = bins[:half], bins[half:]
    prior = labels[:half].mean()
    positives = np.bincount(fitted[labels[:half]], minlength=count)
    rates = (positives + prior) / (np.bincount(fitted, minlength=count) + 1)
    _, ranks = np.unique(rates, return_inverse=True)  # bins of equal rates are ties
    of_positives = np.bincount(ranks[scored[labels[half:]]], minlength=count).astype(float)
    of_negatives = np.bincount(ranks[scored[~labels[half:]]], minlength=count).astype(float)
    below = np.cumsum(of_negatives) - of_negatives
    pairs = of_positives.sum() * of_negatives.sum()
    return float((of_positives * (below + of_negatives / 2)).sum() / pairs)


def _codes(values: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return each category's number, 0 where it is missing."""
    codes = np.where(np.isnan(values), -1, values).astype(np.intp) + 1
    return np.asarray(codes)


def _quantile_bins(values: NDArray[np.float32], half: int) -> NDArray[np.intp]:
    present = values[:half][~np.isnan(values[:half])]
    if not len(present):
        return np.zeros(len(values), np.intp)
    edges = np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.where(np.isnan(values), 0, 1 + np.searchsorted(edges, values, "right"))


def _repeated(train: Examples, validation: Examples) -> int:
    """Return how many rows of validation are in train, 0 where that is to be expected."""
    known, asked = np.sort(_row_hashes(train)), _row_hashes(validation)
    places = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    repeated = int((known[places] == asked).sum())
    same = np.concatenate([[False], known[1:] == known[:-1], [False]])
    of_its_own = float(np.mean(same[1:] | same[:-1]))
    allowed = (of_its_own + REPEATS_BEYOND) * len(asked)
    return repeated if repeated > allowed else 0


def _row_hashes(examples: Examples) -> NDArray[np.uint64]:
    """Return a hash of each row's features and label (n)."""
    labels = examples.labels.reshape(examples.rows, -1)
    width = examples.width + labels.shape[1]
    factors = np.random.default_rng(_SEED).integers(0, 2**64, width, np.uint64) | np.uint64(1)
    hashes = np.empty(examples.rows, np.uint64)
    for rows, features in examples.blocks():
        cells = np.concatenate([features, labels[rows]], axis=1, dtype=np.float32)
        hashes[rows] = np.einsum("ij,j->i", cells.view(np.uint32).astype(np.uint64), factors)
    return hashes
