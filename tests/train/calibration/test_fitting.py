"""Platt's two numbers and the isotonic levels are scikit-learn's."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression

from sagetree.boosters.calibration import log_odds
from sagetree.train.calibration.fitting import (
    ScoredLabels,
    fit_isotonic,
    fit_platt,
    of_prior,
)


class Known(ClassifierMixin, BaseEstimator):
    """A classifier whose margins are its only column."""

    def fit(self, x, y):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, x):
        return x[:, 0]

    def predict(self, x):
        return (x[:, 0] > 0).astype(float)


def drawn(rows: int, *, slope: float = 0.6, is_weighted: bool = False) -> ScoredLabels:
    """Rows whose log-odds are `slope` times those of their scores."""
    random = np.random.default_rng(rows)
    scores = (1 / (1 + np.exp(1.5 - 2 * random.normal(size=rows)))).astype(np.float32)
    labels = random.random(rows) < 1 / (1 + np.exp(-slope * log_odds(scores)))
    weights = random.integers(1, 4, rows).astype(float) if is_weighted else np.ones(rows)
    return ScoredLabels(labels.astype(np.float32), scores, weights)


@pytest.mark.parametrize("is_weighted", [False, True])
def test_platts_numbers_are_scikit_learns(is_weighted: bool):
    rows = drawn(1500, is_weighted=is_weighted)
    often = rows.take(np.repeat(np.arange(1500), rows.weights.astype(int)))
    x = log_odds(often.scores)[:, None]
    learnt = FrozenEstimator(Known().fit(x, often.labels))
    theirs = CalibratedClassifierCV(learnt, method="sigmoid", ensemble=False, cv=2)
    expected = theirs.fit(x, often.labels).predict_proba(x)[:, 1]
    ours = fit_platt(rows)
    assert ours is not None
    np.testing.assert_allclose(ours(often.scores), expected, rtol=2e-4)
    assert ours.slope == pytest.approx(0.6, abs=0.1)


@pytest.mark.parametrize("is_weighted", [False, True])
def test_isotonic_levels_are_scikit_learns_each_at_its_centre(is_weighted: bool):
    rows = drawn(2000, is_weighted=is_weighted)
    x = log_odds(rows.scores)
    levels = IsotonicRegression().fit_transform(x, rows.labels, sample_weight=rows.weights)
    levels = levels.round(10)
    ours = fit_isotonic(rows)
    assert ours is not None
    centres = {
        level: np.average(x[levels == level], weights=rows.weights[levels == level])
        for level in np.unique(levels)
    }
    inside = [(centre, np.log(v / (1 - v))) for v, centre in centres.items() if 0 < v < 1]
    # the first and the last knot hold the neighbours of one label only as well
    np.testing.assert_allclose(ours.knots[1:-1], inside[1:-1], rtol=1e-6)
    assert len(inside) > 8


def test_ranks_of_one_level_stay():
    rows = drawn(2000)
    found = fit_isotonic(rows)
    assert found is not None
    distinct = np.unique(rows.scores)
    assert (np.diff(found(distinct)) > 0).mean() > 0.999  # but for neighbours of float32


def test_labels_that_scores_separate_or_turn_upside_down_have_none_or_a_shift():
    scores = np.linspace(0.1, 0.9, 40, dtype=np.float32)
    parted = ScoredLabels((scores > 0.5).astype(np.float32), scores, np.ones(40))
    found = fit_isotonic(parted)
    assert found is not None
    assert len(found.knots) == 1
    platt = fit_platt(parted)  # Platt's targets keep it finite
    assert platt is not None
    assert 0.9 < platt(scores)[-1] < 1
    turned = parted._replace(labels=1 - parted.labels)
    assert fit_platt(turned) is None
    upside_down = fit_isotonic(turned)
    assert upside_down is not None
    assert len(upside_down.knots) == 1
    assert fit_isotonic(parted._replace(labels=np.zeros(40, np.float32))) is None


def test_the_priors_shift_takes_the_weight_back():
    true = np.array([0.01, 0.2, 0.7])
    raised = 10 * true / (10 * true + 1 - true)
    np.testing.assert_allclose(of_prior(10.0)(raised.astype(np.float32)), true, rtol=1e-5)
