"""Rows of requests and tables, brought together to some thousands: so they are scored faster."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.scoring import Scores
from sagetree.tables.cells import Cell
from sagetree.tables.schema import Schema
from sagetree.tables.table import Table, cell_list

# Rows of small requests that are scored together.
ROWS = 4096

Keys = Mapping[str, Sequence[Cell]]


class Batch(NamedTuple):
    """Rows as the model takes them.

    `table` has its input columns, in order; `base_margin` is where rows start, None for 0;
    `records` (n) numbers the requests that rows came in, `keys` has what names them, and
    `truths` their labels, where either is known.
    """

    table: Table
    base_margin: Scores | None
    records: NDArray[np.intp]
    keys: Keys
    truths: Sequence[str | None]


def joined(batches: Iterable[Batch], schema: Schema) -> Iterator[Batch]:
    """Yield the rows in fewer batches. Large ones stay as they are."""
    waiting: list[Batch] = []
    rows = 0
    for batch in batches:
        is_alike = not waiting or _is_alike(waiting[0], batch)
        if waiting and (rows + batch.table.rows > ROWS or not is_alike):
            yield _one(waiting, schema)
            waiting, rows = [], 0
        waiting.append(batch)
        rows += batch.table.rows
    if waiting:
        yield _one(waiting, schema)


def _is_alike(one: Batch, other: Batch) -> bool:
    return (one.base_margin is None) == (other.base_margin is None) and set(one.keys) == set(
        other.keys
    )


def _one(batches: Sequence[Batch], schema: Schema) -> Batch:
    if len(batches) == 1:
        return batches[0]
    columns: list[list[Cell]] = [[] for _ in schema.input_names]
    for batch in batches:
        for cells, more in zip(columns, batch.table.columns, strict=True):
            cells.extend(cell_list(more))
    sources = tuple(source for batch in batches for source in batch.table.sources)
    rows = sum(batch.table.rows for batch in batches)
    margins = [batch.base_margin for batch in batches if batch.base_margin is not None]
    keys = batches[0].keys
    return Batch(
        Table(schema.input_names, tuple(columns), rows, True, sources),
        np.concatenate(margins) if margins else None,
        np.concatenate([batch.records for batch in batches]),
        {name: [cell for batch in batches for cell in batch.keys[name]] for name in keys},
        [truth for batch in batches for truth in batch.truths],
    )
