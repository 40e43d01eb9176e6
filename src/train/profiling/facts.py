"""All facts of a table's profile, column by column, so that memory holds one of them at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sagetree.evaluate.bias.analysis import BiasAnalysis
from sagetree.evaluate.report.columns import CodedColumn
from sagetree.tables.cells import category_text
from sagetree.tables.schema import ROLES
from sagetree.tables.table import Cells, cell_list
from sagetree.train.profiling.associations import Pair, Ranked, associations, pair_of, strongest
from sagetree.train.profiling.groups import RowGroups
from sagetree.train.profiling.opened import Opened
from sagetree.train.profiling.rows import RowFacts
from sagetree.train.profiling.shapes import (
    Bars,
    GroupedHistogram,
    NumberSummary,
    number_facts,
    shape_of,
)
from sagetree.train.profiling.taken import REFUSED, Taken
from sagetree.train.profiling.values import ParsedColumn, values_of

# Columns that are shown; the others are listed.
MOST_COLUMNS = 40

# Of more rows, this many are drawn evenly and say how columns go together; all others are counted.
SAMPLED_ROWS = 100_000

_SEED = 0
_EXAMPLES = 3

# Kinds that only name rows or say nothing: their values have no distribution.
_UNSHAPED = ("identifier", "constant", "dropped", REFUSED)


@dataclass(frozen=True)
class ColumnFacts:
    """A column as training takes it, and what its cells are.

    `common` are texts and their rows, the most frequent first; of an identifier the
    first cells, without rows. `missing_of_group` are the rows of each group that lack a
    value. `values` are those of the sampled rows, None where they say nothing.
    """

    taken: Taken
    missing: int
    distinct: int
    common: tuple[tuple[str, int | None], ...] = ()
    numbers: NumberSummary | None = None
    shape: GroupedHistogram | Bars | None = None
    missing_of_group: tuple[int, ...] = ()
    values: CodedColumn | None = None

    @property
    def name(self) -> str:
        """What the column is called."""
        return self.taken.column.name


@dataclass(frozen=True)
class LabelFacts:
    """The label as a column, and how it is spread."""

    column: CodedColumn
    numbers: NumberSummary | None
    shape: GroupedHistogram | Bars | None


@dataclass(frozen=True)
class TableFacts:
    """Everything a profile says; `shown` columns are in the table's order, the others in `rest`.

    `sampled` rows say how columns go together: in `pairs`, and each with the label in
    `with_label`, the strongest first. `files` are those that were read.
    """

    files: tuple[str, ...]
    rows: int
    groups: RowGroups
    label: LabelFacts | None
    no_label: str
    shown: tuple[ColumnFacts, ...]
    rest: tuple[Taken, ...]
    columns: tuple[Taken, ...]
    missing: int
    sampled: int
    pairs: tuple[Pair, ...]
    with_label: tuple[Pair, ...]
    of_rows: RowFacts | None
    bias: BiasAnalysis | None


def table_facts(opened: Opened) -> TableFacts:
    """Return the facts of a table that is read, its columns settled."""
    rows = opened.table.rows
    label = opened.label
    groups = RowGroups.of(label) if label else RowGroups.one(rows)
    reader = _Reader(opened, groups, sampled_rows(rows))
    with_label = reader.with_label()
    names = _shown_names(opened.columns, with_label)
    shown = tuple(reader.facts(one) for one in opened.columns if one.column.name in names)
    values = [one.values for one in shown if one.values is not None]
    sampled = [label.take(reader.sample)] if label else []
    return TableFacts(
        files=tuple(dict.fromkeys(source.name for source in opened.table.sources)),
        rows=rows,
        groups=groups,
        label=_label_facts(label),
        no_label=opened.no_label,
        shown=shown,
        rest=tuple(one for one in opened.columns if one.column.name not in names),
        columns=opened.columns,
        missing=sum(one.column.missing for one in opened.columns),
        sampled=len(reader.sample),
        pairs=associations([*sampled, *values]),
        with_label=with_label,
        of_rows=opened.row_facts(),
        bias=opened.bias(),
    )


def sampled_rows(rows: int) -> NDArray[np.intp]:
    """Return the rows that say how columns go together, ascending: all, or some of many."""
    if rows <= SAMPLED_ROWS:
        return np.arange(rows)
    drawn = np.random.default_rng(_SEED).choice(rows, SAMPLED_ROWS, replace=False)
    return np.sort(drawn)


def _shown_names(columns: Sequence[Taken], with_label: Sequence[Pair]) -> frozenset[str]:
    """Return the columns to show: of too many those that go with the label most, else the first."""
    names = [one.column.name for one in columns]
    first = [pair.second for pair in with_label]
    return frozenset([*dict.fromkeys([*first, *names])][:MOST_COLUMNS])


def _label_facts(label: CodedColumn | None) -> LabelFacts | None:
    if label is None:
        return None
    numbers = None if label.categories else number_facts(label.values)
    own = RowGroups.one(len(label.values))
    return LabelFacts(label, numbers, shape_of(label, own))


@dataclass(frozen=True)
class _Reader:
    """Reads the values of one column after the other."""

    opened: Opened
    groups: RowGroups
    sample: NDArray[np.intp]

    def with_label(self) -> tuple[Pair, ...]:
        """Return how each column that is learnt from goes with the label, the strongest first."""
        if self.opened.label is None:
            return ()
        label = Ranked(self.opened.label.take(self.sample))
        pairs = [
            pair_of(label, Ranked(self._sampled(one)))
            for one in self.opened.columns
            if one.column.is_input
        ]
        return strongest([pair for pair in pairs if pair is not None])

    def facts(self, taken: Taken) -> ColumnFacts:
        """Return what a column's cells are."""
        column = taken.column
        if taken.kind in _UNSHAPED:
            common = _examples(self._cells(taken)) if not taken.refused else ()
            return ColumnFacts(taken, column.missing, column.distinct, common)
        found = self._values(taken)
        values = found.column
        is_number = not values.categories
        counts = () if is_number else tuple((values.text(v), n) for v, n in values.counts())
        distinct = column.distinct
        if column.kind in ROLES:
            distinct = len(np.unique(values.values[~values.is_missing]))
        return ColumnFacts(
            taken,
            missing=int(found.is_missing.sum()),
            distinct=distinct,
            common=found.words or counts,
            numbers=number_facts(values.values) if is_number else None,
            shape=shape_of(values, self.groups),
            missing_of_group=tuple(self.groups.counts(found.is_missing).tolist()),
            values=values.take(self.sample) if column.is_input else None,
        )

    def _cells(self, taken: Taken) -> Cells:
        return self.opened.table.column(taken.column.name)

    def _values(self, taken: Taken) -> ParsedColumn:
        return values_of(taken, self._cells(taken), self.opened.missing)

    def _sampled(self, taken: Taken) -> CodedColumn:
        cells = cast("pa.ChunkedArray", self._cells(taken))
        if len(self.sample) < len(cells):
            cells = cells.take(pa.array(self.sample))
        return values_of(taken, cells, self.opened.missing).column


def _examples(cells: Cells) -> tuple[tuple[str, int | None], ...]:
    texts = map(category_text, cell_list(cells[:_EXAMPLES]))
    return tuple((text, None) for text in dict.fromkeys(texts) if text is not None)
