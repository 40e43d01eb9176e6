"""What the hosts of a job send each other: bytes for each host and round, against a formula.

    python -m bench.scale.hosts [--hosts 2 3 4] [--depths 2 6] [--rows 20000] [--rounds 8]

Each host is a process on a loopback address of its own, and boosts its share of the same rows
as a job does, with a validation channel. What the kernel says that its sockets have sent
(TCP_INFO), from round to round, is the measure: bytes of content, without any head of IP or
TCP. A line each is for the hosts, the depth and the rows; the last figure is by how much the
formula is off, and the exit code is 1 where it is off by more than 5 %.

    bytes = 2^(depth-1) x features x bins x 16 x (2 hosts - 1) / hosts

A level of a tree adds up histograms of the smaller children, one root and then half the nodes:
2^(depth-1) in all. Each has a sum of gradients and of hessians (16 bytes) for every bin of
every feature, and an exchange of n bytes takes (hosts-1)/hosts n to add up and n to hand out.
"""

import argparse
import os
import socket
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa

from sagetree.boosters.objectives import objective_of
from sagetree.machine.program import LOG
from sagetree.tables.table import Source, Table
from sagetree.train.boosting.plan import BoostingPlan, RunOptions
from sagetree.train.boosting.strategies import fit
from sagetree.train.columns.labels import Goal
from sagetree.train.columns.plan import facts_of, fit_plan
from sagetree.train.examples.examples import Examples
from sagetree.train.hosts.group import Group
from sagetree.train.settings.settings import TrainSettings
from tests.train.hosts.processes import in_group

FEATURES, BINS = 28, 256
HESSIAN_AND_GRADIENT = 16

# Where the kernel's tcp_info has tcpi_bytes_acked, eight bytes; Linux 4.1 and later.
_ACKED = slice(120, 128)

MOST_OFF = 0.05


def formula(hosts: int, depth: int) -> float:
    """Return the bytes that each host sends in a round."""
    histogram = 2 ** (depth - 1) * FEATURES * BINS * HESSIAN_AND_GRADIENT
    return histogram * (2 * hosts - 1) / hosts


def main() -> None:
    """Print a line for each job, and end with 1 where the formula is too far off."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.scale.hosts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--hosts", type=int, nargs="+", default=[2, 3, 4])
    parser.add_argument("--depths", type=int, nargs="+", default=[2, 6])
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000])
    parser.add_argument("--rounds", type=int, default=8)
    given = parser.parse_args()
    print(f"{'hosts':>5} {'depth':>5} {'rows':>8} {'MB sent':>9} {'formula':>9} {'off':>7}")
    worst = 0.0
    for rows in given.rows:
        for depth in given.depths:
            for hosts in given.hosts:
                sent, expected = measured(hosts, depth, rows, given.rounds), formula(hosts, depth)
                off = sent / expected - 1
                worst = max(worst, abs(off))
                values = f"{sent / 1e6:9.3f} {expected / 1e6:9.3f} {off:+7.1%}"
                print(f"{hosts:5} {depth:5} {rows:8} {values}", flush=True)
    sys.exit(int(worst > MOST_OFF))


def measured(hosts: int, depth: int, rows: int, rounds: int) -> float:
    """Return the bytes that a host sends in a round, the mean of the hosts."""
    with tempfile.TemporaryDirectory() as folder:
        found = in_group(Path(folder), hosts, partial(boost, depth, rows, rounds))
    return float(np.mean(found))


def boost(depth: int, rows: int, rounds: int, group: Group) -> float:
    """Boost as a job does, and return the bytes that this host sends in a round."""
    LOG.setLevel("ERROR")
    sent: list[int] = []

    def is_stopped() -> bool:  # asked before every round
        sent.append(bytes_sent())
        return group.any(False)

    plan, train, validation = planned(depth, rows, rounds, group, is_stopped)
    fit(plan, train, validation)
    return median(np.diff(sent).tolist())


def planned(
    depth: int, rows: int, rounds: int, group: Group, is_stopped: Callable[[], bool]
) -> tuple[BoostingPlan, Examples, Examples]:
    """Return the plan of such a job, this host's rows, and those that all have to choose on."""
    names = ("y", *(f"x{number}" for number in range(FEATURES)))
    given = {"target": "y", "num_round": str(rounds), "max_depth": str(depth), "subsample": "1"}
    settings = TrainSettings.of({**given, "min_child_weight": "0", "lambda": "0"})
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, FEATURES))
    labels = (x.sum(axis=1) + random.normal(size=rows) > 0).astype(int)
    arrays = tuple(pa.chunked_array([pa.array(values)]) for values in (labels, *x.T))
    table = Table(names, arrays, rows, True, (Source(rows),))
    goal = Goal(objective_of(settings.boosting.objective))
    columns = fit_plan(facts_of(table, settings.columns), settings.columns, goal)
    labelled = columns.apply(table)
    every = Examples(columns.features.transform(labelled.inputs).values, labelled.labels)
    train = every.take(np.arange(rows)[group.rank :: group.size])
    options = RunOptions(is_stopped=is_stopped, group=group)
    plan = BoostingPlan.of(settings.boosting, columns.schema, columns.features, train, run=options)
    return plan, train, every.take(np.arange(1000))


def bytes_sent() -> int:
    """Return what all sockets of this process have sent, and their other ends have."""
    return sum(
        int.from_bytes(tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)[_ACKED], "little")
        for tcp in sockets()
    )


def sockets() -> Iterator[socket.socket]:
    """Yield each of the connected TCP sockets of this process, while it is being read."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            number = os.dup(int(name))
        except OSError:  # that of the folder itself
            continue
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            os.close(number)
            continue
        with closing(socket.socket(fileno=number)) as found:
            if found.family == socket.AF_INET and found.type == socket.SOCK_STREAM:
                yield found


if __name__ == "__main__":
    main()
