"""How much memory a process holds, and how large pieces of it are kept."""

from pathlib import Path

from sagetree.machine.memory import M_MMAP_THRESHOLD, glibc_function, share_allocator

KILOBYTE = 1024

# mallopt's numbers. Memory that a large request has used lies ready for the next
# one: taken anew it costs a page fault for every 4 kB, a quarter of the time of
# 6 MB. So up to 16 MB may lie free at the end of a heap, only pieces of 8 MB and
# more are taken from the machine apart, and all threads share two heaps. What
# lies free goes back when no large request has come for a second.
M_TRIM_THRESHOLD, FREE_BYTES = -1, 16 * 2**20
APART_BYTES = 8 * 2**20
M_ARENA_MAX, HEAPS = -8, 2


def resident_memory(pid: int | None = None) -> int:
    """Return the bytes of memory a process holds, this one's if none is named."""
    return int(_field(Path(f"/proc/{pid or 'self'}/status").read_text(), "VmRSS")) * KILOBYTE


def address_space() -> int:
    """Return the bytes of addresses this process has taken, used or not."""
    return int(_field(Path("/proc/self/status").read_text(), "VmSize")) * KILOBYTE


def hold_for_bodies() -> None:
    """Have the C library keep the memory of one large request for the next one."""
    share_allocator()
    setting = glibc_function("mallopt")
    if setting is not None:
        for number, value in (
            (M_TRIM_THRESHOLD, FREE_BYTES),
            (M_MMAP_THRESHOLD, APART_BYTES),
            (M_ARENA_MAX, HEAPS),
        ):
            setting(number, value)


def _field(text: str, name: str) -> str:
    line = next(line for line in text.splitlines() if line.startswith(f"{name}:"))
    return line.split()[1]
