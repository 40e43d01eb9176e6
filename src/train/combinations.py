"""Hyperparameters that do not go together, found before any data are read."""

from collections.abc import Mapping
from typing import Any

from sagetree.errors import quote
from train.metrics import Asked
from train.parameters import TUNING_METRIC


def check_together(values: Mapping[str, Any], faults: list[str]) -> None:
    """Add to `faults` what is wrong with values that are right by themselves."""
    metrics = [*values.get("eval_metric", ()), *filter(None, [values.get(TUNING_METRIC)])]
    for name in metrics:
        try:
            Asked.of(name)
        except ValueError as error:
            faults.append(f"eval_metric {quote(name)} {error}")
    lists = {
        "drop_columns": values.get("drop_columns", ()),
        "categorical_columns": values.get("categorical_columns", ()),
        "ordinal_columns": values.get("ordinal_columns", {}),
        "column_types": values.get("column_types", {}),
    }
    seen: dict[str, str] = {}
    for setting, columns in lists.items():
        for column in columns:
            if column in seen:
                faults.append(f"column {quote(column)} is in {seen[column]} and in {setting}")
            seen.setdefault(column, setting)
            if column == values.get("target"):
                faults.append(f"column {quote(column)} is the target and in {setting}")
