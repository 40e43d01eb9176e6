"""What a threshold gives on the rows that chose it: each part is called by what others choose."""

from dataclasses import replace

import numpy as np
import pytest

from sagetree.boosters.objectives import OBJECTIVES
from sagetree.decisions.rules import F1, parse_rule
from sagetree.evaluate.metrics.binary import Evaluation
from sagetree.evaluate.metrics.rows import is_positive
from sagetree.evaluate.metrics.tasks import evaluate_task
from sagetree.evaluate.verdict.threshold import choose_threshold
from sagetree.tables.roles import RowRoles
from sagetree.train.boosting.folds import part_numbers
from sagetree.train.boosting.judging import NO_CHANCE_ROWS
from sagetree.train.boosting.results import ValidationResult
from sagetree.train.examples.examples import Examples
from sagetree.train.results.deciding import called_out_of_part, decide, held_out_point

LOGISTIC = OBJECTIVES["binary:logistic"]


def left_out(rows: int, share: float, seed: int, *, shift: float = 0.0) -> ValidationResult:
    """Rows with scores that say as much of the label as `shift` standard deviations."""
    random = np.random.default_rng(seed)
    labels = (random.random(rows) < share).astype(np.float32)
    odds = random.normal(size=rows) + shift * labels
    scores = (1 / (1 + np.exp(-odds))).astype(np.float32)
    held = Examples(np.zeros((rows, 1), np.float32), labels)
    return ValidationResult((1,), held, scores, scores, {}, {}, "some rows")


def measured(result: ValidationResult, rule: str = "f1") -> Evaluation:
    decision = decide(result, LOGISTIC, parse_rule(rule))
    assert decision is not None
    found = evaluate_task(
        LOGISTIC,
        result.left_out.labels,
        result.judged,
        threshold=decision.threshold,
        called=called_out_of_part(result, decision),
        copies=result.left_out.copies,
    )
    assert isinstance(found, Evaluation)
    return found


@pytest.mark.parametrize("rule", ["f1", "precision>=0.6", "cost: miss=4 alarm=1"])
def test_a_part_is_called_by_the_threshold_of_the_others(rule: str) -> None:
    result = left_out(300, 0.3, 1, shift=1)
    weight = np.random.default_rng(0).uniform(0.5, 2, 300).astype(np.float32)
    result = replace(result, left_out=replace(result.left_out, roles=RowRoles(weight=weight)))
    decision = decide(result, LOGISTIC, parse_rule(rule))
    called = called_out_of_part(result, decision)
    parts = part_numbers(result.left_out, 5, by_label=True, seed=0)
    assert called is not None
    assert parts is not None
    labels = result.left_out.labels
    for part in range(5):
        others = parts != part
        threshold = choose_threshold(
            labels[others], result.scores[others], rule=parse_rule(rule), weights=weight[others]
        ).threshold
        expected = is_positive(result.judged[~others], threshold)
        np.testing.assert_array_equal(called[~others], expected)
    point = held_out_point(result, decision, called)
    assert point is not None
    assert point.chosen.true_positives == pytest.approx(float(weight @ (called & (labels == 1))))


def test_copies_are_called_alike_and_counted_once() -> None:
    result = left_out(60, 0.4, 2, shift=1)
    alone = measured(result)
    held = result.left_out
    thrice = np.tile(np.arange(60), 3)
    copied = replace(held.take(thrice), copies=thrice)
    tripled = replace(
        result, left_out=copied, scores=result.scores[thrice], judged=result.judged[thrice]
    )
    found = measured(tripled)
    assert found.scalars == pytest.approx(dict(alone.scalars))
    assert found.rows == 180


def test_few_and_very_many_rows_are_called_by_their_own_threshold() -> None:
    for result in (left_out(40, 0.01, 4), left_out(3 * NO_CHANCE_ROWS, 0.5, 0)):
        labels = result.left_out.labels
        if labels.sum() == 0:
            labels[0] = 1
        decision = decide(result, LOGISTIC, F1)
        assert called_out_of_part(result, decision) is None
    assert called_out_of_part(result, None) is None


@pytest.mark.long
@pytest.mark.parametrize("shift", [0.5, 1.0])
def test_a_threshold_gives_on_new_rows_what_was_said(shift: float) -> None:
    """Of 40 draws of 100 rows: the F1 of rows that have chosen their threshold is too good."""
    said, own, fresh = [], [], []
    for seed in range(40):
        result = left_out(100, 0.25, seed, shift=shift)
        decision = decide(result, LOGISTIC, F1)
        assert decision is not None
        new = left_out(20_000, 0.25, 1000 + seed, shift=shift)
        called, positive = is_positive(new.scores, decision.threshold), new.left_out.labels == 1
        fresh.append(2 * (called & positive).sum() / (called.sum() + positive.sum()))
        said.append(measured(result).scalars["f1"])
        own.append(decision.f1)
    error = np.std(np.subtract(said, fresh)) / np.sqrt(40)
    assert np.mean(said) == pytest.approx(np.mean(fresh), abs=2 * error)
    assert np.mean(own) > np.mean(fresh) + 4 * error
