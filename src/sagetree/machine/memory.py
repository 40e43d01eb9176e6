"""How much memory this process may use, and may still take, whatever the machine has."""

import ctypes
import os
import sys
from functools import cache
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")

# mallopt's number for the size from which memory is the machine's own, each
# piece for itself, and goes back to it at once. By itself the C library raises
# it up to 32 MB, and large pieces leave holes behind.
M_MMAP_THRESHOLD = -3
LARGE_BYTES = 2**20

# An unlimited cgroup v1 says a number near 2**63.
_UNLIMITED = 2**60


def usable_memory(cgroup: Path = CGROUP, meminfo: Path = MEMINFO) -> int:
    """Return the bytes that are free: of the machine, and of the container's limit.

    Source: kernel documentation, MemAvailable of /proc/meminfo, cgroup v2
    memory.max and cgroup v1 memory.limit_in_bytes.
    """
    return min(_available(meminfo), _left(cgroup))


def memory_limit(cgroup: Path = CGROUP, meminfo: Path = MEMINFO) -> int:
    """Return the bytes this process may use: by the container's limit and by the machine.

    Source: kernel documentation, cgroup v2 memory.max and cgroup v1
    memory.limit_in_bytes (a huge number where there is no limit).
    """
    limits = [_kilobytes(meminfo.read_text(), "MemTotal") << 10]
    for path in (cgroup / "memory.max", cgroup / "memory" / "memory.limit_in_bytes"):
        try:
            text = path.read_text().strip()
        except OSError:
            continue
        if text != "max":
            limits.append(int(text))
    return min(limits)


def _available(meminfo: Path) -> int:
    try:
        text = meminfo.read_text()
    except OSError:  # no Linux: nothing is known
        return _UNLIMITED
    return _kilobytes(text, "MemAvailable") << 10


def _kilobytes(meminfo: str, name: str) -> int:
    found = (line.split()[1] for line in meminfo.splitlines() if line.startswith(f"{name}:"))
    return int(next(found, _UNLIMITED >> 10))


def _left(cgroup: Path) -> int:
    pairs = (
        (cgroup / "memory.max", cgroup / "memory.current"),
        (cgroup / "memory" / "memory.limit_in_bytes", cgroup / "memory" / "memory.usage_in_bytes"),
    )
    for limit, used in pairs:
        try:
            most = limit.read_text().strip()
            if most != "max":
                return int(most) - _in_use(used)
        except OSError:
            continue
    return _UNLIMITED


def _in_use(used: Path) -> int:
    """Return the bytes in use; files that the kernel can let go of do not count."""
    statistics = used.parent / "memory.stat"
    files = [
        int(line.split()[1])
        for line in statistics.read_text().splitlines()
        if line.split()[0] in ("inactive_file", "total_inactive_file")
    ]
    return int(used.read_text()) - max(files, default=0)


def hold_apart() -> None:
    """Have the C library hold large pieces of memory apart, so that they leave no holes."""
    setting = glibc_function("mallopt")
    if setting is not None:
        setting(M_MMAP_THRESHOLD, LARGE_BYTES)


def share_allocator() -> None:
    """Have Arrow take memory from the C library; before Arrow is imported.

    What its own allocators keep of a file's reading is of no use to what comes
    behind it.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def return_freed_memory() -> None:
    """Give what was freed back to the system, which C's and Arrow's allocators put off."""
    arrow = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.default_memory_pool().release_unused()
    trim = glibc_function("malloc_trim")
    if trim is not None:
        trim(0)


@cache
def glibc_function(name: str) -> "ctypes._NamedFuncPointer | None":
    """Return a function of glibc; other C libraries have none of what is asked for here."""
    return getattr(ctypes.CDLL(None), name, None)
