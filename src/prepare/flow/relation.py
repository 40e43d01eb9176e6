"""A table on its way through a flow's steps: SQL, and the kind of each column."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sagetree.errors import did_you_mean, quote
from sagetree.prepare.database import identifier
from sagetree.prepare.loading import RawTable

# Data Wrangler's names for types; "object" is any that it has no name for.
Kind = Literal["long", "float", "string", "bool", "object"]

Ask = Callable[[str], Sequence[tuple[Any, ...]]]

NUMBER = '"row number"'


class StepError(Exception):
    """A step that cannot be taken on the table it gets; the text says why, and what to do."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True)
class Note:
    """A column that holds the cells with which a step could not do what it does with others."""

    step: int
    column: str
    text: str
    is_fatal: bool

    @property
    def sql(self) -> str:
        """The column's name."""
        return identifier(f"note {self.step} {self.text} {self.column}")


@dataclass(frozen=True)
class Relation:
    """A SELECT with a column `NUMBER` that numbers the rows.

    `times` are the columns that hold nothing but the time of the run.
    """

    sql: str
    kinds: Mapping[str, Kind]
    ask: Ask
    step: int = 0
    notes: tuple[Note, ...] = ()
    times: frozenset[str] = frozenset()

    def kind(self, column: str) -> Kind:
        """Return a column's kind. Raises StepError where it does not exist."""
        if column not in self.kinds:
            raise StepError(
                f"column {quote(column)} is missing{did_you_mean(column, self.kinds)}",
                "Use the table that the flow was made for",
            )
        return self.kinds[column]

    def changed(
        self,
        cells: Mapping[str, tuple[str, Kind]],
        columns: Iterable[str] | None = None,
        notes: Mapping[Note, str] | None = None,
    ) -> "Relation":
        """Return the relation with the SQL and kind of `cells`, new ones last, in a new SELECT.

        `columns` are the ones to keep, in order; `notes` the cells of new notes as SQL.
        """
        kinds = {**self.kinds, **{column: kind for column, (_, kind) in cells.items()}}
        kept = [*kinds] if columns is None else [*columns]
        selected = [NUMBER]
        for column in kept:
            name = RawTable.cell(column)
            selected.append(f"{cells[column][0]} AS {name}" if column in cells else name)
        selected += [note.sql for note in self.notes]
        selected += [f"{sql} AS {note.sql}" for note, sql in (notes or {}).items()]
        return replace(
            self,
            sql=f"SELECT {', '.join(selected)} FROM ({self.sql})",
            kinds={column: kinds[column] for column in kept},
            notes=(*self.notes, *(notes or {})),
        )
