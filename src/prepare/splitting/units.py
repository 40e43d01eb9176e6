"""What is kept in one part: all rows of a key, or all rows that are equal."""

from dataclasses import dataclass

from sagetree.prepare.database import Database, identifier
from sagetree.prepare.inputs import find_name
from sagetree.prepare.joining import JOINED

_IDENTIFIED = "made.identified"


@dataclass(frozen=True)
class Unit:
    """The column of the joined rows by whose values they stay together.

    `is_content` says that it is a hash of what the row holds: such a unit
    counts for its rows, a key for one.
    """

    column: str
    is_content: bool = False

    @property
    def sql(self) -> str:
        """The column of rows `j` in a query."""
        return f"j.{identifier(self.column)}"

    @property
    def weight(self) -> str:
        """What a unit counts for in its part's share, as SQL."""
        return "count(*)" if self.is_content else "1"


def rows_as_units(db: Database) -> Unit:
    """Give the joined rows a column that is the same for equal rows only.

    It does not depend on the order of columns, and has a name that none of them has.
    """
    kinds = db.columns(JOINED)
    columns = sorted(kinds)
    name = "content"
    while find_name(columns, name):
        name += " "
    texts = (db.text(identifier(column), kinds[column]) for column in columns)
    cells = (f"coalesce(concat(length({text}), ':', {text}), '-')" for text in texts)
    db.run(
        f"CREATE TABLE {_IDENTIFIED} AS SELECT *, md5(concat({', '.join(cells)})) AS "
        f"{identifier(name)} FROM {JOINED}"
    )
    db.run(f"DROP TABLE {JOINED}")
    db.run(f"ALTER TABLE {_IDENTIFIED} RENAME TO {JOINED.partition('.')[2]}")
    return Unit(name, is_content=True)
