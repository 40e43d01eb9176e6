"""Hyperparameters that do not go together, found before any data are read.

What this job cannot heed though another could is not a fault, so that a tuning job
over boosters or objectives loses no trial: the log says so, and it is left out.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sagetree.decisions.rules import F1, amounts_of
from sagetree.errors import quote
from sagetree.train.hyperparameters.booster_rules import booster_faults, idle_for_booster
from sagetree.train.hyperparameters.hosts_rules import hosts_faults
from sagetree.train.hyperparameters.objective_rules import (
    idle_for_objective,
    objective_faults,
    objective_notes,
)
from sagetree.train.hyperparameters.parameters import is_given
from sagetree.train.hyperparameters.searching import search_faults

# Settings of one column, or some, that is then neither feature nor label.
_ROLES = (
    "weight_column",
    "base_margin_column",
    "group_column",
    "time_column",
    "label_lower_bound",
    "label_upper_bound",
    "event_column",
)
_KINDS = ("categorical_columns", "ordinal_columns", "column_types")

Values = Mapping[str, Any]


def check_together(
    values: Values,
    faults: list[str],
    failed: Collection[str],
    channels: Collection[str] | None,
    hosts: int = 1,
) -> None:
    """Add to `faults` what is wrong with values that are right by themselves.

    `failed` names those given that are not; `channels` are the job's, None
    where that is not known; `hosts` is how many train.
    """
    faults.extend(_column_faults(values))
    faults.extend(_weight_faults(values))
    faults.extend(_fold_faults(values))
    faults.extend(_amount_faults(values))
    faults.extend(_facet_faults(values, failed))
    faults.extend(objective_faults(values, failed))
    faults.extend(booster_faults(values, channels))
    faults.extend(hosts_faults(values, hosts))
    faults.extend(search_faults(values, channels))


def idle_together(values: Values) -> dict[str, str]:
    """Return the hyperparameters given that change nothing in this job, and why."""
    idle = {**dict(idle_for_booster(values)), **dict(idle_for_objective(values))}
    return {name: reason for name, reason in idle.items() if is_given(values, name)}


def notes_together(values: Values, channels: Collection[str]) -> Iterator[str]:
    """Return what is not a fault and yet without effect, for the log."""
    if "nfold" in values and "validation" in channels and "_kfold" not in values:
        yield "nfold has no effect: the validation channel chooses the rounds"
    if "sync" in values.get("updater", ()):
        yield "updater sync has no effect: one machine trains"
    for name, reason in idle_together(values).items():
        yield f"{name} has no effect: {reason}"
    yield from objective_notes(values)


def _column_faults(values: Values) -> Iterator[str]:
    """Return columns that are given two meanings."""
    seen: dict[str, str] = {}
    for setting in ("drop_columns", *_KINDS, *_ROLES):
        named = values.get(setting, ())
        for column in [named] if isinstance(named, str) else named:
            if column in seen:
                yield f"column {quote(column)} is in {seen[column]} and in {setting}"
            seen.setdefault(column, setting)
            if column == values.get("target"):
                yield f"column {quote(column)} is the target and in {setting}"


def _weight_faults(values: Values) -> Iterator[str]:
    if values.get("csv_weights") and "weight_column" in values:
        yield (
            "csv_weights says that the second column is the weight, and weight_column says that "
            f"it is {quote(values['weight_column'])}: set one of them"
        )
    if "base_margin_column" in values and "base_score" in values:
        yield "base_score has no effect where rows start from base_margin_column: set one of them"


def _amount_faults(values: Values) -> Iterator[str]:
    for part, column in amounts_of(values.get("decision", F1)).items():
        if column == values.get("target"):
            yield f"column {quote(column)} is the target and in decision as {part}"
        if values.get("decimal") == "comma" and column in values.get("drop_columns", ()):
            yield (
                f"column {quote(column)} is in decision and in drop_columns, whose numbers are "
                "not read by decimal=comma: keep it"
            )


def _facet_faults(values: Values, failed: Collection[str]) -> Iterator[str]:
    facets = values.get("facets", ())
    for column in dict.fromkeys(name for facet in facets for name in facet.named):
        if column == values.get("target"):
            yield f"column {quote(column)} is the target and in facets"
    if facets or "facets" in failed:
        return
    for name in ("favourable", "reweigh"):
        if is_given(values, name):
            yield f"{name} is set and facets is not: set facets, or leave {name} out"


def _fold_faults(values: Values) -> Iterator[str]:
    if "_kfold" in values and "nfold" in values:
        yield (
            "_kfold (a model of each fold) and nfold (folds that choose the rounds of one model) "
            "are both set: set one of them"
        )
    if values.get("_num_cv_round", 1) > 1 and "_kfold" not in values:
        yield "_num_cv_round repeats _kfold, which is not set: set it, or leave _num_cv_round out"
    if "time_column" not in values:
        return
    if "group_column" in values:
        yield (
            "group_column and time_column are both set, and folds can be by one of them: leave "
            "one out"
        )
    if values.get("_num_cv_round", 1) > 1:
        yield "folds by time_column are always the same: leave _num_cv_round out"
