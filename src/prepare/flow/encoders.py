"""One-hot and ordinal encoding, with the categories of the fitted state."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sagetree.machine.program import LOG
from sagetree.prepare.database import literal
from sagetree.prepare.flow.casts import as_text
from sagetree.prepare.flow.relation import Kind, Note, Relation, StepError
from sagetree.prepare.inputs import listing
from sagetree.prepare.loading import RawTable

Unseen = Literal["Keep", "Replace with NaN", "Error"]

_UNSEEN_HINT = "Correct the cells, or let the flow's step keep unknown categories"


@dataclass(frozen=True)
class OneHotEncode:
    """A column for each category: 1.0 where it is, else 0.0, in all of them for unknown ones.

    `categories` are None where the flow holds no fitted state. The columns are
    called `output` and the category; without an output of its own the column goes.
    """

    column: str
    output: str
    categories: tuple[str, ...] | None
    unseen: Unseen

    def apply(self, relation: Relation) -> Relation:
        """Take the step."""
        cell, categories = _encoded(relation, self.column, self.categories)
        cells: dict[str, tuple[str, Kind]] = {
            f"{self.output}_{name}": (_indicator(cell, name), "float") for name in categories
        }
        for name in cells:
            if name in relation.kinds:
                hint = "Leave the step out of the flow, or rename the column"
                raise StepError(f"column {name} exists already", hint)
        columns = [*relation.kinds, *cells]
        if self.output == self.column:
            columns.remove(self.column)
        text = "it is not a category of the flow, and becomes 0 in all of its columns"
        notes = _note(relation, cell, self.column, categories, self.unseen, text)
        return relation.changed(cells, columns, notes)


@dataclass(frozen=True)
class OrdinalEncode:
    """The place of each cell's category, from 0; an unknown one is missing, or comes last."""

    column: str
    output: str
    categories: tuple[str, ...] | None
    unseen: Unseen

    def apply(self, relation: Relation) -> Relation:
        """Take the step."""
        cell, categories = _encoded(relation, self.column, self.categories)
        places = " ".join(
            f"WHEN {literal(name)} THEN {place}.0" for place, name in enumerate(categories)
        )
        other = f"{len(categories)}.0" if self.unseen == "Keep" else "NULL"
        order = f"CAST(CASE {cell} {places} ELSE {other} END AS DOUBLE)"
        made = other if self.unseen == "Keep" else "missing"
        text = f"it is not a category of the flow, and {made}"
        notes = _note(relation, cell, self.column, categories, self.unseen, text)
        return relation.changed({self.output: (order, "float")}, notes=notes)


def _indicator(cell: str, category: str) -> str:
    return f"CASE WHEN {cell} = {literal(category)} THEN 1.0::DOUBLE ELSE 0.0::DOUBLE END"


def _encoded(
    relation: Relation, column: str, categories: Sequence[str] | None
) -> tuple[str, Sequence[str]]:
    """Return a column's cell as text, and its categories: where none are fitted, the table's."""
    cell = as_text(RawTable.cell(column), relation.kind(column))
    if categories is None:
        found = relation.ask(
            f"SELECT {cell}, count(*) FROM ({relation.sql}) WHERE {cell} <> '' "
            "GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        categories = [name for name, _ in found]
        LOG.info("%s: fitted on this table, as the flow is not: %s", column, listing(categories))
    if not categories:
        raise StepError(f"the column {column} has no category", "Leave the step out of the flow")
    return cell, categories


def _note(
    relation: Relation,
    cell: str,
    column: str,
    categories: Sequence[str],
    unseen: Unseen,
    text: str,
) -> dict[Note, str]:
    """Return what keeps the cells of no category; with `Error` an empty one is such, too."""
    known = ", ".join(map(literal, categories))
    if unseen == "Error":
        wrong = f"CASE WHEN {cell} IN ({known}) THEN NULL ELSE coalesce({cell}, '') END"
        return {Note(relation.step, column, _UNSEEN_HINT, is_fatal=True): wrong}
    wrong = f"CASE WHEN {cell} NOT IN ({known}) THEN {cell} END"
    return {Note(relation.step, column, text, is_fatal=False): wrong}
