"""Rows of a channel that several hosts share: each has its own, and what holds for all is found.

A host that is alone has all rows, and is asked what any training is asked.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from sagetree.bundle.training_rows import Hashes
from sagetree.errors import DataError, quote
from sagetree.features.plan import LabelledRows, TablePlan
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG
from sagetree.tables.encoding import encode_numbers
from sagetree.tables.label import AnyLabel, Label
from sagetree.tables.roles import check_weighted, number_groups
from sagetree.tables.schema import Schema
from sagetree.tables.table import Cells, Table
from sagetree.train.channels.channels import key_texts, read_channel
from sagetree.train.channels.dealing import are_the_same, has_files, own_rows
from sagetree.train.channels.layouts import read_alike
from sagetree.train.hosts.group import Group
from sagetree.train.settings.settings import TrainSettings

# The largest share of the rows is logged from here on, in means of all shares.
UNEVEN = 2

# Hosts compare this many of their queries, beside the first and last of each file.
MOST_QUERIES = 2**20


def read_rows(
    opt_ml: OptMl, name: str, settings: TrainSettings, group: Group, schema: Schema | None = None
) -> Table:
    """Return this host's rows of a channel. Raises as `read_channel`."""
    if group.size == 1:
        return read_channel(opt_ml, name, settings, schema)
    are_shared = are_the_same(group, opt_ml, name)
    table = read_alike(
        group,
        lambda other: read_channel(opt_ml, name, settings, schema, other),
        has_files=has_files(opt_ml, name),
    )
    if not are_shared:
        return table
    if group.is_leader and not group.shares_files:
        LOG.info(
            "Channel %s: every host has all files and takes its share of their rows. With "
            "S3DistributionType ShardedByS3Key each reads files of its own only",
            name,
        )
    is_ranking = str(settings.boosting.params["objective"]).startswith("rank:")
    query = (settings.columns.group or table.roles.get("group")) if is_ranking else None
    return own_rows(group, table, query if query in table.names else None)


def tell_shares(group: Group, rows: int) -> None:
    """Log how many rows of train this host has, and warn where hosts have very different ones."""
    shares = group.gather(rows)
    LOG.info("%d rows of train are on this host, %d on all", rows, sum(shares))
    most = int(np.argmax(shares))
    if group.is_leader and not all(shares):
        LOG.warning("Warning: host %s has no rows of train", group.names[shares.index(0)])
    if group.is_leader and shares[most] > UNEVEN * sum(shares) / group.size:
        LOG.warning(
            "Warning: host %s has %d of the %d rows of train: the others wait for it in each round",
            group.names[most],
            shares[most],
            sum(shares),
        )


def whole_rows(
    group: Group, rows: LabelledRows, plan: TablePlan, query: str | None, *, is_ranking: bool
) -> LabelledRows:
    """Return rows as one host's part of all; numbers of groups are then those of their names.

    Raises DataError for what no host's rows have and some must, and for a query whose rows are on
    several hosts.
    """
    if group.size == 1:
        return rows
    _check_varied(group, rows, plan)
    if rows.roles.weight is not None and not group.any(bool(rows.roles.weight.any())):
        check_weighted(rows.roles, plan.roles.of(rows.table))
    if plan.roles.time is not None:
        _check_times(group, rows, plan.roles.time, plan)
    if query is None or rows.roles.groups is None:
        return rows
    names = number_groups(rows.table.column(query), plan.features.missing, plan.groups)
    hashes = _hashes([*names])
    if is_ranking:
        _check_queries(group, rows, query, hashes[rows.roles.groups])
    numbers = hashes.view(np.int64)[rows.roles.groups]
    return replace(rows, roles=replace(rows.roles, groups=numbers))


def _check_varied(group: Group, rows: LabelledRows, plan: TablePlan) -> None:
    width = 1 if rows.labels.ndim == 1 else rows.labels.shape[1]
    labels = rows.labels.reshape(len(rows.labels), width).astype(np.float64)
    both = np.concatenate([-labels, labels], axis=1)
    ends = group.greatest(both.max(axis=0, initial=-np.inf))
    if isinstance(plan.label, Label) or (-ends[:width] != ends[width:]).any():
        return
    columns = " and ".join(map(quote, plan.label.columns))
    raise DataError(
        f"the label is the same in every row: {ends[width]:g}",
        where=f"column {columns}",
        hint="Name the column to predict, or give rows with other labels",
    )


def _check_times(group: Group, rows: LabelledRows, name: str, plan: TablePlan) -> None:
    """Raise DataError where times are numbers on one host and dates on another."""
    _, misfits = encode_numbers(rows.table.column(name), plan.features.missing)
    are_dates = group.gather(bool(misfits) if rows.table.rows else None)
    if {True, False} <= {*are_dates}:
        dates, numbers = (group.names[are_dates.index(kind)] for kind in (True, False))
        raise DataError(
            f"the times are dates on host {dates} and numbers on host {numbers}",
            where=f"column {quote(name)}",
            hint="Write all of them in one way",
        )


def _hashes(texts: list[str]) -> Hashes:
    digests = b"".join(hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
    return np.frombuffer(digests, np.uint64)


def _check_queries(group: Group, rows: LabelledRows, query: str, hashes: Hashes) -> None:
    """Raise DataError for a query whose rows are on several hosts.

    A query that was cut is the last of one file and the first of another.
    """
    ends = np.cumsum([source.rows for source in rows.table.sources], dtype=np.intp)
    edges = hashes[np.concatenate([ends - 1, ends[:-1], np.zeros(min(1, len(ends)), np.intp)])]
    own = np.unique(hashes)
    asked = np.unique(group.gather_rows(np.union1d(edges, own[:MOST_QUERIES])))
    held = group.gather_rows(asked[np.isin(asked, own)])
    queries, hosts = np.unique(held, return_counts=True)
    split = queries[hosts > 1]
    if not len(split):
        return
    places = np.flatnonzero(np.isin(hashes, split))
    holders = group.gather(bool(len(places)))
    if holders.index(True) == group.rank:
        raise DataError(
            "other hosts of the job have rows of the same query",
            where=f"{rows.table.locate(int(places[0]))}, column {quote(query)}",
            hint="Put all rows of a query into one file, or train with one host",
        )
    group.settle()  # where it is reported


def check_rows(
    rows: LabelledRows, label: AnyLabel, keys: Mapping[str, Cells], channel: str, group: Group
) -> None:
    """Raise DataError for rows of a single label, and for `keys` that training holds too."""
    if isinstance(label, Label):
        found = group.total(np.array([np.count_nonzero(rows.labels == kind) for kind in (0, 1)]))
        if not found.all():
            value = label.positive if found[1] else label.negative
            raise DataError(
                f"the label is {quote(value)} in every row",
                where=f"channel {channel}",
                hint="The channel needs rows of both kinds; split with stratification",
            )
    for name, cells in keys.items():
        known = set(key_texts(cells))
        told = key_texts(rows.table.column(name)) if name in rows.table.names else []
        shared = _shared(group, known, told)
        if shared:
            raise DataError(
                f"{len(set(shared))} keys are both in train and in {channel}, such as "
                f"{quote(shared[0])}",
                where=f"column {quote(name)}",
                hint="Split by key (sagetree prepare does), or list the column in drop_columns "
                "if it only numbers the rows",
            )


def _shared(group: Group, known: set[str], told: list[str]) -> list[str]:
    """Return what is reported on any host and known on any host."""
    if group.size == 1:
        return [text for text in told if text in known]
    asked = set(group.gather_rows(np.unique(_hashes(told))).tolist())
    pairs = zip(known, _hashes([*known]).tolist(), strict=True)
    found = [text for text, number in pairs if number in asked]
    return sorted({text for texts in group.gather(found) for text in texts})
