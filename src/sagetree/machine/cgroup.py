"""What limits this process's container: the kernel's files, cgroup v2 or else v1.

Source: kernel documentation, cpu.max and memory.max of cgroup v2, cpu.cfs_quota_us
and memory.limit_in_bytes of cgroup v1.
"""

from pathlib import Path
from typing import NamedTuple

CGROUP = Path("/sys/fs/cgroup")

_UNLIMITED = ("max", "-1")

# The file of the limit, and that of what is in use.
_MEMORY_FILES = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)


class ContainerMemory(NamedTuple):
    """A container's limit in bytes (near 2**63 for an unlimited v1), and the file of its use."""

    limit: int
    usage: Path

    @property
    def free(self) -> int:
        """Bytes that are left; files that the kernel can let go of count as free."""
        said = _words(self.usage.parent / "memory.stat")
        files = [
            int(value)
            for name, value in zip(said[::2], said[1::2], strict=True)
            if name in ("inactive_file", "total_inactive_file")
        ]
        return self.limit - sum(map(int, _words(self.usage))) + max(files, default=0)


def cpu_quota(cgroup: Path = CGROUP) -> float | None:
    """Return how many cores' time the container may use, None without a limit."""
    v1 = cgroup / "cpu"
    said = _words(cgroup / "cpu.max") or [
        *_words(v1 / "cpu.cfs_quota_us"),
        *_words(v1 / "cpu.cfs_period_us"),
    ]
    if len(said) < 2 or said[0] in _UNLIMITED:
        return None
    return int(said[0]) / int(said[1])


def container_memory(cgroup: Path = CGROUP) -> ContainerMemory | None:
    """Return the container's limit of memory, None without one."""
    for limit, usage in _MEMORY_FILES:
        said = _words(cgroup / limit)
        if said and said[0] not in _UNLIMITED:
            return ContainerMemory(int(said[0]), cgroup / usage)
    return None


def _words(file: Path) -> list[str]:
    """Return the words of one of the kernel's files, none where it is absent."""
    try:
        return file.read_text().split()
    except OSError:
        return []
