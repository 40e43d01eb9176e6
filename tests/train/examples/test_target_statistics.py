"""Statistics of the label in the place of codes: whose labels they are made of."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from sagetree.features.category import Category
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.features.statistics import ClassShares, ManyCategories, TargetMean
from sagetree.tables.label import Labels
from sagetree.tables.roles import RowRoles
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.target_statistics import PARTS, TargetEncoder
from tests.train.hosts.threads import together

SIZE = 40
ENCODER = TargetEncoder({1: SIZE})


def examples(labels: Labels, seed: int = 0, size: int = SIZE, **roles: object) -> Examples:
    """Rows of a number and a code."""
    random, rows = np.random.default_rng(seed), len(labels)
    codes = random.integers(0, size, rows)
    matrix = np.stack([random.normal(size=rows), codes], axis=1).astype(np.float32)
    return Examples(matrix, labels.astype(np.float32), RowRoles(**roles))


def labels_of(codes: NDArray[np.float32], seed: int = 0) -> Labels:
    """Labels that codes say something about."""
    chances = np.random.default_rng(seed).random(SIZE)[codes.astype(np.intp)]
    found: Labels = (np.random.default_rng(seed + 1).random(len(codes)) < chances).astype(
        np.float32
    )
    return found


def told(rows: int = 600) -> Examples:
    made = examples(np.zeros(rows))
    return Examples(made.source, labels_of(made.source[:, 1]))


def pull_of(codes: NDArray[np.float32], labels: Labels) -> float:
    """The variances of a random intercept, as textbooks have them."""
    groups = [labels[codes == code].astype(float) for code in np.unique(codes)]
    counts = np.array([len(group) for group in groups])
    rows = counts.sum()
    inside = sum(((group - group.mean()) ** 2).sum() for group in groups) / (rows - len(groups))
    means = sum(len(group) * (group.mean() - labels.mean()) ** 2 for group in groups)
    usual = (rows - (counts**2).sum() / rows) / (len(groups) - 1)
    return float(inside / ((means / (len(groups) - 1) - inside) / usual))


def test_rows_have_the_drawn_means_of_other_parts() -> None:
    """By hand, category by category."""
    rows = told()
    learnt, tables = ENCODER.cross_fit(rows)
    parts = learnt.statistics.parts
    codes, labels = rows.source[:, 1], rows.labels.astype(float)
    assert set(parts.tolist()) == set(range(PARTS))
    for row in range(0, len(labels), 7):
        others = parts != parts[row]
        pull = pull_of(codes[others], labels[others])
        assert 0 < pull < np.inf
        same = labels[(codes == codes[row]) & others]
        expected = (same.sum() + pull * labels.mean()) / (len(same) + pull)
        assert learnt.matrix[row, 1] == pytest.approx(expected, abs=1e-6)
    of_all, pull = tables[1][0, :, 0], pull_of(codes, labels)
    for code in range(SIZE):
        same = labels[codes == code]
        expected = (same.sum() + pull * labels.mean()) / (len(same) + pull)
        assert of_all[code] == pytest.approx(expected, abs=1e-6)
    assert of_all[SIZE] == pytest.approx(labels.mean(), abs=1e-6)  # categories never seen
    np.testing.assert_array_equal(learnt.matrix[:, 0], rows.source[:, 0])


def test_no_row_sees_its_own_label() -> None:
    """Noise with three rows for each of its values predicts no label."""
    found = []
    for seed in range(25):
        labels = np.random.default_rng(seed).integers(0, 2, 900)
        rows = examples(labels, seed + 100, size=300)
        encoder = TargetEncoder({1: 300})
        learnt, tables = encoder.cross_fit(rows)
        own = encoder.encode(rows, tables).matrix[:, 1]
        if own.max() > own.min():  # else all are drawn to one value
            assert roc_auc_score(labels, own) > 0.7  # those that see their own
        found.append(roc_auc_score(labels, learnt.matrix[:, 1]))
    assert np.count_nonzero(np.array(found) != 0.5) > 12
    assert abs(np.mean(found) - 0.5) < 2 * np.std(found) / np.sqrt(len(found) - 1)


def test_categories_that_say_nothing_have_one_value() -> None:
    labels = np.tile([0, 1], 300)
    codes = np.repeat(np.arange(30), 20)  # each has the same share
    rows = Examples(np.stack([labels * 0, codes], axis=1).astype(np.float32), labels * 1.0)
    learnt, tables = TargetEncoder({1: 30}).cross_fit(rows)
    assert set(learnt.matrix[:, 1].tolist()) == {0.5}
    assert set(tables[1].ravel().tolist()) == {0.5}


def test_categories_of_one_row_each_say_nothing() -> None:
    labels = np.arange(50) % 2
    rows = Examples(np.stack([labels * 0, np.arange(50)], axis=1).astype(np.float32), labels * 1.0)
    learnt, tables = TargetEncoder({1: 50}).cross_fit(rows)
    assert set(learnt.matrix[:, 1].tolist()) | set(tables[1].ravel().tolist()) == {0.5}


def test_large_labels_lose_no_digits() -> None:
    near = told()
    far = Examples(near.source, (near.labels + 4096.0).astype(np.float32))
    tables = [ENCODER.fit(rows)[1] for rows in (near, far)]
    np.testing.assert_allclose(tables[1] - 4096, tables[0], atol=1e-3)


def test_twins_and_rows_of_a_group_are_in_one_part() -> None:
    rows = told(200)
    again = Examples(np.tile(rows.source, (3, 1)), np.tile(rows.labels, 3))
    again = replace(again, copies=np.tile(np.arange(200), 3))
    parts = ENCODER.cross_fit(again)[0].statistics.parts
    np.testing.assert_array_equal(parts.reshape(3, -1), np.tile(parts[:200], (3, 1)))
    groups = np.arange(600) // 5
    grouped = Examples(again.source, again.labels, RowRoles(groups=groups))
    parts = ENCODER.cross_fit(grouped)[0].statistics.parts
    assert {len(set(parts[groups == group].tolist())) for group in range(120)} == {1}
    assert len(set(parts.tolist())) == PARTS


def test_a_table_of_few_features_has_twins_that_are_no_copies() -> None:
    """One column of categories, each of many rows: kept together, they would learn nothing."""
    codes = np.tile(np.arange(SIZE, dtype=np.float32), 50)
    labels = labels_of(codes)
    learnt, tables = TargetEncoder({0: SIZE}).cross_fit(Examples(codes[:, None], labels))
    of_all = tables[0][0][codes.astype(np.intp), 0]
    assert np.corrcoef(learnt.matrix[:, 0], of_all)[0, 1] > 0.95


def test_rows_without_weight_do_not_count() -> None:
    rows = told()
    weight = (np.arange(600) % 3 > 0).astype(np.float32) * 7  # only the ratio says something
    weighted = Examples(rows.source, rows.labels, RowRoles(weight=weight))
    kept = rows.take(np.flatnonzero(weight))
    np.testing.assert_allclose(ENCODER.fit(weighted)[1], ENCODER.fit(kept)[1], atol=1e-6)


def test_the_rows_of_a_fold_are_all_that_counts() -> None:
    """Labels of held-out rows change nothing of what rows inside or outside are given."""
    rows, inside = told(), np.arange(0, 600, 2)
    changed = Examples(rows.source, rows.labels.copy())
    changed.labels[1::2] = 1 - changed.labels[1::2]
    for made in (rows, changed):
        learnt, tables = ENCODER.cross_fit(made.take(inside))
        outside = ENCODER.encode(made.take(inside + 1), tables)
        given = learnt.matrix, outside.matrix
        if made is rows:
            expected = given
    np.testing.assert_array_equal(given[0], expected[0])
    np.testing.assert_array_equal(given[1], expected[1])


def test_missing_codes_stay_missing_and_have_no_part_in_it() -> None:
    rows = told()
    source = rows.source.copy()
    source[::4, 1] = np.nan
    with_missing = Examples(source, rows.labels)
    learnt, tables = ENCODER.cross_fit(with_missing)
    assert np.isnan(learnt.matrix[::4, 1]).all()
    assert np.isnan(learnt.matrix[:, 1]).sum() == 150
    kept = with_missing.take(np.flatnonzero(np.arange(600) % 4))
    np.testing.assert_array_equal(tables[1], ENCODER.fit(kept)[1])


def test_a_column_of_nothing_but_missing_codes() -> None:
    rows = Examples(np.full((9, 2), np.nan, np.float32), np.arange(9, dtype=np.float32))
    learnt, tables = ENCODER.cross_fit(rows)
    assert np.isnan(learnt.matrix).all()
    assert set(tables[1].ravel().tolist()) == {4.0}


def test_every_class_has_its_share() -> None:
    codes = np.tile(np.arange(SIZE), 30)
    labels = (codes + np.repeat(np.arange(30), SIZE) % 3 // 2) % 3
    rows = Examples(
        np.stack([codes * 0, codes, codes * 2], axis=1).astype(np.float32), labels * 1.0
    )
    encoder = TargetEncoder({1: SIZE}, classes=3)
    learnt, tables = encoder.cross_fit(rows)
    assert (learnt.width, learnt.matrix.shape) == (5, (1200, 5))
    np.testing.assert_array_equal(learnt.matrix[:, [0, 4]], rows.source[:, [0, 2]])
    np.testing.assert_allclose(tables[1][0].sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(learnt.matrix[:, 1:4].argmax(axis=1), codes % 3)


def test_all_ways_to_rows_have_the_same_features(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sagetree.train.examples.examples.BLOCK_CELLS", 64)
    learnt, _ = ENCODER.cross_fit(told())
    np.testing.assert_array_equal(np.concatenate([m for _, m in learnt.blocks()]), learnt.matrix)
    np.testing.assert_array_equal(learnt.some(600), learnt.matrix)
    picked = np.array([5, 3, 599, 3])
    np.testing.assert_array_equal(learnt.take(picked).matrix, learnt.matrix[picked])
    twice = learnt.take(np.arange(599, 0, -2)).take(np.array([1, 0]))
    np.testing.assert_array_equal(twice.matrix, learnt.matrix[[597, 599]])


def test_serving_has_the_same_numbers() -> None:
    texts = tuple(f"t{n:02d}" for n in range(SIZE))
    features = FeaturePipeline(
        missing_values=(),
        unknown_category="missing",
        features=(Number(column="x"), ManyCategories(column="c", categories=texts)),
    )
    rows = told()
    encoder = TargetEncoder.of(features, 0)
    assert encoder == ENCODER
    tables = encoder.fit(rows)
    served = encoder.served(features, tables, ("0", "1"))
    feature = served.features[1]
    assert isinstance(feature, TargetMean)
    assert feature.means == tuple(tables[1][0, :SIZE, 0].tolist())
    of_classes = TargetEncoder.of(features, 2)
    shares = of_classes.served(features, of_classes.fit(rows), ("no", "yes")).features[1]
    assert isinstance(shares, ClassShares)
    assert shares.classes == ("no", "yes")
    assert [row[1] for row in shares.shares] == pytest.approx(
        [*feature.means, feature.mean], abs=1e-6
    )


def test_other_categories_stay_codes() -> None:
    features = FeaturePipeline(
        missing_values=(),
        unknown_category="missing",
        features=(Number(column="x"), Category(column="c", categories=("a", "b"))),
    )
    encoder, rows = TargetEncoder.of(features, 0), told()
    learnt, tables = encoder.cross_fit(rows)
    assert learnt is rows
    assert encoder.encode(rows, tables) is rows
    assert encoder.served(features, tables, ()) is features


@pytest.mark.parametrize("weighted", [False, True])
def test_hosts_have_the_statistics_of_the_rows_of_all(weighted: bool) -> None:
    """Which part a row is in is each host's own choice; what is served is of all rows."""
    rows = told()
    if weighted:
        weight = np.arange(rows.rows, dtype=np.float32) % 4
        rows = replace(rows, roles=RowRoles(weight=weight))
    expected = ENCODER.fit(rows)[1]
    shares = [np.arange(0), np.arange(100), np.arange(100, rows.rows)]
    found = together(
        3, lambda group: replace(ENCODER, group=group).fit(rows.take(shares[group.rank]))[1]
    )
    for tables in found:
        assert tables == pytest.approx(expected, abs=1e-6)
        assert (tables == found[0]).all()
