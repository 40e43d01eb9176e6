"""How much memory this container may use, and how memory is given back."""

import ctypes
from pathlib import Path

from sagetree.cores import CGROUP

MEMINFO = Path("/proc/meminfo")
KILOBYTE = 1024


def usable_memory(cgroup: Path = CGROUP, meminfo: Path = MEMINFO) -> int:
    """Return the bytes this process may use: by the container's limit and by the machine.

    Source: kernel documentation, cgroup v2 memory.max and cgroup v1
    memory.limit_in_bytes (a huge number where there is no limit).
    """
    machine = int(_field(meminfo.read_text(), "MemTotal")) * KILOBYTE
    limits = [machine]
    for path in (cgroup / "memory.max", cgroup / "memory" / "memory.limit_in_bytes"):
        try:
            text = path.read_text().strip()
        except OSError:
            continue
        if text != "max":
            limits.append(int(text))
    return min(limits)


def resident_memory() -> int:
    """Return the bytes of memory this process holds."""
    return int(_field(Path("/proc/self/status").read_text(), "VmRSS")) * KILOBYTE


def address_space() -> int:
    """Return the bytes of addresses this process has taken, used or not."""
    return int(_field(Path("/proc/self/status").read_text(), "VmSize")) * KILOBYTE


def give_back() -> None:
    """Return what has been freed to the system; the allocator keeps it otherwise."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)


def _field(text: str, name: str) -> str:
    line = next(line for line in text.splitlines() if line.startswith(f"{name}:"))
    return line.split()[1]
