"""Columns of a table too large for its text: numbers in four bytes, words as codes.

What a cell means is left as it is: numbers become the float32 that the model
works in, or the whole numbers they are; words keep their spelling.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sagetree.files.spill import Spill
from sagetree.tables.arrow_types import is_text
from sagetree.tables.cells import MISSING_TEXTS, MissingValues
from sagetree.tables.encoding import Floats, as_numbers, encode_numbers

_INT64 = 2.0**63

# Numbers that differ by less than this share of their size may get a shift, for which
# they must be exact; `train.columns.precision` asks for half of it of a whole column.
CLOSE = 1 / 512

# Whole numbers of this many bits are exact as float32.
WIDTH = 16

_WHOLE_TYPES = (np.int8, np.int16, np.int32, np.int64)
_CODE_TYPES = (pa.int8(), pa.int16(), pa.int32())
_WORDS = pa.dictionary(pa.int32(), pa.string())


class ShrinkingColumn:
    """One column while its file is read: what came so far, in as few bytes as keep its meaning.

    `as_text` says that its cells are words whatever they look like; `lost_text`
    that words came after numbers, whose spelling is gone: the column must be
    read again as text. With a `spill` it leaves memory.
    """

    def __init__(self, missing: MissingValues, as_text: bool, spill: Spill | None = None) -> None:
        self.missing = missing
        self.as_text = as_text
        self._put: Callable[[pa.Array], pa.Array] = spill.put if spill else _same
        self.lost_text = False
        self._parts: list[pa.Array] = []
        self._has_numbers = False
        self.has_words = False

    def add(self, cells: pa.ChunkedArray) -> None:
        """Take the cells of the next rows."""
        for chunk in cells.chunks:
            if not self.lost_text:
                self._add(_plain(chunk))

    def _add(self, chunk: pa.Array) -> None:
        if chunk.null_count == len(chunk):
            self._parts.append(pa.nulls(len(chunk)))
            return
        numbers = None if self.as_text or self.has_words else self._as_numbers(chunk)
        if numbers is None:
            self.lost_text = self._has_numbers
            self.has_words = True
            self._parts.append(self._put(_narrow(chunk)))
            return
        part = shrink_numbers(numbers)
        self._has_numbers |= part.null_count < len(part)
        self._parts.append(self._put(part))

    def _as_numbers(self, chunk: pa.Array) -> Floats | None:
        cells = pa.chunked_array([chunk])
        if not pa.types.is_dictionary(chunk.type):
            return as_numbers(cells, self.missing)
        numbers = text_as_numbers(cells.cast(pa.string()), self.missing)
        if numbers is None and self._has_numbers:  # ` 7 `, for one
            exact, misfits = encode_numbers(cells, self.missing)
            return None if misfits else exact
        return numbers

    def finish(self) -> pa.ChunkedArray:
        """Return all rows as one column of one type."""
        parts, self._parts = self._parts, []
        if self.has_words:
            words = _words(parts)
            return pa.chunked_array([self._put(part) for part in words.chunks], words.type)
        kind = _common_type([part.type for part in parts])
        # one after the other, so that no second copy of the whole arises
        return pa.chunked_array([self._as(kind, parts.pop(0)) for _ in range(len(parts))])

    def _as(self, kind: pa.DataType, part: pa.Array) -> pa.Array:
        return part if part.type == kind else self._put(part.cast(kind, safe=False))


def _same(part: pa.Array) -> pa.Array:
    return part


def text_as_numbers(cells: pa.ChunkedArray, missing: MissingValues) -> Floats | None:
    """Return a column of text as numbers (float64), None if that needs a look at each cell."""
    no_value = pc.is_in(cells, pa.array([*MISSING_TEXTS, *missing.texts]))
    return as_numbers(pc.if_else(no_value, None, cells), missing)


def shrink_numbers(values: Floats) -> pa.Array:
    """Return numbers (float64, NaN = missing) in as few bytes as a model sees of them.

    Whole numbers stay what they are, in the narrowest type; others become float32,
    unless they are so close together that it would merge many of them.
    """
    absent = np.isnan(values)
    present = values[~absent] if absent.any() else values
    if not len(present):
        return pa.nulls(len(values))
    low, high = float(present.min()), float(present.max())
    if max(-low, high) < _INT64 and (present == np.floor(present)).all():
        kind = next(t for t in _WHOLE_TYPES if np.iinfo(t).min <= low and high <= np.iinfo(t).max)
        whole: NDArray[np.signedinteger] = np.where(absent, 0, values).astype(kind)
        return pa.array(whole, mask=absent if absent.any() else None)
    narrow = values.astype(np.float32)
    if high - low < max(-low, high) * CLOSE and (narrow != values)[~absent].any():
        return pa.array(values, from_pandas=True)
    return pa.array(narrow)


def _common_type(kinds: Sequence[pa.DataType]) -> pa.DataType:
    wholes = [kind for kind in kinds if pa.types.is_integer(kind)]
    if any(map(pa.types.is_floating, kinds)):
        is_wide = pa.float64() in kinds or any(kind.bit_width > WIDTH for kind in wholes)
        return pa.float64() if is_wide else pa.float32()
    return max(wholes, key=lambda kind: kind.bit_width, default=pa.int8())


def _plain(chunk: pa.Array) -> pa.Array:
    """Return text as codes of a list of words; other types as they are."""
    if pa.types.is_dictionary(chunk.type):
        if not is_text(chunk.type.value_type):
            return chunk.dictionary_decode()
        words = chunk.dictionary.cast(pa.string())
        return pa.DictionaryArray.from_arrays(chunk.indices.cast(pa.int32()), words)
    if is_text(chunk.type):
        return chunk.cast(pa.string()).dictionary_encode()
    return chunk


def _words(parts: Sequence[pa.Array]) -> pa.ChunkedArray:
    """Return the column; codes get one list of words, and indices as narrow as can be."""
    tables = [pa.table({"cells": _with_codes(part, pa.int32())}) for part in parts]
    column = pa.concat_tables(tables, promote_options="permissive").column("cells")
    if not pa.types.is_dictionary(column.type):
        return column
    column = column.cast(_WORDS).unify_dictionaries()
    words, column = _used_words(column)
    width = _width(words)
    return pa.chunked_array(
        [pa.DictionaryArray.from_arrays(part.indices.cast(width), words) for part in column.chunks]
    )


def _narrow(chunk: pa.Array) -> pa.Array:
    """Return words with codes as narrow as can be: a reader's own take up to eight bytes each."""
    if not pa.types.is_dictionary(chunk.type):
        return chunk
    return _with_codes(chunk, _width(chunk.dictionary))


def _with_codes(part: pa.Array, kind: pa.DataType) -> pa.Array:
    if not pa.types.is_dictionary(part.type):
        return part
    return pa.DictionaryArray.from_arrays(part.indices.cast(kind), part.dictionary)


def _width(words: pa.Array) -> pa.DataType:
    return next(kind for kind in _CODE_TYPES if len(words) < 2 ** (kind.bit_width - 1))


def _used_words(column: pa.ChunkedArray) -> tuple[pa.Array, pa.ChunkedArray]:
    """Return the words that some row has, and the column of codes into them."""
    words = column.chunk(0).dictionary
    used = np.zeros(len(words), bool)
    for part in column.chunks:
        used[part.indices.drop_null().to_numpy()] = True
    if used.all():
        return words, column
    places = pa.array(np.cumsum(used) - 1, pa.int32())
    words = words.filter(pa.array(used))
    parts = [
        pa.DictionaryArray.from_arrays(places.take(part.indices), words) for part in column.chunks
    ]
    return words, pa.chunked_array(parts)
