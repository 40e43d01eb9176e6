"""The walk: compute what is not kept yet, contender by contender and table by table."""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bench.quality.field import Contender
from bench.quality.store import Store, key
from bench.quality.table import FloatArray, Fold, Table


class Case(NamedTuple):
    """A table and those of its folds that are judged."""

    table: Table
    folds: tuple[Fold, ...]


def compute(store: Store, contenders: Iterable[Contender], cases: Sequence[Case]) -> bool:
    """Compute and keep the scores that are missing; return whether no contender failed.

    A contender that fails on a table is said on standard error, and the others go on.
    """
    is_whole = True
    for case in cases:
        for contender in contenders:
            try:
                _complete(store, contender, case)
            except subprocess.CalledProcessError as error:
                print(f"{case.table.name}: {contender.name} failed: {error}", file=sys.stderr)
                is_whole = False
    return is_whole


def _complete(store: Store, contender: Contender, case: Case) -> None:
    kept = store.read(contender, case.table)
    missing = [fold for fold in case.folds if key(contender, case.table, fold) not in kept]
    if not missing:
        return
    print(f"{case.table.name}: {contender.name}, {len(missing)} folds", file=sys.stderr)
    found = contender.scores(case.table, missing)
    for fold, scores in zip(missing, found, strict=False):
        store.add(contender, case.table, fold, scores)


def kept_scores(
    store: Store, contender: Contender, case: Case
) -> dict[tuple[int, int], FloatArray]:
    """Return what is kept of a case's folds, by repeat and number."""
    kept = store.read(contender, case.table)
    keys = {(fold.repeat, fold.number): key(contender, case.table, fold) for fold in case.folds}
    return {place: kept[found] for place, found in keys.items() if found in kept}
