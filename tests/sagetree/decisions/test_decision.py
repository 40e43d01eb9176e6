"""What is stored of a decision: a curve of few points, and what another rule makes of it."""

import re
from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError

from sagetree.decisions.decision import Decision, override
from sagetree.decisions.rules import parse_rule
from sagetree.evaluate.metrics.rows import is_positive
from sagetree.evaluate.verdict.threshold import choose_threshold
from tests.evaluate.labelled import realistic

LABELS, SCORES = realistic(20_000, 0.03)
AMOUNTS = np.random.default_rng(1).exponential(1000, len(LABELS))

RULES = [
    "f1", "precision>=0.2", "precision>=99%", "recall>=0.8", "recall>=0.31", "alerts<=5%",
    "alerts<=0.2%", "cost: miss=1200 alarm=35", "cost: miss=amount alarm=35",
    "cost: miss=1 alarm=amount",
]  # fmt: skip


def chosen(rule: str) -> Decision:
    miss, alarm = AMOUNTS * (LABELS == 1), AMOUNTS * (LABELS == 0)
    return choose_threshold(LABELS, SCORES, rule=parse_rule(rule), miss=miss, alarm=alarm)


def cost_at(threshold: float, miss: object, alarm: object) -> float:
    called = is_positive(SCORES, threshold)
    return float(np.where(LABELS == 1, miss * ~called, alarm * called).sum())


@pytest.mark.parametrize("rule", RULES)
def test_a_curve_is_short_and_gives_its_own_rule_the_same_threshold(rule: str) -> None:
    decision = chosen(rule)
    assert decision.curve is not None
    assert 150 < len(decision.curve.thresholds) <= 200
    assert len(decision.model_dump_json()) < 25_000
    again = Decision.model_validate_json(decision.model_dump_json())
    assert again == decision
    assert override(rule, again).threshold == decision.threshold


@pytest.mark.parametrize("rule", [rule for rule in RULES if "amount" not in rule])
def test_another_rule_chooses_nearly_what_it_would_have_of_all_scores(rule: str) -> None:
    curve, best = chosen("f1"), chosen(rule)
    found = override(rule, curve)
    assert bool(found.unreached) == bool(best.unreached)
    if rule.startswith("cost"):
        least = cost_at(best.threshold, 1200.0, 35.0)
        assert least <= cost_at(found.threshold, 1200.0, 35.0) <= 1.01 * least
        return
    called = is_positive(SCORES, found.threshold)
    recall = (called & (LABELS == 1)).sum() / LABELS.sum()
    assert recall == pytest.approx(best.recall, abs=0.03)
    if rule.startswith("precision>=0.2"):
        assert (LABELS[called] == 1).mean() >= 0.2
    if rule.startswith("alerts"):
        assert called.mean() <= float(rule.split("=")[1].strip("%")) / 100


def test_points_lie_close() -> None:
    curve = chosen("f1").curve
    assert curve is not None
    points = curve.points(parse_rule("f1"))
    for shares in (points.recall, points.alerts):
        assert max(high - low for low, high in pairwise(shares)) < 0.03


@pytest.mark.parametrize(
    ("rule", "decision", "problem"),
    [
        (
            "recall>=0.8",
            None,
            "'recall>=0.8' needs the curve of training's held-out rows, which this model does not "
            "store: give a score from 0 to 1, or train again",
        ),
        (
            "cost: miss=other alarm=35",
            chosen("cost: miss=amount alarm=35"),
            "the model stores no amounts of 'other' as miss: give a number, or train with that "
            "rule",
        ),
        (
            "cost: miss=35 alarm=amount",
            chosen("cost: miss=amount alarm=35"),
            "the model stores no amounts of 'amount' as alarm: give a number, or train with that "
            "rule",
        ),
    ],
)
def test_refused(rule: str, decision: Decision | None, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)) as caught:
        override(rule, decision)
    assert str(caught.value) == problem


def test_a_stored_amount_goes_with_another_number() -> None:
    decision = chosen("cost: miss=amount alarm=35")
    dear = override("cost: miss=amount alarm=350", decision).threshold
    best = chosen("cost: miss=amount alarm=350").threshold
    assert dear > decision.threshold
    assert cost_at(dear, AMOUNTS, 350.0) <= 1.01 * cost_at(best, AMOUNTS, 350.0)


def test_a_threshold_needs_nothing() -> None:
    assert override("0.25", None) == (0.25, "")


def test_a_rule_that_is_not_reached_says_what_is() -> None:
    labels, scores = np.array([0, 1, 1, 1], np.float32), np.full(4, 0.5, np.float32)
    assert override("precision>=80%", choose_threshold(labels, scores)) == (
        0.5,
        "precision>=0.8 is not reached on training's held-out rows: the greatest precision is 75%",
    )


@pytest.mark.parametrize(
    "change",
    [{"rule": "f9"}, {"curve": {"thresholds": [0.5], "true": [], "called": [1], "positives": 1,
                                "rows": 2}}],
)  # fmt: skip
def test_a_damaged_decision_is_refused(change: dict[str, object]) -> None:
    plain = {"threshold": 0.5, "chosen": "", "precision": 1.0, "recall": 1.0, "f1": 1.0}
    Decision.model_validate(plain)
    with pytest.raises(ValidationError):
        Decision.model_validate(plain | change)
