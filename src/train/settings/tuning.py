"""A job's settings of a search of hyperparameters: how long, and over what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from sagetree.train.hyperparameters.searching import Range, searched_ranges, searches_encoding
from sagetree.train.hyperparameters.value_types import Budget


@dataclass(frozen=True)
class Tuning:
    """How long a search goes on, and the ranges of what nobody has set."""

    budget: Budget
    ranges: tuple[Range, ...]
    searches_encoding: bool

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Tuning | None":
        """Return it of settled hyperparameters, None where nothing is to be searched."""
        if "tune" not in values:
            return None
        return cls(values["tune"], searched_ranges(values), searches_encoding(values))


def tuning_faults(tuning: Tuning | None) -> Iterator[str]:
    """Return what this installation lacks for a search."""
    if tuning is not None and find_spec("optuna") is None:
        yield "tune searches by Optuna, which is not installed: pip install 'sagetree[tune]'"
