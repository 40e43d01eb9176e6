"""The loop of boosting rounds: one booster, or those of all folds in lockstep, from any round on.

xgboost.train and xgboost.cv always count from round 0, and keep the state of
their column sampler where no file can hold it. Here a training that goes on
from a checkpoint makes the very trees that one without a stop would have made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import xgboost

from sagetree.train.settings.channel_settings import TRAIN, VALIDATION

# Values of a metric by round, of each booster.
Series = list[list[float]]

# Rows ("train", "validation") -> metric -> its values.
History = dict[str, dict[str, Series]]

CustomMetric = Callable[[Any, xgboost.DMatrix], Sequence[tuple[str, float]]]

_SHARES = ("subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode")


@dataclass(frozen=True)
class Part:
    """What one booster learns from, and the rows it is watched on.

    With `watches_train` metrics are of the former too, each round, if there are
    other rows to watch.
    """

    train: xgboost.DMatrix
    validation: xgboost.DMatrix | None = None
    watches_train: bool = True

    @property
    def watched(self) -> list[tuple[xgboost.DMatrix, str]]:
        """The rows that metrics are of, as XGBoost takes them."""
        if self.validation is None:
            return []
        own = [(self.train, TRAIN)] if self.watches_train else []
        return [*own, (self.validation, VALIDATION)]


@dataclass(frozen=True)
class Stopping:
    """Stop once `metric` of the rows left out has not improved for `patience` rounds.

    Of several boosters the mean counts. The state of early stopping is the log
    itself: nothing else is kept, so nothing can contradict it.
    """

    metric: str
    maximize: bool
    patience: int

    def best(self, history: History) -> int:
        """Return the best round, from 0. The first of equal ones counts."""
        values = self._values(history)
        best = 0
        for index in range(1, len(values)):
            best = self._better(values, best, index)
        return best

    def best_after(self, history: History, best: int) -> int:
        """Return the best round after one more, where `best` was it before."""
        values = self._values(history)
        return self._better(values, best, len(values) - 1)

    def is_over(self, rounds: int, best: int) -> bool:
        """Say whether patience has run out after so many rounds."""
        return rounds > 0 and rounds - 1 - best >= self.patience

    def _values(self, history: History) -> Series:
        return history.get(VALIDATION, {}).get(self.metric, [])

    def _better(self, values: Series, best: int, index: int) -> int:
        one, other = np.mean(values[best]), np.mean(values[index])
        return index if (other > one if self.maximize else other < one) else best


@dataclass(frozen=True)
class Standing:
    """Where a training stands: rounds made, each booster as UBJSON, the log."""

    rounds: int
    models: tuple[bytes, ...]
    history: History


class Callback(Protocol):
    """What is told of each round; `xgboost.callback.TrainingCallback` has these methods too."""

    def after_iteration(
        self, model: None, epoch: int, evals_log: Mapping[str, Mapping[str, Sequence[float]]]
    ) -> object:
        """Learn the newest value of each metric, of several boosters their mean."""

    def after_training(self, model: None) -> object:
        """Learn that no round comes any more."""


class Keeper(Protocol):
    """Where standings are kept; `sagetree.train.boosting.checkpoints` has the one on disk."""

    def newest(self, limit: int) -> Standing | None:
        """Return the newest standing of at most `limit` rounds."""

    def is_due(self, rounds: int) -> bool:
        """Say whether the standing after so many rounds is to be kept."""

    def keep(self, standing: Standing) -> None:
        """Keep a standing."""


@dataclass(frozen=True)
class Boosted:
    """What a training made: the boosters with all their rounds, and the log.

    `rounds` have been made in all, of which `best` are those up to the best one, all
    of them without early stopping; `stopped` says that the training was ended
    from outside, before its time.
    """

    boosters: tuple[xgboost.Booster, ...]
    history: History
    rounds: int
    best: int
    stopped: bool


def boost(
    params: Mapping[str, Any],
    parts: Sequence[Part],
    limit: int,
    *,
    first: bytes | None = None,
    stopping: Stopping | None = None,
    custom_metric: CustomMetric | None = None,
    callbacks: Sequence[Callback] = (),
    keeper: Keeper | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Boosted:
    """Make at most `limit` rounds on each part, and return the boosters.

    `first` is a model whose trees come before the first round. Metrics of
    several boosters are of their rows each, and stopping goes by the mean. With a `keeper`
    the training goes on from the newest standing; where rounds draw rows or
    columns, each then draws by the seed and its own number alone.
    """
    redraws = keeper is not None and draws(params)
    if redraws:
        params = {**params, "seed_per_iteration": True}
    start = (keeper.newest(limit) if keeper else None) or Standing(0, (), {})
    boosters = _boosters(params, parts, start.models or (first,) * len(parts))
    history, rounds, stopped = _copied(start.history), start.rounds, False
    best = stopping.best(history) if stopping else 0
    while rounds < limit and not (stopping and stopping.is_over(rounds, best)):
        stopped = is_stopped()
        if stopped:
            break
        for booster, part in zip(boosters, parts, strict=True):
            booster.update(part.train, iteration=rounds)
        _watch(boosters, parts, rounds, custom_metric, history)
        for callback in callbacks:
            callback.after_iteration(None, rounds, _newest_means(history))
        if stopping:
            best = stopping.best_after(history, best)
        rounds += 1
        if keeper and keeper.is_due(rounds):
            keeper.keep(_standing(rounds, boosters, history))
        if redraws:
            _forget_sampler(boosters)
    for callback in callbacks:
        callback.after_training(None)
    if keeper and rounds > start.rounds:
        keeper.keep(_standing(rounds, boosters, history))
    best = best + 1 if stopping and rounds else rounds
    return Boosted(boosters, history, rounds, best, stopped)


def draws(params: Mapping[str, Any]) -> bool:
    """Say whether chance has a part in a round."""
    drops = params.get("booster") == "dart" or params.get("rate_drop", 0) > 0
    return drops or any(params.get(name, 1) < 1 for name in _SHARES)


def _boosters(
    params: Mapping[str, Any], parts: Sequence[Part], models: Sequence[bytes | None]
) -> tuple[xgboost.Booster, ...]:
    return tuple(
        xgboost.Booster(
            dict(params),
            [part.train, *([] if part.validation is None else [part.validation])],
            bytearray(model) if model else None,
        )
        for part, model in zip(parts, models, strict=True)
    )


def _forget_sampler(boosters: Sequence[xgboost.Booster]) -> None:
    """Make XGBoost forget the state of its column sampler, as a new process would have none."""
    for booster in boosters:
        booster.load_config(booster.save_config())


def _standing(rounds: int, boosters: Sequence[xgboost.Booster], history: History) -> Standing:
    models = tuple(bytes(booster.save_raw("ubj")) for booster in boosters)
    return Standing(rounds, models, _copied(history))


def _copied(history: History) -> History:
    return {
        rows: {metric: [list(values) for values in series] for metric, series in metrics.items()}
        for rows, metrics in history.items()
    }


def _watch(
    boosters: Sequence[xgboost.Booster],
    parts: Sequence[Part],
    number: int,
    custom_metric: CustomMetric | None,
    history: History,
) -> None:
    """Append this round's metrics of each booster to the log."""
    for booster, part in zip(boosters, parts, strict=True):
        found = evaluate_rows(booster, part.watched, number, custom_metric)
        for (rows, metric), value in found.items():
            series = history.setdefault(rows, {}).setdefault(metric, [])
            if len(series) == number:
                series.append([])
            series[number].append(value)


def evaluate_rows(
    booster: xgboost.Booster,
    watched: Sequence[tuple[xgboost.DMatrix, str]],
    number: int,
    custom_metric: CustomMetric | None,
) -> dict[tuple[str, str], float]:
    """Return (rows, metric) -> value after one round; `watched` are rows and their names."""
    if not watched:
        return {}
    line = booster.eval_set(watched, number)
    values = {}
    for word in line.split()[1:]:
        name, value = word.rsplit(":", 1)
        rows, metric = name.split("-", 1)
        values[rows, metric] = float(value)
    if custom_metric is not None:
        for data, rows in watched:
            values |= {(rows, name): v for name, v in custom_metric(booster.predict(data), data)}
    return values


def _newest_means(history: History) -> dict[str, dict[str, list[float]]]:
    return {
        rows: {metric: [float(np.mean(series[-1]))] for metric, series in metrics.items()}
        for rows, metrics in history.items()
    }
