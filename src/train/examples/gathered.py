"""Rows of all hosts on every one of them: those that are chosen on, and some of those learnt from.

A host learns from rows of its own. What rows left out say decides when rounds stop, and
many of XGBoost's metrics (AUC) and all of ours are of one host's rows: so every host has all
of these, and all find the same.
"""

import numpy as np

from sagetree.bundle.training_rows import spread_evenly
from sagetree.machine.program import LOG
from sagetree.tables.encoding import Floats
from sagetree.tables.roles import RowRoles
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.leakage import hashes_of
from sagetree.train.hosts.group import Group

# So many rows every host can hold beside its own: 112 MB of 28 features.
MOST_GATHERED = 1_000_000

# A choice of rows by their hash that is like no other one.
_OF_THE_MOST = 2**32


def gathered(
    group: Group,
    rows: Examples,
    what: str = "",
    most: int = MOST_GATHERED,
    *,
    queries: bool = False,
) -> Examples:
    """Return the rows of all hosts, in order of rank; of more than `most` about as many.

    These are chosen by a hash of the row, or of its group, so the choice is the same however
    the rows are dealt. The log says so where the rows have a name, `what`. They know of no
    copies. With `queries` a group is on one host alone, and each host has numbered its own.
    """
    if group.size == 1:
        return rows
    count = total_rows(group, rows)
    if count > most:
        kept = np.flatnonzero(unit_hashes(rows, _OF_THE_MOST) < most / count)
        rows = rows.take(kept)
        if what:
            LOG.info("About %d of the %d rows of %s are taken, by their hashes", most, count, what)
    roles = {name: values for name, values in vars(rows.roles).items() if values is not None}
    if queries and rows.roles.groups is not None:
        numbers = group.greatest(1 + rows.roles.groups.max(initial=0, keepdims=True))
        roles["groups"] = rows.roles.groups + group.rank * numbers[0]
    values = {name: group.gather_rows(values) for name, values in roles.items()}
    return Examples(
        group.gather_rows(rows.matrix), group.gather_rows(rows.labels), RowRoles(**values)
    )


def total_rows(group: Group, rows: Examples) -> int:
    """Return how many rows all hosts have."""
    return int(group.total(np.array([rows.rows]))[0])


def unit_hashes(rows: Examples, choice: int) -> Floats:
    """Return a number from 0 to 1 of each row (n), another one for each `choice` there is.

    Copies of a row, and rows of a group, have the same, on whichever host they are.
    """
    groups = rows.roles.groups
    hashes = hashes_of(rows).features if groups is None else groups.astype(np.uint64)
    found: Floats = spread_evenly(hashes ^ np.uint64(choice)).astype(np.float64) / 2.0**64
    return found
