"""Chances are those that scipy's own tests give, and groups are large enough for them."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from sagetree.bundle.baseline import Histogram
from sagetree.bundle.column_baseline import BINS
from sagetree.drift.measures.chance import as_far, as_unlike, at_least, more_than
from sagetree.drift.measures.groups import LEAST, REST, category_groups, number_groups, steps_of

Floats = NDArray[np.float64]


def counts(*values: float) -> Floats:
    return np.array(values, np.float64)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (counts(40, 60, 100), counts(60, 60, 80)),
        (counts(10, 20, 30, 40), counts(100, 200, 300, 500)),
    ],
)
def test_several_groups_are_compared_by_chi_square(before: Floats, now: Floats) -> None:
    expected = stats.chi2_contingency([before, now], correction=False).pvalue
    assert as_unlike(before, now) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (counts(10, 3), counts(4, 9)),
        (counts(1000, 20), counts(15, 5)),
        (counts(20_000, 0), counts(0, 20)),
    ],
)
def test_two_groups_are_compared_exactly(before: Floats, now: Floats) -> None:
    """By twice the smaller tail, which is never below what scipy adds up of both."""
    one_sided = min(
        stats.fisher_exact([before, now], alternative=side).pvalue for side in ("less", "greater")
    )
    assert as_unlike(before, now) == pytest.approx(min(1, 2 * one_sided), rel=1e-9)


def test_a_distance_is_as_likely_as_kolmogorov_says() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(size=400), random.normal(0.2, 1, size=300)
    found = stats.ks_2samp(one, other, method="asymp")
    expected = stats.kstwobign.sf(found.statistic * np.sqrt(400 * 300 / 700))
    assert as_far(found.statistic, 400, 300) == pytest.approx(expected, rel=1e-9)


def test_the_distance_at_fifty_edges_is_next_to_that_of_all_values() -> None:
    random = np.random.default_rng(1)
    one, other = random.normal(size=5000), random.normal(0.3, 1, size=3000)
    steps = steps_of(Histogram.measure(one.astype(np.float32), BINS), other)
    exact = stats.ks_2samp(one, other).statistic
    assert exact - 0.02 <= steps.distance <= exact + 1e-6


def test_more_than_a_share_and_a_normal_tail() -> None:
    assert more_than(7, 20, 0.2) == pytest.approx(stats.binom.sf(6, 20, 0.2))
    assert (more_than(0, 20, 0.2), more_than(1, 20, 0.0), more_than(20, 20, 1.0)) == (1, 0, 1)
    assert at_least(2.0) == pytest.approx(stats.norm.sf(2.0))


@pytest.mark.parametrize("rows", [25, 300, 5000])
def test_groups_of_numbers_have_enough_rows_and_lose_none(rows: int) -> None:
    random = np.random.default_rng(2)
    histogram = Histogram.measure(random.lognormal(size=2000).astype(np.float32), BINS)
    groups = number_groups(histogram, random.lognormal(size=rows))
    assert (groups.before.sum(), groups.now.sum()) == (2000, rows)
    both = groups.before + groups.now
    assert (both * min(rows, 2000) / (rows + 2000) >= LEAST - 1e-9).all()
    assert 2 <= len(groups.names) <= 10
    assert (groups.names[0][:6], groups.names[-1][:5]) == ("below ", "from ")


def test_rare_categories_are_one_group_and_none_is_lost() -> None:
    before = {"a": 500, "b": 300, **{f"rare {n}": 1 for n in range(200)}}
    now = {"a": 50, "b": 30, "new": 18, "rare 0": 2}
    groups = category_groups(before, now)
    assert groups.names == ("a", "b", REST)
    assert groups.before.tolist() == [500, 300, 200]
    assert groups.now.tolist() == [50, 30, 20]


def test_a_few_others_go_with_the_rarest_group() -> None:
    groups = category_groups({"a": 50, "b": 50, "c": 1}, {"a": 50, "b": 50})
    assert (groups.names, groups.before.tolist()) == (("a", REST), [50, 51])
