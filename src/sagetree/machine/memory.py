"""How much memory this process may use, whatever the machine has, and how much it does."""

from pathlib import Path

from sagetree.machine.cgroup import CGROUP, container_memory

MEMINFO = Path("/proc/meminfo")
KILOBYTE = 1024

# More than any machine has: where nothing is known.
_UNKNOWN = 2**60


def free_memory(cgroup: Path = CGROUP, meminfo: Path = MEMINFO) -> int:
    """Return the bytes that are free: of the machine, and of the container's limit."""
    container = container_memory(cgroup)
    free = _kilobytes(meminfo, "MemAvailable")
    return min(free, container.free) if container else free


def memory_limit(cgroup: Path = CGROUP, meminfo: Path = MEMINFO) -> int:
    """Return the bytes this process may use in all: the container's limit or the machine's."""
    container = container_memory(cgroup)
    total = _kilobytes(meminfo, "MemTotal")
    return min(total, container.limit) if container else total


def resident_memory(pid: int | None = None) -> int:
    """Return the bytes of memory a process holds, this one's if none is named."""
    return _kilobytes(Path(f"/proc/{pid or 'self'}/status"), "VmRSS")


def address_space() -> int:
    """Return the bytes of addresses this process has taken, used or not."""
    return _kilobytes(Path("/proc/self/status"), "VmSize")


def _kilobytes(file: Path, name: str) -> int:
    """Return in bytes what a line such as "MemTotal: 1000 kB" of one of /proc's files says."""
    try:
        lines = file.read_text().splitlines()
    except OSError:  # no Linux
        return _UNKNOWN
    found = (int(line.split()[1]) * KILOBYTE for line in lines if line.startswith(f"{name}:"))
    return next(found, _UNKNOWN)
