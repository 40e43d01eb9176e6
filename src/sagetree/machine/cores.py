"""How many cores this process may use, whatever the machine has."""

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def usable_cores(cgroup: Path = CGROUP) -> int:
    """Return the cores this process may use: by affinity and by the container's quota.

    A container with `--cpus 1.5` gets 1; at least 1. Source: kernel
    documentation, cgroup v2 cpu.max and cgroup v1 cpu.cfs_quota_us.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _quota(cgroup)
    return max(1, min(cores or 1, int(quota) if quota else cores or 1))


def _quota(cgroup: Path) -> float | None:
    try:
        limit, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            limit = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text()
        except OSError:
            return None
    unlimited = limit.strip() in ("max", "-1")
    return None if unlimited else int(limit) / int(period)
