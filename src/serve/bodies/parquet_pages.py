"""How large a Parquet file is once it is unpacked, from the headers of its pages.

The file's footer says so too, but a file built to hurt lies there; the header
of a page is what the library makes room by. Both are in Thrift's compact protocol; only the part
that they use is read here: Arrow's own Python classes for the parts of a footer end the process
where it contradicts itself.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from sagetree.serve.protocol.messages import Body

# Pages have some kilobytes each; of more, mere headers would take seconds to read.
MOST_PAGES = 20_000

# A header has no more bytes, but for statistics of long texts.
HEADER_BYTES = 64 * 1024

# The footer's length and magic at the end of the file.
TAIL_BYTES = 8

# FileMetaData, RowGroup, ColumnChunk and ColumnMetaData: the fields' numbers.
_ROW_GROUPS, _COLUMNS, _METADATA = 4, 1, 3
_CHUNK_SIZE, _DATA_PAGE, _DICTIONARY_PAGE = 7, 9, 11

# PageHeader's fields, and those of the three kinds of header in it.
_UNPACKED, _PACKED = 2, 3
_ENCODING = {5: 2, 7: 2, 8: 4}

# A text as its difference to the one before: a page can stand for its square.
_DELTA_BYTE_ARRAY = 7

# Structures and lists within each other: a column's sizes in a footer have seven.
_DEEPEST = 10

# Thrift's compact types.
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)

Fields: TypeAlias = "dict[int, Value]"
Value: TypeAlias = "int | Fields | list[Value]"


class PageError(ValueError):
    """The pages are not what they should be."""


def unpacked_bytes(body: Body) -> int:
    """Return the bytes of all pages when unpacked. Raises PageError for pages that are none."""
    total = pages = 0
    for start, end in _chunks(body):
        while start < end:
            header, data = _header(body, start)
            unpacked, packed = _size(header, _UNPACKED), _size(header, _PACKED)
            if any(_encoding(header, kind) == _DELTA_BYTE_ARRAY for kind in _ENCODING):
                raise PageError("its encoding DELTA_BYTE_ARRAY is not supported")
            total += unpacked
            pages += 1
            start = data + packed
            if pages > MOST_PAGES:
                raise PageError(f"it has more than {MOST_PAGES} pages")
    return total


def _size(fields: Fields, number: int) -> int:
    size = fields.get(number)
    if not isinstance(size, int) or size < 0:
        raise PageError("a page or its column has no size")
    return size


def _chunks(body: Body) -> Iterator[tuple[int, int]]:
    """Yield where the pages of each column of each row group begin and end."""
    length = int.from_bytes(body[-TAIL_BYTES:-4], "little")
    reader = _Thrift(body[len(body) - TAIL_BYTES - length : len(body) - TAIL_BYTES])
    try:
        footer = reader.struct(_DEEPEST)
    except IndexError:
        raise PageError("the footer is cut off") from None
    for row_group in _structs(footer, _ROW_GROUPS):
        for column in _structs(row_group, _COLUMNS):
            chunk = column.get(_METADATA)
            if not isinstance(chunk, dict):
                raise PageError("a column has no description")
            start = _size(chunk, _DATA_PAGE)
            if chunk.get(_DICTIONARY_PAGE):
                start = min(start, _size(chunk, _DICTIONARY_PAGE))
            yield start, start + _size(chunk, _CHUNK_SIZE)


def _structs(fields: Fields, number: int) -> Sequence[Fields]:
    found = fields.get(number, [])
    if not isinstance(found, list):
        raise PageError("the footer is not Parquet's")
    return [item for item in found if isinstance(item, dict)]


def _encoding(header: Fields, kind: int) -> object:
    inner = header.get(kind)
    return inner.get(_ENCODING[kind]) if isinstance(inner, dict) else None


def _header(body: Body, start: int) -> tuple[Fields, int]:
    """Return the fields of the header at `start`, and where it ends."""
    if not 0 <= start < len(body):
        raise PageError("a page lies outside the file")
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
                raise PageError("its description holds too large a number")

    def zigzag(self) -> int:
        """Return a signed number."""
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def struct(self, depth: int) -> Fields:
        """Return the numbers and structures in a structure, by their field's number."""
        if not depth:
            raise PageError("its description is nested too deeply")
        fields: Fields = {}
        number = 0
        while head := self.byte():
            delta, kind = head >> 4, head & 0x0F
            number = number + delta if delta else self.zigzag()
            fields[number] = self.value(kind, depth)
        return fields

    def value(self, kind: int, depth: int) -> Value:
        """Return a number, a structure or a list; 0 for what pages have no use for."""
        if kind in (_TRUE, _FALSE):
            return int(kind == _TRUE)
        if kind in (_I16, _I32, _I64):
            return self.zigzag()
        if kind == _STRUCT:
            return self.struct(depth - 1)
        if kind in (_BYTE, _DOUBLE, _BINARY):
            length = {_BYTE: 1, _DOUBLE: 8}.get(kind) or self.varint()
            self.at += length
            if self.at > len(self._data):
                raise PageError("its description is cut off")
            return 0
        if kind in (_LIST, _SET):
            return self.list(depth - 1)
        raise PageError("its description is not Parquet's")

    def list(self, depth: int) -> "list[Value]":
        """Return the items of a list."""
        if not depth:
            raise PageError("its description is nested too deeply")
        head = self.byte()
        size, kind = head >> 4, head & 0x0F
        size = self.varint() if size == 15 else size
        if size > len(self._data) - self.at:  # each takes a byte at least
            raise PageError("its description is cut off")
        if kind in (_TRUE, _FALSE):  # in a list they take a byte each
            kind = _BYTE
        return [self.value(kind, depth) for _ in range(size)]
