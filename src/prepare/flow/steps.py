"""The other steps of flows: types, texts, columns."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from sagetree.prepare.database import literal
from sagetree.prepare.flow.casts import SQL_TYPES, as_text, cast_cell
from sagetree.prepare.flow.pandas_code import Value
from sagetree.prepare.flow.relation import Kind, Note, Relation, StepError
from sagetree.prepare.inputs import listing
from sagetree.prepare.loading import RawTable


class FlowStep(Protocol):
    """What every step can do."""

    def apply(self, relation: Relation) -> Relation:
        """Return what the step makes of a table. Raises StepError where it cannot be taken."""


@dataclass(frozen=True)
class CastAll:
    """Every column to the type that the flow has for it, in the flow's order."""

    kinds: Mapping[str, Kind]

    def apply(self, relation: Relation) -> Relation:
        """Take the step."""
        missing = [column for column in self.kinds if column not in relation.kinds]
        other = [column for column in relation.kinds if column not in self.kinds]
        if missing or other:
            words = [f"the table lacks {listing(missing)}"] if missing else []
            words += [f"the flow does not know {listing(other)}"] if other else []
            raise StepError(" and ".join(words), "Use the table that the flow was made for")
        cells: dict[str, tuple[str, Kind]] = {}
        notes: dict[Note, str] = {}
        for column, kind in self.kinds.items():
            cell, lost = _cast(relation, column, kind)
            cells[column] = cell, relation.kind(column) if kind == "object" else kind
            notes |= lost
        return relation.changed(cells, self.kinds, notes)


@dataclass(frozen=True)
class Cast:
    """One column to a type; a cell that cannot be cast becomes missing."""

    column: str
    kind: Kind

    def apply(self, relation: Relation) -> Relation:
        """Take the step."""
        cell, notes = _cast(relation, self.column, self.kind)
        return relation.changed({self.column: (cell, self.kind)}, notes=notes)


def _cast(relation: Relation, column: str, wanted: Kind) -> tuple[str, Mapping[Note, str]]:
    """Return the SQL of the cast, and of the cells that it loses, or loses a part of."""
    kind = relation.kind(column)
    cell = RawTable.cell(column)
    made = cast_cell(cell, kind, wanted)
    if kind not in ("string", "float") or wanted in (kind, "object"):
        return made, {}
    text = f"CAST({cell} AS VARCHAR)"
    note = Note(relation.step, column, f"it is not a {wanted}, and missing", is_fatal=False)
    notes = {note: f"CASE WHEN {made} IS NULL THEN {text} END"}
    if wanted == "long":
        cut = Note(relation.step, column, "it is cut to a whole number", is_fatal=False)
        notes[cut] = f"CASE WHEN TRY_CAST({cell} AS DOUBLE) <> {made} THEN {text} END"
    return made, notes


@dataclass(frozen=True)
class LowerAll:
    """Every column of text in small letters."""

    def apply(self, relation: Relation) -> Relation:
        """Take the step."""
        for column, kind in relation.kinds.items():
            if kind == "object":
                raise StepError(
                    f"the column {column} is neither text nor number",
                    "Leave it out, or write it as text",
                )
        return relation.changed(
            {
                column: (f"lower({RawTable.cell(column)})", kind)
                for column, kind in relation.kinds.items()
                if kind == "string"
            }
        )


@dataclass(frozen=True)
class FormatText:
    """A column as text, in small letters or without some characters."""

    column: str
    output: str
    removed: str | None

    def apply(self, relation: Relation) -> Relation:
        """Take the step."""
        text = as_text(RawTable.cell(self.column), relation.kind(self.column))
        lower = self.removed is None
        made = (
            f"lower({text})" if lower else f"translate({text}, {literal(self.removed or '')}, '')"
        )
        return relation.changed({self.output: (made, "string")})


@dataclass(frozen=True)
class Replace:
    """Texts of a column for which others or numbers are put; numbers where all texts have one."""

    column: str
    values: Mapping[str, Value]

    def apply(self, relation: Relation) -> Relation:
        """Take the step."""
        if relation.kind(self.column) != "string":
            raise StepError(
                f"the column {self.column} is not text, and texts of it are replaced",
                "Leave the step out of the flow",
            )
        cell = RawTable.cell(self.column)
        known = ", ".join(map(literal, self.values))
        kind = _kind_of(self.values)
        others = f"{cell} NOT IN ({known})"
        left = relation.ask(f"SELECT count(*) FROM ({relation.sql}) WHERE {others}")[0][0]
        if left and kind != "string":
            text = "it is not replaced, and the column stays text"
            note = Note(relation.step, self.column, text, is_fatal=False)
            notes = {note: f"CASE WHEN {others} THEN {cell} END"}
            return relation.changed({self.column: (self._case(cell), "string")}, notes=notes)
        made = f"CAST({self._case(cell)} AS {SQL_TYPES[kind]})"
        return relation.changed({self.column: (made, kind)})

    def _case(self, cell: str) -> str:
        pairs = (f"WHEN {literal(k)} THEN {literal(str(v))}" for k, v in self.values.items())
        return f"CASE {cell} {' '.join(pairs)} ELSE {cell} END"


def _kind_of(values: Mapping[str, Value]) -> Kind:
    kinds = {type(value) for value in values.values()}
    if kinds == {str}:
        return "string"
    return "long" if kinds == {int} else "float"


@dataclass(frozen=True)
class Drop:
    """Columns that go."""

    columns: tuple[str, ...]

    def apply(self, relation: Relation) -> Relation:
        """Take the step."""
        for column in self.columns:
            relation.kind(column)
        return relation.changed({}, [c for c in relation.kinds if c not in self.columns])


@dataclass(frozen=True)
class Now:
    """A column with the time of the run, which is for a store: it is left out at the end."""

    column: str

    def apply(self, relation: Relation) -> Relation:
        """Take the step."""
        made = relation.changed({self.column: ("0.0::DOUBLE", "float")})
        return replace(made, times=made.times | {self.column})
