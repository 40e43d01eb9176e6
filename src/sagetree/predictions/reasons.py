"""A row's score in plain words: the columns that moved it most, and by how much."""

import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.objectives import class_numbers
from sagetree.boosters.scoring import Scores
from sagetree.bundle.model import Model
from sagetree.errors import VALUE_LENGTH, quote
from sagetree.features.category import Category
from sagetree.features.mixed import UNSEEN_WORD
from sagetree.features.pipeline import FeatureMatrix
from sagetree.tables.cells import Cell, category_text
from sagetree.tables.encoding import CellEncoder
from sagetree.tables.label import ClassLabel
from sagetree.tables.table import Table, column_cell

# More sentences are not read.
REASONS = 3

# Less than this factor is "x 1" in two digits: no reason.
SMALLEST = math.log(1.005)

# Of what is added to a score, less than this share of the row's strongest reason is none.
LEAST_SHARE = 0.005

# exp() of more overflows a float; no useful model comes near.
LARGEST = 700.0

# Amounts from here to there are written as whole numbers, others in three digits.
WHOLE, TOO_LONG = 100, 1e15


class ContributionUnit(NamedTuple):
    """What a column raises or lowers: the words before and behind the number.

    As a factor the contribution is the number's logarithm, else the number itself.
    """

    before: str
    behind: str = ""
    is_factor: bool = False

    def effect(self, value: float) -> str:
        """Return what a contribution does, in words."""
        number = _factor(value) if self.is_factor else _amount(abs(value))
        return f"{'raises' if value > 0 else 'lowers'} {self.before}{number}{self.behind}"


_VALUE = ContributionUnit("the score by ")
_MARGIN = ContributionUnit("the margin by ")
_RANK = ContributionUnit("the score by ", " (margin)")
_ODDS = ContributionUnit("the score (odds x ", ")", is_factor=True)
_ODDS_BEFORE = ContributionUnit("the score (odds before calibration x ", ")", is_factor=True)
_FACTOR = ContributionUnit("the score (x ", ")", is_factor=True)

# An objective that is not here has a score whose unit nobody knows: its margin is shown.
_UNITS: Mapping[str, ContributionUnit] = MappingProxyType(
    {
        "binary:logistic": _ODDS,
        "binary:logitraw": ContributionUnit("the score by ", " (log-odds)"),
        "binary:hinge": _MARGIN,
        "reg:squarederror": _VALUE,
        "reg:squaredlogerror": _VALUE,
        "reg:logistic": _ODDS,
        "reg:pseudohubererror": _VALUE,
        "reg:absoluteerror": _VALUE,
        "reg:gamma": _FACTOR,
        "reg:tweedie": _FACTOR,
        "count:poisson": _FACTOR,
        "reg:expectileerror": _VALUE,
        "reg:quantileerror": _VALUE,
        "rank:ndcg": _RANK,
        "rank:pairwise": _RANK,
        "rank:map": _RANK,
        "survival:aft": ContributionUnit("the score (time x ", ")", is_factor=True),
        "survival:cox": ContributionUnit("the score (hazard ratio ", ")", is_factor=True),
    }
)


class _Effects(NamedTuple):
    """What each column (m) did to a row's score, and the unit of that."""

    unit: ContributionUnit
    values: NDArray[np.floating]

    def strongest(self, most: int) -> Iterator[tuple[int, float]]:
        """Yield columns and their effects, the strongest first, without what is negligible."""
        sizes = np.abs(self.values)
        order = np.argsort(-sizes, kind="stable")[:most]
        least = SMALLEST if self.unit.is_factor else LEAST_SHARE * sizes.max(initial=0)
        return ((int(c), float(self.values[c])) for c in order if sizes[c] > least)


def gives_reasons(model: Model) -> bool:
    """Say whether a row has one score to give reasons for: not where a model has several targets.

    Of classes it is the predicted one's, of quantiles the one nearest to the median.
    """
    scorer = model.scorer
    is_one = scorer.outputs == 1 or model.objective.task == "multiclass"
    return scorer.explains and (is_one or len(scorer.quantiles) == scorer.outputs)


def explain(
    model: Model,
    table: Table,
    matrix: FeatureMatrix,
    scores: Scores,
    contributions: NDArray[np.float32],
    most: int = REASONS,
) -> list[list[str]]:
    """Return each row's reasons (n lists of sentences), at most `most`, the strongest first.

    The model must give them. `table` holds its columns in its order,
    `contributions` their SHAP values, the base value last: (n, columns + 1), or
    (n, outputs, columns + 1). A category that training never saw gets a sentence
    of its own, also where it moved nothing, and beyond `most`.
    """
    encoders = [feature.encoder(model.features.missing) for feature in model.features.features]
    unseen: dict[int, list[str]] = {}
    for row, column in matrix.unseen:
        unseen.setdefault(row, []).append(column)
    return [
        [
            *(
                _sentence(model, table, row, column, effects.unit.effect(value), encoders)
                for column, value in effects.strongest(most)
            ),
            *(_unseen_sentence(model, table, row, name) for name in unseen.get(row, ())),
        ]
        for row, effects in enumerate(_effects(model, scores, contributions))
    ]


def unit_of(model: Model, predicted: int | None = None) -> ContributionUnit:
    """Return the unit of the reasons, which may name the `predicted` class."""
    objective = model.objective
    if objective.task == "multiclass":
        name = "the predicted class" if predicted is None else _class_name(model, predicted)
        return ContributionUnit(f"the probability of {name} (odds x ", ")", is_factor=True)
    if model.scorer.outputs > 1:
        quantile = model.scorer.quantiles[middle_output(model)]
        return ContributionUnit(f"the score of quantile {quantile:g} by ")
    calibration = model.scorer.calibration
    if calibration is not None and not calibration.keeps_odds_ratios:
        return _ODDS_BEFORE
    return _UNITS.get(objective.name, _MARGIN)


def _effects(
    model: Model, scores: Scores, contributions: NDArray[np.float32]
) -> Iterator[_Effects]:
    if contributions.ndim == 2:
        unit = unit_of(model)
        yield from (_Effects(unit, values[:-1]) for values in contributions)
    elif model.objective.task == "multiclass":
        predicted = class_numbers(model.objective, scores).tolist()
        units = [unit_of(model, number) for number in range(model.scorer.outputs)]
        for number, values in zip(predicted, contributions, strict=True):
            yield _Effects(units[number], _log_odds_ratios(values, number))
    else:
        unit, place = unit_of(model), middle_output(model)
        yield from (_Effects(unit, values[place, :-1]) for values in contributions)


def _class_name(model: Model, number: int) -> str:
    label = model.schema.label
    return quote(label.classes[number]) if isinstance(label, ClassLabel) else f"class {number}"


def middle_output(model: Model) -> int:
    """Return the place of the quantile nearest to the median."""
    return int(np.argmin(np.abs(np.array(model.scorer.quantiles) - 0.5)))


def _log_odds_ratios(contributions: NDArray[np.float32], chosen: int) -> NDArray[np.float64]:
    """Return by how much each column raises the log of the odds of one class (columns).

    The odds are those against all other classes, as the row is and as it would be
    without what the column adds to each class (classes, columns + 1). Its
    contribution to the one class alone says nothing of that: the same added to all
    classes changes no probability.
    """
    values = contributions.astype(np.float64)
    margins = values.sum(axis=1, keepdims=True)
    return _log_odds(margins, chosen) - _log_odds(margins - values[:, :-1], chosen)


def _log_odds(margins: NDArray[np.float64], chosen: int) -> NDArray[np.float64]:
    """Return the log of one class's odds against the others, of margins (classes, m)."""
    others = np.delete(margins, chosen, axis=0) - margins[chosen]
    odds: NDArray[np.float64] = -np.logaddexp.reduce(others, axis=0)
    return odds


def _sentence(
    model: Model, table: Table, row: int, column: int, effect: str, encoders: Sequence[CellEncoder]
) -> str:
    name = table.names[column]
    cell = column_cell(table.columns[column], row)
    value, feature = encoders[column](cell), model.features.features[column]
    if math.isnan(value):
        return f"{name} is missing, which {effect}"
    is_category = isinstance(feature, Category) or value >= UNSEEN_WORD  # which no number is
    return f"{name} = {_shown(cell, is_category)} {effect}"


def _unseen_sentence(model: Model, table: Table, row: int, name: str) -> str:
    cell = column_cell(table.column(name), row)
    taken = "missing" if name in model.features.misses_unseen else "the mean of all rows"
    return f"{name} = {_shown(cell, True)} was never seen in training and counts as {taken}"


def _shown(cell: Cell, is_category: bool) -> str:
    if is_category:
        return quote(category_text(cell))
    return str(cell).strip()[:VALUE_LENGTH]


def _factor(value: float) -> str:
    """Return the factor whose logarithm is given, in two digits.

    >>> [_factor(value) for value in (0.83, -1.0, 5.0)]
    ['2.3', '0.37', '148']
    """
    factor = math.exp(min(value, LARGEST))
    return f"{factor:.0f}" if factor >= 10 else f"{factor:.2g}"


def _amount(value: float) -> str:
    """Return an amount in three digits, a greater one as a whole number.

    >>> [_amount(value) for value in (0.01234, 12.345, 123456.7)]
    ['0.0123', '12.3', '123457']
    """
    return f"{value:.0f}" if WHOLE <= value < TOO_LONG else f"{value:.3g}"
