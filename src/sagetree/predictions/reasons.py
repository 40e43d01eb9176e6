"""A row's score in plain words: the columns that moved it most, and by how much."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sagetree.bundle.model import Model
from sagetree.errors import VALUE_LENGTH, quote
from sagetree.features.category import Category
from sagetree.features.pipeline import FeatureMatrix
from sagetree.tables.cells import Cell, category_text
from sagetree.tables.encoding import Encoder
from sagetree.tables.table import Table, column_cell

# More sentences are not read, where nobody asks for more.
REASONS = 3

# Less than this factor is "x 1" in two digits: no reason.
SMALLEST = math.log(1.005)

# exp() of more overflows a float; no useful model comes near.
LARGEST = 700.0


def explain(
    model: Model,
    table: Table,
    matrix: FeatureMatrix,
    contributions: NDArray[np.float32],
    most: int = REASONS,
) -> list[list[str]]:
    """Return each row's reasons (n lists of sentences), at most `most`, the strongest first.

    `table` holds the model's columns in its order, `contributions` their SHAP
    values in log-odds (n, columns). A category that training never saw gets a
    sentence of its own, also where it moved nothing, and beyond `most`.
    """
    encoders = [feature.encoder(model.features.missing) for feature in model.features.features]
    unseen: dict[int, list[str]] = {}
    for row, column in matrix.unseen:
        unseen.setdefault(row, []).append(column)
    order = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :most]
    return [
        [
            *(
                _sentence(model, table, row, int(column), float(values[column]), encoders)
                for column in order[row]
                if abs(values[column]) > SMALLEST
            ),
            *(_unseen_sentence(table, row, name) for name in unseen.get(row, ())),
        ]
        for row, values in enumerate(contributions)
    ]


def _sentence(
    model: Model, table: Table, row: int, column: int, value: float, encoders: Sequence[Encoder]
) -> str:
    name = table.names[column]
    cell = column_cell(table.columns[column], row)
    effect = f"{'raises' if value > 0 else 'lowers'} the score ({_odds(value)})"
    if math.isnan(encoders[column](cell)):
        return f"{name} is missing, which {effect}"
    is_category = isinstance(model.features.features[column], Category)
    return f"{name} = {_shown(cell, is_category)} {effect}"


def _unseen_sentence(table: Table, row: int, name: str) -> str:
    cell = column_cell(table.column(name), row)
    return f"{name} = {_shown(cell, True)} was never seen in training and counts as missing"


def _shown(cell: Cell, is_category: bool) -> str:
    if is_category:
        return quote(category_text(cell))
    return str(cell).strip()[:VALUE_LENGTH]


def _odds(value: float) -> str:
    """Return the factor on the odds, in two digits.

    >>> [_odds(value) for value in (0.83, -1.0, 5.0)]
    ['odds x 2.3', 'odds x 0.37', 'odds x 148']
    """
    factor = math.exp(min(value, LARGEST))
    return f"odds x {factor:.0f}" if factor >= 10 else f"odds x {factor:.2g}"
