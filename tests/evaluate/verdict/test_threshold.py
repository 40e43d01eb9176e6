"""The chosen threshold has the greatest F1 of all scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from sklearn.metrics import f1_score, precision_score, recall_score

from sagetree.bundle.bundle import Decision
from sagetree.evaluate.metrics.binary import evaluate
from sagetree.evaluate.verdict.threshold import choose_threshold
from tests.evaluate.labelled import labelled, realistic


@settings(max_examples=50)  # each asks scikit-learn for every score
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


@settings(max_examples=25)  # each is 200 resamples
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
    )


def test_rare_positives_get_a_threshold_that_something_reaches():
    labels, scores = realistic(5000, 0.03)

    chosen = choose_threshold(labels, scores)

    assert (scores >= 0.5).mean() < 0.01
    assert chosen.threshold < 0.5
    assert chosen.recall > 0.1
