"""What training would take each column for, and why; a column it refuses does not end it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sagetree.errors import DataError, quote
from sagetree.tables.index_names import is_index_name
from sagetree.tables.schema import Column, Kind
from sagetree.train.columns.kinds import given_columns, infer_column
from sagetree.train.columns.listing import NOTES
from sagetree.train.columns.number_columns import Found, Given
from sagetree.train.facts.facts import Facts
from sagetree.train.facts.telling import Telling
from sagetree.train.settings.columns import Columns

# What is said about a column that training would end at.
REFUSED = "refused"


@dataclass(frozen=True)
class Taken:
    """A column as training takes it, why, and what it would warn of.

    `refused` is the error at which training would end, "" where it takes the column.
    """

    column: Column
    reason: str
    notes: tuple[str, ...] = ()
    refused: str = ""

    @property
    def kind(self) -> str:
        """The kind in a word."""
        return REFUSED if self.refused else self.column.kind


def take_columns(
    facts: Facts,
    names: Sequence[str],
    settings: Columns,
    telling: Telling,
    roles: Mapping[str, Kind],
) -> tuple[Taken, ...]:
    """Return the columns, by their `names`, that are not the label; `roles` are those with a role.

    Raises SettingsError for a declared column that is not there.
    """
    given = given_columns(facts, names, settings, telling)
    return tuple(
        Taken(Column(name=name, kind=roles[name], missing=0, distinct=0), NOTES[roles[name]])
        if name in roles
        else _taken(given, name)
        for name in names
    )


def _taken(given: Given, name: str) -> Taken:
    try:
        found = infer_column(given, name)
    except DataError as error:
        column = Column(name=name, kind="dropped", missing=0, distinct=0)
        return Taken(column, str(error), refused=str(error))
    return Taken(found.column, _reason(given, found), found.notes)


def _reason(given: Given, found: Found) -> str:
    column = found.column
    if column.name in given.settings.kinds and column.is_input:
        return "the settings say so"
    if found.reading:
        return found.reading.removeprefix(f"column {quote(column.name)} ")
    match column.kind:
        case "number":
            return "all its cells are numbers"
        case "boolean":
            return "all its cells are true or false"
        case "datetime":
            return "all its cells are dates"
        case "category":
            return "not all its cells are numbers or dates"
        case "identifier":
            is_index = is_index_name(column.name) or column.name in given.facts.table.index_columns
            different = f"{column.distinct} different values in {given.facts.rows} rows"
            return f"{NOTES['identifier']} ({'the index of a frame' if is_index else different})"
        case "constant" if not column.distinct:
            return "left out: no value in any row"
    return NOTES[column.kind]
