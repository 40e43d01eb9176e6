"""Rows of a table to their facets, before the columns that no model knows are left out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import SettingsError, quote
from sagetree.evaluate.bias.asked import FacetRequest
from sagetree.tables.cells import MissingValues
from sagetree.tables.facets import (
    Facet,
    FacetRows,
    Shapes,
    check_columns,
    check_not_empty,
    facet_rows,
    lacking,
    settle_facets,
)
from sagetree.tables.label import AnyLabel
from sagetree.tables.schema import Schema
from sagetree.tables.table import Table

_OF_TRAINING = (
    ". The model was trained with this facet: --facets FILE names others, and none where FILE "
    "holds []"
)


@dataclass(frozen=True)
class Members:
    """The facets of some rows, settled, and which rows are in them.

    `notes` say, in a sentence each, what to know of them.
    """

    facets: tuple[Facet, ...]
    rows: FacetRows
    notes: tuple[str, ...] = ()

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> "Members":
        """Return those of some rows."""
        taken = FacetRows(self.rows.inside[rows], self.rows.groups[rows])
        return Members(self.facets, taken, self.notes)


def find_members(
    table: Table,
    asked: FacetRequest,
    missing: MissingValues,
    schema: Schema,
    label: AnyLabel | None,
) -> Members:
    """Return which rows of a table are in which facet.

    Raises DataError for columns that are missing or are not as a facet needs them, and, of
    strict ones, for a facet without rows; SettingsError for a facet of the label itself.
    """
    _check_not_label(asked, label)
    check_columns(table, asked.facets, "" if asked.strict else _OF_TRAINING)
    shapes: Shapes = {c.name: c.written for c in schema.columns if c.written is not None}
    facets = settle_facets(table, asked.facets, missing, shapes)
    rows = facet_rows(table, facets, missing, shapes)
    if asked.strict:
        check_not_empty(table, facets, rows, missing)
    return Members(facets, rows, _notes(table, facets, rows, missing))


def _check_not_label(asked: FacetRequest, label: AnyLabel | None) -> None:
    for name in label.columns if label else ():
        if name in asked.columns:
            raise SettingsError(
                f"a facet is of column {quote(name)}, which is the label",
                hint="Name a column that says who the rows are of",
            )


def _notes(
    table: Table, facets: tuple[Facet, ...], rows: FacetRows, missing: MissingValues
) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for facet, count in zip(facets, rows.inside.sum(axis=0).tolist(), strict=True):
        if count in (0, table.rows):
            which = "no" if not count else "every"
            said = f"{which} row is in the facet {facet.words}: it cannot be compared"
            found[said] = None
        empty = lacking(table, facet, missing)
        if empty:
            said = (
                f"{empty} of {table.rows} rows have no value in {quote(facet.column)}: they count "
                "among those outside its facets"
            )
            found[said] = None
    return tuple(found)
