"""libsvm text to rows: `label[:weight] [qid:group] index:value ...  # comment`.

Indices are taken as they stand; whether they count from 0 or from 1 is for the
caller to know, because no single file or request can tell.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import quote
from sagetree.formats.sparse_rows import Floats, Integers, RecordError, SparseRows, join
from sagetree.formats.whole_rows import blocks_of_lines

# The smallest text that Arrow's conversion reads faster, its import (0.3 s) aside.
BULK_BYTES = 32 * 1024

# XGBoost numbers columns by 32 bits; a table of more columns is a mistake in any case.
MAX_INDEX = 2**31 - 1

HINT = "Write a line as: label index:value index:value"

_VALUE_HINT = "Write its value, or leave the whole cell out if it has none"

_COMMENT = re.compile(rb"#[^\n]*")
_NEWLINE, _COLON, _PLUS, _Q, _SPACE = b"\n:+q "
_QID = np.frombuffer(b"qid:", np.uint8)


class _LineError(ValueError):
    """A line is not libsvm; `line` counts from 0 in its block."""

    def __init__(self, message: str, line: int, hint: str = HINT) -> None:
        self.line = line
        self.hint = hint
        super().__init__(message)


def parse_libsvm(data: bytes, *, request: bool = False) -> SparseRows:
    """Return the rows of libsvm text; empty lines and comments are skipped.

    In a request the label may be left out, so that a first `index:value` is a
    cell; in training it is `label:weight`. Raises RecordError naming the line.
    """
    return join(parse_blocks(blocks_of_lines(data), request=request))


def parse_blocks(blocks: Iterable[bytes], *, request: bool = False) -> list[SparseRows]:
    """Return the rows of each of a text's blocks of whole lines that has some.

    Raises RecordError as `parse_libsvm` does.
    """
    parts, lines = [], 0
    for block in blocks:
        body = block if lines else block.removeprefix(BOM_UTF8)
        try:
            parts.append(_parse(_COMMENT.sub(b"", body) if b"#" in body else body, request=request))
        except _LineError as error:
            place = f"line {lines + error.line + 1}"
            raise RecordError(str(error), place, error.hint) from error
        lines += block.count(b"\n")
    parts = [part for part in parts if part.rows]
    if not parts:
        raise RecordError("there are no rows", "line 1", HINT)
    if len({part.groups is None for part in parts}) > 1:
        raise RecordError("some lines have a qid and others do not", "the file", _QID_HINT)
    return parts


_QID_HINT = "Give every line a qid, or none of them"


def _parse(block: bytes, *, request: bool) -> SparseRows:
    text = np.frombuffer(block, np.uint8)
    space = (text == _SPACE) | ((text >= 9) & (text <= 13))
    begins = ~space
    begins[1:] &= space[:-1]
    starts = np.flatnonzero(begins)  # of each word
    if not len(starts):
        return _none()
    colons = np.flatnonzero(text == _COLON)
    words = len(starts)
    per_word = np.bincount(np.searchsorted(starts, colons, "right") - 1, minlength=words)
    line = np.searchsorted(np.flatnonzero(text == _NEWLINE), starts)
    first = np.ones(words, bool)
    first[1:] = line[1:] != line[:-1]
    qid = _qid(text, starts, first, line, per_word)
    labelled = first & (per_word == 0) if request else first
    cell = ~labelled & ~qid
    _require((per_word == 1) | ~cell, line, block, starts, "is not an index:value")
    _require(
        (per_word <= 1) | ~labelled, line, block, starts, "is neither a label nor a label:weight"
    )
    numbers = _numbers(text, space, colons, starts, qid, line, block)
    place = np.cumsum(np.concatenate([[0], 1 + per_word - qid]))[:-1]  # of each word's first number
    return _rows(numbers, place, cell, labelled, qid, per_word, line, first)


def _none() -> SparseRows:
    nothing = np.zeros(0)
    return SparseRows(nothing, np.zeros(0, np.int64), np.zeros(1, np.int64), 0, nothing)


def _qid(
    text: NDArray[np.uint8],
    starts: Integers,
    first: NDArray[np.bool_],
    line: Integers,
    per_word: Integers,
) -> NDArray[np.bool_]:
    """Say which words are a `qid:group`, the second of their line. All lines have one or none."""
    qid: NDArray[np.bool_] = text[starts] == _Q
    if not qid.any():
        return qid
    places = np.minimum(starts[qid][:, None] + np.arange(4), len(text) - 1)
    second = np.concatenate([[False], first[:-1]]) & ~first
    wrong = np.flatnonzero(qid)[
        (text[places] != _QID).any(axis=1) | ~second[qid] | (per_word[qid] != 1)
    ]
    if len(wrong):
        raise _LineError("a qid must stand directly after the label", int(line[wrong[0]]))
    has = np.isin(line[first], line[qid])
    if not has.all():
        at = int(line[first][np.argmin(has)])
        raise _LineError("qid is missing from the line, and other lines have one", at, _QID_HINT)
    return qid


def _require(
    good: NDArray[np.bool_], line: Integers, block: bytes, starts: Integers, what: str
) -> None:
    if not good.all():
        word = int(np.argmin(good))
        raise _LineError(f"{_word(block, int(starts[word]))} {what}", int(line[word]))


def _word(block: bytes, start: int) -> str:
    return quote(block[start : start + 200].split(maxsplit=1)[0].decode(errors="replace"))


def _numbers(
    text: NDArray[np.uint8],
    space: NDArray[np.bool_],
    colons: Integers,
    starts: Integers,
    qid: NDArray[np.bool_],
    line: Integers,
    block: bytes,
) -> Floats:
    """Return all numbers of the block, in its order; a word has one, or two around its colon."""
    begin = np.zeros(len(text) + 1, bool)
    begin[starts] = True
    begin[starts[qid]] = False
    begin[colons + 1] = True
    begins = np.flatnonzero(begin)
    keep = ~space
    keep[colons] = False
    keep[(starts[qid][:, None] + np.arange(3)).ravel()] = False
    plus = begins[begins < len(text)]
    plus = plus[text[plus] == _PLUS]
    after = text[np.minimum(plus + 1, len(text) - 1)]
    keep[plus[((after >= ord("0")) & (after <= ord("9"))) | (after == ord("."))]] = False
    kept = np.concatenate([[0], np.cumsum(keep)])
    offsets = np.append(kept[np.minimum(begins, len(text))], kept[-1])
    values = _convert(text[keep].tobytes(), offsets)
    if values is None:
        at = int(begins[_first_refused(text[keep].tobytes(), offsets)])
        word = int(np.searchsorted(starts, at, "right")) - 1
        start = int(starts[word])
        found = _word(block, start)
        if block[start:].split(maxsplit=1)[0].endswith(b":"):  # XGBoost would read 1
            raise _LineError(f"{found} has no value after its colon", int(line[word]), _VALUE_HINT)
        raise _LineError(f"{found} holds something that is not a number", int(line[word]))
    return values


def _convert(text: bytes, offsets: Integers) -> Floats | None:
    """Return the numbers text[offsets[i]:offsets[i + 1]], None if one of them is none."""
    used = text[int(offsets[0]) : int(offsets[-1])]
    if (np.diff(offsets) == 0).any() or b"_" in used:  # float() reads 1_000
        return None
    try:
        if len(used) < BULK_BYTES:
            bounds = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
            return np.array([float(text[start:end]) for start, end in bounds], np.float64)
        return _convert_bulk(text, offsets)
    except ValueError:
        return None


def _convert_bulk(text: bytes, offsets: Integers) -> Floats:
    import pyarrow as pa

    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(text)]
    words = pa.StringArray.from_buffers(len(offsets) - 1, buffers[1], buffers[2])
    values: Floats = words.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values


def _first_refused(text: bytes, offsets: Integers) -> int:
    """Return the number of the first word that is not a number, by halving."""
    low, high = 0, len(offsets) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if _convert(text, offsets[low : middle + 1]) is None:
            high = middle
        else:
            low = middle
    return low


def _rows(
    numbers: Floats,
    place: Integers,
    cell: NDArray[np.bool_],
    labelled: NDArray[np.bool_],
    qid: NDArray[np.bool_],
    per_word: Integers,
    line: Integers,
    first: NDArray[np.bool_],
) -> SparseRows:
    row = np.cumsum(first) - 1  # of each word
    rows = int(row[-1]) + 1
    indices = _integers(numbers[place[cell]], line[cell], "index")
    starts = np.concatenate([[0], np.cumsum(np.bincount(row[cell], minlength=rows))])
    _check_repeated(indices, row[cell], line[cell])
    labels = np.full(rows, np.nan)
    labels[row[labelled]] = numbers[place[labelled]]
    weighted = labelled & (per_word == 1)
    weights = np.ones(rows) if weighted.any() else None
    if weights is not None:
        weights[row[weighted]] = numbers[place[weighted] + 1]
    groups = _integers(numbers[place[qid]], line[qid], "qid") if qid.any() else None
    width = int(indices.max()) + 1 if len(indices) else 0
    return SparseRows(
        numbers[place[cell] + 1], indices, starts.astype(np.int64), width, labels, weights, groups
    )


def _integers(values: Floats, line: Integers, what: str) -> Integers:
    good = (values >= 0) & (values <= MAX_INDEX) & (values == np.floor(values))
    if not good.all():
        at = int(np.argmin(good))
        raise _LineError(f"the {what} {values[at]:g} is not a whole number from 0", int(line[at]))
    return values.astype(np.int64)


def _check_repeated(indices: Integers, row: Integers, line: Integers) -> None:
    same_row = row[1:] == row[:-1]
    if ((indices[1:] > indices[:-1]) | ~same_row).all():
        return
    order = np.lexsort((indices, row))
    again = (np.diff(indices[order]) == 0) & (np.diff(row[order]) == 0)
    if again.any():
        at = int(order[1:][again].min())
        raise _LineError(
            f"the index {indices[at]} is given twice",
            int(line[at]),
            "Give every index once in a line",
        )
