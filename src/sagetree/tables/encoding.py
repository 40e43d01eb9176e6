"""Cells to numbers, a column or a row at a time: one meaning, whatever holds the cells."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from operator import call
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sagetree.tables.arrow_types import is_text, unreadable
from sagetree.tables.cells import (
    FLOAT32_LIMIT,
    NAN,
    Cell,
    CellError,
    MissingValues,
    NumberShape,
    category_text,
    is_taken,
    to_number,
    to_shaped_number,
)
from sagetree.tables.table import Cells, python_cells

if TYPE_CHECKING:
    import pyarrow as pa

Floats: TypeAlias = NDArray[np.float64]
CellEncoder: TypeAlias = Callable[[Cell], float]

# Of so few rows, what is done once for each column takes longer than what is done for each cell.
FEW_ROWS = 1024

_WORDS = frozenset({"true", "false"})
_FLAGS = frozenset({0.0, 1.0})


@dataclass(frozen=True)
class Misfit:
    """A cell that its column's encoder refused."""

    row: int
    reason: str


def encode(cells: Cells, encoder: CellEncoder) -> tuple[Floats, list[Misfit]]:
    """Return `encoder` of every cell (float64, n rows) and the cells it refused.

    The values of refused cells are NaN. Arrow columns are encoded by way of
    their distinct values, so that both kinds go through the same function.
    """
    if not isinstance(cells, list):
        return _encode_arrow(cells, encoder)
    try:
        return np.fromiter(map(encoder, cells), np.float64, len(cells)), []
    except CellError:
        return _encode_each(cells, encoder)


def _encode_each(cells: Sequence[Cell], encoder: CellEncoder) -> tuple[Floats, list[Misfit]]:
    values = np.full(len(cells), NAN)
    misfits = []
    for row, cell in enumerate(cells):
        try:
            values[row] = encoder(cell)
        except CellError as error:
            misfits.append(Misfit(row, str(error)))
    return values, misfits


def numbers_among(cells: Iterable[Cell], number: CellEncoder) -> Floats:
    """Return `number` of every cell (float64), NaN where it refuses one."""

    def found(cell: Cell) -> float:
        try:
            return number(cell)
        except CellError:
            return NAN

    return np.array([*map(found, cells)], np.float64)


def _encode_arrow(cells: "pa.ChunkedArray", encoder: CellEncoder) -> tuple[Floats, list[Misfit]]:
    try:
        codes, distinct = distinct_cells(cells)
    except CellError as error:
        return np.full(len(cells), NAN), [Misfit(0, str(error))]
    values, refused = _encode_each(distinct, encoder)
    reasons = {misfit.row: misfit.reason for misfit in refused}
    rows = np.flatnonzero(np.isin(codes, list(reasons)))
    return values[codes], [Misfit(int(row), reasons[int(codes[row])]) for row in rows]


def distinct_cells(cells: "pa.ChunkedArray") -> tuple[NDArray[np.int64], list[Cell]]:
    """Return each row's index into the list of distinct cells, and that list (None last).

    A column of codes brings its list, which may have words that no row has.

    Raises CellError for a column whose type holds no cells.
    """
    import pyarrow as pa

    is_coded = pa.types.is_dictionary(cells.type)
    if problem := unreadable(cells.type.value_type if is_coded else cells.type):
        raise CellError(f"its cells are {problem}")
    if not len(cells):  # Arrow makes no array of codes of it
        return np.zeros(0, np.int64), [None]
    cells = _with_wide_indices(cells) if is_coded else cells.dictionary_encode()
    coded = _of_one_list(cells).combine_chunks()
    distinct = python_cells(coded.dictionary)
    codes = coded.indices.fill_null(len(distinct)).to_numpy(zero_copy_only=False)
    return codes.astype(np.int64), [*distinct, None]


def _of_one_list(cells: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Return codes into one list for all chunks.

    They mostly share one, and Arrow would walk through all of it for each chunk.
    """
    lists = [chunk.dictionary for chunk in cells.chunks]
    are_one = all(each.equals(lists[0]) for each in lists)
    return cells if are_one else cells.unify_dictionaries()


def _with_wide_indices(cells: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Return codes whose indices have room for the words of all chunks, and one more."""
    import pyarrow as pa

    wide = [
        pa.DictionaryArray.from_arrays(chunk.indices.cast(pa.int32()), chunk.dictionary)
        for chunk in cells.chunks
    ]
    return pa.chunked_array(wide, pa.dictionary(pa.int32(), cells.type.value_type))


def short_values(
    cells: Sequence[Cell], encoders: Iterable[CellEncoder], numbers: Sequence[Cell]
) -> list[float] | None:
    """Return each cell by its own encoder, None where the cells must be read one by one.

    `numbers` are those cells that are numbers, whose encoder may be `float`
    itself: `to_number` takes five times as long, and differs in infinities and
    in texts such as 1_000.
    """
    if "" in cells or None in cells:  # for every encoder they are missing
        cells = [NAN if cell is None or cell == "" else cell for cell in cells]
    try:
        values = [*map(call, encoders, cells)]
    except (ValueError, TypeError, OverflowError):
        return None
    if math.inf in values or -math.inf in values:
        return None
    return None if _has_underscore(numbers) else values


def _has_underscore(cells: Sequence[Cell]) -> bool:
    try:
        return "_" in "".join(cells)  # type: ignore[arg-type]
    except TypeError:
        return any(isinstance(cell, str) and "_" in cell for cell in cells)


def encode_numbers(
    cells: Cells, missing: MissingValues, number: CellEncoder = to_number
) -> tuple[Floats, list[Misfit]]:
    """Return a column as numbers (float64, NaN = missing) and the cells that are none.

    `number` reads texts that are written in a way of their own.
    """
    is_own = isinstance(cells, list) or (number is not to_number and is_text(cells.type))
    quick = None if isinstance(cells, list) or is_own else as_numbers(cells, missing)
    return encode(cells, number_encoder(missing, number)) if quick is None else (quick, [])


def as_numbers(cells: "pa.ChunkedArray", missing: MissingValues) -> Floats | None:
    """Return an Arrow column as numbers (float64), None if each cell must be read for that."""
    values = _cast(cells)
    if values is not None and missing.numbers:
        values[np.isin(values, _as_stored(missing.numbers, cells))] = NAN
    return values


def words_at_once(columns: Sequence[Cells], encoders: Iterable[CellEncoder]) -> Floats | None:
    """Return columns of text (columns, n), each by its encoder.

    None if there is another column among them, or the cells of one have to be read one by one.
    """
    parts = _one_piece_each(columns)
    if not parts or not is_text(parts[0].type) or any(p.type != parts[0].type for p in parts):
        return None
    import pyarrow as pa

    rows = len(parts[0])
    cells = pa.chunked_array(parts).to_pylist()
    of_cells = chain.from_iterable(repeat(encoder, rows) for encoder in encoders)
    try:
        found = np.fromiter(map(call, of_cells, cells), np.float64, len(cells))
    except CellError:
        return None
    return found.reshape(len(parts), rows)


def doubles_at_once(columns: Sequence[Cells], missing: MissingValues) -> Floats | None:
    """Return columns of float64 as numbers (columns, n), NaN for missing; None as above."""
    parts = _one_piece_each(columns)
    if not parts:
        return None
    import pyarrow as pa  # which lists never need

    double = pa.float64()
    if any(part.type != double for part in parts):
        return None
    batch = pa.RecordBatch.from_arrays(parts, names=[""] * len(parts))
    values: Floats = batch.to_tensor(null_to_nan=True, row_major=False).to_numpy().T
    if (np.abs(values) >= FLOAT32_LIMIT).any():
        return None
    if not missing.numbers:
        return values
    return np.where(np.isin(values, [*missing.numbers]), NAN, values)


def _one_piece_each(columns: Sequence[Cells]) -> "list[pa.Array]":
    """Return Arrow columns without their chunks; nothing where one is a list, or in pieces."""
    if any(isinstance(cells, list) or cells.num_chunks != 1 for cells in columns):
        return []
    return [cells.chunk(0) for cells in columns if not isinstance(cells, list)]


def _as_stored(numbers: Iterable[float], cells: "pa.ChunkedArray") -> Floats:
    """Return numbers as a column of their type holds them: -9.99 is another one in float32."""
    import pyarrow as pa

    narrow = pa.types.is_float16(cells.type) or pa.types.is_float32(cells.type)
    dtype = cells.type.to_pandas_dtype() if narrow else np.float64
    with np.errstate(over="ignore"):
        return np.array([*numbers]).astype(dtype).astype(np.float64)


def number_encoder(missing: MissingValues, number: CellEncoder = to_number) -> CellEncoder:
    """Return the function cell -> number that also knows the user's missing values."""
    texts, numbers = missing.texts, missing.numbers
    if not texts:
        return number

    def encoder(cell: Cell) -> float:
        if isinstance(cell, str) and cell.strip() in texts:
            return NAN
        try:
            value = number(cell)
        except CellError:
            if category_text(cell) in texts:  # infinity
                return NAN
            raise
        return NAN if value in numbers else value

    return encoder


def shape_encoder(shape: NumberShape | None) -> CellEncoder:
    """Return the function cell -> number of cells written in this way; None is as they stand."""
    return to_number if shape is None else lambda cell: to_shaped_number(cell, shape)


def _cast(cells: "pa.ChunkedArray") -> Floats | None:
    """Return an Arrow column as numbers where Arrow surely reads them as `to_number` does."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = cells.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        cells = pc.if_else(pc.equal(cells, ""), None, cells)
    elif pa.types.is_decimal(kind):  # Arrow's own conversion is not always to the nearest float
        cells = pc.cast(cells, pa.string())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return None
    try:
        # unsafe: an int64 above 2^53 is rounded, as Python's float() does
        numbers = pc.cast(cells, pa.float64(), safe=False)
    except pa.ArrowInvalid:
        return None
    values: Floats = np.asarray(numbers.to_numpy(zero_copy_only=False), np.float64)
    if not values.flags.writeable:  # Arrow's own memory
        values = values.copy()
    # Text that Arrow reads as NaN, and what float32 cannot hold, is for to_number to judge.
    if np.count_nonzero(values != values) > cells.null_count and not pa.types.is_floating(kind):
        return None
    return None if (np.abs(values) >= FLOAT32_LIMIT).any() else values


def spelled_numbers(texts: Collection[str]) -> dict[str, float]:
    """Return the number that each of a label's values spells, {} where one spells none.

    true and false are numbers only where all others are 0 and 1.

    >>> spelled_numbers(["+1", "true", "0"]), spelled_numbers(["true", "2"])
    ({'+1': 1.0, 'true': 1.0, '0': 0.0}, {})
    """
    if not all(is_taken(text, to_number) for text in texts):
        return {}
    numbers = {text: to_number(text) for text in texts}
    has_words = not _WORDS.isdisjoint(texts)
    return {} if has_words and not _FLAGS.issuperset(numbers.values()) else numbers


def spelling_coder(codes: Mapping[str, float], missing: MissingValues) -> CellEncoder:
    """Return the function of `text_coder` that takes other spellings of two numbers, too.

    Tools write the same label as 1, 1e0, +1 and True.
    """
    exact = text_coder(codes, missing)
    numbers = spelled_numbers(codes)
    by_number = {number: codes[text] for text, number in numbers.items()}
    if len(by_number) < len(codes):  # words, or 01 beside 1
        return exact
    takes_words = by_number.keys() <= _FLAGS

    def code(cell: Cell) -> float:
        found = exact(cell)
        if found != -1 or (category_text(cell) in _WORDS and not takes_words):
            return found
        try:
            return by_number.get(to_number(cell), -1.0)
        except CellError:
            return -1.0

    return code


def text_coder(codes: Mapping[str, float], missing: MissingValues) -> CellEncoder:
    """Return the function cell -> code: NaN if missing, -1 for a text that has none."""
    texts = missing.texts

    def number(cell: Cell) -> float:
        text = category_text(cell)
        return np.nan if text is None or text in texts else codes.get(text, -1.0)

    return number
