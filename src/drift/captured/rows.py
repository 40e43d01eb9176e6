"""What the captured rows held, column by column, and the scores that they get."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.scoring import Scores
from sagetree.bundle.column_baseline import Floats, observe, words_of
from sagetree.bundle.model import Model
from sagetree.drift.captured.batches import Batch, Keys
from sagetree.drift.captured.refusals import Refusals
from sagetree.errors import Violation
from sagetree.features.base import UNSEEN, Feature
from sagetree.features.category import Category
from sagetree.features.mixed import Mixed
from sagetree.features.pipeline import AnyFeature, FeatureMatrix, FeaturePipeline
from sagetree.tables.cells import Cell, category_text
from sagetree.tables.table import Cells, Table, column_cell

# Categories never seen that are counted by name; more are counted together.
MOST_UNSEEN = 10_000


@dataclass(frozen=True)
class ColumnCells:
    """A column's cells: numbers (n), codes of `words` (n), or both; NaN where it has none.

    `missing` are the cells without a value, `unseen` counts the categories that training did
    not see.
    """

    numbers: Floats | None
    codes: Floats | None
    words: tuple[str, ...]
    missing: int
    unseen: Mapping[str, int]

    @property
    def counts(self) -> tuple[int, ...]:
        """How many cells hold each of `words`."""
        if self.codes is None:
            return ()
        there = self.codes[self.codes >= 0].astype(np.intp)
        return tuple(np.bincount(there, minlength=len(self.words)).tolist())


@dataclass(frozen=True)
class CapturedRows:
    """All captured rows (n): their columns in the model's order, and their scores.

    `records` (n) numbers the requests they came in; `keys` have what names them, and `truths`
    the labels that were merged into the capture.
    """

    rows: int
    columns: tuple[ColumnCells, ...]
    scores: Scores
    records: NDArray[np.intp]
    keys: Keys
    truths: Sequence[str | None]


class _Part(NamedTuple):
    columns: tuple[ColumnCells, ...]
    scores: Scores
    batch: Batch


def score_rows(model: Model, batches: Iterable[Batch], refusals: Refusals) -> CapturedRows | None:
    """Score the rows of all batches, None where there are none.

    Rows with cells that are not of their column's kind are left out, and counted.
    """
    # what the server may refuse is scored here: unseen categories are counted by themselves
    features = model.features.model_copy(update={"unknown_category": "missing"})
    parts = [part for batch in batches for part in _parts(model, features, batch, refusals)]
    if not parts:
        return None
    names = list(dict.fromkeys(name for part in parts for name in part.batch.keys))
    return CapturedRows(
        rows=sum(part.batch.table.rows for part in parts),
        columns=tuple(map(_joined, zip(*(part.columns for part in parts), strict=True))),
        scores=np.concatenate([part.scores for part in parts]),
        records=np.concatenate([part.batch.records for part in parts]),
        keys={name: [c for part in parts for c in _key(part.batch, name)] for name in names},
        truths=[truth for part in parts for truth in part.batch.truths],
    )


def _key(batch: Batch, name: str) -> Sequence[Cell]:
    return batch.keys[name] if name in batch.keys else [None] * batch.table.rows


def _parts(
    model: Model, features: FeaturePipeline, batch: Batch, refusals: Refusals
) -> Iterator[_Part]:
    batch = _without_misfits(features, batch, refusals)
    if batch.table.rows:
        made = features.transform(batch.table)
        scores = model.scorer.score(made.values, batch.base_margin)
        yield _Part(_columns(features, batch.table, made), scores, batch)


def _without_misfits(features: FeaturePipeline, batch: Batch, refusals: Refusals) -> Batch:
    """Return the rows all of whose cells are of their columns' kinds."""
    wrong: dict[int, list[Violation]] = {}
    for feature, cells in zip(features.features, batch.table.columns, strict=True):
        for misfit in feature.encode(cells, features.missing)[1]:
            place = batch.table.locate(misfit.row)
            violation = Violation(feature.column, misfit.reason, misfit.row, place)
            wrong.setdefault(misfit.row, []).append(violation)
    if not wrong:
        return batch
    for violations in wrong.values():
        refusals.count_row(violations)
    return _taken(batch, [row for row in range(batch.table.rows) if row not in wrong])


def _taken(batch: Batch, rows: Sequence[int]) -> Batch:
    table = batch.table
    return Batch(
        table._replace(columns=tuple(table.take(rows)), rows=len(rows)),
        None if batch.base_margin is None else batch.base_margin[rows],
        batch.records[rows],
        {name: [cells[row] for row in rows] for name, cells in batch.keys.items()},
        [batch.truths[row] for row in rows],
    )


def _columns(
    features: FeaturePipeline, table: Table, made: FeatureMatrix
) -> tuple[ColumnCells, ...]:
    own = features.in_own_units(made.values)
    unseen: dict[str, list[int]] = {}
    for row, column in made.unseen:
        unseen.setdefault(column, []).append(row)
    columns = zip(features.features, features.parts, table.columns, strict=True)
    return tuple(
        _cells(features, feature, cells, own[:, part], unseen.get(feature.column, []))
        for feature, part, cells in columns
    )


def _cells(
    features: FeaturePipeline,
    feature: AnyFeature,
    cells: Cells,
    own: NDArray[np.floating],
    unseen: Sequence[int],
) -> ColumnCells:
    numbers, codes = observe(feature, own)
    if isinstance(feature, Category):
        codes = _codes(feature, features, cells)
        unseen = np.flatnonzero(codes == UNSEEN).tolist()
    elif isinstance(feature, Mixed) and codes is not None:
        codes[list(unseen)] = UNSEEN
    texts = Counter(str(category_text(column_cell(cells, row))) for row in unseen)
    absent = np.ones(len(own), np.bool_)
    for values in (numbers, codes):
        if values is not None:
            absent &= np.isnan(values)
    words = words_of(feature)
    return ColumnCells(numbers, codes, words, int(absent.sum()), texts)


def _codes(feature: Feature, features: FeaturePipeline, cells: Cells) -> Floats:
    """Return the codes of a column's cells, whatever stands for them in the model."""
    plain = Category(column=feature.column, categories=words_of(feature))  # type: ignore[arg-type]
    return plain.encode(cells, features.missing)[0]


def _joined(parts: Sequence[ColumnCells]) -> ColumnCells:
    unseen: Counter[str] = Counter()
    for part in parts:
        unseen.update(part.unseen)
    numbers = [part.numbers for part in parts if part.numbers is not None]
    codes = [part.codes for part in parts if part.codes is not None]
    return ColumnCells(
        np.concatenate(numbers) if numbers else None,
        np.concatenate(codes) if codes else None,
        parts[0].words,
        sum(part.missing for part in parts),
        dict(unseen.most_common(MOST_UNSEEN)),
    )
