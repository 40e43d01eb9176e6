import numpy as np
import pytest

from bench.quality.measures import MEASURES, calibration_error, calibration_slope


def simulated(factor):
    """Labels drawn by their log odds, and scores whose log odds are `factor` times as far."""
    random = np.random.default_rng(0)
    odds = random.normal(size=20_000)
    labels = (random.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(float)
    return labels, 1 / (1 + np.exp(-factor * odds))


@pytest.mark.parametrize("factor", [0.5, 1, 2])
def test_the_slope_says_how_sure_of_itself_a_model_is(factor):
    assert calibration_slope(*simulated(factor)) == pytest.approx(1 / factor, rel=0.05)


def test_the_slope_of_separated_rows_counts_as_far():
    labels, scores = np.array([0.0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])
    assert calibration_slope(labels, scores) > 2
    slope = next(m for m in MEASURES["binary"] if m.name == "slope from 1")
    assert slope.of(labels, scores) == 1


def test_calibration_error_by_hand():
    # Ten bins of two rows: nine are right, one says .25 where half are 1.
    scores = np.repeat(np.arange(10) / 10 + 0.05, 2)
    labels = scores.copy()
    labels[4:6] = [0.0, 1.0]
    assert calibration_error(labels, scores) == pytest.approx(0.25 * 2 / 20)


def test_rows_of_one_score_have_no_order():
    labels = np.array([1.0] * 10 + [0.0] * 30)
    assert calibration_error(labels, np.full(40, 0.25)) == pytest.approx(0)


def test_a_sure_and_wrong_row_does_not_decide_alone():
    loss = next(m for m in MEASURES["binary"] if m.name == "log loss")
    assert loss.of(np.array([1.0, 0.0]), np.array([0.0, 0.0])) == pytest.approx(8.06, abs=0.01)


def test_the_error_of_numbers_is_in_their_own_deviations():
    labels = np.array([0.0, 100.0])
    r2, rmse = MEASURES["regression"]
    assert r2.of(labels, np.array([50.0, 50.0])) == pytest.approx(0)
    assert rmse.of(labels, np.array([50.0, 50.0])) == pytest.approx(1)
