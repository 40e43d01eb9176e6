"""Weights by facets and label: by hand, and that they part the two."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagetree.evaluate.bias.reweighing import Reweighing

ROWS = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.integers(0, 2), st.floats(0.1, 10)),
    min_size=4,
    max_size=40,
)


def test_by_hand() -> None:
    """4 of 6 women and 1 of 4 men have label 1: 3 women and 2 men would, were it chance."""
    inside = np.array([[True]] * 6 + [[False]] * 4)
    labels = np.array([1, 1, 1, 1, 0, 0, 1, 0, 0, 0], np.float32)
    found = Reweighing.of(inside, labels)
    assert found.one_sided == 0
    expected = [3 / 4] * 4 + [3 / 2] * 2 + [2] + [2 / 3] * 3
    assert found.emphasis(inside, labels) == pytest.approx(np.array(expected), rel=1e-6)


@given(ROWS)
def test_facets_and_labels_are_independent_and_count_as_before(
    rows: list[tuple[bool, bool, int, float]],
) -> None:
    inside = np.array([row[:2] for row in rows])
    labels = np.array([row[2] for row in rows], np.float32)
    weights = np.array([row[3] for row in rows], np.float32)
    found = Reweighing.of(inside, labels, weights)
    learnt = weights * found.emphasis(inside, labels).astype(np.float64)
    kinds = {tuple(row) for row in inside.tolist()}
    whole = all(
        (labels[(inside == kind).all(axis=1)] == label).any()
        for kind in kinds
        for label in np.unique(labels)
    )
    if not whole:  # a kind of row that is not there cannot be weighed
        return
    assert learnt.sum() == pytest.approx(weights.sum(dtype=float), rel=1e-5)
    for label in np.unique(labels):
        share = weights[labels == label].sum(dtype=float) / weights.sum(dtype=float)
        for kind in kinds:
            part = (inside == kind).all(axis=1)
            of_part = learnt[part & (labels == label)].sum() / learnt[part].sum()
            assert of_part == pytest.approx(share, rel=1e-4)


def test_a_facet_of_one_label_is_told_and_a_new_kind_counts_once() -> None:
    inside = np.array([[True], [True], [False], [False]])
    labels = np.array([1, 1, 1, 0], np.float32)
    found = Reweighing.of(inside, labels)
    assert found.one_sided == 2
    assert found.emphasis(np.array([[True]]), np.array([0.0], np.float32)).tolist() == [1]
