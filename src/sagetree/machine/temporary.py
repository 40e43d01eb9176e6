"""Files for what memory has no room for; they vanish with whoever holds them."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from sagetree.errors import PlatformError


@contextmanager
def file_of(size: int) -> Iterator[BinaryIO]:
    """Open a file of this many bytes (1 at least), to be mapped: its pages live on in the mapping.

    Raises PlatformError where the disk has no room for it.
    """
    with tempfile.TemporaryFile() as file:
        try:
            # a full disk is an error here, and would be the process's end later
            os.posix_fallocate(file.fileno(), 0, max(1, size))
        except OSError as error:
            raise PlatformError(
                "the disk has no room for the rows",
                where=tempfile.gettempdir(),
                hint="Give the instance a larger volume, or set TMPDIR to a folder on a larger one",
            ) from error
        yield file
