"""Captured requests as the server reads them: the same decoders, the same checks."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import numpy as np

from sagetree.bundle.model import Model
from sagetree.drift.captured.batches import Batch
from sagetree.drift.captured.records import Record, read_records
from sagetree.drift.captured.refusals import Refusals
from sagetree.drift.settings import TimeWindow
from sagetree.errors import RequestError, SchemaError
from sagetree.serve.bodies.hints import Hints
from sagetree.serve.negotiation import choose_decoder
from sagetree.tables.cells import Cell
from sagetree.tables.layout import refuse_shifted
from sagetree.tables.table import Table, cell_list

# What labels may be joined by, as SageMaker spells them.
INFERENCE_ID, EVENT_ID = "inferenceId", "eventId"

# Kinds of columns that are not inputs; whoever drops a column by name often drops what names rows.
_MAY_NAME = ("identifier", "dropped")


class Requests:
    """The requests of capture files, and which of them have no part in what is measured."""

    def __init__(self, model: Model, window: TimeWindow | None, refusals: Refusals) -> None:
        self.seen = self.outside = self.without_input = 0
        self._model = model
        self._window = window
        self._refusals = refusals
        self._numbers = count()

    def read(self, path: Path) -> Iterator[Batch]:
        """Yield the rows of each request of a file. Raises DataError for a line that is none."""
        for record in read_records(path):
            self.seen += 1
            if not self._is_in_window(record):
                self.outside += 1
            elif record.body is None:
                self.without_input += 1
            else:
                yield from self._rows(record, record.body)

    def _is_in_window(self, record: Record) -> bool:
        if self._window is None or record.time is None:
            return True
        return self._window.start <= record.time < self._window.end

    def _rows(self, record: Record, body: bytes) -> Iterator[Batch]:
        number = next(self._numbers)
        try:
            found = [self._batch(record, number, table) for table in self._tables(record, body)]
        except (RequestError, SchemaError) as error:
            self._refusals.count_body(error)
            return
        truths = _truths(record.truth, sum(batch.table.rows for batch in found))
        for batch in found:
            rows = batch.table.rows
            yield batch._replace(truths=truths[:rows])
            truths = truths[rows:]

    def _tables(self, record: Record, body: bytes) -> Iterator[Table]:
        model = self._model
        body_format = choose_decoder(record.content_type, "")
        hints = Hints(
            model.schema,
            body_format.parameters,
            numbers=model.features.number_columns,
            missing=model.features.missing.texts,
        )
        yield from body_format.decode(body, hints) if body else ()

    def _batch(self, record: Record, number: int, table: Table) -> Batch:
        model = self._model
        sources = tuple(source._replace(name=record.where) for source in table.sources)
        table = table._replace(sources=sources)
        refuse_shifted(table, model.schema, model.features.missing)
        rows = table.rows
        keys: dict[str, Sequence[Cell]] = {
            INFERENCE_ID: [record.inference_id] * rows,
            EVENT_ID: [record.event_id] * rows,
            **identifiers(model, table),
        }
        return Batch(
            model.schema.arrange(table),
            model.base_margin(table),
            np.full(rows, number, np.intp),
            keys,
            [None] * rows,
        )


def identifiers(model: Model, table: Table) -> Mapping[str, Sequence[Cell]]:
    """Return the cells of columns that training left out and that may name rows, where they are."""
    schema = model.schema
    names: Sequence[str] = ()
    if table.named:
        names = table.names
    elif len(table.columns) == len(schema.all_names):
        names = schema.all_names
    known = {column.name for column in schema.columns if column.kind in _MAY_NAME}
    return {
        name: cell_list(cells)
        for name, cells in zip(names, table.columns, strict=False)
        if name in known
    }


def _truths(text: str | None, rows: int) -> list[str | None]:
    """Return the label of each row: a merged one has a line for each, or is of a single row."""
    lines = [] if text is None else text.splitlines()
    return [*lines] if len(lines) == rows else [None] * rows
