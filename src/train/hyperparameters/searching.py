"""Which hyperparameters `tune` searches, over which ranges, and what it does not go with."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagetree.train.hyperparameters.booster_rules import MODEL, encodes_many, grows_exactly

Values = Mapping[str, Any]

ENCODING = "encoding"

# What a search may say about categories: as without one, or mean labels for all of them.
ENCODINGS = ("native", "target")


@dataclass(frozen=True)
class Range:
    """What one hyperparameter is searched over, both ends included; by magnitude where `is_log`."""

    name: str
    low: float
    high: float
    is_log: bool = False
    is_whole: bool = False

    def nearest(self, value: float) -> float:
        """Return the value of the range that is nearest to one that may lie outside."""
        kept = min(max(value, self.low), self.high)
        return int(kept) if self.is_whole else float(kept)


# Around the presets, and as far from them as tables have been seen to ask for. Shares of rows
# and columns below these, and larger steps, were best nowhere.
TREE_RANGES = (
    Range("max_depth", 2, 8, is_whole=True),
    Range("eta", 0.03, 0.2, is_log=True),
    Range("min_child_weight", 0.5, 30, is_log=True),
    Range("lambda", 0.5, 50, is_log=True),
    Range("alpha", 0.001, 5, is_log=True),
    Range("subsample", 0.5, 1),
    Range("colsample_bytree", 0.3, 1),
)
LINEAR_RANGES = (
    Range("eta", 0.1, 1, is_log=True),
    Range("lambda", 1e-4, 10, is_log=True),
    Range("alpha", 1e-4, 1, is_log=True),
)


# What says which of them there are to search.
_KEPT = ("preset", "booster", "tree_method", "updater")


def searched_ranges(values: Values) -> tuple[Range, ...]:
    """Return the ranges of what nobody has set."""
    ranges = LINEAR_RANGES if values.get("booster") == "gblinear" else TREE_RANGES
    return tuple(each for each in ranges if each.name not in values)


def searches_encoding(values: Values) -> bool:
    """Say whether mean labels may be tried for categories of few values too."""
    settled = {"preset": "sagetree", **values}
    return "tune" in values and encodes_many(settled) and not grows_exactly(values)


def search_faults(values: Values, channels: Collection[str] | None) -> Iterator[str]:
    """Return what a search is not for."""
    if "tune" not in values:
        return
    if "_kfold" in values:
        yield "tune gives one model, and _kfold gives one for each fold: leave one of them out"
    if values.get("reweigh") == "facet":
        yield (
            "tune compares models of searches, and reweigh=facet compares with a model that was "
            "not searched: leave one of them out"
        )
    if values.get("process_type") == "update":
        yield (
            "tune grows trees, and process_type=update revises existing ones: leave one of them out"
        )
    elif MODEL in (channels or ()):
        yield (
            "tune judges settings on rows that the trees of channel 'model' may have learnt from: "
            "leave one of them out"
        )
    if not searched_ranges(values) and not searches_encoding(values):
        free = {name: value for name, value in values.items() if name in ("tune", *_KEPT)}
        names = [each.name for each in searched_ranges(free)]
        names += [ENCODING] if searches_encoding(free) else []
        yield (
            f"tune has nothing to search, since all of these are set: {', '.join(names)}. Leave "
            "one out"
        )
