"""Calibrated scores: an increasing function of each score alone, from numbers that are checked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sagetree.boosters.calibration import Calibration, log_odds

KNOTS = ((-4.0, -3.5), (-1.0, -2.5), (0.5, -2.4), (2.0, 6.0))
SOME = (
    Calibration(method="prior", intercept=-2.3, rows="", chosen=""),
    Calibration(method="platt", slope=0.4, intercept=0.2, rows="", chosen=""),
    Calibration(method="platt", slope=30.0, intercept=-5.0, rows="", chosen=""),
    Calibration(method="isotonic", knots=KNOTS, rows="", chosen=""),
    Calibration(method="isotonic", knots=((0.0, -1.0),), rows="", chosen=""),
)
SCORES = np.random.default_rng(0).random(5000, np.float32)


@pytest.mark.parametrize("calibration", SOME)
def test_a_row_alone_has_the_score_it_has_among_others(calibration: Calibration):
    together = calibration(SCORES)
    alone = np.concatenate([calibration(SCORES[n : n + 1]) for n in range(2000)])
    assert together.dtype == alone.dtype == np.float32
    np.testing.assert_array_equal(together[:2000], alone)
    edges = np.array([0, 1, 2**-149, 1 - 2**-24], np.float32)
    one_by_one = [calibration(edges[n : n + 1])[0] for n in range(4)]
    np.testing.assert_array_equal(calibration(edges), one_by_one)
    column = SCORES.repeat(3).reshape(-1, 3)[:, 1]  # as a matrix of several outputs has it
    np.testing.assert_array_equal(together, calibration(column))


@given(st.lists(st.floats(0, 1, width=32), min_size=1), st.sampled_from(SOME))
def test_ranks_stay_and_every_score_has_a_probability(values: list[float], calibration):
    scores = np.sort(np.array(values, np.float32))
    found = calibration(scores)
    assert (np.diff(found) >= 0).all()
    assert ((found >= 0) & (found <= 1)).all()
    known = log_odds(scores)
    apart = np.diff(known) > 1e-3 * np.maximum(1, np.abs(known[:-1]))
    inside = (found[:-1] > 1e-30) & (found[1:] < 1 - 1e-3)  # where float32 has steps enough
    assert (np.diff(found)[apart & inside] > 0).all()


@pytest.mark.parametrize("calibration", SOME)
def test_what_is_undone_is_as_it_was(calibration: Calibration):
    some = SCORES[np.abs(log_odds(calibration(SCORES))) < 7]
    np.testing.assert_allclose(calibration.undone(calibration(some)), some, rtol=1e-3)


def test_platts_is_a_line_of_log_odds_and_knots_are_met():
    scores = np.array([0.2, 0.9], np.float32)
    platt = SOME[1](scores).astype(np.float64)
    odds = np.log(scores / (1 - scores.astype(np.float64)))
    np.testing.assert_allclose(np.log(platt / (1 - platt)), 0.4 * odds + 0.2, rtol=1e-5)
    before, after = np.array([*KNOTS, (-5.0, -4.5), (3.0, 7.0), (-2.5, -3.0)]).T
    at_knots = SOME[3]((1 / (1 + np.exp(-before))).astype(np.float32))
    np.testing.assert_allclose(log_odds(at_knots), after, rtol=1e-3)


@pytest.mark.parametrize(
    "numbers",
    [
        {"method": "platt", "slope": 0.0},
        {"method": "platt", "slope": float("nan")},
        {"method": "prior", "intercept": float("inf")},
        {"method": "isotonic"},
        {"method": "platt", "knots": KNOTS},
        {"method": "isotonic", "knots": ((0.0, 0.0), (1.0, 0.0))},
        {"method": "isotonic", "knots": ((0.0, 0.0), (0.0, 1.0))},
    ],
)
def test_numbers_that_do_not_rise_are_refused(numbers: dict[str, object]):
    with pytest.raises(ValidationError):
        Calibration.model_validate({**numbers, "rows": "", "chosen": ""})
