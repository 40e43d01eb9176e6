"""What moves the scores: gain, SHAP values, and what is lost where a column is shuffled."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.explainer import contributions_by_column
from sagetree.boosters.objectives import Objective, class_numbers
from sagetree.bundle.model import Model
from sagetree.evaluate.importance import gain_by_column, ranked, shares_of, sum_abs_shap
from sagetree.evaluate.metrics.ordering import have_order, measure_groups, measure_survival
from sagetree.evaluate.metrics.tasks import event_bounds, predicted_times
from sagetree.evaluate.metrics.weighted import Predicted, mae, r2, roc_auc
from sagetree.evaluate.report.columns import CodedColumn, columns_of
from sagetree.evaluate.report.subject import JudgedRows
from sagetree.evaluate.report.tasks import middle_output
from sagetree.features.pipeline import FeaturePipeline

# Rows that are explained, of models of few splits; a picture shows no more points.
EXPLAINED = 500

# Rows and columns that are shuffled, and how often each. Times are compared in pairs, which
# grow with the square of the rows.
SHUFFLED_ROWS, SHUFFLED_TIMES, SHUFFLED_COLUMNS, REPEATS = 5000, 2000, 20, 3

# Columns of the pictures of SHAP values.
PICTURED = 10


@dataclass(frozen=True)
class Driver:
    """A column's shares in gain and mean |SHAP|, and how much worse it is to shuffle it.

    `shuffled` is the mean over repeats of what the headline metric loses, `deviation`
    its standard deviation over these. What was not measured is None.
    """

    column: str
    mean_abs_shap: float | None
    gain: float | None
    shuffled: float | None = None
    deviation: float | None = None


@dataclass(frozen=True)
class Explained:
    """A column of the rows explained: its values, and its SHAP values (n) in the margin's unit."""

    column: CodedColumn
    contributions: NDArray[np.float32]


@dataclass(frozen=True)
class DriverFacts:
    """Columns by importance, the most important first.

    `explained_rows` and `shuffled_rows` say how many rows the numbers are of, 0 where
    nothing was measured; `metric` is what shuffling costs. `pictured` are the columns
    of models of one output whose SHAP values are shown.
    """

    columns: tuple[Driver, ...]
    explained_rows: int
    shuffled_rows: int
    metric: str
    pictured: tuple[Explained, ...] = ()


def measure_drivers(model: Model, rows: JudgedRows) -> DriverFacts:
    """Return what moves the scores of some of the rows.

    Shuffling says nothing of rows that the model has learnt from: it is left out there.
    """
    scorer, features = model.scorer, model.features
    gain = None if scorer.linear else gain_by_column(scorer.boosters, features)
    some = rows.some(EXPLAINED)
    contributions = (
        scorer.contributions(some.values, some.roles.base_margin) if scorer.explains else None
    )
    shap = None if contributions is None else shares_of(sum_abs_shap(contributions, features))
    importance = ranked(features, shap, gain)
    columns = [Driver(name, *found) for name, found in importance.items()]
    metric, shuffled_rows = "", 0
    lost: dict[str, tuple[float, float]] = {}
    if rows.are_new:
        names = [driver.column for driver in columns[:SHUFFLED_COLUMNS]]
        most = SHUFFLED_TIMES if model.objective.task == "survival" else SHUFFLED_ROWS
        shuffled = rows.some(most)
        metric, lost = _shuffled(model, shuffled, names)
        shuffled_rows = len(shuffled.labels) if lost else 0
    return DriverFacts(
        columns=tuple(
            Driver(d.column, d.mean_abs_shap, d.gain, *lost.get(d.column, ())) for d in columns
        ),
        explained_rows=0 if contributions is None else len(some.labels),
        shuffled_rows=shuffled_rows,
        metric=metric,
        pictured=_pictured(features, some, contributions, [d.column for d in columns]),
    )


def _pictured(
    features: FeaturePipeline,
    rows: JudgedRows,
    contributions: NDArray[np.float32] | None,
    names: list[str],
) -> tuple[Explained, ...]:
    if contributions is None or contributions.ndim > 2:
        return ()
    values = contributions_by_column(contributions, features.owners)
    found = {
        column.name: Explained(column, values[:, place])
        for place, column in enumerate(columns_of(features, rows.values))
    }
    return tuple(found[name] for name in names[:PICTURED] if found[name].contributions.any())


def _shuffled(
    model: Model, rows: JudgedRows, names: list[str]
) -> tuple[str, dict[str, tuple[float, float]]]:
    """Return the metric, and what shuffling each column costs; nothing where it is not defined."""
    metric, whole = _quality(model, rows, model.scorer.score(rows.values, rows.roles.base_margin))
    if not np.isfinite(whole):
        return metric, {}
    features = model.features
    owner_of = {feature.column: number for number, feature in enumerate(features.features)}
    owners, random = np.asarray(features.owners), np.random.default_rng(0)
    lost = {}
    for name in names:
        places = owners == owner_of[name]
        drops = []
        for _ in range(REPEATS):
            mixed = rows.values.copy()
            mixed[:, places] = mixed[random.permutation(len(mixed))][:, places]
            found = _quality(model, rows, model.scorer.score(mixed, rows.roles.base_margin))[1]
            drops.append(whole - found)
        lost[name] = float(np.mean(drops)), float(np.std(drops, ddof=1))
    return metric, lost


def _quality(model: Model, rows: JudgedRows, scores: NDArray[np.float32]) -> tuple[str, float]:
    """Return a metric of scores where more is better; NaN where these rows have none."""
    objective, weights = model.objective, rows.weights
    if objective.task == "binary":
        both = len(np.unique(rows.labels)) > 1
        return "AUC", roc_auc(rows.labels, scores, weights) if both else float("nan")
    if objective.task == "multiclass":
        hits = class_numbers(objective, scores) == rows.labels
        return "accuracy", float(np.average(hits, weights=weights))
    if objective.task == "ranking":
        return "ndcg", _ndcg(rows, scores)
    if objective.task == "survival":
        return "concordance", _concordance(objective, rows, scores)
    predicted = Predicted(rows.labels.astype(np.float64), middle_output(scores), weights)
    if objective.task == "quantile":
        return "mean absolute error", -mae(predicted)
    return "r2", r2(predicted)


def _ndcg(rows: JudgedRows, scores: NDArray[np.float32]) -> float:
    groups = rows.roles.groups
    together = np.zeros(len(scores), np.intp) if groups is None else groups
    wide = rows.labels.astype(np.float64), scores.astype(np.float64)
    found = measure_groups(*wide, together, rows.weights)
    if not found:
        return float("nan")
    return float(np.average([g.ndcg for g in found], weights=[g.weight for g in found]))


def _concordance(objective: Objective, rows: JudgedRows, scores: NDArray[np.float32]) -> float:
    lower, upper = event_bounds(objective, rows.labels.astype(np.float64))
    if not have_order(lower, upper):  # of many rows those that are shuffled may have no event
        return float("nan")
    times = predicted_times(objective, scores)
    found = measure_survival(lower, upper, times, weights=rows.weights, where=rows.name)
    return found.scalars["concordance_index"]
