"""Intervals of differences: the bootstrap's, few rows, and how often they hold the truth."""

from collections.abc import Callable

import numpy as np
import pytest

from sagetree.evaluate.comparison.intervals import paired_interval
from sagetree.evaluate.comparison.moves import Moved, moved_auc, moved_average_precision, moved_mean
from sagetree.evaluate.metrics.weighted import log_losses

Metric = Callable[[np.ndarray, np.ndarray, np.ndarray], Moved]

METRICS: dict[str, Metric] = {
    "auc": moved_auc,
    "au_prc": moved_average_precision,
    "logloss": lambda positive, scores, w: moved_mean(log_losses(positive, scores), w),
}


def two_models(
    random: np.random.Generator, rows: int, share: float, skills: tuple[float, float]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return labels, and probabilities of two models that have half of their noise in common."""
    positive = random.random(rows) < share
    common = random.normal(size=rows)
    found = []
    for skill in skills:
        signal = (common + random.normal(size=rows)) / np.sqrt(2) + skill * positive
        odds = np.log(share / (1 - share)) + skill * signal - skill**2 / 2
        found.append(1 / (1 + np.exp(-odds)))
    return positive, found


def difference(
    metric: Metric, positive: np.ndarray, models: list[np.ndarray], weights: np.ndarray
) -> tuple[float, np.ndarray]:
    one, other = (metric(positive, scores, weights) for scores in models)
    return other.value - one.value, other.moves - one.moves


@pytest.mark.parametrize(
    ("name", "weighted"),
    [
        pytest.param("auc", False, marks=pytest.mark.long),
        ("auc", True),
        ("au_prc", True),
        ("logloss", True),
    ],
)
def test_an_interval_is_as_wide_as_that_of_1000_resamples(name: str, weighted: bool) -> None:
    random = np.random.default_rng(5)
    positive, models = two_models(random, 600, 0.2, (1.0, 1.4))
    weights = random.gamma(3, size=600) if weighted else np.ones(600)
    value, moves = difference(METRICS[name], positive, models, weights)
    strata = positive, ~positive
    low, high = paired_interval(value, moves, weights, strata, 1.0)
    resampled = []
    for _ in range(1000):
        drawn = random.integers(0, 600, 600)
        some = [scores[drawn] for scores in models]
        resampled.append(difference(METRICS[name], positive[drawn], some, weights[drawn])[0])
    wide = np.percentile(resampled, 97.5) - np.percentile(resampled, 2.5)
    assert high - low == pytest.approx(wide, rel=0.1)
    assert (low + high) / 2 == pytest.approx(value)


@pytest.mark.parametrize(("rows", "shown"), [(2, False), (3, False), (4, False), (6, True)])
def test_a_handful_of_rows_that_agree_show_little(rows: int, shown: bool) -> None:
    gains = np.zeros(1000)
    gains[:rows] = 1200.0
    value, moves = moved_mean(gains, np.ones(1000))
    low, _high = paired_interval(value, moves, np.ones(1000), (np.ones(1000, bool),), np.inf)
    assert (low > 0) == shown


def test_one_row_of_a_label_shows_nothing() -> None:
    strata = np.array([True, False, False]), np.array([False, True, True])
    moves = np.array([0.1, -0.1, 0.0])
    assert paired_interval(0.2, moves, np.ones(3), strata, 1.0) == (-1, 1)


def test_models_that_say_the_same_have_no_difference() -> None:
    every = (np.ones(4, bool),)
    assert paired_interval(0.0, np.zeros(4), np.ones(4), every, np.inf) == (0, 0)


@pytest.mark.parametrize(("rows", "shown"), [(3, False), (20, True)])
def test_rows_that_all_say_the_same_of_a_difference_say_it_by_their_number(
    rows: int, shown: bool
) -> None:
    """One model separates the labels, the other gives all rows one score: nothing varies."""
    positive = np.arange(2 * rows) < rows
    models = [np.zeros(2 * rows), positive.astype(float)]
    weights, strata = np.ones(2 * rows), (positive, ~positive)
    value, moves = difference(moved_auc, positive, models, weights)
    assert value == 0.5
    assert not moves.any()
    low, high = paired_interval(value, moves, weights, strata, 1.0)
    assert high < 1
    assert (low > 0) == shown
    of_losses = paired_interval(value, moves, weights, strata, np.inf)
    assert of_losses == ((0.5, 0.5) if shown else (-np.inf, np.inf))


@pytest.mark.long
@pytest.mark.parametrize("skills", [(1.2, 1.2), (1.2, 1.6)], ids=["equal", "different"])
@pytest.mark.parametrize(("rows", "share"), [(1000, 0.1), (200, 0.3), (4000, 0.02)])
def test_intervals_hold_the_true_difference_in_95_percent_of_draws(
    rows: int, share: float, skills: tuple[float, float]
) -> None:
    draws, random = 1500, np.random.default_rng(1)
    many = two_models(random, 1_000_000, share, skills)
    ones = np.ones(1_000_000)
    for name, metric in METRICS.items():
        true = 0.0 if skills[0] == skills[1] else difference(metric, *many, ones)[0]
        held = better = 0
        for _ in range(draws):
            positive, models = two_models(random, rows, share, skills)
            value, moves = difference(metric, positive, models, np.ones(rows))
            strata = positive, ~positive
            low, high = paired_interval(value, moves, np.ones(rows), strata, 1.0)
            held += low <= true <= high
            better += (high < 0) if name == "logloss" else (low > 0)
        assert 0.925 <= held / draws <= 0.975, name
        if skills[0] == skills[1]:
            assert better / draws <= 0.05, name
