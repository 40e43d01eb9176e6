"""Memory that large requests have used, given back to the machine."""

import ctypes
import sys
from functools import cache

# After a request with a body of at least this size; the C library needs some
# milliseconds for it.
LARGE_BYTES = 2**20


# mallopt's number for the size from which memory is the machine's own, each
# piece for itself, and goes back to it at once. By itself the C library raises
# it up to 32 MB, and bodies leave holes behind.
M_MMAP_THRESHOLD = -3


def hold_apart() -> None:
    """Have the C library hold large pieces of memory apart from small ones."""
    setting = _function("mallopt")
    if setting is not None:
        setting(M_MMAP_THRESHOLD, LARGE_BYTES)


def give_back() -> None:
    """Return free memory of the C library, and of Arrow if it is there, to the machine.

    Both keep it for later else: a worker would stay as large as its largest
    request made it.
    """
    arrow = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.default_memory_pool().release_unused()
    trim = _function("malloc_trim")
    if trim is not None:
        trim(0)


@cache
def _function(name: str) -> "ctypes._NamedFuncPointer | None":
    """Return a function of glibc; other C libraries have none of these."""
    return getattr(ctypes.CDLL(None), name, None)
