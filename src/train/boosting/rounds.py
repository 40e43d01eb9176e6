"""The loop of boosting rounds: one booster, or those of all folds in lockstep, from any round on.

xgboost.train and xgboost.cv always count from round 0, and keep the state of
their column sampler where no file can hold it. Here a training that goes on
from a checkpoint makes the very trees that one without a stop would have made.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
import xgboost
from numpy.typing import NDArray

from sagetree.boosters.rounds import evaluated, make_round
from sagetree.train.boosting.early_stopping import EarlyStopping, History
from sagetree.train.boosting.progress import Progress
from sagetree.train.hosts.group import ONE, Group
from sagetree.train.settings.channel_settings import TRAIN, VALIDATION

CustomMetric = Callable[[Any, xgboost.DMatrix], Sequence[tuple[str, float]]]

# Rows learnt from are measured in each of the first rounds, then in every tenth: sorting them for
# an AUC takes longer than a round of small trees, and decides nothing.
_FIRST_ROUNDS, _EVERY = 100, 10

# Strides of boosters that do not wait for each other: as many rounds as threads, so often.
_AT_A_STRETCH = 4

# What a round has measured of a booster: (rows, metric) -> value.
Measured = dict[tuple[str, str], float]

_SHARES = ("subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode")


class HeldOutPart(NamedTuple):
    """Some of the held-out rows (n), and a matrix of what they answer, without features."""

    rows: NDArray[np.intp]
    data: xgboost.DMatrix


@dataclass(frozen=True)
class BoosterData:
    """What one booster learns from, and the rows it is evaluated on.

    With `evaluates_train` metrics are of the former too, if there are other rows to
    evaluate, but not in all of many rounds. Of several hosts each learns from rows of its
    own, and metrics are of what `train_sample` returns, which all have; of one host it makes
    some of many rows. `parts` of the held-out rows may choose for each other;
    `needs_directions` says that they lack values which no row learnt from lacks.
    """

    train: xgboost.DMatrix
    validation: xgboost.DMatrix | None = None
    evaluates_train: bool = True
    parts: tuple[HeldOutPart, ...] = ()
    needs_directions: bool = False
    train_sample: Callable[[], xgboost.DMatrix] | None = None

    @property
    def measured_train(self) -> xgboost.DMatrix:
        """The rows that metrics of those learnt from are of."""
        return self.train if self.train_sample is None else self.train_sample()

    @property
    def evals(self) -> list[tuple[xgboost.DMatrix, str]]:
        """The rows that metrics are of, as XGBoost takes them."""
        if self.validation is None:
            return []
        own = [(self.measured_train, TRAIN)] if self.evaluates_train else []
        return [*own, (self.validation, VALIDATION)]

    def evals_of(self, number: int) -> list[tuple[xgboost.DMatrix, str]]:
        """Return the rows that are measured after a round; the first is 0."""
        is_whole = number < _FIRST_ROUNDS or number % _EVERY == 0
        return self.evals if is_whole else self.evals[-1:]


@dataclass(frozen=True)
class Checkpoint:
    """A training after some rounds: their number, each booster as UBJSON, the history."""

    rounds: int
    models: tuple[bytes, ...]
    history: History


class CheckpointStore(Protocol):
    """Where checkpoints are; `sagetree.train.boosting.checkpoints` has the one on disk."""

    def newest(self, limit: int) -> Checkpoint | None:
        """Return the newest checkpoint of at most `limit` rounds."""

    def is_due(self, rounds: int) -> bool:
        """Say whether a checkpoint is to be saved after this many rounds."""

    def save(self, checkpoint: Checkpoint) -> None:
        """Save a checkpoint."""


@dataclass(frozen=True)
class Training:
    """One training: at most `rounds` rounds of a booster on each of `data`, all in step.

    `params` are XGBoost's. The trees of `initial_model` come before the first
    round. Rounds of `at_once` boosters are made at a time, each in a thread, and these wait
    for each other only where a round decides something, or after a few. `is_stopped` is asked
    wherever they wait, and ends the training.
    """

    params: Mapping[str, Any]
    data: Sequence[BoosterData]
    rounds: int
    initial_model: bytes | None = None
    early_stopping: EarlyStopping | None = None
    custom_metric: CustomMetric | None = None
    progress: Progress | None = None
    checkpoints: CheckpointStore | None = None
    is_stopped: Callable[[], bool] = lambda: False
    group: Group = ONE
    at_once: int = 1

    @property
    def helpers(self) -> int:
        """How many threads help the one that makes the rounds."""
        return min(self.at_once, len(self.data)) - 1

    @property
    def redraws(self) -> bool:
        """Whether each round is to draw by the seed and its own number alone.

        Where rounds draw rows or columns, a training that goes on from a
        checkpoint makes the same trees only so.
        """
        return self.checkpoints is not None and draws(self.params)


@dataclass(frozen=True)
class TrainingResult:
    """What a training made: the boosters with all their rounds, and the history.

    `rounds` have been made in all; `best` are those up to the best one, all
    of them without early stopping; `stopped` says that the training was ended
    from outside, before its time.
    """

    boosters: tuple[xgboost.Booster, ...]
    history: History
    rounds: int
    best: int
    stopped: bool


def boost(training: Training) -> TrainingResult:
    """Make the rounds of a training, from its newest checkpoint on, and return the boosters.

    Metrics of several boosters are of their rows each, and early stopping goes
    by the mean.
    """
    stopping, store = training.early_stopping, training.checkpoints
    start = (store.newest(training.rounds) if store else None) or Checkpoint(0, (), {})
    boosters = _boosters(training, start)
    history, rounds, stopped = _copied(start.history), start.rounds, False
    best = stopping.best(history) if stopping else 0
    threads = _threads(training)
    try:
        while rounds < training.rounds and not (stopping and stopping.is_over(history, best)):
            stopped = training.is_stopped()
            if stopped:
                break
            count = _stride(training, rounds, history, best)
            for measured in _make_rounds(training, boosters, rounds, count, threads):
                _append(history, measured)
                if stopping:
                    best = stopping.best_after(history, best)
                if training.progress:
                    training.progress.after_round(rounds, history, best if stopping else None)
                rounds += 1
            if store and store.is_due(rounds):
                store.save(Checkpoint(rounds, to_ubjson(boosters), _copied(history)))
    finally:  # what ended the rounds is logged in a line of its own
        if threads:
            threads.shutdown()
        if training.progress:
            training.progress.after_training()
    if store and rounds > start.rounds:
        store.save(Checkpoint(rounds, to_ubjson(boosters), _copied(history)))
    if stopping and not stopped:
        stopping.check(history, best)
    best = best + 1 if stopping and rounds else rounds
    return TrainingResult(boosters, history, rounds, best, stopped)


def draws(params: Mapping[str, Any]) -> bool:
    """Say whether chance has a part in a round."""
    drops = params.get("booster") == "dart" or params.get("rate_drop", 0) > 0
    return drops or any(params.get(name, 1) < 1 for name in _SHARES)


def _boosters(training: Training, start: Checkpoint) -> tuple[xgboost.Booster, ...]:
    params = dict(training.params)
    if training.redraws or len(training.data) > 1:  # whose draws do not come one after the other
        params["seed_per_iteration"] = True
    models = start.models or (training.initial_model,) * len(training.data)
    return tuple(map(partial(_booster, params), training.data, models))


def _booster(params: Mapping[str, Any], data: BoosterData, model: bytes | None) -> xgboost.Booster:
    rows = [data.train, *([] if data.validation is None else [data.validation])]
    booster = xgboost.Booster(dict(params), rows, bytearray(model) if model else None)
    if booster.feature_names is None:  # of no rows, as a host may have, XGBoost takes none
        booster.feature_names = data.train.feature_names
        booster.feature_types = data.train.feature_types
    return booster


def _threads(training: Training) -> ThreadPoolExecutor | None:
    """Return the threads that help this one with the boosters of a round; None for no help.

    A booster's round is the same in whichever thread. XGBoost keeps its verbosity by thread.
    """
    if not training.helpers:
        return None
    says = partial(xgboost.set_config, verbosity=training.params.get("verbosity", 1))
    return ThreadPoolExecutor(training.helpers, "round", says)


def _stride(training: Training, rounds: int, history: History, best: int) -> int:
    """Return how many rounds to make before the boosters wait for each other.

    In two rounds two threads make five each of five boosters, in one round three and two. What
    follows a round has to be decided after it: early stopping, and checkpoints.
    """
    most = min(_AT_A_STRETCH * (1 + training.helpers), training.rounds - rounds)
    if training.early_stopping:
        most = min(most, training.early_stopping.rounds_left(history, best))
    if not training.helpers:
        return 1
    store = training.checkpoints
    return next((n for n in range(1, most) if store and store.is_due(rounds + n)), most)


def _make_rounds(
    training: Training,
    boosters: Sequence[xgboost.Booster],
    first: int,
    count: int,
    threads: ThreadPoolExecutor | None,
) -> list[list[Measured]]:
    """Make some rounds of each booster and return the metrics of each round and booster."""
    found: list[list[Measured]] = [[{} for _ in boosters] for _ in range(count)]
    waiting = deque((place, 0) for place in range(len(boosters)))

    def make() -> None:
        for place, later in _taken(waiting):
            booster, data, number = boosters[place], training.data[place], first + later
            make_round(booster.handle, data.train.handle, number)
            found[later][place] = evaluate_rows(
                booster, data.evals_of(number), number, training.custom_metric, training.group
            )
            if training.redraws:
                _forget_sampler(booster)
            if later + 1 < count:
                waiting.append((place, later + 1))

    # A task for each booster would take as long as a short round.
    helping = [threads.submit(make) for _ in range(training.helpers)] if threads else []
    make()
    for each in helping:
        each.result()
    return found


def _append(history: History, measured: Sequence[Measured]) -> None:
    """Append the metrics of a round, of each booster."""
    for metrics in history.values():
        for series in metrics.values():
            series.append([])  # which stays empty for rows that this round does not measure
    for values in measured:
        for (rows, metric), value in values.items():
            history.setdefault(rows, {}).setdefault(metric, [[]])[-1].append(value)


def _taken(waiting: deque[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield what no other thread takes."""
    with suppress(IndexError):
        while True:
            yield waiting.popleft()


def _forget_sampler(booster: xgboost.Booster) -> None:
    """Make XGBoost forget the state of its column sampler, as a new process would have none."""
    booster.load_config(booster.save_config())


def to_ubjson(boosters: Iterable[xgboost.Booster]) -> tuple[bytes, ...]:
    """Return boosters as the bytes of their files."""
    return tuple(bytes(booster.save_raw("ubj")) for booster in boosters)


def _copied(history: History) -> History:
    return {
        rows: {metric: [list(values) for values in series] for metric, series in metrics.items()}
        for rows, metrics in history.items()
    }


def evaluate_rows(
    booster: xgboost.Booster,
    evals: Sequence[tuple[xgboost.DMatrix, str]],
    number: int,
    custom_metric: CustomMetric | None,
    group: Group = ONE,
) -> Measured:
    """Return (rows, metric) -> value after one round; `evals` are rows and their names.

    On each host of a group it is what the leader finds: what follows has to be the same.
    """
    if not evals:
        return {}
    values = evaluated(booster.handle, [(data.handle, rows) for data, rows in evals], number)
    if custom_metric is not None:
        for data, rows in evals:
            scores = booster.predict(data, validate_features=False)
            values |= {(rows, name): value for name, value in custom_metric(scores, data)}
    if group.size == 1:
        return values
    own = np.array(list(values.values()), np.float64)
    agreed = group.total(own if group.is_leader else np.zeros_like(own))
    return dict(zip(values, agreed.tolist(), strict=True))
