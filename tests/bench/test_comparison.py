import math

import pytest

from bench.quality.comparison import compare, of_folds, of_tables


def test_nadeau_and_bengio_of_five_folds():
    # Mean .03, variance .00025; error = sqrt((1/5 + 1/4) * .00025).
    found = of_folds([0.01, 0.02, 0.03, 0.04, 0.05], folds=5)
    assert found.mean == pytest.approx(0.03)
    assert found.error == pytest.approx(0.0106066, abs=1e-7)
    assert found.in_errors == pytest.approx(2.8284, abs=1e-4)


def test_repeats_leave_the_share_of_rows_that_are_scored():
    # Variance .002 / 9; error = sqrt((1/10 + 1/4) * variance).
    found = of_folds([0.01, 0.02, 0.03, 0.04, 0.05] * 2, folds=5)
    assert found.error == pytest.approx(math.sqrt((1 / 10 + 1 / 4) * 0.002 / 9))


def test_one_fold_has_no_error():
    found = of_folds([0.01], folds=5)
    assert math.isnan(found.error)
    assert found.in_errors == 0


def test_the_same_difference_on_each_fold_is_beyond_any_error():
    assert of_folds([0.5, 0.5], folds=2).in_errors == math.inf
    assert of_folds([-0.5, -0.5], folds=2).in_errors == -math.inf
    assert of_folds([0.0, 0.0], folds=2).in_errors == 0


def test_tables_have_no_rows_in_common():
    assert of_tables([1.0, 2.0, 3.0]).error == pytest.approx(1 / math.sqrt(3))


def test_a_loss_is_gained_by_being_less():
    ours, theirs = {(0, 0): 0.1, (0, 1): 0.2}, {(0, 0): 0.3, (0, 1): 0.4}
    found = compare("t", "sagetree", {"sagetree": ours, "xgboost": theirs}, folds=2, sign=-1)
    assert found.gains["xgboost"].mean == pytest.approx(0.2)
    assert found.means == pytest.approx({"sagetree": 0.15, "xgboost": 0.35})


def test_pairs_are_the_folds_that_both_have():
    values = {
        "sagetree": {(0, 0): 0.9, (0, 1): 0.1},
        "xgboost": {(0, 1): 0.3, (0, 2): 0.9},
        "linear": {},
    }
    found = compare("t", "sagetree", values, folds=3, sign=1)
    assert found.gains["xgboost"].mean == pytest.approx(-0.2)
    assert found.least_gain(["xgboost", "linear"])[0] == "xgboost"
    assert found.least_gain(["linear"]) is None
