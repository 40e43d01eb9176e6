"""The AUC's interval: DeLong's variance by its definition, and how often it holds the truth."""

import numpy as np
import pytest
from hypothesis import given
from scipy import stats
from sklearn.metrics import roc_auc_score

from sagetree.boosters.objectives import OBJECTIVES
from sagetree.evaluate.metrics.binary import Evaluation
from sagetree.evaluate.metrics.interval import auc_interval
from sagetree.evaluate.metrics.tasks import evaluate_task
from tests.evaluate.labelled import labelled, realistic


def by_definition(labels, scores):
    """The same interval from the matrix of all pairs; the AUC is neither 0 nor 1."""
    high, low = scores[labels == 1][:, None], scores[labels == 0][None, :]
    right = (high > low) + 0.5 * (high == low)
    parts = [right.mean(axis=axis).var(ddof=1) / right.shape[1 - axis] for axis in (0, 1)]
    freedom = sum(parts) ** 2 / sum(
        part**2 / (right.shape[1 - axis] - 1) for axis, part in enumerate(parts)
    )
    auc = right.mean()
    half = stats.t.ppf(0.975, freedom) * np.sqrt(sum(parts)) / (auc * (1 - auc))
    return stats.logistic.cdf([stats.logistic.ppf(auc) - half, stats.logistic.ppf(auc) + half])


@given(labelled(least_per_label=2))
def test_interval_of_any_rows(rows):
    auc = roc_auc_score(*rows)

    low, high = auc_interval(*rows)

    assert 0 <= low <= auc <= high <= 1
    if 0 < auc < 1 and len(np.unique(rows[1])) > 1:
        assert (low, high) == pytest.approx(tuple(by_definition(*rows)), abs=1e-9)


def test_interval_of_many_rows():
    rows = realistic(3000, 0.03)

    assert auc_interval(*rows) == pytest.approx(tuple(by_definition(*rows)), rel=1e-12)


def test_a_useless_score_has_the_variance_of_the_mann_whitney_statistic():
    random = np.random.default_rng(5)
    labels = np.repeat(np.array([0, 1], np.int8), 20_000)
    scores = random.random(40_000).astype(np.float32)

    low, high = auc_interval(labels, scores)

    # Known in closed form: (m + n + 1) / (12 m n).
    deviation = np.sqrt(40_001 / (12 * 20_000 * 20_000))
    assert (high - low) / (2 * 1.959964) == pytest.approx(deviation, rel=0.01)


@pytest.mark.parametrize(
    ("labels", "scores", "expected"),
    [
        ([0, 0, 0, 1], [1, 2, 4, 3], (0.0, 1.0)),
        ([1, 1, 1, 0], [1, 2, 4, 3], (0.0, 1.0)),
        ([0, 1], [1, 2], (0.0, 1.0)),
        ([0, 1, 0, 1], [7, 7, 7, 7], (0.5, 0.5)),
        # Perfect: were the true AUC lower, two pairs of two would be right in < 2.5 %.
        ([0, 0, 1, 1], [1, 2, 3, 4], (0.025 ** (1 / 2), 1.0)),
        ([0] * 24 + [1] * 30, range(54), (0.025 ** (1 / 24), 1.0)),
        ([1, 1, 1, 0, 0], [1, 2, 3, 4, 5], (0.0, 1 - 0.025 ** (1 / 2))),
    ],
)
def test_where_the_variance_says_nothing(labels, scores, expected):
    interval = auc_interval(np.array(labels, np.int8), np.array(scores, np.float32))

    assert interval == pytest.approx(expected)


@pytest.mark.parametrize(("positives", "negatives"), [(24, 976), (8, 200), (40, 40)])
def test_it_holds_the_true_auc_in_about_95_of_100_draws(positives, negatives):
    random = np.random.default_rng(0)
    labels = np.repeat(np.array([1, 0], np.int8), [positives, negatives])
    shift = np.sqrt(2) * stats.norm.ppf(0.75) * labels
    draws = 600

    held = 0
    for _ in range(draws):
        scores = (random.normal(size=len(labels)) + shift).astype(np.float32)
        low, high = auc_interval(labels, scores)
        held += low <= 0.75 <= high

    # Three standard errors of such a share are 2.7 points.
    assert 0.92 <= held / draws <= 0.985


def test_scores_of_folds_are_less_certain():
    labels, scores = realistic(3000, 0.03)
    rarer = int(labels.sum())

    logits = [stats.logistic.ppf(auc_interval(labels, scores, of_folds=of)) for of in (False, True)]

    (low, high), (lower, higher) = logits
    assert (higher - lower) / (high - low) == pytest.approx(np.sqrt(1 + 4 / np.sqrt(rarer)))
    assert higher + lower == pytest.approx(high + low)


@pytest.mark.long
@pytest.mark.parametrize(("share", "copied"), [(0.15, 1), (0.5, 1), (0.15, 6)])
def test_the_interval_of_an_evaluation_holds_the_truth(share: float, copied: int) -> None:
    """In 92.5 to 97.5 % of 400 draws, of copied rows too."""
    rows, held = 200, 0
    for seed in range(400):
        random = np.random.default_rng(seed)
        labels = (random.random(rows) < share).astype(np.float32)
        shift = np.sqrt(2) * stats.norm.ppf(0.8) * labels
        scores = stats.norm.cdf(random.normal(size=rows) + shift).astype(np.float32)
        drawn = np.tile(np.arange(rows), copied)
        found = evaluate_task(
            OBJECTIVES["binary:logistic"],
            labels[drawn],
            scores[drawn],
            copies=drawn if copied > 1 else None,
        )
        assert isinstance(found, Evaluation)
        low, high = found.auc_interval
        held += low <= 0.8 <= high
    assert 0.925 <= held / 400 <= 0.975
