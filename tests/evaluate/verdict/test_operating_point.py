"""What a threshold gives: shares and costs with intervals, beside 0.5 and a constant."""

import numpy as np
import pytest
from scipy.stats import binomtest

from sagetree.decisions.rules import parse_rule
from sagetree.evaluate.metrics.interval import share_interval
from sagetree.evaluate.metrics.rows import is_positive
from sagetree.evaluate.verdict.operating_point import Estimate, operating_point
from tests.evaluate.labelled import realistic

LABELS, SCORES = realistic(3000, 0.1)
COUNTS = np.random.default_rng(0).integers(0, 4, 3000).astype(np.float32)


@pytest.mark.parametrize(("hits", "rows"), [(0, 5), (5, 5), (3, 10), (970, 1000)])
def test_the_interval_of_a_share_is_scipys(hits: int, rows: int) -> None:
    expected = binomtest(hits, rows).proportion_ci(method="wilson")
    assert share_interval(hits / rows, rows) == pytest.approx(tuple(expected), abs=1e-12)


def test_shares_are_counted() -> None:
    point = operating_point(LABELS, SCORES, 0.2, rule=parse_rule("f1"))
    called = is_positive(SCORES, 0.2)
    true, alerts, positives = int((called & (LABELS == 1)).sum()), called.sum(), LABELS.sum()
    assert point.chosen.precision == Estimate(
        true / alerts, *share_interval(true / alerts, int(alerts))
    )
    assert point.chosen.recall.value == true / positives
    assert point.chosen.alerts.value == alerts / 3000
    assert (point.chosen.true_positives, point.chosen.false_positives) == (true, alerts - true)
    assert (point.even.threshold, point.even.name) == (0.5, "0.5")
    assert (point.rule, point.rows) == ("f1", 3000)
    assert point.constant.name == "call everybody"
    assert point.constant.recall.value == 1
    assert point.chosen.cost is None


@pytest.mark.parametrize(
    ("rule", "constant"),
    [
        ("f1", "call everybody"),
        ("recall>=0.9", "call everybody"),
        ("precision>=0.05", "call everybody"),
        ("precision>=0.5", "call nobody"),
        ("alerts<=5%", "call nobody"),
        ("alerts<=100%", "call everybody"),
        ("cost: miss=1 alarm=1", "call nobody"),
        ("cost: miss=100 alarm=1", "call everybody"),
    ],
)
def test_the_constant_is_the_better_one_by_the_rule(rule: str, constant: str) -> None:
    assert operating_point(LABELS, SCORES, 0.2, rule=parse_rule(rule)).constant.name == constant


def test_rows_count_by_weight() -> None:
    rule, amounts = parse_rule("cost: miss=m alarm=3"), np.arange(3000) * (LABELS == 1)
    weighted = operating_point(LABELS, SCORES, 0.2, rule=rule, weights=COUNTS, miss=amounts)
    again = COUNTS.astype(int)
    repeated = operating_point(
        np.repeat(LABELS, again), np.repeat(SCORES, again), 0.2, rule=rule,
        miss=np.repeat(amounts, again),
    )  # fmt: skip
    for one, other in zip(
        (weighted.chosen, weighted.even, weighted.constant),
        (repeated.chosen, repeated.even, repeated.constant),
        strict=True,
    ):
        assert (one.true_positives, one.false_positives) == (
            other.true_positives, other.false_positives,
        )  # fmt: skip
        assert one.cost is not None
        assert other.cost is not None
        assert one.cost.value == pytest.approx(other.cost.value)
    # rows that count for several are fewer of their own: the interval is wider
    assert weighted.chosen.recall.low < repeated.chosen.recall.low
    assert weighted.rows == np.count_nonzero(COUNTS)


@pytest.mark.parametrize("rows", [3000, pytest.param(60_000, marks=pytest.mark.long)])
def test_the_interval_of_a_cost_is_that_of_a_sum(rows: int) -> None:
    labels, scores = realistic(rows, 0.1)
    rule = parse_rule("cost: miss=12 alarm=2")
    cost = operating_point(labels, scores, 0.2, rule=rule).chosen.cost
    called = is_positive(scores, 0.2)
    of_rows = np.where(labels == 1, 12.0 * ~called, 2.0 * called)
    half = 1.96 * of_rows.std() * rows**0.5
    assert cost is not None
    assert cost.value == pytest.approx(of_rows.sum())
    assert (cost.high - cost.low) / 2 == pytest.approx(half, rel=0.1)
    assert cost == operating_point(labels, scores, 0.2, rule=rule).chosen.cost


def test_a_log_says_it_in_four_lines() -> None:
    labels, scores = np.repeat([1.0, 0.0], [2, 6]), np.repeat([0.75, 0.25], [3, 5])
    arrays = labels.astype(np.float32), scores.astype(np.float32)
    rule = parse_rule("cost: miss=1200 alarm=35")
    point = operating_point(*arrays, 0.75, rule=rule)
    assert list(point.lines())[:2] == [
        "What it gives, beside others (rule cost: miss=1200 alarm=35; 95 % intervals):",
        "  threshold 0.75: alerts 37.5% (13.7% to 69.4%), precision 66.7% (20.8% to 93.9%), "
        "recall 100.0% (34.2% to 100.0%), cost 35 (0 to 105)",
    ]
    cheap = operating_point(*arrays, 0.75, rule=parse_rule("cost: miss=12 alarm=0.35"))
    assert list(cheap.lines())[1].endswith(", cost 0.35 (0 to 1.05)")
    nobody = operating_point(*arrays, 0.9, rule=parse_rule("alerts<=5%"))
    assert list(nobody.lines())[3] == (
        "  call nobody: alerts 0.0% (0.0% to 32.4%), precision -, recall 0.0% (0.0% to 65.8%)"
    )
