"""What is chosen of held-out rows: by how many there are, and what their scores lack."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from sagetree.boosters.calibration import Scores
from sagetree.machine.program import LOG
from sagetree.tables.roles import RowRoles
from sagetree.train.boosting.results import ValidationResult
from sagetree.train.calibration.choosing import choose
from sagetree.train.examples.examples import Examples


def odds_of(shares: np.ndarray) -> np.ndarray:
    return np.log(shares / (1 - shares))


def share_of(odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-odds))


def left_out(
    shares: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None, seed: int = 0
) -> ValidationResult:
    """Rows that are positive by chance, each with its share, and what a model says about them."""
    labels = (np.random.default_rng(seed).random(len(shares)) < shares).astype(np.float32)
    roles = RowRoles(weight=None if weights is None else weights.astype(np.float32))
    rows = Examples(np.zeros((len(labels), 1), np.float32), labels, roles)
    found: Scores = scores.astype(np.float32)
    return ValidationResult((1,), rows, found, found, {}, {}, "the rows")


def true_shares(rows: int) -> np.ndarray:
    return share_of(np.random.default_rng(9).normal(-1.5, 1.2, rows))


SHARES = true_shares(4000)
FLAT = share_of(0.5 * odds_of(SHARES))


def test_right_scores_need_none():
    found = choose(left_out(SHARES, SHARES), "auto", 1)
    assert found.calibration is None
    assert found.before == found.after


def test_a_wrong_slope_is_put_right_by_platt():
    found = choose(left_out(SHARES, FLAT), "auto", 1)
    assert found.calibration is not None
    assert found.calibration.method == "platt"
    assert found.calibration.slope == pytest.approx(2, abs=0.2)
    assert found.why.startswith("the calibration slope is ")


def test_a_mean_that_is_off_is_put_right_though_the_slope_is_right():
    found = choose(left_out(SHARES, share_of(odds_of(SHARES) + 0.5)), "auto", 1)
    assert found.calibration is not None
    assert found.calibration.intercept == pytest.approx(-0.5, abs=0.15)


def test_what_may_be_chance_is_left():
    found = choose(left_out(SHARES[:150], share_of(0.8 * odds_of(SHARES[:150]))), "auto", 1)
    assert found.calibration is None
    assert found.why.endswith(" of the rows are positive, which may be chance")


def test_a_few_rows_of_a_label_say_too_little():
    found = choose(left_out(SHARES[:60] / 4, FLAT[:60]), "auto", 1)
    assert found.calibration is None
    assert found.why == "fewer than 20 rows of the rarer label say too little"


STEPS = np.where(SHARES < 0.2, 0.02, 0.5)


@pytest.mark.parametrize(("rows", "method"), [(4000, "isotonic"), (900, "platt")])
def test_a_step_is_isotonic_where_there_are_a_thousand_rows(rows: int, method: str):
    found = choose(left_out(STEPS[:rows], FLAT[:rows]), "auto", 1)
    assert found.calibration is not None
    assert found.calibration.method == method


def test_the_weight_of_positives_is_taken_back_before_anything_else():
    raised = share_of(odds_of(SHARES) + np.log(10))
    found = choose(left_out(SHARES, raised), "auto", 10)
    assert found.calibration is not None
    assert found.calibration.method == "prior"
    assert found.after is not None
    assert found.before is not None
    assert found.after.logloss < found.before.logloss
    flat = share_of(0.5 * odds_of(SHARES) + np.log(10))
    found = choose(left_out(SHARES, flat), "auto", 10)
    assert found.calibration is not None
    assert found.calibration.method == "platt"
    assert found.why.startswith(
        "scale_pos_weight=10 multiplies the odds by as much; then the calibration slope is "
    )


def test_weights_count_as_rows_and_copies_once():
    result = left_out(SHARES, FLAT)
    twice = np.arange(4000) % 2 + 1
    weighted = choose(left_out(SHARES, FLAT, weights=twice * 7.0), "platt", 1)
    rows = np.repeat(np.arange(4000), twice)
    repeated = left_out(SHARES, FLAT)
    copied = replace(result.left_out.take(rows), copies=rows)
    scores = result.scores[rows]
    repeated = replace(repeated, left_out=copied, scores=scores, judged=scores)
    counted = choose(repeated, "platt", 1)
    assert weighted.calibration is not None
    assert counted.calibration is not None
    assert counted.calibration.slope == pytest.approx(weighted.calibration.slope, rel=1e-4)
    nothing = np.where(np.arange(4000) < 2000, 1.0, 0.0)
    half = choose(left_out(SHARES[:2000], FLAT[:2000]), "platt", 1).calibration
    ignored = left_out(SHARES, FLAT, weights=nothing)
    assert choose(ignored, "platt", 1).calibration == half


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    LOG.setLevel(logging.INFO)
    return caplog


def test_what_is_asked_for_is_made_with_a_warning_where_rows_are_few(log):
    found = choose(left_out(SHARES[:300], FLAT[:300]), "isotonic", 1)
    assert found.calibration is not None
    assert found.why == "calibration=isotonic asks for it"
    assert log.messages == [
        "Warning: calibration=isotonic learns noise from fewer than 1000 held-out rows, or 100 "
        "of the rarer label: platt needs fewer"
    ]


def test_scores_that_say_the_contrary_have_none(log):
    result = left_out(SHARES, 1 - FLAT)
    found = choose(result, "platt", 1)
    assert found.calibration is None
    assert log.messages == [
        "Warning: calibration=platt is not made: the held-out rows have no calibration slope "
        "above 0"
    ]
    assert choose(result, "auto", 1).why == "the held-out rows have no calibration slope above 0"


def test_rows_that_an_earlier_model_knows_are_not_trusted(log):
    result = left_out(SHARES, FLAT)
    found = choose(result, "auto", 1, are_new=False)
    assert found.calibration is None
    assert found.why == "the earlier model has learnt from the held-out rows"
    assert choose(result, "platt", 1, are_new=False).calibration is not None
    assert log.messages == [
        "Warning: calibration=platt is fitted on rows that the earlier model has learnt from: "
        "give a validation channel it has not seen"
    ]
