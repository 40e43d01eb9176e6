"""What several hosts cannot train together, found before they read anything."""

from collections.abc import Iterator, Mapping
from typing import Any

# The first reads columns that no host has whole; of XGBoost 3, prune fails on all hosts but the
# first, and refresh adds up other sums than on one host.
_OF_ONE_HOST = frozenset({"grow_colmaker", "prune", "refresh"})

_BY_FOLDS = {"nfold": "folds that choose the rounds", "_kfold": "a model of each fold"}


def hosts_faults(values: Mapping[str, Any], hosts: int) -> Iterator[str]:
    """Return each hyperparameter by which hosts would end with different models, or none."""
    if hosts == 1:
        return
    cannot = f"which the {hosts} hosts of the job cannot train together"
    if values.get("booster") == "gblinear":
        yield f"booster is gblinear, {cannot}: use gbtree, or one host"
    if values.get("tree_method") == "exact":
        yield f"tree_method is exact, {cannot}: use hist, or one host"
    for updater in values.get("updater", ()):
        if updater in _OF_ONE_HOST:
            yield f"updater is {updater}, {cannot}: leave it out, or use one host"
    if values.get("process_type") == "update":
        yield f"process_type is update, {cannot}: leave it out, or use one host"
    if values.get("objective") == "survival:cox":
        yield f"objective is survival:cox, {cannot}: use survival:aft, or one host"
    if values.get("lambdarank_unbiased"):
        yield f"lambdarank_unbiased is set, {cannot}: leave it out, or use one host"
    if "tune" in values:
        yield f"tune is set, {cannot}: leave it out, or use one host"
    if values.get("facets"):
        yield (
            "facets is set, and each of several hosts would compare only its own rows: leave it "
            "out and set it in evaluate, or use one host"
        )
    for name, what in _BY_FOLDS.items():
        if name in values:
            yield (
                f"{name} is set ({what}), and each of several hosts has rows of its own: leave it "
                "out to hold out a tenth of all rows, or use one host"
            )
