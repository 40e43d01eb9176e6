"""What the texts of a column look like: its letters and digits as such, and what stands between."""

import re
from collections.abc import Collection, Sequence

from sagetree.tables.cells import Cell, CellError, WordError, category_text, is_taken, to_number

# A column whose texts have more forms than this has none to tell it by.
MOST_FORMS = 8

# Of more texts only as many are taken, evenly.
MOST_TEXTS = 2**16

# The form of texts that have too many forms and are never numbers. Letters of a form
# are capital, so that no text is of this form by chance.
ANY_TEXT = "any text"

_RUNS = re.compile(r"[^\W\d_]+|\d+")
_WORDS = re.compile(r"[^\W_]+")


def forms_of(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the forms of texts, sorted; none where they have nothing in common.

    >>> forms_of(["P0001", "P12345"]), forms_of(["9f1c-77", "ab12-c3"])
    (('A9',), ('9A9A-9', 'A9-A9'))
    """
    taken = texts[:: len(texts) // MOST_TEXTS + 1]
    for form in (_by_runs, _by_lengths, _by_words):
        found: set[str] = set()
        for text in taken:
            found.add(form(text))
            if len(found) > MOST_FORMS:
                break
        else:
            return tuple(sorted(found))
    return () if any(map(is_number, taken)) else (ANY_TEXT,)


def is_of_form(cell: Cell, forms: Collection[str]) -> bool:
    """Say whether a cell that is not missing looks like texts of these forms; any does for none."""
    text = category_text(cell)
    if not forms or text is None:
        return True
    if ANY_TEXT in forms:
        return not is_number(text)
    if is_number(text) and _number_form(to_number(text)) in forms:
        return True
    return any(form(text) in forms for form in (_by_runs, _by_lengths, _by_words))


def _number_form(value: float) -> str:
    """Return the form of a number, however it is spelled.

    >>> [_number_form(value) for value in (1e20, -2.5)]
    ['9', '-9.9']
    """
    sign = "-" if value < 0 else ""
    return f"{sign}9" if value == int(value) else f"{sign}9.9"


def number_forms(low: float, high: float) -> tuple[str, ...]:
    """Return the forms of numbers that go from `low` to `high`."""
    return tuple(sorted({_number_form(low), _number_form(high)}))


def is_number(cell: Cell) -> bool:
    """Say whether a cell is a number, or missing."""
    return is_taken(cell, to_number)


def is_word(cell: Cell) -> bool:
    """Say whether a cell is a text that is not a number, finite or not."""
    try:
        to_number(cell)
    except CellError as error:
        return isinstance(error, WordError)
    return False


def _by_runs(text: str) -> str:
    return _RUNS.sub(lambda run: "9" if run[0][0].isdigit() else "A", text)


def _by_lengths(text: str) -> str:
    return _WORDS.sub(lambda word: f"X{len(word[0])}", text)


def _by_words(text: str) -> str:
    return _WORDS.sub("X", text)
