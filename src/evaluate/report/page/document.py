"""What a report is made of: sections with sentences, key figures, tables and charts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from sagetree.evaluate.report.page.axes import Axis
from sagetree.evaluate.report.page.marks import Mark

Row = tuple[str, ...]
Facts = TypeVar("Facts")

# Longer names and values are cut where they are shown; model_card.json has them whole.
TEXT_LENGTH = 80

# As wide as a phone, in pixels, so that words keep their size there.
WIDTH, HEIGHT = 420, 300


@dataclass(frozen=True)
class TextTable:
    """Rows of text under their columns' names; the first cell names its row.

    Where it `ends_in_words`, the last cell is a sentence and may take several lines.
    """

    columns: Row
    rows: tuple[Row, ...]
    caption: str = ""
    ends_in_words: bool = False


@dataclass(frozen=True)
class Chart:
    """A picture, what it shows in words, and the numbers behind it; `height` is in pixels."""

    title: str
    description: str
    table: TextTable
    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    height: int = HEIGHT


@dataclass(frozen=True)
class KeyFigure:
    """A number to remember, what it is, and how certain."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class Section:
    """A part of the report; `name` is its anchor."""

    name: str
    title: str
    sentences: tuple[str, ...]
    figures: tuple[KeyFigure, ...] = ()
    tables: tuple[TextTable, ...] = ()
    charts: tuple[Chart, ...] = ()


def present(
    sections: Iterable[Callable[[Facts], Section | None]], facts: Facts
) -> tuple[Section, ...]:
    """Return the sections in which there is something to say about the facts."""
    found = (section(facts) for section in sections)
    return tuple(section for section in found if section is not None)


def shown(text: object, most: int = TEXT_LENGTH) -> str:
    r"""Return a text of somebody's as it may stand in a report: on one line, not too long.

    >>> shown("a\nb"), shown("x" * 9, 4)
    ('a b', 'xxx…')
    """
    line = "".join(c if c.isprintable() else " " for c in str(text))
    return line if len(line) <= most else f"{line[: most - 1]}…"
