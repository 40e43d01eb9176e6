"""Plain tables of rows that a model was asked about, read as `sagetree predict` reads them."""

from collections.abc import Collection, Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np

from sagetree.bundle.model import Model
from sagetree.drift.captured.batches import Batch
from sagetree.drift.captured.refusals import Refusals
from sagetree.drift.captured.requests import EVENT_ID, INFERENCE_ID, identifiers
from sagetree.errors import SchemaError
from sagetree.files.slices import read_slices
from sagetree.predict.inputs import Inputs
from sagetree.tables.cells import Cell
from sagetree.tables.layout import refuse_shifted
from sagetree.tables.table import Table, cell_list


class Tables:
    """The rows of plain files; `keys` are the columns by which labels may be joined."""

    def __init__(self, model: Model, keys: Collection[str], refusals: Refusals) -> None:
        self._model = model
        self._inputs = Inputs(model, keeps_text=False)
        self._keys = frozenset(keys)
        self._refusals = refusals
        self._numbers = count(-1, -1)  # apart from those of requests

    def read(self, paths: Sequence[Path]) -> Iterator[Batch]:
        """Yield the rows. Raises DataError naming file and line."""
        for table in read_slices(paths, self._inputs.slicing, lambda _: None):
            try:
                yield self._batch(table)
            except SchemaError as error:
                self._refusals.count_body(error, table.rows)

    def _batch(self, table: Table) -> Batch:
        model, schema = self._model, self._model.schema
        found: dict[str, Sequence[Cell]] = {}
        if table.named and schema.named:
            labels = schema.label.columns if schema.label else ()
            known = {*schema.all_names, *labels, *table.index_columns}
            others = [name for name in table.names if name not in known]
            found = {n: cell_list(table.column(n)) for n in others if n in self._keys}
            self._refusals.count_extra((n for n in others if n not in found), table.rows)
            for name in others:
                table = table.without(name)
        rows = self._inputs.as_taken(table)
        refuse_shifted(rows, schema, model.features.missing)
        found |= identifiers(model, rows)
        nothing: list[Cell] = [None] * table.rows
        return Batch(
            schema.arrange(rows),
            model.base_margin(rows),
            np.array([next(self._numbers) for _ in range(table.rows)], np.intp),
            {INFERENCE_ID: nothing, EVENT_ID: nothing, **found},
            [None] * table.rows,
        )
