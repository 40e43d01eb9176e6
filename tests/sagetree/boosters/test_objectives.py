"""What an objective's score is, and which class it speaks for."""

import numpy as np
import pytest

from sagetree.boosters.objectives import OBJECTIVES, class_numbers, objective_of


def test_an_older_name_is_what_it_stands_for() -> None:
    assert objective_of("reg:linear").name == "reg:squarederror"


def test_an_unknown_objective_gives_plain_values() -> None:
    objective = objective_of("my:own")
    assert (objective.task, objective.score, objective.has_threshold) == (
        "regression", "value", False
    )  # fmt: skip


def test_only_a_probability_of_two_labels_has_a_threshold() -> None:
    assert [name for name, o in OBJECTIVES.items() if o.has_threshold] == ["binary:logistic"]


@pytest.mark.parametrize(
    ("name", "scores", "classes"),
    [
        ("multi:softprob", [[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]], [1, 0]),
        ("multi:softmax", [2.0, 0.0], [2, 0]),
        ("binary:hinge", [1.0, 0.0], [1, 0]),
        ("binary:logitraw", [0.1, -0.1], [1, 0]),
    ],
)
def test_classes(name: str, scores: list[object], classes: list[int]) -> None:
    found = class_numbers(OBJECTIVES[name], np.array(scores, np.float32))
    assert found.tolist() == classes
