"""Bytes that grow: in memory while they are few, then in a file that memory only maps."""

import mmap
import tempfile
from typing import Self

from sagetree.serve.protocol.messages import Body

# An answer of more bytes goes to a file in the folder for temporary files.
SPOOL_BYTES = 16 * 2**20


class Spool:
    """Collects the parts of an answer. Use it as a context, and `finish` it inside."""

    def __init__(self, memory: int = SPOOL_BYTES) -> None:
        self._file = tempfile.SpooledTemporaryFile(memory)  # noqa: SIM115 - closed by __exit__
        self._memory = memory
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def write(self, part: bytes) -> None:
        """Append a part."""
        self._file.write(part)
        self._size += len(part)

    def finish(self, head: bytes) -> Body:
        """Return all that was written, its beginning replaced by `head` of the same length."""
        self._file.seek(0)
        self._file.write(head)
        self._file.seek(0)
        if self._size <= self._memory:
            return self._file.read()
        self._file.flush()
        # the mapping keeps the file, which has no name, until it is no longer used
        return mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
