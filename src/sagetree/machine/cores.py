"""How many cores this process may use, whatever the machine has."""

import os
from pathlib import Path

from sagetree.machine.cgroup import CGROUP, cpu_quota


def usable_cores(cgroup: Path = CGROUP) -> int:
    """Return the cores this process may use: by affinity and by the container's quota.

    A container with `--cpus 1.5` gets 1; at least 1.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = cpu_quota(cgroup)
    return max(1, min(cores or 1, int(quota) if quota else cores or 1))
