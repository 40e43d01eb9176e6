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
        yield f"booster is gblinear, {cannot}: take gbtree, or one host"
    if values.get("tree_method") == "exact":
        yield f"tree_method is exact, {cannot}: take hist, or one host"
    for updater in values.get("updater", ()):
        if updater in _OF_ONE_HOST:
            yield f"updater is {updater}, {cannot}: leave it out, or take one host"
    if values.get("process_type") == "update":
        yield f"process_type is update, {cannot}: leave it out, or take one host"
    if values.get("objective") == "survival:cox":
        yield f"objective is survival:cox, {cannot}: take survival:aft, or one host"
    if values.get("lambdarank_unbiased"):
        yield f"lambdarank_unbiased is set, {cannot}: leave it out, or take one host"
    if "tune" in values:
        yield f"tune is set, {cannot}: leave it out, or take one host"
    if values.get("facets"):
        yield (
            "facets is set, and of several hosts each would compare rows of its own: leave it out "
            "and give it to evaluate, or take one host"
        )
    for name, what in _BY_FOLDS.items():
        if name in values:
            yield (
                f"{name} is set ({what}), and of several hosts each has rows of its own: leave it "
                "out to have a tenth of all rows left out, or take one host"
            )
