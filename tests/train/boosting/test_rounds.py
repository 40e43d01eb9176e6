"""The loop of rounds: as xgboost.train and xgboost.cv make them, and the same after a stop."""

import cProfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import sleep
from typing import Any

import numpy as np
import pytest
import xgboost
from sklearn.metrics import accuracy_score

from sagetree.errors import SettingsError
from sagetree.train.boosting.early_stopping import EarlyStopping, Leader
from sagetree.train.boosting.rounds import (
    BoosterData,
    Checkpoint,
    Training,
    TrainingResult,
    boost,
    draws,
)

PARAMS: dict[str, Any] = {
    "objective": "binary:logistic", "eval_metric": ["logloss", "auc"], "max_depth": 3, "nthread": 1,
}  # fmt: skip
AUC = EarlyStopping("auc", maximize=True, patience=4)


def table(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, 6)).astype(np.float32)
    labels = (matrix[:, 0] + matrix[:, 1] * matrix[:, 2] + random.normal(size=rows)) > 0
    matrix[random.random(matrix.shape) < 0.05] = np.nan
    return matrix, labels.astype(np.float32)


def data(seed: int = 0) -> BoosterData:
    return BoosterData(xgboost.DMatrix(*table(150, seed)), xgboost.DMatrix(*table(80, seed + 100)))


def raw(boosted: TrainingResult) -> list[bytes]:
    return [bytes(booster.save_raw("ubj")) for booster in boosted.boosters]


@dataclass
class Memory:
    """Checkpoints in memory, of every round."""

    saved: dict[int, Checkpoint] = field(default_factory=dict)

    def newest(self, limit: int) -> Checkpoint | None:
        rounds = [number for number in self.saved if number <= limit]
        return self.saved[max(rounds)] if rounds else None

    def is_due(self, rounds: int) -> bool:
        return True

    def save(self, checkpoint: Checkpoint) -> None:
        self.saved[checkpoint.rounds] = checkpoint


def test_rounds_are_those_of_xgboost() -> None:
    own = data()
    history: dict[str, Any] = {}
    params = {**PARAMS, "subsample": 0.7, "colsample_bytree": 0.5}
    theirs = xgboost.train(
        params, own.train, 12, evals=own.evals, evals_result=history, verbose_eval=False
    )
    ours = boost(Training(params, [own], 12))
    assert raw(ours) == [bytes(theirs.save_raw("ubj"))]
    flat = {rows: {m: [v for (v,) in series] for m, series in metrics.items()}
            for rows, metrics in ours.history.items()}  # fmt: skip
    assert flat == history
    assert (ours.best, ours.stopped) == (12, False)


def package_calls(rounds: int) -> int:
    """How often functions of XGBoost's package are called in this many rounds of two boosters."""
    training, profile = Training(PARAMS, [data(0), data(1)], rounds), cProfile.Profile()
    profile.runcall(boost, training)
    return sum(one.callcount for one in profile.getstats() if "xgboost" in str(one.code))


def test_rounds_fetch_no_names_of_features() -> None:
    """The package does, of each matrix: of 15 000 columns some 0.04 s each time."""
    assert package_calls(3) == package_calls(9) > 0


def of_rounds(*values: float) -> Training:
    """A training whose metric m is these values, one a round."""
    left = iter(values)
    return Training(
        {**PARAMS, "disable_default_eval_metric": True, "eval_metric": []},
        [replace(data(), evaluates_train=False)],
        len(values),
        early_stopping=EarlyStopping("m", maximize=True, patience=3),
        custom_metric=lambda _predictions, _rows: [("m", next(left))],
    )


def test_a_round_without_a_number_is_worse_than_one_with() -> None:
    boosted = boost(of_rounds(np.nan, np.nan, 0.5, np.nan, 0.6, 0.4))
    assert (boosted.best, boosted.rounds) == (5, 6)


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_a_metric_that_is_never_finite_chooses_no_round(value: float) -> None:
    with pytest.raises(SettingsError) as caught:
        boost(of_rounds(*[value] * 6))
    assert str(caught.value) == (
        "the metric m is not finite in any round, and cannot choose one. "
        "Name another one last in eval_metric"
    )


def test_early_stopping_is_that_of_xgboost() -> None:
    own = data(3)
    theirs = xgboost.train(
        PARAMS, own.train, 60, evals=own.evals, verbose_eval=False, early_stopping_rounds=4
    )
    ours = boost(Training(PARAMS, [own], 60, early_stopping=AUC))
    assert ours.best == theirs.best_iteration + 1
    assert len(ours.history["validation"]["auc"]) == theirs.num_boosted_rounds() < 60


def test_folds_in_lockstep_are_those_of_xgboost() -> None:
    matrix, labels = table(200, 1)
    order = np.random.default_rng(0).permutation(200)
    folds = [(np.setdiff1d(order, out), out) for out in np.array_split(order, 4)]
    theirs = xgboost.cv(
        PARAMS, xgboost.DMatrix(matrix, labels), 30, folds=folds, as_pandas=False,
        early_stopping_rounds=4,
    )  # fmt: skip
    data_of_folds = [
        BoosterData(*(xgboost.DMatrix(matrix[rows], labels[rows]) for rows in fold))
        for fold in folds
    ]
    ours = boost(Training(PARAMS, data_of_folds, 30, early_stopping=AUC))
    values = np.array(ours.history["validation"]["auc"][: ours.best])
    assert values.mean(axis=1).tolist() == theirs["test-auc-mean"]
    assert values.std(axis=1).tolist() == theirs["test-auc-std"]


DRAWN = {**PARAMS, "subsample": 0.7, "colsample_bytree": 0.5}


def test_boosters_are_the_same_however_many_are_made_at_a_time() -> None:
    rows = [data(seed) for seed in range(4)]
    one, three = (boost(Training(DRAWN, rows, 25, at_once=count)) for count in (1, 3))
    alone = boost(Training({**DRAWN, "seed_per_iteration": True}, rows[-1:], 25))
    assert raw(three) == raw(one)
    assert three.history == one.history
    assert raw(three)[-1:] == raw(alone)


@dataclass
class Every(Memory):
    """Checkpoints in memory, of some rounds."""

    rounds: int = 3

    def is_due(self, rounds: int) -> bool:
        return rounds % self.rounds == 0


@pytest.mark.parametrize("params", [PARAMS, {**PARAMS, "subsample": 0.6, "colsample_bytree": 0.5}])
def test_boosters_that_do_not_wait_for_each_other_stop_at_the_same_round(
    params: Mapping[str, Any],
) -> None:
    def boosted(at_once: int, store: Memory | None, stopping: EarlyStopping) -> TrainingResult:
        rows = [data(seed) for seed in range(5)]
        how = {"checkpoints": store, "early_stopping": stopping, "at_once": at_once}
        return boost(Training(params, rows, 60, **how))

    for stopping in (AUC, replace(AUC, leader=Leader(0.99, 4)), replace(AUC, patience=1)):
        for every in (None, 3, 5, 1000):
            stores = [every and Every(rounds=every) for _ in range(3)]
            alone, *others = (
                boosted(count, store or None, stopping)
                for count, store in zip((1, 2, 5), stores, strict=True)
            )
            assert alone.rounds < 60
            for other in others:
                assert (raw(other), other.history) == (raw(alone), alone.history)
                assert (other.best, other.rounds) == (alone.best, alone.rounds)
            if every:
                assert stores[0] == stores[1] == stores[2]
                assert [*stores[0].saved] == [*range(every, alone.rounds, every), alone.rounds]


def test_a_thread_that_helps_heeds_verbosity() -> None:
    seen: dict[str, int] = {}

    def heard(_predictions: np.ndarray, _rows: xgboost.DMatrix) -> list[tuple[str, float]]:
        seen[threading.current_thread().name] = xgboost.get_config()["verbosity"]
        sleep(0.01)  # so that there is something to help with
        return []

    params = {**PARAMS, "verbosity": 0}
    boost(Training(params, [data(), data()], 3, custom_metric=heard, at_once=2))
    assert len(seen) == 2
    assert set(seen.values()) == {0}


def test_an_error_in_a_thread_that_helps_ends_the_training() -> None:
    def failing(_predictions: np.ndarray, _rows: xgboost.DMatrix) -> list[tuple[str, float]]:
        sleep(0.01)
        if threading.current_thread() is threading.main_thread():
            return []
        raise ValueError("not here")

    with pytest.raises(ValueError, match=r"^not here$"):
        boost(Training(PARAMS, [data(), data()], 3, custom_metric=failing, at_once=2))
    assert not any(thread.name.startswith("round") for thread in threading.enumerate())


def test_of_many_rounds_every_tenth_measures_the_rows_learnt_from() -> None:
    history = boost(Training(PARAMS, [data(0), data(1)], 125)).history
    for metric in ("logloss", "auc"):
        assert [len(values) for values in history["validation"][metric]] == [2] * 125
        measured = [n for n, values in enumerate(history["train"][metric]) if len(values) == 2]
        assert measured == [*range(100), 100, 110, 120]


SETTINGS: list[dict[str, Any]] = [
    {},
    {"subsample": 0.6},
    {"colsample_bytree": 0.5, "colsample_bylevel": 0.7, "colsample_bynode": 0.8},
    {"subsample": 0.6, "colsample_bytree": 0.5, "tree_method": "approx"},
    {"subsample": 0.6, "colsample_bytree": 0.5, "tree_method": "exact"},
    # XGBoost 3.4 warns that dart is called otherwise now
    {"booster": "dart", "rate_drop": 0.4, "subsample": 0.8, "verbosity": 0},
    {"num_parallel_tree": 3, "subsample": 0.5, "colsample_bynode": 0.5},
    {"grow_policy": "lossguide", "max_leaves": 6, "colsample_bytree": 0.5},
    {"objective": "reg:absoluteerror", "eval_metric": "mae", "subsample": 0.5},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_training_that_goes_on_makes_the_same_trees(settings: Mapping[str, Any]) -> None:
    params = {**PARAMS, **settings}
    whole = Memory()
    expected = boost(Training(params, [data()], 7, checkpoints=whole))
    for rounds in (1, 6):
        stopped = Memory({rounds: whole.saved[rounds]})
        again = boost(Training(params, [data()], 7, checkpoints=stopped))
        assert raw(again) == raw(expected)
        assert again.history == expected.history


def test_folds_and_early_stopping_go_on_too() -> None:
    params = {**PARAMS, "subsample": 0.6, "colsample_bytree": 0.5}
    whole = Memory()
    expected = boost(
        Training(params, [data(1), data(2)], 40, checkpoints=whole, early_stopping=AUC)
    )
    assert expected.best < max(whole.saved) < 40
    for rounds in (2, expected.best, expected.best + 1, max(whole.saved)):
        stopped = Memory({rounds: whole.saved[rounds]})
        again = boost(
            Training(params, [data(1), data(2)], 40, checkpoints=stopped, early_stopping=AUC)
        )
        assert (raw(again), again.best) == (raw(expected), expected.best)
        assert again.history == expected.history


def test_chance_is_redrawn_in_each_round_only_where_it_is_kept() -> None:
    params = {**PARAMS, "subsample": 0.5}
    assert raw(boost(Training(params, [data()], 5))) != raw(
        boost(Training(params, [data()], 5, checkpoints=Memory()))
    )
    assert raw(boost(Training(PARAMS, [data()], 5))) == raw(
        boost(Training(PARAMS, [data()], 5, checkpoints=Memory()))
    )
    assert [draws(s) for s in ({}, {"subsample": 1}, {"colsample_bylevel": 0.9})] == [
        False,
        False,
        True,
    ]


def test_a_stop_from_outside_ends_after_the_round() -> None:
    seen = iter([False, False, False, True])
    memory = Memory()
    boosted = boost(
        Training(PARAMS, [data()], 50, checkpoints=memory, is_stopped=lambda: next(seen))
    )
    assert boosted.stopped
    assert boosted.best == max(memory.saved) == 3


def test_trees_are_put_behind_those_of_a_first_model() -> None:
    one = boost(Training(PARAMS, [data()], 6))
    two = boost(
        Training(PARAMS, [data()], 4, initial_model=raw(boost(Training(PARAMS, [data()], 2)))[0])
    )
    assert raw(two) == raw(one)


def test_a_metric_of_ones_own_has_all_its_digits() -> None:
    def accuracy(scores: np.ndarray, data: xgboost.DMatrix) -> list[tuple[str, float]]:
        return [("accuracy", accuracy_score(data.get_label(), scores > 0.5))]

    own = data()
    boosted = boost(Training(PARAMS, [own], 3, custom_metric=accuracy))
    scores = boosted.boosters[0].predict(own.validation)
    assert boosted.history["validation"]["accuracy"][-1] == [accuracy(scores, own.validation)[0][1]]


def test_equal_and_absent_values_are_no_improvement_and_any_value_is_one_of_nan() -> None:
    def best(*values: float) -> int:
        return AUC.best({"validation": {"auc": [[value] for value in values]}})

    nan = float("nan")
    assert [best(0.5, 0.6, 0.6, 0.4), best(0.5, nan, 0.7), best(nan, 0.9)] == [1, 2, 1]
