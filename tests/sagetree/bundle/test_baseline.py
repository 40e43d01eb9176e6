"""Histograms of training's rows, and the index that compares others with them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sagetree.bundle.baseline import (
    MOST_ROWS,
    Baseline,
    Histogram,
    bin_counts,
    spread,
    stability_index,
)
from sagetree.bundle.model import Model
from sagetree.errors import ArtifactError
from tests.sagetree.models import claims

FLOATS = st.floats(width=32, allow_nan=True, allow_infinity=True)


def test_few_values_get_a_bin_each_and_the_missing_theirs():
    values = np.array([2, 0, 1, 1, np.nan, 2, 2], np.float32)
    found = Histogram.measure(values)
    assert found == Histogram(edges=(0.5, 1.5), counts=(1, 2, 3, 1))


def test_many_values_are_cut_into_tenths():
    values = np.random.default_rng(1).permutation(np.arange(1000, dtype=np.float32))
    found = Histogram.measure(values)
    assert len(found.edges) == 9
    assert all(abs(count - 100) <= 1 for count in found.counts[:-1])
    assert found.counts[-1] == 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], Histogram(edges=(), counts=(0, 0))),
        ([np.nan], Histogram(edges=(), counts=(0, 1))),
        ([3, 3], Histogram(edges=(), counts=(2, 0))),
        ([-np.inf, 1, np.inf], Histogram(edges=(), counts=(3, 0))),
    ],
)
def test_what_cannot_be_cut_is_one_bin(values: list[float], expected: Histogram):
    assert Histogram.measure(np.array(values, np.float32)) == expected


@given(st.lists(FLOATS, max_size=60))
def test_every_row_is_in_one_bin_and_the_same_rows_have_index_0(numbers: list[float]):
    values = np.array(numbers, np.float32)
    found = Histogram.measure(values)
    assert sum(found.counts) == len(values)
    assert bin_counts(found.cuts, values).tolist() == list(found.counts)
    assert Histogram.model_validate_json(found.model_dump_json()) == found
    assert stability_index(found.counts, found.counts) == 0


def test_the_index_is_that_of_its_formula_and_grows_with_the_shift():
    before, now = np.array([500, 300, 200]), np.array([200, 300, 500])
    p, q = (before + 0.5) / 1001.5, (now + 0.5) / 1001.5
    assert stability_index(before, now) == pytest.approx(sum((q - p) * np.log(q / p)))
    shifts = [stability_index([100, 100], [100 + k, 100 - k]) for k in (0, 20, 60, 100)]
    assert shifts == sorted(shifts)
    assert shifts[0] == 0
    assert np.isfinite(shifts[-1])


def test_a_baseline_has_a_histogram_per_feature_and_output():
    matrix = np.random.default_rng(2).random((50, 3), np.float32)
    one = Baseline.measure(matrix, matrix[:, 0])
    three = Baseline.measure(matrix, matrix)
    assert (len(one.features), len(one.scores), len(three.scores)) == (3, 1, 3)
    assert three.scores == three.features == one.features


def test_a_large_table_is_measured_by_a_spread_of_its_rows():
    matrix = np.arange(2 * MOST_ROWS, dtype=np.float32)[:, None]
    found = Baseline.measure(matrix, matrix[:, 0])
    assert sum(found.features[0].counts) == sum(found.scores[0].counts) == MOST_ROWS
    assert spread(matrix, 3)[:, 0].tolist() == [0, MOST_ROWS - 1, 2 * MOST_ROWS - 1]


@pytest.mark.parametrize(
    ("edges", "counts", "reason"),
    [
        ((1.0,), (1, 2), "every bin needs its count"),
        ((1.0, 1.0), (1, 2, 3, 4), "the edges must ascend"),
    ],
)
def test_a_stored_histogram_is_checked(
    edges: tuple[float, ...], counts: tuple[int, ...], reason: str
):
    with pytest.raises(ValidationError, match=reason):
        Histogram(edges=edges, counts=counts)


def test_a_bundle_keeps_its_baseline_and_does_without(tmp_path: Path):
    trained = claims()
    baseline = Baseline.measure(trained.model.matrix(trained.table).values, np.zeros(9, np.float32))
    replace(trained.bundle, baseline=baseline).save(tmp_path / "with")
    trained.bundle.save(tmp_path / "without")
    assert Model.load(tmp_path / "with").baseline == baseline
    assert Model.load(tmp_path / "without").baseline is None


def test_a_baseline_of_another_model_is_refused():
    matrix = np.zeros((4, 2), np.float32)
    bundle = replace(claims().bundle, baseline=Baseline.measure(matrix, matrix))
    with pytest.raises(ArtifactError) as caught:
        Model.of_bundle(bundle)
    features = len(bundle.features.names)
    assert str(caught.value) == (
        "sagetree/baseline.json: it has 2 features and 2 outputs where the model has "
        f"{features} and 1. Train again"
    )
