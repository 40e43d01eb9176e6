"""Which rows of a channel are a host's own: those of its files, or its share of files of all.

SageMaker deals the files of a channel (ShardedByS3Key), or gives all of them to each host
(FullyReplicated, which is its default). To learn from copies would be to learn from each row
as often as there are hosts; so of the same files each host takes other rows.
"""

import hashlib
from pathlib import Path

import numpy as np

from sagetree.errors import DataError
from sagetree.files.finding import data_files
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG
from sagetree.tables.encoding import distinct_cells
from sagetree.tables.table import Table
from sagetree.train.hosts.group import Group
from sagetree.train.settings.channel_settings import read_channels

_REPLICATED, _SHARDED = "FullyReplicated", "ShardedByS3Key"


def are_the_same(group: Group, opt_ml: OptMl, channel: str) -> bool:
    """Say whether all hosts have the same files of a channel; each takes its share of their rows.

    Raises DataError where SageMaker says so, and it is not so.
    """
    if group.size == 1 or group.shares_files:
        return group.shares_files
    folder = opt_ml.data / channel
    description = read_channels(opt_ml).get(channel)
    told = description.get("S3DistributionType") if isinstance(description, dict) else None
    group.same(told, f"the values of S3DistributionType of channel {channel}")
    if told == _REPLICATED:
        group.same(_listing(folder), f"the files of channel {channel}")
        return True
    listings = group.gather(_listing(folder))
    if not listings[0] or any(other != listings[0] for other in listings):
        return False
    digests = group.gather(_digest(folder))
    if any(other != digests[0] for other in digests):
        return False
    if told == _SHARDED and group.is_leader:
        LOG.warning(
            "Warning: channel %s is %s, and all hosts have the same files", channel, _SHARDED
        )
    return True


def has_files(opt_ml: OptMl, channel: str) -> bool:
    """Say whether a channel has a file in which there is something."""
    return any(size for _, size in _listing(opt_ml.data / channel))


def _listing(folder: Path) -> list[tuple[str, int]]:
    try:
        files = data_files(folder)
    except DataError:  # there is none
        return []
    return [(str(path.relative_to(folder.parent)), path.stat().st_size) for path in files]


def _digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in data_files(folder):
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def own_rows(group: Group, table: Table, query: str | None) -> Table:
    """Return this host's rows of a table that all hosts have.

    These are rows in turn, or whole queries where `query` is the column that tells them.
    """
    if query is None:
        return table.every(group.size, group.rank)
    codes, _ = distinct_cells(table.column(query))
    starts = np.concatenate([[0], np.flatnonzero(np.diff(codes)) + 1, [table.rows]])
    begins = np.arange(group.size + 1) * table.rows // group.size
    cuts = starts[np.searchsorted(starts, begins)]
    return table.part(int(cuts[group.rank]), int(cuts[group.rank + 1]))
