"""What held-out rows say about a choice they had no part in: their scores by others' choice.

Of several boosters, the rows of the others choose for those of each. One booster has its
rows in halves, and each chooses for the other. The model itself is what all of them choose.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import xgboost
from numpy.typing import NDArray

from sagetree.boosters.scoring import Scores
from sagetree.tables.roles import RowRoles
from sagetree.train.boosting.early_stopping import EarlyStopping, History, Series
from sagetree.train.boosting.folds import part_numbers
from sagetree.train.boosting.plan import BoostingPlan
from sagetree.train.boosting.rounds import (
    BoosterData,
    HeldOutPart,
    TrainingResult,
    to_ubjson,
)
from sagetree.train.examples.examples import Examples, Rows
from sagetree.train.hosts.group import ONE, Group
from sagetree.train.hyperparameters.eval_metrics import RoundMetrics, is_maximized
from sagetree.train.settings.channel_settings import VALIDATION

_HALVES = 2

# With this many held-out rows, of the rarer label if there are two, a choice is hardly chance:
# where nothing is to be learnt, it makes an AUC of .50 look like .503.
NO_CHANCE_ROWS = 10_000

# Nearer to 0 or 1 a probability has no log odds that say anything.
_LEAST = 1e-7


def evidence(plan: BoostingPlan, rows: xgboost.DMatrix, group: Group = ONE) -> int:
    """Return how many rows tell something: of the rarer of two labels, or of a usual class.

    With a `group` they are the rows of all its hosts.
    """
    positive = int(rows.get_label().sum()) if plan.objective.task == "binary" else 0
    count, positive = map(int, group.total(np.array([rows.num_row(), positive])))
    if plan.objective.task == "binary":
        return min(positive, count - positive)
    return int(count // plan.params.get("num_class", 1))


def deciding(plan: BoostingPlan) -> BoostingPlan:
    """Return the plan with no metric but the deciding one."""
    settings = plan.settings
    metrics = RoundMetrics.of(
        [settings.stopping_metric], plan.objective, at_greatest_f1=settings.at_greatest_f1
    )
    others = {n: v for n, v in plan.params.items() if n not in plan.metrics.params}
    return replace(plan, metrics=metrics, params={**others, **metrics.params})


def in_halves(plan: BoostingPlan, data: BoosterData, validation: Examples) -> BoosterData:
    """Return what one booster learns from, with the held-out rows (`validation`) in halves.

    They stay whole where no round is chosen on them, or nothing by chance, and where halves
    would not have every label.
    """
    settings, params = plan.settings, plan.params
    cannot_be_cut = params.get("booster") == "gblinear" or params.get("process_type") == "update"
    assert data.validation is not None  # noqa: S101 - that of `validation`
    if not settings.patience or cannot_be_cut or evidence(plan, data.validation) >= NO_CHANCE_ROWS:
        return data
    by_label = plan.objective.is_classification
    numbers = part_numbers(validation, _HALVES, by_label=by_label, seed=settings.seed)
    if numbers is None:
        return data
    parts = (np.flatnonzero(numbers == half) for half in range(_HALVES))
    return replace(
        data, parts=tuple(HeldOutPart(r, _answers(plan, validation.take(r))) for r in parts)
    )


def _answers(plan: BoostingPlan, rows: Examples) -> xgboost.DMatrix:
    """Return rows without features, for metrics of margins that are known."""
    roles = RowRoles(weight=rows.roles.weight, groups=rows.roles.groups)
    bare = Examples(np.zeros((rows.rows, 1), np.float32), rows.labels, roles)
    matrices = replace(plan.matrices, names=("none",), types=("float",), feature_weights=None)
    return matrices.build(bare)


def _units(data: Sequence[BoosterData]) -> list[tuple[int, Rows | slice]]:
    """Return the rows for which others choose: the place of their booster, and which they are."""
    if len(data) == 1:
        return [(0, part.rows) for part in data[0].parts]
    return [(place, slice(None)) for place in range(len(data))]


def choosing_history(
    plan: BoostingPlan, data: Sequence[BoosterData], result: TrainingResult
) -> History | None:
    """Return the deciding metric of each of `_units` after every round; None where they cannot.

    Of halves of one booster's rows it is computed now: the rounds have measured all of them.
    """
    metric = plan.settings.stopping_metric
    if len(data) > 1:
        return result.history
    if not data[0].parts or not result.rounds:
        return None
    series = list(_replayed(deciding(plan), data[0], result.boosters[0], _made(plan, result)))
    if not np.isfinite(series).any(axis=0).all():
        return None
    return {VALIDATION: {metric: series}}


def _replayed(
    plan: BoostingPlan, data: BoosterData, booster: xgboost.Booster, made: int
) -> Iterator[list[float]]:
    """Yield the deciding metric of each half after every one of the last rounds."""
    metric, halves = plan.settings.stopping_metric, [part.data for part in data.parts]
    empty = xgboost.Booster(dict(plan.params), halves)
    evals = [(half, f"half{number}") for number, half in enumerate(halves)]
    for number, margins in enumerate(_margins(booster, data, made)):
        for part in data.parts:
            part.data.set_base_margin(margins[part.rows])
        found = plan.evaluate(empty, evals, number)
        yield [found[name, metric] for _, name in evals]


def _margins(
    booster: xgboost.Booster, data: BoosterData, made: int
) -> Iterator[NDArray[np.float64]]:
    """Yield the margins of the held-out rows after every one of the last rounds."""

    def margins(begin: int, end: int) -> NDArray[np.float64]:
        found = booster.predict(
            data.validation,
            output_margin=True,
            iteration_range=(begin, end),
            validate_features=False,
        )
        return np.asarray(found, np.float64)

    rounds = booster.num_boosted_rounds()
    first = rounds - made
    total = margins(0, first + 1)
    yield total
    if made > 1:  # what all rounds alone start from stands in each of them
        start = margins(first, first + 1) + margins(first + 1, first + 2)
        start -= margins(first, first + 2)
    for number in range(first + 1, rounds):
        total = total + margins(number, number + 1) - start
        yield total


def judged_scores(
    plan: BoostingPlan,
    data: Sequence[BoosterData],
    result: TrainingResult,
    best: int,
    scores: tuple[Scores, ...],
) -> tuple[Scores, ...]:
    """Return the scores of each booster's rows at the round that other rows choose.

    `scores` are those at the best round. A job without early stopping has chosen nothing, a
    linear booster has no other round left.
    """
    settings, metric = plan.settings, plan.settings.stopping_metric
    if not settings.patience or plan.params.get("booster") == "gblinear":
        return scores
    history = choosing_history(plan, data, result)
    if history is None:
        return scores
    stopping = EarlyStopping(metric, is_maximized(metric), settings.patience)
    made, found = _made(plan, result), [of_rows.copy() for of_rows in scores]
    for unit, (place, rows) in enumerate(_units(data)):
        rounds = 1 + stopping.best_by_others(history, unit)[0]
        if rounds != best:
            cut = without_last(result.boosters[place], made - rounds)
            there = predict_left_out(plan, cut, data[place])
            if len(data) == 1 and plan.objective.score == "probability":
                there = spread_as(scores[place], there)
            found[place][rows] = there[rows]
    return tuple(found)


def spread_as(best: Scores, others: Scores) -> Scores:
    """Return probabilities of some round (n), their log odds as far apart as in the best one (n).

    With more rounds scores lie further apart. Halves at different rounds could not be held
    to one threshold, nor against each other: an AUC of .632 where either half has .641.
    """
    wanted, given = (_log_odds(each) for each in (best, others))
    spread = float(given.std())
    stretch = float(wanted.std()) / spread if spread else 0.0
    odds = (given - given.mean()) * stretch + wanted.mean()
    # One row set apart among very many has odds that no exponential holds; at 0 or 1 there is
    # no log loss.
    found = (1 + np.tanh(odds / 2)) / 2
    scores: Scores = np.clip(found, _LEAST, 1 - _LEAST).astype(np.float32)
    return scores


def _log_odds(scores: Scores) -> NDArray[np.float64]:
    wide = np.clip(scores.astype(np.float64), _LEAST, 1 - _LEAST)
    return np.log(wide / (1 - wide))


def _made(plan: BoostingPlan, result: TrainingResult) -> int:
    """Return how many rounds there are metrics of."""
    series: Series = result.history[VALIDATION][plan.settings.stopping_metric]
    return len(series)


def without_last(booster: xgboost.Booster, rounds: int) -> xgboost.Booster:
    """Return a booster of trees without its last rounds."""
    return booster[: booster.num_boosted_rounds() - rounds] if rounds else booster


def directed(plan: BoostingPlan, booster: xgboost.Booster) -> xgboost.Booster:
    """Return a booster with its way for cells that it never saw missing."""
    (raw,) = to_ubjson([booster])
    return xgboost.Booster(dict(plan.params), model_file=bytearray(plan.directed(raw)))


def predict_left_out(plan: BoostingPlan, booster: xgboost.Booster, data: BoosterData) -> Scores:
    """Return what serving would answer for the held-out rows."""
    served = directed(plan, booster) if data.needs_directions else booster
    scores: Scores = served.predict(data.validation)
    return scores
