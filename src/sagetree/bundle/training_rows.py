"""Which rows a model was trained on, as hashes, so that an evaluation can say that it repeats them.

A row's hash is of its features and its label. rows.bin holds three numbers (rows of
training, how many of them repeat another one, the bound) and then the hashes, ascending,
all as eight bytes with the lowest first. Of more rows than MOST_HASHES the smallest hashes
are kept: as hashes are spread evenly, these are a sample, and of other rows those with a
hash up to the bound are compared with it.
"""

import struct
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sagetree.bundle.baseline import is_beyond
from sagetree.tables.label import Labels

Hashes: TypeAlias = NDArray[np.uint64]

# Two megabytes, which no compression makes smaller.
MOST_HASHES = 2**18

# Other rows may repeat training's as often as these repeat each other, and a little more.
REPEATS_BEYOND = 0.01

# The bound of those that have every hash.
EVERY_HASH = 2**64 - 1

_HEAD = struct.Struct("<QQQ")

# Values hashed at once: 16 MB as eight bytes each.
_BLOCK_VALUES = 2**21


@dataclass(frozen=True)
class Repeats:
    """How many of the `compared` rows are rows of training, and which share would be by chance.

    That share is known from `known` rows.
    """

    repeated: int
    compared: int
    by_chance: float
    known: int

    @property
    def share(self) -> float:
        """The share of rows that are rows of training."""
        return self.repeated / self.compared if self.compared else 0.0

    @property
    def is_suspect(self) -> bool:
        """Whether there are more than chance explains."""
        # in a hundred rows that are all different, one more may well have been the same
        share = min(1.0, self.by_chance + 1 / self.known)
        return is_beyond(self.repeated, self.compared, share, REPEATS_BEYOND)


@dataclass(frozen=True)
class TrainingRows:
    """Hashes of training's rows: all of them, or the smallest, each once and ascending.

    `repeated` of the `rows` are the same as another one; `bound` is the hash up to
    which all are kept; `packed` holds them as rows.bin does.
    """

    rows: int
    repeated: int
    bound: int
    packed: bytes

    @property
    def hashes(self) -> Hashes:
        """The hashes as an array."""
        return np.frombuffer(self.packed, "<u8").astype(np.uint64, copy=False)

    @classmethod
    def of(cls, hashes: Hashes, most: int = MOST_HASHES) -> "TrainingRows":
        """Return the rows that have these hashes (n), keeping `most` of them."""
        ordered = np.sort(hashes)
        is_twin = np.concatenate([[False], ordered[1:] == ordered[:-1], [False]])
        repeated = int(np.count_nonzero(is_twin[1:] | is_twin[:-1]))
        return cls(len(hashes), repeated, *_packed(ordered[~is_twin[:-1]], EVERY_HASH, most))

    def joined(self, other: "TrainingRows", most: int = MOST_HASHES) -> "TrainingRows":
        """Return these rows and the others: of a model that was trained on both."""
        together = np.union1d(self.hashes, other.hashes)
        packed = _packed(together, min(self.bound, other.bound), most)
        return TrainingRows(self.rows + other.rows, self.repeated + other.repeated, *packed)

    def repeats(self, hashes: Hashes) -> Repeats:
        """Say how many of other rows, given by their hashes (n), are among these."""
        known, asked = self.hashes, hashes[hashes <= np.uint64(self.bound)]
        places = np.minimum(np.searchsorted(known, asked), len(known) - 1)
        found = int(np.count_nonzero(known[places] == asked))
        return Repeats(found, len(asked), self.repeated / self.rows, self.rows)

    def to_bytes(self) -> bytes:
        """Return the content of rows.bin."""
        return (
            _HEAD.pack(self.rows, self.repeated, self.bound) + self.hashes.astype("<u8").tobytes()
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "TrainingRows":
        """Return what `to_bytes` wrote. Raises ValueError for anything else."""
        if len(data) <= _HEAD.size or len(data) % 8:
            raise ValueError("it is cut off")
        rows, repeated, bound = _HEAD.unpack_from(data)
        found = cls(rows, repeated, bound, data[_HEAD.size :])
        hashes = found.hashes
        is_rising = bool((hashes[1:] > hashes[:-1]).all()) and int(hashes[-1]) <= bound
        if not (is_rising and repeated <= rows >= len(hashes)):
            raise ValueError("its numbers contradict each other")
        return found


def _packed(ordered: Hashes, bound: int, most: int) -> tuple[int, bytes]:
    """Return the bound and the hashes up to it, at most `most`, as bytes."""
    kept = ordered[ordered <= np.uint64(bound)]
    if len(kept) > most:
        bound, kept = int(kept[most - 1]), kept[:most]
    return bound, kept.astype("<u8").tobytes()


class RowHashes(NamedTuple):
    """Hashes of rows: of their features alone (n), and of features and label together (n)."""

    features: Hashes
    rows: Hashes


def row_hashes(features: NDArray[np.float32], labels: Labels) -> RowHashes:
    """Return the hashes of rows, given their features (n, m) and labels (n) or (n, k)."""
    of_labels = labels[:, None] if labels.ndim == 1 else labels
    split, width = features.shape[1], features.shape[1] + of_labels.shape[1]
    factors = spread_evenly(np.arange(1, width + 1, dtype=np.uint64)) | np.uint64(1)
    hashes = RowHashes(np.empty(len(labels), np.uint64), np.empty(len(labels), np.uint64))
    step = max(1, _BLOCK_VALUES // width)
    for begin in range(0, len(labels), step):
        rows = slice(begin, begin + step)
        of_features = _sums(features[rows], factors[:split])
        hashes.features[rows] = spread_evenly(of_features)
        hashes.rows[rows] = spread_evenly(of_features + _sums(of_labels[rows], factors[split:]))
    return hashes


def _sums(cells: NDArray[np.float32] | Labels, factors: Hashes) -> Hashes:
    """Return the sum of each row's cells (n, m) as whole numbers times the factors (m)."""
    # from the other end: the last bits of most numbers are zeros, and a product keeps these
    bits = np.ascontiguousarray(cells, np.float32).view(np.uint32).byteswap()
    sums: Hashes = np.einsum("ij,j->i", bits.astype(np.uint64), factors)
    return sums


def spread_evenly(values: Hashes) -> Hashes:
    """Return numbers whose bits are spread evenly (splitmix64), the same on every machine."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    spread: Hashes = mixed ^ (mixed >> np.uint64(31))
    return spread
