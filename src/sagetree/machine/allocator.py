"""How the C library and Arrow keep memory that was freed, set for what a program does."""

import ctypes
import os
import sys
from functools import cache

# mallopt's numbers.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8

# The size from which memory is the machine's own, each piece for itself, and goes
# back to it at once. By itself the C library raises it up to 32 MB, and large
# pieces leave holes behind.
LARGE_BYTES = 2**20

# Memory that a large request has used lies ready for the next one: taken anew it
# costs a page fault for every 4 kB, a quarter of the time of 6 MB. So up to 16 MB
# may lie free at the end of a heap, only pieces of 8 MB and more are taken from
# the machine apart, and all threads share two heaps. What lies free goes back when
# no large request has come for a second, or after five while they come.
_FOR_BODIES = ((M_TRIM_THRESHOLD, 16 * 2**20), (M_MMAP_THRESHOLD, 8 * 2**20), (M_ARENA_MAX, 2))


def hold_apart() -> None:
    """Have the C library hold large pieces of memory apart, so that they leave no holes."""
    _set((M_MMAP_THRESHOLD, LARGE_BYTES))


def hold_for_bodies() -> None:
    """Have the C library keep the memory of one large request for the next one."""
    share_allocator()
    _set(*_FOR_BODIES)


def share_allocator() -> None:
    """Have Arrow take memory from the C library; before Arrow is imported.

    Memory that Arrow's allocators keep after a file is read is never reused here, so it is
    returned.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def return_freed_memory() -> None:
    """Give what was freed back to the system, which C's and Arrow's allocators put off."""
    arrow = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.default_memory_pool().release_unused()
    trim = _glibc_function("malloc_trim")
    if trim is not None:
        trim(0)


def _set(*settings: tuple[int, int]) -> None:
    mallopt = _glibc_function("mallopt")
    if mallopt is not None:
        for number, value in settings:
            mallopt(number, value)


@cache
def _glibc_function(name: str) -> "ctypes._NamedFuncPointer | None":
    """Return a function of glibc; other C libraries have none of what is asked for here."""
    return getattr(ctypes.CDLL(None), name, None)
