"""SHAP values: by their definition, and beside XGBoost's own."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from sagetree.boosters.explainer import Explainer
from sagetree.boosters.library import CONTRIBUTIONS, MARGIN, LibraryError, NativeBooster
from sagetree.boosters.tree_shap import TreeShap
from sagetree.boosters.trees import Trees, read_trees

Rows = NDArray[np.float32]

FEATURES = 5
CATEGORIES = 11
EVERY_SPLIT = 10**9


def rows_of(seed: int, count: int, *, categories: bool = False) -> Rows:
    """Rows of numbers, a tenth of them missing; the last two features may be categories."""
    source = np.random.default_rng(seed)
    rows = source.normal(size=(count, FEATURES)).astype(np.float32)
    if categories:
        rows[:, -2:] = source.integers(0, CATEGORIES, (count, 2))
    rows[source.random(rows.shape) < 0.1] = np.nan
    return rows


def trained(rounds: int = 5, *, categories: bool = False, outputs: int = 1, **params: Any) -> bytes:
    """A model of a label that every feature has a part in."""
    rows = rows_of(3, 400, categories=categories)
    label = np.nansum(rows * np.arange(1, FEATURES + 1), axis=1) + np.nan_to_num(rows[:, 0]) ** 2
    if "num_class" in params:
        label = np.digitize(label, [0.0, 4.0])
    elif params.get("objective") == "binary:logistic":
        label = label > 0
    elif outputs > 1:
        label = np.stack([label**power for power in range(1, outputs + 1)], axis=1)
    kinds = ["q"] * 3 + ["c" if categories else "q"] * 2
    data = xgboost.DMatrix(rows, label, feature_types=kinds, enable_categorical=True)
    settings = {"nthread": 1, "max_depth": 4, **params}
    return bytes(xgboost.train(settings, data, rounds).save_raw("ubj"))


def trees_of(model: bytes) -> Trees:
    (trees,) = read_trees(NativeBooster(model), EVERY_SPLIT)
    return trees


def by_definition(trees: Trees, row: Rows) -> NDArray[np.float64]:
    """Shapley values over all sets of features, of trees with one output."""

    def below(node: int, known: frozenset[int]) -> float:
        """The mean of what a tree adds, with the row followed in the known features only."""
        left, right = int(trees.left[node]), int(trees.right[node])
        if left < 0:
            return float(trees.value[node])
        feature = int(trees.feature[node])
        if feature in known:
            return below(left if goes_left(node, float(row[feature])) else right, known)
        parts = [below(child, known) * trees.cover[child] for child in (left, right)]
        return float(sum(parts) / trees.cover[node])

    def goes_left(node: int, cell: float) -> bool:
        if np.isnan(cell):
            return bool(trees.default_left[node])
        if trees.is_categorical[node]:
            return int(cell) not in trees.categories[node]
        return bool(np.float32(cell) < trees.value[node])

    features = range(len(row))
    sets = [
        frozenset(known) for size in range(len(row) + 1) for known in combinations(features, size)
    ]
    value = {known: sum(below(root, known) for root in trees.roots.tolist()) for known in sets}
    found = np.zeros(len(row))
    for known in sets:
        for feature in set(features) - known:
            ways = factorial(len(known)) * factorial(len(row) - len(known) - 1)
            found[feature] += ways * (value[known | {feature}] - value[known])
    return found / factorial(len(row))


KINDS: Mapping[str, Mapping[str, Any]] = {
    "numbers": {},
    "categories": {"categories": True},
    "one category against the others": {"categories": True, "max_cat_to_onehot": 100},
    "deep": {"max_depth": 9, "min_child_weight": 0},
    "stumps": {"max_depth": 1},
    "by leaves": {"grow_policy": "lossguide", "max_leaves": 20, "max_depth": 0},
    "pruned to the root": {"gamma": 1e9},
    "forest": {"num_parallel_tree": 3, "subsample": 0.5},
}


@pytest.mark.parametrize("kind", KINDS)
def test_contributions_are_shapley_values_by_their_definition(kind: str) -> None:
    model = trained(**KINDS[kind])
    rows = rows_of(4, 3, categories=bool(KINDS[kind].get("categories")))
    found = Explainer(NativeBooster(model), 1).contributions(rows)
    assert (found.shape, found.dtype) == ((3, 1, FEATURES + 1), np.float32)
    expected = np.stack([by_definition(trees_of(model), row) for row in rows])
    np.testing.assert_allclose(found[:, 0, :-1], expected, rtol=2e-6, atol=2e-6)
    assert expected.any() == (kind != "pruned to the root")


OTHERS: Mapping[str, Mapping[str, Any]] = {
    "binary": {"objective": "binary:logistic", "base_score": 0.3},
    "classes": {"objective": "multi:softprob", "num_class": 3, "categories": True},
    "a tree for each output": {"outputs": 3},
    "a forest for each class": {
        "objective": "multi:softmax", "num_class": 3, "num_parallel_tree": 2, "subsample": 0.5,
    },
    "quantiles": {"objective": "reg:quantileerror", "quantile_alpha": [0.2, 0.8]},
    "one leaf": {"max_depth": 1, "gamma": 1e9},
    "no trees": {"rounds": 0},
    "gblinear": {"booster": "gblinear"},
    "dart": {"booster": "dart", "rate_drop": 0.5},
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", OTHERS)
def test_contributions_are_close_to_xgboosts_own_and_add_up_to_the_margin(kind: str) -> None:
    booster = NativeBooster(trained(**{"rounds": 8, **OTHERS[kind]}))
    rows = rows_of(5, 40, categories=kind == "classes")
    own = booster.predict(rows, CONTRIBUTIONS)
    explainer = Explainer(booster, own.shape[1])
    assert (explainer.is_possible, explainer.is_ready) == (True, False)
    found = explainer.contributions(rows)
    assert explainer.is_ready
    assert found.shape == own.shape
    np.testing.assert_allclose(found, own, rtol=1e-5, atol=1e-4)
    margins = booster.predict(rows, MARGIN)
    np.testing.assert_allclose(found.sum(axis=-1), margins, rtol=1e-5, atol=1e-4)


def test_leaves_of_several_values_are_left_to_the_library() -> None:
    booster = NativeBooster(trained(outputs=3, multi_strategy="multi_output_tree"))
    rows = rows_of(5, 4)
    explainer = Explainer(booster, 3)
    try:
        own = booster.predict(rows, CONTRIBUTIONS)
    except LibraryError:
        assert not explainer.is_possible
    else:
        assert explainer.is_possible
        assert explainer.contributions(rows).tobytes() == own.tobytes()


@pytest.mark.parametrize("onehot", [1, 100])
def test_categories_that_no_split_knows_take_the_librarys_way(onehot: int) -> None:
    booster = NativeBooster(trained(categories=True, max_cat_to_onehot=onehot))
    strange = [-3, -0.5, 0.5, 2.9, 10, 11, 31, 32, 33, 1e6, 2**24, 1e30, np.inf, -np.inf, np.nan]
    rows = np.repeat(rows_of(6, 1), len(strange) ** 2, axis=0)
    rows[:, 3] = np.repeat(strange, len(strange))
    rows[:, 4] = np.tile(strange, len(strange))
    margins = booster.predict_in_place(rows, MARGIN)
    assert len(np.unique(margins)) > 2
    sums = Explainer(booster, 1).contributions(rows).sum(axis=-1)
    np.testing.assert_allclose(sums, margins, atol=1e-5)


def test_long_paths_are_exact_too() -> None:
    # Every split is by another feature: the row goes on with every second one.
    length = 30
    node = np.arange(length)
    leaves = np.full(length + 1, -1)
    covers = 2.0 ** (length - node)
    trees = Trees(
        roots=np.zeros(1, np.intp),
        outputs=np.zeros(1, np.intp),
        left=np.concatenate([[*node[1:], 2 * length], leaves]),
        right=np.concatenate([node + length, leaves]),
        feature=np.concatenate([node, np.zeros(length + 1, np.intp)]),
        value=np.concatenate([np.zeros(length), node % 7, [5.0]]).astype(np.float32),
        default_left=np.zeros(2 * length + 1, np.bool_),
        cover=np.concatenate([covers, covers / 2, covers[-1:] / 2]),
        is_categorical=np.zeros(2 * length + 1, np.bool_),
        categories={},
    )
    row = np.where(node % 2, 1, -1).astype(np.float32)
    found = TreeShap(trees, length, 1).values(row[None])[0, 0]

    def expected(feature: int) -> float:
        """By the sum over the sizes of sets, whose weights are those of the definition."""
        total = 0.0
        for leaf in range(length + 1):
            path = range(min(leaf + 1, length))
            if feature not in path:
                continue
            passes = [float((row[k] < 0) == (k < leaf)) for k in path]
            sets = np.ones(1)  # by size: products of passes inside, of shares 1/2 outside
            for k in path:
                if k != feature:
                    sets = np.convolve(sets, [0.5, passes[k]])
            size = len(path)
            weights = [
                factorial(inside) * factorial(size - inside - 1) / factorial(size)
                for inside in range(size)
            ]
            value = float(leaf % 7) if leaf < length else 5.0
            total += value * (passes[feature] - 0.5) * float(sets @ weights)
        return total

    np.testing.assert_allclose(found, [expected(k) for k in range(length)], rtol=1e-5, atol=1e-7)


def test_splits_that_no_training_row_reached_count_half() -> None:
    trained_trees = trees_of(trained(max_depth=6))
    cover = trained_trees.cover.copy()
    reached = trained_trees.left[trained_trees.left] >= 0
    cover[np.flatnonzero(reached)[::3]] = 0
    empty = trained_trees._replace(cover=cover)
    assert np.isfinite(TreeShap(empty, FEATURES, 1).values(rows_of(8, 5))).all()
    none = trained_trees._replace(cover=np.zeros_like(cover))
    half = trained_trees._replace(cover=_halves(none))
    row = rows_of(8, 1)[0]
    np.testing.assert_allclose(
        TreeShap(none, FEATURES, 1).values(row[None])[0, 0],
        by_definition(half, row),
        rtol=1e-5,
        atol=1e-6,
    )


def _halves(trees: Trees) -> NDArray[np.float64]:
    """Covers by which every split sends half of its rows either way."""
    cover = np.zeros(len(trees.left))
    cover[trees.roots] = 2.0**40
    for node in range(len(cover)):  # a node comes before its children
        if trees.left[node] >= 0:
            cover[[trees.left[node], trees.right[node]]] = cover[node] / 2
    return cover


def test_leaves_with_hardly_any_weight_add_up_too() -> None:
    """Their shares of the rows are some 1e-16, and their values 1e8."""
    settings = {"objective": "binary:logistic", "eta": 1.0, "min_child_weight": 0, "lambda": 0}
    booster = NativeBooster(trained(25, max_depth=10, subsample=0.6, seed=3, **settings))
    rows = rows_of(11, 40)
    margins = booster.predict_in_place(rows, MARGIN)
    found = Explainer(booster, 1).contributions(rows)
    scale = np.abs(found).max(axis=-1)
    assert scale.max() > 100
    np.testing.assert_array_less(np.abs(found.sum(axis=-1) - margins), 1e-5 * scale)


def test_trees_are_read_in_parts_that_add_up() -> None:
    booster = NativeBooster(trained(12, categories=True))
    whole = trees_of(trained(12, categories=True))
    parts = list(read_trees(booster, whole.splits // 5))
    assert len(parts) > 4
    assert sum(len(part.roots) for part in parts) == 12
    rows = rows_of(9, 3, categories=True)
    values = sum(TreeShap(part, FEATURES, 1).values(rows) for part in parts)
    np.testing.assert_allclose(values, TreeShap(whole, FEATURES, 1).values(rows), atol=1e-5)


def test_a_rows_contributions_do_not_depend_on_the_others_nor_on_the_thread() -> None:
    small, large = (
        Explainer(NativeBooster(trained(rounds, max_depth=depth, categories=True)), 1)
        for rounds, depth in ((1, 1), (30, 6))
    )
    rows = rows_of(10, 50, categories=True)
    together = [small.contributions(rows), large.contributions(rows)]

    def ask(number: int) -> bool:
        which, row = number % 2, number % 50
        found = (small, large)[which].contributions(rows[row : row + 1])
        return found.tobytes() == together[which][row : row + 1].tobytes()

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(ask, range(400)))
