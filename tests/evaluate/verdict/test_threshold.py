"""The chosen threshold is what a rule says: the greatest F1 of all scores, or another one."""

import numpy as np
import pytest
from hypothesis import given, settings
from sklearn.metrics import f1_score, precision_score, recall_score

from sagetree.decisions.decision import Decision
from sagetree.decisions.rules import amounts_of, parse_rule
from sagetree.evaluate.metrics.binary import evaluate
from sagetree.evaluate.verdict.threshold import choose_threshold, doubts
from tests.evaluate.labelled import labelled, realistic


@settings(max_examples=settings().max_examples // 2)  # each asks scikit-learn for every score
@given(labelled())
def test_greatest_f1_over_all_scores(rows):
    labels, scores = rows
    of_each = {float(score): f1_score(labels, scores >= score) for score in np.unique(scores)}
    best = max(of_each.values())

    chosen = choose_threshold(labels, scores)

    assert chosen.f1 == best
    assert chosen.threshold == min(score for score, f1 in of_each.items() if f1 == best)
    called = scores >= np.float32(chosen.threshold)
    assert chosen.precision == precision_score(labels, called)
    assert chosen.recall == recall_score(labels, called)


@given(labelled())
def test_what_it_promises_is_what_an_evaluation_finds(rows):
    chosen = choose_threshold(*rows)

    found = evaluate(*rows, chosen.threshold).scalars

    assert (found["precision"], found["recall"], found["f1"]) == pytest.approx(
        (chosen.precision, chosen.recall, chosen.f1)
    )


@pytest.mark.parametrize(
    ("labels", "scores", "threshold", "precision", "recall", "f1"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], 0.3, 1.0, 1.0, 1.0),
        ([0, 1, 0, 1], [0.25, 0.25, 0.25, 0.25], 0.25, 0.5, 1.0, 2 / 3),
        ([1, 0], [0.25, 0.5], 0.25, 0.5, 1.0, 2 / 3),
        # Calling one or all four gives the same F1: all.
        ([1, 0, 0, 1, 0], [0.25, 0.375, 0.4375, 0.75, 0.125], 0.25, 0.5, 1.0, 2 / 3),
        ([0, 0, 1], [0.0, 0.0, 1.0], 1.0, 1.0, 1.0, 1.0),
    ],
)
def test_examples(labels, scores, threshold, precision, recall, f1):
    arrays = np.array(labels, np.int8), np.array(scores, np.float32)

    chosen = choose_threshold(*arrays, where="five rows")

    assert chosen == Decision(
        threshold=np.float32(threshold),
        chosen="the score with the greatest F1, on five rows",
        precision=precision,
        recall=recall,
        f1=f1,
        curve=chosen.curve,
    )


def test_rare_positives_get_a_threshold_that_something_reaches():
    labels, scores = realistic(5000, 0.03)

    chosen = choose_threshold(labels, scores)

    assert (scores >= 0.5).mean() < 0.01
    assert chosen.threshold < 0.5
    assert chosen.recall > 0.1


def brute(rule, labels, scores, weights, miss, alarm):
    """The threshold by trying each score, and one above all."""
    wide = scores.astype(np.float64)
    tried = sorted({*wide, float(np.nextafter(scores.max(), np.float32(2)))}, reverse=True)
    found = []
    for threshold in tried:
        called = wide >= threshold
        true, all_called = (weights * labels)[called].sum(), weights[called].sum()
        precision = true / all_called if all_called else 0.0
        recall, alerts = true / (weights @ labels), all_called / weights.sum()
        cost = (weights * miss * labels)[~called].sum() + (weights * alarm * (1 - labels))[
            called
        ].sum()
        found.append((threshold, precision, recall, alerts, cost))
    kind, bound = rule[:5], float(rule.partition("=")[2]) if "cost" not in rule else 0
    if kind == "preci":
        kept = [f for f in found if f[1] >= bound] or [
            f for f in found if f[1] == max(g[1] for g in found)
        ]
        return max(kept, key=lambda f: (f[2], f[0]))[0]
    if kind == "recal":
        return max(f[0] for f in found if f[2] >= bound)
    if kind == "alert":
        kept = [f for f in found[1:] if f[3] <= bound]
        return min(f[0] for f in kept) if kept else tried[1]
    return min(found, key=lambda f: (round(f[4], 9), f[0]))[0]


@pytest.mark.parametrize(
    "rule",
    ["precision>=0.5", "precision>=1", "recall>=0.75", "recall>=1", "alerts<=0.25",
     "alerts<=0.01", "cost: miss=m alarm=a", "cost: miss=7 alarm=2", "cost: miss=m alarm=3"],
)  # fmt: skip
def test_each_rule_as_by_trying_every_score(rule):
    for seed in range(40):
        random = np.random.default_rng(seed)
        rows = int(random.integers(2, 30))
        scores = (random.integers(0, 12, rows) / 16).astype(np.float32)  # many ties
        labels = random.integers(0, 2, rows).astype(np.float32)
        labels[:2] = 0, 1
        weights = random.integers(0, 3, rows).astype(np.float32)
        weights[:2] = 1
        miss, alarm = random.integers(0, 9, (2, rows)).astype(np.float64)
        parsed = parse_rule(rule)

        chosen = choose_threshold(
            labels, scores, rule=parsed, weights=weights, miss=miss * labels,
            alarm=alarm * (1 - labels),
        )  # fmt: skip

        amounts = amounts_of(parsed)
        of_miss = miss if "miss" in amounts else np.full(rows, getattr(parsed, "miss", 0))
        of_alarm = alarm if "alarm" in amounts else np.full(rows, getattr(parsed, "alarm", 0))
        kept = weights > 0
        assert chosen.threshold == brute(
            rule, labels[kept], scores[kept], weights[kept], of_miss[kept], of_alarm[kept]
        ), seed


UNSURE = (
    np.array([0, 1, 0, 1, 0, 0], np.float32),
    np.array([0.75, 0.75, 0.5, 0.5, 0.25, 0.25], np.float32),
)


def doubted(rule, labels, scores, **amounts):
    decision = choose_threshold(labels, scores, rule=parse_rule(rule), where="six rows", **amounts)
    return decision, list(doubts(decision, scores))


def test_a_precision_that_no_score_has_is_said_with_the_greatest():
    labels, scores = (np.repeat(values, 5) for values in UNSURE)
    decision, said = doubted("precision>=0.9", labels, scores)
    assert decision.threshold == 0.5
    assert decision.chosen == ("the score nearest to precision>=0.9, which none keeps, on six rows")
    assert decision.unreached == "the greatest precision is 50%"
    assert said == [
        "decision precision>=0.9 is not reached: the greatest precision is 50%. The threshold "
        "is the nearest, 0.5, with precision 50.0% and recall 100.0%"
    ]


def test_alerts_that_the_greatest_score_exceeds_are_said():
    labels, scores = (np.repeat(values, 5) for values in UNSURE)
    decision, said = doubted("alerts<=5%", labels, scores)
    assert decision.threshold == 0.75
    assert said == [
        "decision alerts<=0.05 is not reached: the fewest are 33.33%, which have one score. The "
        "threshold is the nearest, 0.75, with precision 50.0% and recall 50.0%"
    ]


def test_a_rule_that_rests_on_few_rows_is_said():
    _, said = doubted("recall>=0.5", *UNSURE)
    assert said == [
        "decision recall>=0.5: of the held-out rows 2 reach the threshold 0.75, too few to say "
        "what it gives on others"
    ]


def test_that_calling_nobody_costs_least_is_said():
    decision, said = doubted("cost: miss=1 alarm=1000", *UNSURE)
    assert decision.threshold == np.nextafter(np.float32(0.75), np.float32(1))
    assert (decision.recall, decision.precision) == (0, 0)
    assert said == [
        "decision cost: miss=1 alarm=1000: the least cost is to call no rows positive. The "
        "threshold 0.75 lies above every score: at these amounts the model saves nothing"
    ]


def test_nothing_is_said_of_the_greatest_f1():
    assert not doubted("f1", *UNSURE)[1]
