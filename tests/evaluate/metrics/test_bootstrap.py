"""A resample is measured as scikit-learn would, and the deviations are those of new rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagetree.evaluate.metrics.bootstrap import RESAMPLES, RankedRows, standard_deviations
from tests.evaluate.labelled import labelled, realistic
from tests.evaluate.metrics.test_binary import of_sklearn


def of_one_draw(ranked, positives, negatives):
    return {name: v for name, (v,) in ranked.measure([(positives, negatives)]).items()}


@settings(max_examples=settings().max_examples // 2)  # each asks scikit-learn for 19 metrics
@given(
    labelled(),
    st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.7, 1.0]) | st.floats(0, 1),
    st.integers(0, 2**32 - 1),
)
def test_a_resample_equals_scikit_learns(rows, threshold, seed):
    labels, scores = rows
    random = np.random.default_rng(seed)
    of_one, of_zero = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    positives = random.integers(0, len(of_one), random.integers(1, 20))
    negatives = random.integers(0, len(of_zero), random.integers(1, 20))
    drawn = np.concatenate((of_one[positives], of_zero[negatives]))

    ranked = RankedRows.of(labels, scores, threshold)
    measured = of_one_draw(ranked, positives, negatives)

    expected = of_sklearn(labels[drawn], scores[drawn], threshold)
    # scikit-learn takes the logarithms in float32, we in float64.
    assert measured.pop("logloss") == pytest.approx(expected.pop("logloss"), rel=1e-5, abs=1e-6)
    assert measured == pytest.approx(expected, rel=1e-12, abs=1e-12)


def whole(labels, scores):
    """The metrics of all rows."""
    positives = np.count_nonzero(labels)
    ranked = RankedRows.of(labels, scores, 0.1)
    return of_one_draw(ranked, np.arange(positives), np.arange(len(labels) - positives))


def test_deviations_are_those_of_other_rows_of_the_same_kind():
    # The deviation over 150 fresh tables, and the mean of what 10 of them say about themselves.
    tables = [realistic(500, 0.1, seed) for seed in range(150)]
    fresh = [whole(*rows) for rows in tables]
    said = [standard_deviations(*rows, 0.1) for rows in tables[:10]]

    for name in ("auc", "aucpr", "logloss", "accuracy", "precision", "recall", "f1"):
        true = np.std([values[name] for values in fresh], ddof=1)
        assert np.mean([deviations[name] for deviations in said]) == pytest.approx(true, rel=0.2)


def test_the_share_of_positives_varies_between_resamples():
    labels, scores = realistic(1000, 0.1)

    deviations = standard_deviations(labels, scores, 0.5)

    share = labels.mean()
    expected = np.sqrt(share * (1 - share) / 1000)
    found = deviations["precision_best_constant_classifier"]
    assert found == pytest.approx(expected, rel=4 / np.sqrt(2 * RESAMPLES))


@pytest.mark.parametrize("labels", [[0, 0, 0, 1], [1, 1, 1, 0], [0, 1]])
def test_a_single_row_of_a_label_has_no_deviation(labels):
    scores = np.linspace(0, 1, len(labels), dtype=np.float32)

    assert standard_deviations(np.array(labels, np.int8), scores, 0.5) == {}


def test_resamples_that_lack_a_label_are_drawn_again():
    # Two positives in 400: every seventh resample has none.
    labels, scores = np.zeros(400, np.int8), np.linspace(0, 1, 400, dtype=np.float32)
    labels[[100, 300]] = 1

    deviations = standard_deviations(labels, scores, 0.5)

    assert all(np.isfinite(list(deviations.values())))
    assert deviations["auc"] == pytest.approx(0.25 / np.sqrt(2), rel=0.3)


@given(labelled(least_per_label=2), st.floats(0, 1))
def test_deviations_are_finite_for_any_rows(rows, threshold):
    deviations = standard_deviations(*rows, threshold)

    assert all(np.isfinite(value) and value >= 0 for value in deviations.values())


def test_the_seed_decides():
    rows = realistic(200, 0.2)

    assert standard_deviations(*rows, 0.1, seed=3) == standard_deviations(*rows, 0.1, seed=3)
    assert standard_deviations(*rows, 0.1, seed=3) != standard_deviations(*rows, 0.1, seed=4)
