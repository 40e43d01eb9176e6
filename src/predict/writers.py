"""The columns of the output as bytes of a file: CSV, JSON Lines or Parquet, slice by slice."""

import io
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, ClassVar, TypeVar

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sagetree.errors import DataError, PlatformError, SettingsError, quote
from sagetree.predict.settings import FORMATS, OutputFormat
from sagetree.tables.table import python_cells

_BLOCK_BYTES = 2**20

_SPECIAL = r'[,"\r\n]'


class _Valve(io.RawIOBase):
    """A file, or a pipe, that counts what it gets, and gets no more once it is shut."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = 0
        self.is_shut = False

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, data: Any) -> int:  # noqa: ANN401 - a buffer
        size = len(memoryview(data).cast("B"))
        self._size += size
        if not self.is_shut:
            self._file.write(data)
        return size

    def flush(self) -> None:
        if not self.is_shut:
            self._file.flush()


class Writer(ABC):
    """Writes slices of rows to a file; the first one's columns are those of all."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = _Valve(file)

    def abandon(self) -> None:
        """Write nothing more, not even what libraries do when they let go of a file."""
        self._file.is_shut = True

    @abstractmethod
    def write(self, table: pa.Table) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Write what ends the file, which stays open."""
        self._file.flush()


class OutputWriter(Writer):
    """Writes the output; other processes may have written parts of it."""

    @abstractmethod
    def append(self, part: io.BufferedReader, names: Sequence[str]) -> None:
        """Write what `part_opened` left in a file; `names` are its columns."""

    def _copy(self, part: io.BufferedReader) -> None:
        while block := part.read(_BLOCK_BYTES):
            self._file.write(block)


class CsvWriter(OutputWriter):
    """Lines below a header; a score has all digits of its float32."""

    def __init__(self, file: BinaryIO, *, has_header: bool = False) -> None:
        """With `has_header` the header is written already."""
        super().__init__(file)
        self._has_header = has_header

    def write(self, table: pa.Table) -> None:
        """Write a line for each row."""
        self._head(table.column_names)
        *others, last = (_csv_cells(column) for column in table.columns)
        ended = _joined(last, "", by="\n")
        lines = _joined(*others, ended, by=",") if others else ended
        for chunk in lines.chunks:
            _, offsets, text = chunk.buffers()
            if text is not None:
                ends = np.frombuffer(offsets, np.int64)
                begin, end = ends[chunk.offset], ends[chunk.offset + len(chunk)]
                self._file.write(memoryview(text)[begin:end])

    def append(self, part: io.BufferedReader, names: Sequence[str]) -> None:
        """Write its lines."""
        self._head(names)
        self._copy(part)

    def _head(self, names: Sequence[str]) -> None:
        if not self._has_header:
            self._has_header = True
            quoted = _quoted(pa.array(names, pa.large_string()))
            self._file.write(f"{','.join(quoted.to_pylist())}\n".encode())


def _csv_cells(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the cells as they stand in CSV, a missing one as nothing."""
    if pa.types.is_list(column.type):
        texts = [None if cell is None else orjson.dumps(cell).decode() for cell in _cells(column)]
        return pa.chunked_array([_quoted(pa.array(texts, pa.large_string()))])
    if pa.types.is_floating(column.type):
        return _filled(_wide(column).cast(pa.large_string()))
    if pa.types.is_temporal(column.type) or not pa.types.is_string(column.type):
        plain = pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)
        texts = column if plain else pa.chunked_array([list(map(_text, _cells(column)))])
        return _quoted(texts.cast(pa.large_string()))
    return _quoted(column.cast(pa.large_string()))


def _text(cell: object) -> str | None:
    return None if cell is None else cell.isoformat() if hasattr(cell, "isoformat") else str(cell)


def _quoted(texts: "pa.ChunkedArray | pa.Array") -> "pa.ChunkedArray | pa.Array":
    special = pc.match_substring_regex(texts, _SPECIAL)
    if pc.any(special).as_py():
        doubled = pc.replace_substring(texts, '"', '""')
        texts = pc.if_else(special, _joined('"', doubled, '"', by=""), texts)
    empty = pc.equal(texts, "")  # as the server tells it from a missing cell
    return _filled(pc.if_else(empty, '""', texts) if pc.any(empty).as_py() else texts)


def _joined(*texts: "pa.ChunkedArray | pa.Array | str", by: str) -> "pa.ChunkedArray | pa.Array":
    """Return each row's texts, which are not null, with `by` between them."""
    parts = [pa.scalar(t, pa.large_string()) if isinstance(t, str) else t for t in (*texts, by)]
    return pc.binary_join_element_wise(*parts)


def _filled(texts: "pa.ChunkedArray | pa.Array") -> "pa.ChunkedArray | pa.Array":
    return pc.fill_null(texts, "")


def _wide(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return numbers with all digits of a float32, as the server writes them."""
    return column.cast(pa.float64())


def _cells(column: pa.ChunkedArray) -> Sequence[object]:
    return column.to_pylist() if pa.types.is_list(column.type) else python_cells(column)


class JsonLinesWriter(OutputWriter):
    """An object per line; what is not a number in JSON, such as infinity, is null."""

    def write(self, table: pa.Table) -> None:
        """Write a line for each row."""
        names = table.column_names
        columns = [
            _cells(_wide(column) if pa.types.is_floating(column.type) else column)
            for column in table.columns
        ]
        lines = (
            orjson.dumps(dict(zip(names, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE)
            for row in zip(*columns, strict=True)
        )
        self._file.write(b"".join(lines))

    def append(self, part: io.BufferedReader, names: Sequence[str]) -> None:  # noqa: ARG002
        """Write its lines."""
        self._copy(part)


class ParquetWriter(OutputWriter):
    """A row group per slice; scores are float32, as the model gives them."""

    _writer: pq.ParquetWriter | None = None

    def write(self, table: pa.Table) -> None:
        """Write a row group. Raises DataError where a column's type is not that of before."""
        if self._writer is None:
            schema = pa.schema([_typed(field) for field in table.schema])
            self._writer = pq.ParquetWriter(pa.PythonFile(self._file, "w"), schema)
        schema = self._writer.schema
        columns = [
            _cast(column, field) for column, field in zip(table.columns, schema, strict=True)
        ]
        # a part has other chunks, which would show in the pages
        self._writer.write_table(pa.table(columns, schema=schema).combine_chunks())

    def append(self, part: io.BufferedReader, names: Sequence[str]) -> None:  # noqa: ARG002
        """Write a row group for each slice."""
        while part.peek(1):
            self.write(pa.ipc.open_stream(part).read_all())

    def close(self) -> None:
        """Write the footer."""
        if self._writer is not None:
            self._writer.close()
        super().close()


class _SliceWriter(Writer):
    """Each slice as an Arrow stream of its own: what a row group is made of."""

    def write(self, table: pa.Table) -> None:
        """Write a stream."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        self._file.write(sink.getvalue())


def _part_writer(format: OutputFormat, file: BinaryIO) -> Writer:  # noqa: A002
    match format:
        case "csv":
            return CsvWriter(file, has_header=True)
        case "jsonl":
            return JsonLinesWriter(file)
        case "parquet":
            return _SliceWriter(file)


def _typed(field: pa.Field) -> pa.Field:
    return field.with_type(pa.string()) if pa.types.is_null(field.type) else field


def _cast(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    try:
        return column.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(
            f"its type changes from {field.type} to {column.type}, and a Parquet column has one "
            "type",
            where=f"column {quote(field.name)}",
            hint="Write it with one type in all files, or take another output format",
        ) from error


_WRITERS: Mapping[OutputFormat, type[OutputWriter]] = MappingProxyType(
    {"csv": CsvWriter, "jsonl": JsonLinesWriter, "parquet": ParquetWriter}
)


class Destination:
    """Where the output goes, and in which form; `path` None is standard output."""

    _HINT: ClassVar[str] = (
        "Name a file that ends in .csv, .jsonl or .parquet, or set the format with --format"
    )

    def __init__(self, path: Path | None, format: OutputFormat | None) -> None:  # noqa: A002
        """Take the form from `path`'s suffix where it is not given; raise SettingsError if none."""
        self.path = path
        found = next((f for f in FORMATS if path and path.suffix == f".{f}"), None)
        if path and not (format or found):
            what = f"{quote(path.suffix)} is not the suffix of an output format"
            what = what if path.suffix else "its name has no suffix"
            raise SettingsError(what, where=str(path), hint=self._HINT)
        self.format: OutputFormat = format or found or "csv"

    def check(self, inputs: Sequence[Path]) -> None:
        """Raise SettingsError where the output would be one of the inputs, or cannot be a file."""
        path = self.path
        if path is None:
            return
        if path.is_dir():
            hint = "Give the name of a file in it"
            raise SettingsError("this is a folder", where=str(path), hint=hint)
        if not path.parent.is_dir():
            hint = "Create it first, or correct its name"
            raise SettingsError("the folder does not exist", where=str(path.parent), hint=hint)
        if path.exists() and any(path.samefile(other) for other in inputs):
            hint = "Give another name with --output"
            raise SettingsError(
                "the output is one of the files to score", where=str(path), hint=hint
            )

    @contextmanager
    def opened(self) -> Iterator[OutputWriter]:
        """Yield the writer. A file appears, in place of an older one, when all is written."""
        if self.path is None:
            with _writing(_WRITERS[self.format](sys.stdout.buffer)) as writer:
                yield writer
            return
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            with tell_unwritable(self.path):
                with part.open("wb") as file, _writing(_WRITERS[self.format](file)) as writer:
                    yield writer
                part.replace(self.path)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def tell_unwritable(path: Path) -> Iterator[None]:
    """Raise PlatformError for what the system says where the output is written."""
    try:
        yield
    except OSError as error:
        raise PlatformError(
            f"it cannot be written: {error.strerror or error}",
            where=str(path),
            hint="Free some space and check the folder's rights, or give another --output",
        ) from error


@contextmanager
def part_opened(path: Path, format: OutputFormat) -> Iterator[Writer]:  # noqa: A002
    """Yield what writes some slices of an output to a file, for its writer to append."""
    with path.open("wb") as file, _writing(_part_writer(format, file)) as writer:
        yield writer


_AWriter = TypeVar("_AWriter", bound=Writer)


@contextmanager
def _writing(writer: _AWriter) -> Iterator[_AWriter]:
    try:
        yield writer
        writer.close()
    finally:
        writer.abandon()
