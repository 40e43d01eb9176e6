"""Parts of columns in files that vanish with them, so that memory keeps its room for the trees.

What has been read of such a file stays in memory until it is let go of, and comes back from the
file when it is read again.
"""

import mmap
import tempfile
from math import inf
from weakref import WeakSet

import pyarrow as pa

from sagetree.errors import PlatformError
from sagetree.machine.memory import free_memory
from sagetree.machine.program import LOG
from sagetree.machine.temporary import file_of

# Bytes of a file, and what the beginnings of Arrow's buffers are multiples of.
FILE_BYTES, _ALIGNED = 64 * 2**20, 64

# Of the memory that is free, columns may take one part of this many, unless all go to the disk.
_PARTS_OF_MEMORY = 4

_MAPPED: "WeakSet[mmap.mmap]" = WeakSet()


class Spill:
    """Puts what comes after the first `least` bytes into files.

    Unless it `must`, it leaves them in memory where the disk has no room.
    """

    def __init__(self, least: int, *, must: bool = True) -> None:
        self._left: float = least
        self._must = must
        self._file: mmap.mmap | None = None
        self._end = FILE_BYTES

    @classmethod
    def of(cls, external: bool | None) -> "Spill | None":
        """Return what a job does that trains from disk; with None, where memory may be too small.

        A job that trains in memory has none.
        """
        if external is None:
            return cls(free_memory() // _PARTS_OF_MEMORY, must=False)
        return cls(0) if external else None

    def put(self, part: pa.Array) -> pa.Array:
        """Return an equal array of numbers, or of codes, whose bytes are in a file.

        Raises PlatformError where they must be, and the disk has no room.
        """
        is_coded = pa.types.is_dictionary(part.type)
        kind = part.type.index_type if is_coded else part.type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)) or part.offset:
            return part
        buffers = part.buffers()
        self._left -= sum(buffer.size for buffer in buffers if buffer is not None)
        if self._left >= 0:
            return part
        try:
            copies = [None if buffer is None else self._copied(buffer) for buffer in buffers]
        except PlatformError:
            if self._must:
                raise
            LOG.warning("%s has no room for the rows: they stay in memory", tempfile.gettempdir())
            self._left = inf
            return part
        if self._file is not None:
            self._file.madvise(mmap.MADV_DONTNEED)
        values = pa.Array.from_buffers(kind, len(part), copies, part.null_count)
        if not is_coded:
            return values
        return pa.DictionaryArray.from_arrays(values, part.dictionary, safe=False)

    def _copied(self, buffer: pa.Buffer) -> pa.Buffer:
        begin = -(-self._end // _ALIGNED) * _ALIGNED
        if self._file is None or begin + buffer.size > len(self._file):
            size, begin = max(FILE_BYTES, buffer.size), 0
            with file_of(size) as file:
                self._file = mmap.mmap(file.fileno(), size)
            _MAPPED.add(self._file)
        self._end = begin + buffer.size
        copy = memoryview(self._file)[begin : self._end]
        copy[:] = memoryview(buffer).cast("B")
        return pa.py_buffer(copy)


def drop_spilled() -> None:
    """Let go of the memory in which parts in files have been read or written."""
    for mapped in [*_MAPPED]:
        mapped.madvise(mmap.MADV_DONTNEED)
