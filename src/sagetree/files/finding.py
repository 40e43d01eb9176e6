"""The data files of a channel: which they are, opened once, read front to back."""

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any, BinaryIO, cast
from urllib.parse import unquote

from sagetree.errors import DataError, PlatformError
from sagetree.formats.charsets import UTF_8
from sagetree.formats.whole_rows import TEXT_BYTES
from sagetree.tables.table import Table

# What other programs leave beside data: Spark and Hadoop (_SUCCESS, *.crc),
# SageMaker (*.manifest).
_SKIPPED_NAMES = frozenset({"_SUCCESS"})
_SKIPPED_SUFFIXES = frozenset({".crc", ".manifest"})

# What Hive and Spark write for a value that is missing.
_NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"

_NAMES_SHOWN = 3

BUFFER_BYTES = 1024 * 1024

# This much of a file says what it is.
_HEAD_BYTES = 64 * 1024

_DAMAGED_HINT = "Write the file again; it may be cut off"


def data_files(folder: Path) -> list[Path]:
    """Return the data files in `folder` and below it, sorted; a file is its own list.

    Hidden files and what Spark, Hadoop and SageMaker leave beside data are
    skipped. Raises DataError where nothing is left.
    """
    if folder.exists() and not folder.is_dir():
        return [folder]
    files = sorted(_walk(folder, frozenset()))
    if not files:
        reason = "holds no data file" if folder.is_dir() else "does not exist"
        raise DataError(f"the folder {reason}", where=str(folder), hint="Put CSV or Parquet there")
    return files


def listed(names: Sequence[str]) -> str:
    """Return the names of files for a message of limited length.

    >>> listed(["a", "b", "c", "d"])
    'a, b, c, ... (4 files)'
    """
    more = f", ... ({len(names)} files)" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more


def _walk(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    """Yield files depth first, through links, but not round in circles."""
    real = folder.resolve()
    if real in above or not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_dir():
            if not _is_left_over(path.name):
                yield from _walk(path, above | {real})
        elif not is_skipped(path.name):
            yield path


def is_skipped(name: str) -> bool:
    """Say whether a file of that name stands beside data and holds none.

    >>> is_skipped("_SUCCESS"), is_skipped("part-0.csv.crc"), is_skipped("part-0.csv")
    (True, True, False)
    """
    return _is_left_over(name) or PurePath(name).suffix in _SKIPPED_SUFFIXES


def _is_left_over(name: str) -> bool:
    return name.startswith(".") or name in _SKIPPED_NAMES


class _Rejoined(io.RawIOBase):
    """The bytes read already, then the others."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self._head = head
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a buffer
        data = self._head[: len(buffer)] or self._file.read(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)


def head_of(file: BinaryIO) -> bytes:
    """Return as many bytes as say what a file is, or all there are: a pipe gives fewer at once."""
    data = b""
    while len(data) < _HEAD_BYTES and (more := file.read(_HEAD_BYTES - len(data))):
        data += more
    return data


def rejoined(head: bytes, file: BinaryIO) -> BinaryIO:
    """Return the file as it was before `head` was read of it."""
    return io.BufferedReader(_Rejoined(head, file), BUFFER_BYTES)


class WholeLines:
    """A file's text in blocks of whole lines; `lines` is how many it had so far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.lines = 0

    def __iter__(self) -> Iterator[bytes]:
        while block := self._file.read(TEXT_BYTES):
            block += self._file.readline()
            self.lines += block.count(b"\n") + (not block.endswith(b"\n"))
            yield block

    def unit(self, rows: int) -> str:
        """Return what this many rows are called: lines only where every line is a row."""
        return "line" if rows == self.lines else "row"


def partition(name: str) -> dict[str, str | None]:
    """Return the columns that folders called key=value give to a file below them.

    >>> partition("day=2026-01-31/state=__HIVE_DEFAULT_PARTITION__/part-0.parquet")
    {'day': '2026-01-31', 'state': None}
    """
    pairs = (part.partition("=") for part in PurePath(name).parts[:-1] if "=" in part[1:])
    return {
        unquote(key): None if value == _NO_PARTITION else unquote(value) for key, _, value in pairs
    }


def with_partition(table: Table, pairs: Mapping[str, str | None]) -> Table:
    """Return the table with the columns that its folders give, but for those it has."""
    if not pairs:
        return table
    import pyarrow as pa  # after a program has set what allocator it has

    added = {key: value for key, value in pairs.items() if key not in table.names}
    columns = [
        pa.chunked_array([pa.repeat(pa.scalar(value, pa.string()), table.rows)])
        for value in added.values()
    ]
    return table._replace(names=(*table.names, *added), columns=(*table.columns, *columns))


class _Recoded(io.RawIOBase):
    """Text of another charset as UTF-8."""

    def __init__(self, file: BinaryIO, charset: str, name: str) -> None:
        self._file = file
        self._charset = charset
        self._name = name
        self._decoder = codecs.getincrementaldecoder(charset)()
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a buffer
        data = b"more"
        while data and not self._left:
            data = self._file.read(BUFFER_BYTES)
            self._left = self._decoded(data)
        part = self._left[: len(buffer)]
        self._left = self._left[len(part) :]
        buffer[: len(part)] = part
        return len(part)

    def _decoded(self, data: bytes) -> bytes:
        try:
            return self._decoder.decode(data, final=not data).encode()
        except UnicodeError as error:
            hint = "Correct the charset in the channel's ContentType, or save the file as UTF-8"
            what = f"the text is not {self._charset}"
            raise DataError(what, where=self._name, hint=hint) from error


class _Told(io.FileIO):
    """A file that tells how many bytes were read of it."""

    def __init__(self, path: Path, tell: Callable[[int], None]) -> None:
        super().__init__(path)
        self._tell = tell

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a buffer
        size = super().readinto(buffer) or 0
        self._tell(size)
        return size


@contextmanager
def opened(
    path: Path, name: str, charset: str = UTF_8, tell: Callable[[int], None] | None = None
) -> Iterator[BinaryIO]:
    """Open a file, unpacked where its suffix is .gz or .zst, and name it in what goes wrong.

    Text of another `charset` is read as UTF-8. `tell` gets the bytes that were
    read of the file each time, packed as they are.
    """
    try:
        with io.BufferedReader(_Told(path, tell)) if tell else path.open("rb") as file:
            unpacked = _unpacked(file, path.suffix)
            if charset == UTF_8:
                yield unpacked
            else:
                recoded = _Recoded(unpacked, charset, name)
                yield io.BufferedReader(recoded, BUFFER_BYTES)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _damaged(name, "gzip", error) from error
    except OSError as error:
        if error.errno is None:  # Arrow's zstd
            raise _damaged(name, "zstd", error) from error
        hint = "Check its permissions, and where it points if it is a link"
        raise PlatformError("the file cannot be read", where=name, hint=hint) from error


def _unpacked(file: BinaryIO, suffix: str) -> BinaryIO:
    if suffix == ".gz":
        return cast("BinaryIO", gzip.GzipFile(fileobj=file))
    if suffix == ".zst":
        import pyarrow as pa

        # Python has no zstd before 3.14
        return cast("BinaryIO", pa.CompressedInputStream(file, "zstd"))
    return file


def _damaged(name: str, kind: str, error: Exception) -> DataError:
    reason = str(error).splitlines()[0].rstrip(".")
    return DataError(f"the {kind} file is damaged: {reason}", where=name, hint=_DAMAGED_HINT)
