"""What cannot be measured is refused with place and remedy."""

import numpy as np
import pytest

from sagetree.errors import ArtifactError, DataError
from sagetree.evaluate.metrics.binary import evaluate
from sagetree.evaluate.metrics.rows import are_probabilities, is_positive
from sagetree.evaluate.verdict.threshold import choose_threshold

HINT = "Give rows of both labels: AUC, precision and recall need them"
AGAIN = "Train again: a model must give every row a finite score"


@pytest.mark.parametrize(
    ("labels", "scores", "kind", "text"),
    [
        ([], [], DataError, f"test.csv: there are no rows. {HINT}"),
        ([0, 0, 0], [0.1, 0.2, 0.3], DataError, f"test.csv: all 3 rows are negative. {HINT}"),
        ([1, 1], [0.1, 0.2], DataError, f"test.csv: all 2 rows are positive. {HINT}"),
        ([1], [0.5], DataError, f"test.csv: all 1 rows are positive. {HINT}"),
        (
            [0, 1, 1],
            [0.1, float("nan"), 0.3],
            ArtifactError,
            f"test.csv: the model gives nan as the score of row 2. {AGAIN}",
        ),
        (
            [0, 1],
            [float("-inf"), 0.5],
            ArtifactError,
            f"test.csv: the model gives -inf as the score of row 1. {AGAIN}",
        ),
    ],
)
def test_refused(labels, scores, kind, text):
    arrays = np.array(labels, np.int8), np.array(scores, np.float32)

    with pytest.raises(kind) as of_evaluate:
        evaluate(*arrays, 0.5, where="test.csv")
    with pytest.raises(kind) as of_threshold:
        choose_threshold(*arrays, where="test.csv")

    assert str(of_evaluate.value) == str(of_threshold.value) == text


def test_unnamed_rows_have_a_name_too():
    with pytest.raises(DataError) as error:
        evaluate(np.zeros(2, np.int8), np.zeros(2, np.float32), 0.5)

    assert str(error.value) == f"the evaluated rows: all 2 rows are negative. {HINT}"


def test_a_threshold_is_not_rounded_to_the_scores_precision():
    # float32(0.7) is 0.699999988079071, which is what a client sees printed.
    scores = np.array([0.7, 0.70000005, 0.5], np.float32)

    assert is_positive(scores, 0.7).tolist() == [False, True, False]
    assert is_positive(scores, float(scores[0])).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("scores", "expected"), [([0, 1], True), ([-0.1, 1], False), ([0, 1.1], False)]
)
def test_are_probabilities(scores, expected):
    assert are_probabilities(np.array(scores, np.float32)) is expected
