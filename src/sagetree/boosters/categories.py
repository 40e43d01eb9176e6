"""XGBoost's own categories: what the codes of a model mean, if its file says so.

Since 3.1 a model of a data frame with categories stores them, and XGBoost
recodes every frame by them; before, a code was whatever the frame made it.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from sagetree.boosters.library import NativeBooster

# How XGBoost's feature_types call a category.
CATEGORICAL = "c"

# What stands for bytes that are not text: XGBoost 3.2 cuts off what is not ASCII.
UNDECODABLE = "\N{REPLACEMENT CHARACTER}"

Value = str | int | float


def coded_columns(booster: NativeBooster) -> tuple[int, ...]:
    """Return the places of the features whose values are codes of categories."""
    types = booster.feature_info("feature_type")
    return tuple(place for place, kind in enumerate(types) if kind == CATEGORICAL)


def category_tables(booster: NativeBooster) -> Mapping[int, tuple[Value, ...]]:
    """Return the categories in the order of their codes, by the feature's place.

    A feature whose codes are not explained is not in it.
    """
    if not coded_columns(booster):
        return {}
    found = booster.learner()["gradient_booster"]
    model = found.get("gbtree", found)["model"]  # dart's, before XGBoost 3.4
    stored = model.get("cats", {}).get("enc", [])
    tables = ((place, _values(table)) for place, table in enumerate(stored))
    return {place: values for place, values in tables if values}


def _values(table: Mapping[str, Any]) -> tuple[Value, ...]:
    values: Sequence[int | float] = table["values"]
    if "offsets" not in table:  # numbers
        return tuple(values)
    # Arrow's way: all texts in one, as bytes that XGBoost writes with a sign
    text = bytes(int(value) % 256 for value in values)
    places = table["offsets"]
    return tuple(text[begin:end].decode(errors="replace") for begin, end in pairwise(places))
