"""How large a Parquet file is once it is unpacked, from the headers of its pages.

The file's footer says so too, but a file built to hurt lies there; the header
of a page is what the library makes room by. Headers are in Thrift's compact
protocol, of which only what pages use is read here.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from serve.messages import Body

if TYPE_CHECKING:
    import pyarrow.parquet as pq

# Pages have some kilobytes each; of more, mere headers would take seconds to read.
MOST_PAGES = 20_000

# A header has no more bytes, but for statistics of long texts.
HEADER_BYTES = 64 * 1024

# PageHeader's fields, and those of the three kinds of header in it.
_UNPACKED, _PACKED = 2, 3
_ENCODING = {5: 2, 7: 2, 8: 4}

# A text as its difference to the one before: a page can stand for its square.
_DELTA_BYTE_ARRAY = 7

_DEEPEST = 4

# Thrift's compact types.
_STOP, _TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(
    13
)

Fields: TypeAlias = "dict[int, int | Fields]"


class PageError(ValueError):
    """The pages are not what they should be."""


def unpacked_bytes(body: Body, metadata: "pq.FileMetaData") -> int:
    """Return the bytes of all pages when unpacked. Raises PageError for pages that are none."""
    total = pages = 0
    for start, end in _chunks(metadata):
        while start < end:
            header, data = _header(body, start)
            unpacked, packed = _size(header, _UNPACKED), _size(header, _PACKED)
            if any(_encoding(header, kind) == _DELTA_BYTE_ARRAY for kind in _ENCODING):
                raise PageError("DELTA_BYTE_ARRAY is not read here")
            total += unpacked
            pages += 1
            start = data + packed
            if pages > MOST_PAGES:
                raise PageError(f"it has more than {MOST_PAGES} pages")
    return total


def _size(header: Fields, number: int) -> int:
    size = header.get(number)
    if not isinstance(size, int) or size < 0:
        raise PageError("the header of a page has no sizes")
    return size


def _chunks(metadata: "pq.FileMetaData") -> Iterator[tuple[int, int]]:
    """Yield where the pages of each column of each row group begin and end."""
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for column in range(row_group.num_columns):
            chunk = row_group.column(column)
            start = chunk.data_page_offset
            if chunk.dictionary_page_offset is not None:
                start = min(start, chunk.dictionary_page_offset)
            yield start, start + chunk.total_compressed_size


def _encoding(header: Fields, kind: int) -> object:
    inner = header.get(kind)
    return inner.get(_ENCODING[kind]) if isinstance(inner, dict) else None


def _header(body: Body, start: int) -> tuple[Fields, int]:
    """Return the fields of the header at `start`, and where it ends."""
    if not 0 <= start < len(body):
        raise PageError("a page lies outside of the file")
    reader = _Thrift(body[start : start + HEADER_BYTES])
    try:
        fields = reader.struct(_DEEPEST)
    except IndexError:
        raise PageError("the header of a page is cut off") from None
    return fields, start + reader.at


class _Thrift:
    """A position in bytes; it moves behind what is read."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def byte(self) -> int:
        """Return the next byte. Raises IndexError at the end."""
        value = self._data[self.at]
        self.at += 1
        return value

    def varint(self) -> int:
        """Return an unsigned number."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise PageError("the header of a page holds too large a number")

    def zigzag(self) -> int:
        """Return a signed number."""
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def struct(self, depth: int) -> Fields:
        """Return the numbers and structures in a structure, by their field's number."""
        if not depth:
            raise PageError("the header of a page is nested too deeply")
        fields: Fields = {}
        number = 0
        while head := self.byte():
            delta, kind = head >> 4, head & 0x0F
            number = number + delta if delta else self.zigzag()
            fields[number] = self.value(kind, depth)
        return fields

    def value(self, kind: int, depth: int) -> "int | Fields":
        """Return a number or a structure; 0 for what pages have no use for."""
        if kind in (_TRUE, _FALSE):
            return int(kind == _TRUE)
        if kind in (_I16, _I32, _I64):
            return self.zigzag()
        if kind == _STRUCT:
            return self.struct(depth - 1)
        if kind in (_BYTE, _DOUBLE, _BINARY):
            length = {_BYTE: 1, _DOUBLE: 8}.get(kind) or self.varint()
            self.at += length
            return 0
        raise PageError("the header of a page is not Parquet's")
