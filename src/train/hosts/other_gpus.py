"""The processes that train on the other GPUs of a machine, beside this one on the first.

XGBoost trains on one GPU in a process; CUDA_VISIBLE_DEVICES says on which.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from sagetree.errors import PlatformError
from sagetree.machine.paths import OptMl
from sagetree.train.hosts.cluster import Cluster

_VISIBLE = "CUDA_VISIBLE_DEVICES"

# Seconds in which a process surely ends once the job has: it has no work left.
_ENDS_WITHIN = 20.0


@contextmanager
def other_gpus(
    opt_ml: OptMl, overrides: Mapping[str, str], count: int, cluster: Cluster
) -> Iterator[None]:
    """Start a process for each GPU but the first; they have ended at the end.

    Each reads and learns as a host does (`sagetree.train.gpu`). Raises PlatformError for one
    that ends before it could say that it is there.
    """
    started: list[subprocess.Popen[bytes]] = []
    try:
        for rank in range(1, count):
            process = _start(opt_ml, overrides, count, rank, cluster)
            started.append(process)
        for rank, process in enumerate(started, 1):
            _wait_until_there(process, rank)
        yield
        for process in started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDS_WITHIN)
    finally:
        for process in started:
            process.kill()
            process.communicate()


def _start(
    opt_ml: OptMl, overrides: Mapping[str, str], count: int, rank: int, cluster: Cluster
) -> "subprocess.Popen[bytes]":
    asked = {
        "root": str(opt_ml.root),
        "overrides": dict(overrides),
        "count": count,
        "rank": rank,
        "port": cluster.port,
        "timeout": cluster.timeout,
    }
    return subprocess.Popen(  # noqa: S603 - this very program
        [sys.executable, "-P", "-m", "sagetree.train.gpu", json.dumps(asked)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={**os.environ, _VISIBLE: visible_alone(os.environ.get(_VISIBLE), rank)},
        start_new_session=True,  # a signal is for the first, which the others follow
    )


def visible_alone(visible: str | None, rank: int) -> str:
    """Return what shows a process the GPU of `rank` alone, of those that are `visible` here.

    >>> visible_alone(None, 1), visible_alone("4,5", 1)
    ('1', '5')
    """
    return visible.split(",")[rank].strip() if visible else str(rank)


def _wait_until_there(process: "subprocess.Popen[bytes]", rank: int) -> None:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    if not process.stdout.readline():
        raise PlatformError(
            f"the process of GPU {rank} ended before it had begun, with exit code {process.wait()}",
            hint="See the lines above, or train on one GPU: set CUDA_VISIBLE_DEVICES=0",
        )
