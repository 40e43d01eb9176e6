"""Whether the first row of a CSV file is its header: the one place that says so."""

from collections.abc import Callable, Collection, Sequence
from functools import reduce
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from sagetree.formats.csv_text import CsvText
from sagetree.tables.cells import Cell, category_text, whole_number
from sagetree.tables.forms import is_number
from sagetree.tables.index_names import is_index_name
from sagetree.tables.schema import header_names
from sagetree.tables.table import Cells, column_cell

HeaderRule = Callable[[CsvText], bool]

# A header is told from data by this many rows.
_SAMPLE = 1000

# Words that stand for a value that is not there: no column is called so.
_NO_VALUE = frozenset({"na", "n/a", "null", "none", "?", "-", ".", "\\n"})

# Two numbers, such as 0 and 1, are as likely a row of data.
_FEWEST_NUMBERS = 3

_YEARS = range(1900, 2100)


class HeaderLook(NamedTuple):
    """What a first row looks like; `doubt` says why it may be the other way round."""

    is_header: bool
    doubt: str = ""


def header_rule(
    known: Collection[str],
    trained: Callable[[Sequence[str]], bool] | None,
    tell: Callable[[str], None],
) -> HeaderRule:
    """Return the rule of a channel: by names that are known, else by the looks of the row.

    `known` are names that the settings give to columns: one of them makes a header; `trained` knows
    a model's names. `tell` gets a sentence, once, where the looks leave a doubt.
    """
    told: set[str] = set()

    def is_header(text: CsvText) -> bool:
        cells = text.first.cells
        if not set(known).isdisjoint(header_names(cells)) or (trained and trained(cells)):
            return True
        look = look_for_header(text)
        sentence = _told(cells, look)
        if sentence and sentence not in told:
            told.add(sentence)
            tell(sentence)
        return look.is_header

    return is_header


def _told(cells: Sequence[str], look: HeaderLook) -> str:
    if not look.doubt:
        return ""
    shown = ", ".join(cells[:5]) + (", ..." if len(cells) > 5 else "")
    what = "the header" if look.is_header else "a row of data"
    return f"line 1 ({shown}) is taken for {what}: {look.doubt}"


def looks_like_header(text: CsvText) -> bool:
    """Say whether a CSV's first row is a header, for a reader that knows no names."""
    return look_for_header(text).is_header


def look_for_header(text: CsvText) -> HeaderLook:
    """Return what the first row looks like beside the rows below it.

    It is a header where all its cells are text and do not fit the columns below
    them (a word stands above numbers, or all cells differ and none is repeated
    below), or where its numbers number the columns or are years.
    """
    names = header_names(text.first.cells)
    if not all(map(_is_word, names)):
        return _Numbered(text, names).look()
    samples = [_sample(cells) for cells in text.columns]
    above_numbers = (any(not _is_word(cell) for cell in sample) for sample in samples)
    first = text.first.cells
    if any(cell.strip() and numbers for cell, numbers in zip(first, above_numbers, strict=True)):
        return HeaderLook(True)
    repeated = any(name in sample for name, sample in zip(first, samples, strict=True))
    if repeated or len(set(names)) < len(names):
        return HeaderLook(False, _lone_label(text))
    return HeaderLook(True)


class _Numbered:
    """A first row with numbers in it: names such as 0, 1, 2 or 2019, or a row of data."""

    def __init__(self, text: CsvText, names: Sequence[str]) -> None:
        self.text = text
        self.names = names
        self.words = [place for place, name in enumerate(names) if _is_word(name)]
        self.numbers = [place for place in range(len(names)) if place not in set(self.words)]
        self.values = [whole_number(names[place]) for place in self.numbers]

    def look(self) -> HeaderLook:
        """Return what the row looks like."""
        if self.text.rows < 2:
            return HeaderLook(False)
        count, first = len(self.values), self.values[0]
        run = first is not None and self.values == [*range(first, first + count)]
        years = set(self.values) <= set(_YEARS) and len(set(self.values)) == count
        named = [place for place in self.words if self.text.first.cells[place].strip()]
        if named:
            found = (years or (run and count > 1)) and self._are_names(named)
            why = "its words and numbers are not like those below them"
        else:
            found = run and (first == 0 or years)
            why = "its cells number the columns"
        if not found:
            return HeaderLook(False, _lone_label(self.text) if 0 in named else "")
        # A number that a column holds below may well be one of its values.
        new = sum(not self._is_below(place) for place in self.numbers)
        enough = new > 0 if run and first == 0 else 2 * new > count
        enough = enough and (bool(self.words) or count >= _FEWEST_NUMBERS)
        return HeaderLook(enough, why if new else "")

    def _are_names(self, places: Sequence[int]) -> bool:
        """Say whether words differ, are in no row below, and stand above numbers or a few words."""
        words = [self.names[place].lower() for place in places]
        if len(set(words)) < len(words) or not _NO_VALUE.isdisjoint(words):
            return False
        if any(map(self._is_below, places)):
            return False
        return any(_is_above_others(self.text.columns[place]) for place in places)

    def _is_below(self, place: int) -> bool:
        name = category_text(self.names[place])
        return any(category_text(cell) == name for cell in _sample(self.text.columns[place]))


def _lone_label(text: CsvText) -> str:
    """Return the doubt of a first word that no row below has as its label, where those have few."""
    first, cells = text.first.cells[0], text.columns[0]
    if not first.strip() or not _is_word(first) or first.strip().lower() in _NO_VALUE:
        return ""
    known = {category_text(cell) for cell in _sample(cells)}
    few = 0 < 2 * len(known) <= len(_below(cells))
    return f"{first.strip()!r} is in no other row" if few and first.strip() not in known else ""


def _is_above_others(cells: Cells) -> bool:
    """Say whether the cells below the first are numbers all, or words that come again."""
    below, sample = _below(cells), _sample(cells)
    return bool(sample) and (not any(map(_is_word, sample)) or len(sample) < len(below))


def _below(cells: Cells) -> list[Cell]:
    below = cells[1 : 1 + _SAMPLE]
    return below if isinstance(below, list) else below.to_pylist()


def _sample(cells: Cells) -> set[Cell]:
    return {cell for cell in set(_below(cells)) if category_text(cell) is not None}


def _is_word(cell: Cell) -> bool:
    return not is_number(cell)


def is_title_above(text: CsvText) -> bool:
    """Say whether the first row is a title, filled up with empty cells, above a row of names."""
    if text.rows < 2 or len(text.columns) < _FEWEST_NUMBERS:
        return False
    second = [column_cell(cells, 1) for cells in text.columns]
    names = {cell.strip() for cell in second if isinstance(cell, str) and _is_word(cell)}
    return len(names) == len(second) and sum(bool(c.strip()) for c in text.first.cells) == 1


def repeats_of_header(names: Sequence[str], columns: Sequence[pa.ChunkedArray]) -> list[int]:
    """Return the rows of text that are the header again, as concatenated files have them.

    A column without a name may hold anything there.
    """
    places = [place for place, name in enumerate(names) if not is_index_name(name)]

    def is_name(place: int) -> pa.ChunkedArray:
        return pc.equal(pc.utf8_trim_whitespace(columns[place]), names[place])

    if not places or not pc.any(is_name(places[0])).as_py():
        return []
    found: list[int] = pc.indices_nonzero(reduce(pc.and_, map(is_name, places))).to_pylist()
    return found
