"""The rows of training that are kept with a model, to see that it scores them alike for ever."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.calibration import Calibration
from sagetree.boosters.scoring import Scorer
from sagetree.bundle.bundle import STORED_ROWS, SelfCheck
from sagetree.features.plan import LabelledRows
from sagetree.tables.cells import Cell
from sagetree.tables.label import ClassLabel, Label, Labels
from sagetree.tables.schema import Schema
from sagetree.tables.table import column_cell
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.gathered import gathered
from sagetree.train.hosts.group import Group


@dataclass(frozen=True)
class StoredRows:
    """Some rows' numbers in the training table, and their cells in what the model is given.

    These are its input columns, and those of base margins.
    """

    rows: tuple[int, ...]
    names: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]

    @classmethod
    def of(cls, found: LabelledRows, schema: Schema) -> "StoredRows":
        """Take rows far from each other, of each class where there are any."""
        rows = _spread(_kinds(found.labels, schema))
        margins = [
            [column_cell(found.table.column(name), row) for row in rows]
            for name in schema.base_margins
        ]
        cells = zip(*found.inputs.take(rows), *margins, strict=True)
        names = (*found.inputs.names, *schema.base_margins)
        return cls(tuple(rows), names, tuple(tuple(map(_as_json, row)) for row in cells))

    def of_all(
        self, group: Group, train: Examples, schema: Schema
    ) -> tuple["StoredRows", Examples]:
        """Return such rows of all hosts, and the rows that they are numbered in."""
        if group.size == 1:
            return self, train
        own = train.take(np.array(self.rows, np.intp))
        every = gathered(group, own)
        cells = [tuple(row) for of_host in group.gather(self.cells) for row in of_host]
        rows = _spread(_kinds(every.labels, schema))
        return StoredRows(tuple(rows), self.names, tuple(cells[row] for row in rows)), every

    def check(
        self, train: Examples, models: tuple[bytes, ...], calibration: Calibration | None = None
    ) -> SelfCheck:
        """Return the rows and the scores that the models give them."""
        rows = train.take(np.array(self.rows, np.intp))
        scorer = Scorer.load(*models, calibration=calibration)
        scores = scorer.score(rows.matrix, rows.roles.base_margin)
        return SelfCheck(
            columns=self.names,
            rows=self.cells,
            scores=tuple(map(tuple, scores.tolist()))
            if scores.ndim == 2
            else tuple(scores.tolist()),
        )


def _kinds(labels: Labels, schema: Schema) -> NDArray[np.float64] | Labels:
    is_class = isinstance(schema.label, Label | ClassLabel)
    return labels if is_class else np.zeros(len(labels))


def _spread(kinds: NDArray[np.float64] | Labels) -> list[int]:
    found = np.unique(kinds)[:STORED_ROWS]
    rows: list[int] = []
    for kind in found:
        of_kind = np.flatnonzero(kinds == kind)
        picked = np.linspace(0, len(of_kind) - 1, min(len(of_kind), STORED_ROWS // len(found)))
        rows += [int(of_kind[int(index)]) for index in picked]
    return rows


def _as_json(cell: Cell) -> Cell:
    if isinstance(cell, date):
        return cell.isoformat()
    return None if cell != cell else cell
