"""A column of numbers by its distinct values, all of them or those that decide."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from sagetree.bundle.training_rows import EVERY_HASH
from sagetree.tables.encoding import Floats
from sagetree.train.facts.sampling import bound_of, hashes_of_numbers, scaled
from sagetree.train.facts.wire import packed_floats, unpacked_floats

_NONE = np.empty(0, np.float64)


@dataclass(frozen=True)
class DistinctNumbers:
    """The numbers of rows: `values` are distinct and ascending, `is_unique` says none repeats.

    Above the hash `bound` only `witnesses` are among the values: the first and last, and
    those by which they are not whole, have a step in common or become one as float32. Then
    `distinct` is an estimate.
    """

    rows: int
    missing: int
    values: Floats
    distinct: int
    is_unique: bool
    bound: int = EVERY_HASH
    witnesses: Floats = field(default_factory=lambda: _NONE)

    @classmethod
    def of(cls, values: Floats) -> Self:
        """Return what values (n, NaN = missing) hold."""
        present = np.sort(values[~np.isnan(values)])  # many times faster than np.unique
        is_new = np.ones(len(present), bool)
        np.not_equal(present[1:], present[:-1], out=is_new[1:])
        distinct = int(np.count_nonzero(is_new))
        is_unique = distinct == len(present)
        ascending = present if is_unique else present[is_new]
        return cls(len(values), len(values) - len(present), ascending, distinct, is_unique)

    @classmethod
    def none(cls, rows: int) -> Self:
        """Return what rows hold that have no number."""
        return cls(rows, rows, _NONE, 0, True)

    @property
    def is_empty(self) -> bool:
        """Whether no row has a number."""
        return self.missing == self.rows

    def told(self, most: int) -> Self:
        """Return what other hosts get: `most` of the values, and those that decide."""
        if len(self.values) <= most:
            return self
        hashes = hashes_of_numbers(self.values)
        bound = bound_of(hashes, most)
        witnesses = _witnesses(self.values)
        values = np.union1d(self.values[hashes <= np.uint64(bound)], witnesses)
        return replace(self, values=values, bound=bound, witnesses=witnesses)

    @classmethod
    def merged(cls, found: Sequence["DistinctNumbers"]) -> "DistinctNumbers":
        """Return what the rows of all these facts hold together."""
        bound = min(each.bound for each in found)
        is_whole = bound == EVERY_HASH
        parts = [each._up_to(bound) for each in found]
        sampled = np.unique(np.concatenate(parts))
        of_each = sum(each.distinct for each in found)
        sizes = [*map(len, parts)]
        witnesses = _NONE
        if not is_whole:
            witnesses = np.unique(np.concatenate([each._deciding() for each in found]))
        return cls(
            rows=sum(each.rows for each in found),
            missing=sum(each.missing for each in found),
            values=sampled if is_whole else np.union1d(sampled, witnesses),
            distinct=len(sampled) if is_whole else scaled(of_each, len(sampled), sizes),
            is_unique=all(each.is_unique for each in found) and sum(sizes) == len(sampled),
            bound=bound,
            witnesses=witnesses,
        )

    def _up_to(self, bound: int) -> Floats:
        if bound == EVERY_HASH:
            return self.values
        return self.values[hashes_of_numbers(self.values) <= np.uint64(bound)]

    def _deciding(self) -> Floats:
        return _witnesses(self.values) if self.bound == EVERY_HASH else self.witnesses

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        arrays = {name: packed_floats(getattr(self, name)) for name in ("values", "witnesses")}
        return vars(self) | arrays

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """Return what `as_json` wrote."""
        arrays = {name: unpacked_floats(found[name]) for name in ("values", "witnesses")}
        return cls(**found | arrays)


def _witnesses(values: Floats) -> Floats:
    """Return the few of ascending values by which all of them are as `find_precision` sees them."""
    if not len(values):
        return values
    found = [values[0], values[-1], *values[values != np.floor(values)][:1]]
    narrow = values.astype(np.float32)
    for place in np.flatnonzero(narrow[1:] == narrow[:-1])[:1]:
        found += [values[place], values[place + 1]]
    if max(-values[0], values[-1]) < _INT64:
        found += _steps(values)
    return np.unique(found)


_INT64 = 2.0**63


def _steps(values: Floats) -> list[float]:
    """Return values whose gaps have the divisor in common that the gaps of all have."""
    if (values != np.floor(values)).any():
        return []
    whole = values.astype(np.int64)
    common = np.gcd.accumulate(whole - whole[0])
    return [float(value) for value in values[np.flatnonzero(np.diff(common)) + 1]]
