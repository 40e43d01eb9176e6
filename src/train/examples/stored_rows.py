"""The rows of training that are kept with a model, to see that it scores them alike for ever."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.scoring import Scorer
from sagetree.bundle.bundle import STORED_ROWS, SelfCheck
from sagetree.tables.cells import Cell
from sagetree.tables.label import AnyLabel, ClassLabel, Label, Labels
from sagetree.tables.table import Table


@dataclass(frozen=True)
class StoredRows:
    """Some rows' numbers in the training table, and their cells in the model's input columns."""

    rows: tuple[int, ...]
    names: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]

    @classmethod
    def of(cls, inputs: Table, labels: Labels, label: AnyLabel | None) -> "StoredRows":
        """Take rows far from each other, of each class where there are any."""
        rows = _spread(labels if isinstance(label, Label | ClassLabel) else np.zeros(inputs.rows))
        cells = zip(*inputs.take(rows), strict=True)
        return cls(tuple(rows), inputs.names, tuple(tuple(map(_as_json, row)) for row in cells))

    def check(self, matrix: NDArray[np.float32], models: tuple[bytes, ...]) -> SelfCheck:
        """Return the rows and the scores that the models give them; `matrix` is of all rows."""
        scores = Scorer.load(*models).score(matrix[list(self.rows)])
        return SelfCheck(
            columns=self.names,
            rows=self.cells,
            scores=tuple(map(tuple, scores.tolist()))
            if scores.ndim == 2
            else tuple(scores.tolist()),
        )


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
