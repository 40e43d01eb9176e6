"""What only whole rows say: copies among them, and what `train --check` calls leakage."""

from dataclasses import dataclass

import numpy as np

from sagetree.bundle.training_rows import Hashes, TrainingRows
from sagetree.features.pipeline import FeaturePipeline
from sagetree.features.plan import TablePlan
from sagetree.tables.label import Labels
from sagetree.tables.schema import Schema
from sagetree.tables.table import Table
from sagetree.train.columns.labels import Goal
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.leakage import find_leakage, hashes_of, useless_columns
from sagetree.train.examples.matrix import feature_matrix


@dataclass(frozen=True)
class Duplicates:
    """Rows equal in all columns that training would learn from.

    `repeated` of the rows equal an earlier one; `contradicting` equal one of another
    label, None without a label.
    """

    repeated: int
    contradicting: int | None


@dataclass(frozen=True)
class RowFacts:
    """What the rows show, a sentence for each leak and for each column that says nothing new."""

    duplicates: Duplicates
    leaks: tuple[str, ...]
    useless: tuple[str, ...]


def labelled_facts(table: Table, plan: TablePlan, goal: Goal) -> RowFacts:
    """Return what rows with a label show. Raises DataError where training could not learn it."""
    rows = plan.apply(table)
    examples = Examples(feature_matrix(rows.inputs, plan.features).matrix, rows.labels)
    hashes = hashes_of(examples)
    known = TrainingRows.of(hashes.rows)
    leaks = find_leakage(examples, {}, known, plan.features, goal.objective.task)
    found = duplicates(hashes.features, rows.labels)
    useless = useless_columns(examples, plan.features.names)
    return RowFacts(found, leaks.suspects, tuple(useless))


def unlabelled_facts(table: Table, schema: Schema, features: FeaturePipeline) -> RowFacts:
    """Return what the rows of a table that has no label show."""
    inputs = schema.arrange(table._replace(named=True))
    matrix = feature_matrix(inputs, features).matrix
    examples = Examples(matrix, np.zeros(len(matrix), np.float32))
    found = duplicates(hashes_of(examples).features, None)
    return RowFacts(found, (), tuple(useless_columns(examples, features.names)))


def duplicates(hashes: Hashes, labels: Labels | None) -> Duplicates:
    """Return how many rows are copies by the hashes (n) of their features."""
    _, numbers, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    repeated = len(hashes) - len(counts)
    if labels is None:
        return Duplicates(repeated, None)
    _, codes = np.unique(labels, axis=0, return_inverse=True)
    codes = codes.reshape(-1)
    least = np.full(len(counts), codes.max())
    most = np.zeros(len(counts), codes.dtype)
    np.minimum.at(least, numbers, codes)
    np.maximum.at(most, numbers, codes)
    return Duplicates(repeated, int(counts[least < most].sum()))
