"""The few of very many cells by which all of them are taken for what they are.

Whether a column is of numbers or dates is a matter of all its cells, or of any: so one
cell that is not, and one that is, stand for the others.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from sagetree.tables.cells import (
    Cell,
    Decimal,
    is_taken,
    to_moment,
    to_number,
    to_ordered_moment,
    written_number,
)
from sagetree.tables.encoding import Floats
from sagetree.tables.forms import is_word

# Digits behind a zero: no number is written so.
CODE = re.compile(r"\s*0\d+\s*$")

# From here on whole numbers have marks between their groups of digits, if others have.
GROUPED_FROM = 1000

# This many cells are read where that takes long.
MOST_READ = 200_000

_MARKS: tuple[Decimal, ...] = ("point", "comma")
_MOST_UNITS = 3


def witnesses(
    cells: Sequence[Cell], present: NDArray[np.bool_], numbers: Floats
) -> NDArray[np.intp]:
    """Return the places of cells that decide for all; `numbers` (k) has those among words."""
    here = np.flatnonzero(present).tolist()
    found: set[int] = set(np.flatnonzero(~present)[:1].tolist())
    for holds in (*_refutations(), *_SHOWN):
        found.update(islice((place for place in here if holds(cells[place])), 1))
    for holds in _SHOWN_OF_FIRST:
        found.update(islice((place for place in here[:MOST_READ] if holds(cells[place])), 1))
    for is_chosen in (~np.isnan(numbers), np.isnan(numbers) & present):
        found.update(np.flatnonzero(is_chosen)[:1].tolist())
    if not np.isnan(numbers).all():  # else its cells cannot be both numbers and words
        others = (place for place in here if np.isnan(numbers[place]))
        found.update(islice((place for place in others if not is_word(cells[place])), 1))
    for mark in _MARKS:
        found.update(_of_units(cells, here, mark))
    texts = [place for place in here if isinstance(cells[place], str)]
    if texts:
        found.add(max(texts, key=lambda place: len(str(cells[place]))))
    return np.array(sorted(found), np.intp)


def _refutations() -> Iterator[Callable[[Cell], bool]]:
    """Yield what one cell is not, so that not all of them are."""
    takes: list[Callable[[Cell], object]] = [to_number, to_moment]
    takes += [partial(to_ordered_moment, order=order) for order in ("year", "day", "month")]
    for convert in takes:
        yield lambda cell, convert=convert: not is_taken(cell, convert)  # type: ignore[misc]
    for mark in _MARKS:
        yield lambda cell, mark=mark: (  # type: ignore[misc]
            isinstance(cell, str) and written_number(cell, mark) is None
        )


def _is_large(cell: Cell) -> bool:
    found = written_number(cell, "point") if isinstance(cell, str) else None
    return found is not None and not found.marks and abs(float(found.digits)) >= GROUPED_FROM


# What one cell shows of all of them.
_SHOWN: tuple[Callable[[Cell], bool], ...] = (
    lambda cell: not isinstance(cell, str),
    lambda cell: isinstance(cell, str) and "." in cell,
    lambda cell: isinstance(cell, str) and "," in cell,
)

# The same, where each cell takes a microsecond to be read.
_SHOWN_OF_FIRST: tuple[Callable[[Cell], bool], ...] = (
    lambda cell: isinstance(cell, str) and bool(CODE.match(cell)),
    _is_large,
)


def _of_units(cells: Sequence[Cell], places: Sequence[int], mark: Decimal) -> set[int]:
    """Return a place for each unit that numbers with this decimal mark have, of several some."""
    found: dict[str, int] = {}
    for place in places:
        cell = cells[place]
        number = written_number(cell, mark) if isinstance(cell, str) else None
        if isinstance(cell, str) and number is None:
            break  # then none is read so
        if number is not None:
            found.setdefault(number.unit, place)
            if len(found) == _MOST_UNITS:
                break
    return set(found.values())
