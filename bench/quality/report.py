"""The summary of all that was scored, as Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bench.quality.comparison import Difference, Result, compare, of_tables
from bench.quality.judge import Case
from bench.quality.measures import MEASURES, calibration_slope
from bench.quality.table import BINARY, FloatArray

TITLES = {
    "sagetree": "sagetree",
    "catboost": "CatBoost",
    "lightgbm": "LightGBM",
    "histogram": "HistGradientBoosting",
    "linear": "logistic regression",
    "xgboost": "XGBoost",
    "search": "search",
    "tuned": "sagetree, tune=30",
}
US, SEARCH, TUNED = "sagetree", "search", "tuned"
PEERS = ("catboost", "lightgbm", "histogram", "linear", "xgboost")
RIVALS = (*PEERS, SEARCH, TUNED)

RIGHT_SLOPES = (0.9, 1.1)


class Scored(NamedTuple):
    """A case, and each contender's scores of its folds by (repeat, number)."""

    case: Case
    scores: Mapping[str, Mapping[tuple[int, int], FloatArray]]

    def labels(self) -> dict[tuple[int, int], FloatArray]:
        """Return the labels of each fold's rows."""
        table = self.case.table
        return {(fold.repeat, fold.number): table.labels[fold.rows] for fold in self.case.folds}


def report(scored: Sequence[Scored], not_judged: Sequence[str]) -> str:
    """Return the summary, then each table's figures, then what is missing."""
    results = {
        (task, measure): found
        for task in MEASURES
        for measure, found in _results([one for one in scored if one.case.table.task == task])
    }
    parts = [
        _summary(results),
        _slopes([one for one in scored if one.case.table.task == BINARY]),
        *(_details(task, measure, found) for (task, measure), found in results.items()),
        _missing(scored, not_judged),
    ]
    return "\n\n".join(part for part in parts if part)


def _results(scored: Sequence[Scored]) -> Iterator[tuple[str, list[Result]]]:
    """Yield each measure of a task that was computed, with its result on each table."""
    scored = [one for one in scored if one.scores[US]]
    for measure in MEASURES[scored[0].case.table.task] if scored else ():
        found = []
        for one in scored:
            labels = one.labels()
            values = {
                name: {place: measure.of(labels[place], rows) for place, rows in folds.items()}
                for name, folds in one.scores.items()
            }
            table = one.case.table
            found.append(compare(table.name, US, values, folds=table.folds, sign=measure.sign))
        yield measure.name, found


def _summary(results: Mapping[tuple[str, str], Sequence[Result]]) -> str:
    heads = [
        "labels", "measure", "tables", "behind the best of five by > 2 (> 3) errors",
        "ahead by > 2 (> 3)",
        *(f"gain on {TITLES[name]}" for name in RIVALS),
    ]  # fmt: skip
    return _table(heads, (_sums(*place, found) for place, found in results.items()))


def _sums(task: str, measure: str, results: Sequence[Result]) -> list[str]:
    best = [found[1].in_errors for one in results if (found := one.least_gain(PEERS))]
    behind, ahead = ([sum(sign * z > far for z in best) for far in (2, 3)] for sign in (-1, 1))
    gains = ([one.gains[name].mean for one in results if name in one.gains] for name in RIVALS)
    return [
        task,
        measure,
        str(len(results)),
        f"{behind[0]} ({behind[1]})",
        f"{ahead[0]} ({ahead[1]})",
        *(_signed(of_tables(found)) if found else "-" for found in gains),
    ]


def _slopes(scored: Sequence[Scored]) -> str:
    """Return the slopes of all held-out rows: a single fold has too few positives for one."""
    slopes = {
        name: [_slope(one, name) for one in scored if one.scores[name]] for name in (US, *RIVALS)
    }
    heads = ["calibration slope", *(TITLES[name] for name in slopes)]
    low, high = RIGHT_SLOPES
    counts = [
        f"{sum(low <= slope <= high for slope in found)} of {len(found)}"
        for found in slopes.values()
    ]
    rows = [
        [
            one.case.table.name,
            *(f"{_slope(one, name):.2f}" if one.scores[name] else "-" for name in slopes),
        ]
        for one in scored
    ]
    return _table(heads, [[f"tables within {low} to {high}", *counts], *rows]) if scored else ""


def _slope(one: Scored, name: str) -> float:
    labels = one.labels()
    places = list(one.scores[name])
    return calibration_slope(
        np.concatenate([labels[place] for place in places]),
        np.concatenate([one.scores[name][place] for place in places]),
    )


def _details(task: str, measure: str, results: Sequence[Result]) -> str:
    names = (US, *RIVALS)
    heads = [
        f"{task}: {measure}",
        *(TITLES[name] for name in names),
        "gain on the best of five",
        f"gain on {TITLES[TUNED]}",
    ]
    rows = []
    for one in results:
        means = (f"{one.means[name]:.4f}" if name in one.means else "-" for name in names)
        best = one.least_gain(PEERS)
        gain = f"{_signed(best[1])} ({TITLES[best[0]]})" if best else "-"
        tuned = one.gains.get(TUNED)
        rows.append([one.table, *means, gain, _signed(tuned) if tuned else "-"])
    return _table(heads, rows)


def _missing(scored: Sequence[Scored], not_judged: Sequence[str]) -> str:
    lines = [
        f"- {one.case.table.name}: {TITLES[name]} lacks {lacking} of {len(one.case.folds)} folds"
        for one in scored
        for name, found in one.scores.items()
        if (lacking := len(one.case.folds) - len(found)) and (found or name != TUNED)
    ]
    lines += [f"- {name}: its task is not judged" for name in not_judged]
    return "\n".join(lines)


def _signed(difference: Difference) -> str:
    return f"{difference.mean:+.4f} ± {difference.error:.4f}"


def _table(heads: Sequence[str], rows: Iterator[list[str]] | Sequence[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
