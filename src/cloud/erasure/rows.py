"""Files without the rows of one policy: CSV, JSON Lines and Parquet, read and written in pieces.

The other rows stay as they are, in CSV and JSON Lines byte by byte.
"""

import csv
import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from sagetree.cloud.erasure.identifier import Identifier
from sagetree.errors import DataError
from sagetree.formats.first_row import COMMA, CsvError, FirstRow, read_first_row
from sagetree.tables.schema import header_names

# Between cells, as the endpoint and the pipeline take them.
_DELIMITERS = (COMMA, ";", "\t", "|")

# The longest row of CSV. A longer one is a quote that nobody has closed.
_MOST_BYTES = 16 << 20
_BATCH_ROWS = 1 << 16

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"(\xb5/\xfd")
_PARQUET = b"PAR1"


class Filtered(NamedTuple):
    """How many rows a file has, and which of them, from 0, are the policy's."""

    rows: int = 0
    found: tuple[int, ...] = ()


def filtered_table(source: Path, policy: Identifier, target: Path | None = None) -> Filtered:
    """Write a table, CSV or Parquet by what is in it, to `target` without the policy's rows.

    Without a target it only looks for them. A table without the policy's column has none. Raises
    DataError for a file that cannot be looked into.
    """
    with source.open("rb") as file:
        begin = file.read(4)
    if begin == _PARQUET:
        return _filtered_parquet(source, policy, target)
    if begin.startswith(_PACKED):
        raise DataError("it is compressed", where="the file", hint="Unpack it")
    if begin.startswith(_UTF16):
        raise DataError("it is not UTF-8", where="the file", hint="Write it anew as UTF-8")
    return _filtered_csv(source, policy, target)


def filtered_lines(source: Path, policy: Identifier, target: Path | None = None) -> Filtered:
    """Write JSON Lines, an object in each, to `target`; as `filtered_table`."""
    return _filtered(source, target, lambda row: policy.is_in(_cell(row, policy)), policy)


def filtered_captures(source: Path, policy: Identifier, target: Path | None = None) -> Filtered:
    """Write what was captured of requests, a claim in each line, to `target`; likewise."""

    def is_policys(row: bytes) -> bool:
        captured = json.loads(json.loads(row)["captureData"]["endpointInput"]["data"])
        named = {policy.is_in(claim.get(policy.field)) for claim in captured}
        if len(named) != 1:
            raise ValueError("one event is of several claims")
        return named == {True}

    return _filtered(source, target, is_policys, policy)


def without_rows(source: Path, rows: Filtered, target: Path) -> bool:
    """Write lines of scores to `target` without those of certain rows.

    Return False, and write nothing, where there is not one line for each row.
    """
    with source.open("rb") as file:
        if sum(1 for _ in file) != rows.rows:
            return False
    left_out = frozenset(rows.found)
    with source.open("rb") as file, target.open("wb") as kept:
        kept.writelines(line for number, line in enumerate(file) if number not in left_out)
    return True


def _cell(row: bytes, policy: Identifier) -> object:
    value = json.loads(row)
    return value.get(policy.field) if isinstance(value, Mapping) else None


def _filtered(
    source: Path, target: Path | None, is_policys: Callable[[bytes], bool], policy: Identifier
) -> Filtered:
    def is_left_out(row: bytes) -> bool:
        if not policy.may_be_in(row) or not row.strip():
            return False
        try:
            return is_policys(row)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            hint = "Correct the line, or remove the file"
            raise DataError(
                "a line is not the JSON it should be", where="the file", hint=hint
            ) from error

    with source.open("rb") as file:
        return _copied(file, target, b"", is_left_out)


def _filtered_csv(source: Path, policy: Identifier, target: Path | None) -> Filtered:
    with source.open("rb") as file:
        begin = file.read(_MOST_BYTES)
        first = _header(begin, policy)
        if first is None:
            return Filtered()
        start = first.end + len(begin) - len(begin.removeprefix(BOM_UTF8))
        at = [name.strip() for name in header_names(first.cells)].index(policy.field)
        file.seek(start)

        def is_left_out(row: bytes) -> bool:
            if not policy.may_be_in(row):
                return False
            try:
                # of another charset, what is not ASCII cannot be the policy's
                errors = "surrogateescape" if policy.key.isascii() else "strict"
                read = csv.reader([row.decode(errors=errors)], delimiter=first.delimiter)
                (cells,) = list(read) or [[]]
            except (ValueError, csv.Error) as error:
                hint = "Close every quote, end every line by a line feed, and write it as UTF-8"
                raise DataError("a row is not CSV", where="the file", hint=hint) from error
            return at < len(cells) and policy.is_in(cells[at])

        return _copied(_rows_of(file), target, begin[:start], is_left_out)


def _header(begin: bytes, policy: Identifier) -> FirstRow | None:
    """Return the first row where it names the policy's column."""
    text = begin.removeprefix(BOM_UTF8)
    for delimiter in _DELIMITERS:
        with suppress(CsvError):
            first = read_first_row(text, delimiter)
            if policy.field in header_names(first.cells):
                return first
    return None


def _rows_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield rows of CSV with their line ends: a quoted cell may hold line ends of its own."""
    lines: list[bytes] = []
    size = quotes = 0
    for line in file:
        lines.append(line)
        size += len(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            yield b"".join(lines)
            lines, size, quotes = [], 0, 0
        elif size > _MOST_BYTES:
            raise DataError(
                f"a row has more than {_MOST_BYTES} bytes", where="the file", hint="Close its quote"
            )
    yield b"".join(lines)


def _copied(
    rows: Iterator[bytes] | IO[bytes], target: Path | None, head: bytes,
    is_left_out: Callable[[bytes], bool],
) -> Filtered:  # fmt: skip
    """Write the rows that stay behind the head, if there is a target; return what was left out."""
    found, number = [], 0
    kept = target.open("wb") if target else None
    try:
        if kept:
            kept.write(head)
        for row in rows:
            if is_left_out(row):
                found.append(number)
            elif kept:
                kept.write(row)
            number += bool(row.strip())
    finally:
        if kept:
            kept.close()
    return Filtered(number, tuple(found))


def _filtered_parquet(source: Path, policy: Identifier, target: Path | None) -> Filtered:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(source) as file:
            if policy.field not in file.schema_arrow.names:
                return Filtered(file.metadata.num_rows)
            if target is None:
                return _found_in(file, policy, [policy.field], lambda _: None)
            with pq.ParquetWriter(target, file.schema_arrow, compression=_packing(file)) as writer:
                return _found_in(file, policy, None, writer.write_batch)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            "it is not a Parquet file that can be read", where="the file", hint="Remove it"
        ) from error


def _found_in(
    file: Any, policy: Identifier, columns: list[str] | None, write: Callable[[Any], object]  # noqa: ANN401
) -> Filtered:  # fmt: skip
    found: list[int] = []
    number = 0
    for batch in file.iter_batches(_BATCH_ROWS, columns=columns):
        mask = [not policy.is_in(value) for value in batch.column(policy.field).to_pylist()]
        found += [number + at for at, stays in enumerate(mask) if not stays]
        number += len(mask)
        write(batch.filter(mask))
    return Filtered(number, tuple(found))


def _packing(file: Any) -> str:  # noqa: ANN401 - pyarrow has no types
    """Return how the file is packed, so that it is written likewise."""
    if not file.metadata.num_row_groups:
        return "snappy"
    packed: str = file.metadata.row_group(0).column(0).compression.lower()
    return "none" if packed == "uncompressed" else packed
