"""Large and stored rows, as quantiles: the same models and scores as from plain ones."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xgboost

from sagetree.tables.roles import RowRoles
from sagetree.train.boosting.dmatrix import (
    QUANTILE_SAMPLE_ROWS,
    QUANTISED_CELLS,
    DMatrixBuilder,
)
from sagetree.train.examples.examples import Examples

PARAMS = {"objective": "binary:logistic", "max_depth": 4, "seed": 0, "nthread": 1}


def rows(count: int, width: int = 20) -> Examples:
    """The last feature is a category, whose greatest code one row alone has."""
    random = np.random.default_rng(3)
    matrix = random.random((count, width), np.float32)
    matrix[random.random(matrix.shape) < 0.02] = np.nan
    matrix[:, -1] = random.integers(0, 5, count)
    matrix[count // 2, -1] = 7
    labels = np.nan_to_num(matrix[:, 0]) + 0.2 * (matrix[:, -1] == 2) > random.random(count)
    return Examples(matrix, labels.astype(np.float32))


def matrices(width: int = 20, **how) -> DMatrixBuilder:
    usual = {"feature_weights": None, "threads": 1, "queries": False, "bounds": False}
    names = [f"f{i}" for i in range(width)]
    return DMatrixBuilder(names, ["q"] * (width - 1) + ["c"], **(usual | {"max_bin": 256} | how))


def on_disk(examples: Examples, folder: Path) -> Examples:
    source = np.memmap(folder / "rows", np.float32, "w+", shape=examples.source.shape)
    source[:] = examples.source
    return Examples(source, examples.labels, examples.roles, external=True)


@pytest.fixture(scope="module")
def large() -> Examples:
    return rows(2 * QUANTILE_SAMPLE_ROWS + 1000)


def auc(booster: xgboost.Booster, data: xgboost.DMatrix) -> float:
    return float(booster.eval_set([(data, "d")]).rsplit(":", 1)[1])


@pytest.mark.long
def test_large_rows_are_quantised_by_a_sample_and_score_as_they_are(large: Examples) -> None:
    assert large.rows * large.width >= QUANTISED_CELLS
    inside = large.take(np.arange(0, large.rows - 1000))
    outside = large.take(np.arange(large.rows - 1000, large.rows))
    builder = matrices()
    train = builder.build(inside)
    assert isinstance(train, xgboost.QuantileDMatrix)
    evaluated = builder.build(inside, ref=train)
    assert isinstance(evaluated, xgboost.QuantileDMatrix)
    assert type(builder.build(outside, ref=train)) is xgboost.DMatrix  # few: it predicts faster
    booster = xgboost.train(PARAMS | {"eval_metric": "auc"}, train, 3)
    plain = builder.build(outside)
    assert type(plain) is xgboost.DMatrix
    as_they_are = xgboost.DMatrix(
        inside.matrix,
        feature_names=builder.names,
        feature_types=builder.types,
        enable_categorical=True,
    )
    expected = booster.predict(as_they_are)
    np.testing.assert_array_equal(booster.predict(evaluated), expected)
    exact = xgboost.train(PARAMS | {"eval_metric": "auc"}, matrices(max_bin=None).build(inside), 3)
    assert auc(booster, plain) == pytest.approx(auc(exact, plain), abs=0.005)
    assert (train.num_row(), train.num_col()) == (inside.rows, 20)
    np.testing.assert_array_equal(train.get_label(), inside.labels)


def test_rows_on_disk_make_the_model_of_rows_in_memory(tmp_path: Path) -> None:
    examples = rows(3000)
    roles = RowRoles(weight=np.arange(1, 3001, dtype=np.float32))
    examples = Examples(examples.matrix, examples.labels, roles)
    stored = on_disk(examples, tmp_path)
    builder = matrices()
    data = builder.build(stored)
    assert isinstance(data, xgboost.ExtMemQuantileDMatrix)
    np.testing.assert_array_equal(data.get_weight(), roles.weight)
    booster = xgboost.train(PARAMS | {"eval_metric": "auc"}, data, 10)
    plain = builder.build(examples)
    in_memory = xgboost.train(PARAMS | {"eval_metric": "auc"}, plain, 10)
    assert auc(booster, plain) == pytest.approx(auc(in_memory, plain), abs=0.001)


@pytest.mark.parametrize("how", [{"max_bin": None}, {"queries": True}])
def test_values_themselves_where_quantiles_will_not_do(tmp_path: Path, how: dict) -> None:
    data = matrices(**how).build(on_disk(rows(100), tmp_path))
    assert type(data) is xgboost.DMatrix


def test_bounds_margins_and_weights_of_features_are_handed_over(tmp_path: Path) -> None:
    examples = rows(100)
    labels = np.stack([examples.labels, examples.labels + 1], axis=1)
    roles = RowRoles(base_margin=np.arange(100, dtype=np.float32))
    stored = on_disk(Examples(examples.matrix, labels, roles), tmp_path)
    weights = np.linspace(0, 1, 20, dtype=np.float32)
    data = matrices(bounds=True, feature_weights=weights).build(stored)
    np.testing.assert_array_equal(data.get_float_info("label_lower_bound"), labels[:, 0])
    np.testing.assert_array_equal(data.get_float_info("label_upper_bound"), labels[:, 1])
    np.testing.assert_array_equal(data.get_base_margin(), roles.base_margin)
    np.testing.assert_array_equal(data.get_float_info("feature_weights"), weights)


def test_taken_rows_share_their_source(large: Examples) -> None:
    part = large.take(np.arange(1, 100)).take(np.arange(0, 99, 2))
    assert part.source is large.source
    np.testing.assert_array_equal(part.matrix, large.matrix[1:100:2])
    both = part.joined(part)
    np.testing.assert_array_equal(both.matrix, np.vstack([part.matrix, part.matrix]))


def test_blocks_are_all_rows_in_their_order(large: Examples) -> None:
    blocks = list(large.blocks())
    assert len(blocks) > 1
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), large.matrix)
    assert [rows.start for rows, _ in blocks[1:]] == [rows.stop for rows, _ in blocks[:-1]]


def test_some_rows_are_from_all_over(large: Examples) -> None:
    np.testing.assert_array_equal(large.some(3), large.matrix[[0, (large.rows - 1) // 2, -1]])
    part = large.take(np.array([5, 7]))
    np.testing.assert_array_equal(part.some(10), large.matrix[[5, 7]])


FULL = """
import resource, sys
import numpy as np
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.machine.program import start_logging
from sagetree.tables.table import Source, Table
import pyarrow as pa
import sagetree.train.examples.matrix
from sagetree.train.examples.matrix import feature_matrix

start_logging()
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
column = pa.chunked_array([np.arange(17 * 2**20, dtype=np.float32)])
table = Table(("a",), (column,), len(column), True, (Source(len(column)),))
features = FeaturePipeline(
    missing_values=(), unknown_category="missing", features=(Number(column="a"),)
)
found = feature_matrix(table, features).matrix
assert found[-1, 0] == len(column) - 1
feature_matrix(table, features, in_file=True)
"""


@pytest.mark.long  # 68 MB, in a process of its own
def test_large_rows_stay_in_memory_where_the_disk_has_no_room(tmp_path: Path) -> None:
    environment = {"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(
        [sys.executable, "-c", FULL], env=environment, capture_output=True, text=True, timeout=60
    )
    assert ended.stdout == f"{tmp_path} has no room for the rows: they stay in memory\n"
    assert ended.stderr.splitlines()[-1] == (
        f"sagetree.errors.PlatformError: {tmp_path}: the disk has no room for the rows. Give the "
        "instance a larger volume, or set TMPDIR to a folder on a larger one"
    )
