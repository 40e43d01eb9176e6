"""What the ctypes wrapper relies on in XGBoost's library, for each version that was checked.

A new version of XGBoost fails the first test. Then read the C API's notes, run
this file with the new version, and add its line to `VERSIONS`.
"""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import xgboost

from sagetree.boosters import library as wrapper
from sagetree.boosters.library import (
    CONTRIBUTIONS,
    MARGIN,
    VALUE,
    LibraryError,
    Matrix,
    NativeBooster,
    library,
    library_version,
)


class Version(NamedTuple):
    """Where versions differ."""

    dart_is_nested: bool  # its JSON has the trees under "gbtree"
    explains_vector_leaves: bool  # contributions of multi_output_tree


VERSIONS = {
    "3.2": Version(dart_is_nested=True, explains_vector_leaves=False),
    "3.4": Version(dart_is_nested=False, explains_vector_leaves=True),
}

FUNCTIONS = {
    "XGBGetLastError", "XGBRegisterLogCallback", "XGBoostVersion", "XGBoosterBoostedRounds",
    "XGBoosterCreate", "XGBoosterFeatureScore", "XGBoosterFree", "XGBoosterGetAttr",
    "XGBoosterGetNumFeature", "XGBoosterGetStrFeatureInfo",
    "XGBoosterLoadModelFromBuffer", "XGBoosterPredictFromDMatrix", "XGBoosterPredictFromDense",
    "XGBoosterSaveJsonConfig", "XGBoosterSaveModelToBuffer", "XGBoosterSetParam",
    "XGBoosterSlice", "XGDMatrixCreateFromDense", "XGDMatrixFree", "XGDMatrixSetInfoFromInterface",
    "XGProxyDMatrixCreate",
}  # fmt: skip

ROWS: Matrix = np.random.default_rng(2).normal(size=(300, 4)).astype(np.float32)
ROWS[::9, 1] = np.nan
NUMBER = np.nan_to_num(ROWS[:, 0] * ROWS[:, 1]) + ROWS[:, 2]

# Parameters, labels, and the outputs they make.
MODELS: dict[str, tuple[dict[str, Any], Any, int]] = {
    "numbers": ({}, NUMBER, 1),
    "binary": ({"objective": "binary:logistic"}, NUMBER > 0, 1),
    "classes": (
        {"objective": "multi:softprob", "num_class": 3},
        np.digitize(NUMBER, [-1, 1]),
        3,
    ),
    "targets": ({}, np.stack([NUMBER, -NUMBER], axis=1), 2),
    "vector leaves": ({"multi_strategy": "multi_output_tree"}, ROWS[:, [0, 2]], 2),
    "gblinear": ({"booster": "gblinear", "updater": "coord_descent"}, NUMBER, 1),
    "dart": ({"booster": "dart", "rate_drop": 0.5, "seed": 1}, NUMBER, 1),
}
TREES = tuple(name for name in MODELS if name != "gblinear")

pytestmark = pytest.mark.filterwarnings("ignore:.*(deprecated|gblinear|dart).*:UserWarning")


def version() -> Version:
    return VERSIONS[".".join(library_version().split(".")[:2])]


def trained(name: str, **more: Any) -> xgboost.Booster:
    params, label, _ = MODELS[name]
    data = xgboost.DMatrix(ROWS, label, feature_names=list("abcd"), feature_types=["q"] * 4)
    depth = {} if name == "gblinear" else {"max_depth": 4}
    return xgboost.train({"nthread": 1, **depth, **params, **more}, data, 6)


def native(name: str, **more: Any) -> NativeBooster:
    return NativeBooster(bytes(trained(name, **more).save_raw("ubj")))


def asked(rows: Matrix = ROWS) -> xgboost.DMatrix:
    return xgboost.DMatrix(rows, feature_names=list("abcd"), feature_types=["q"] * 4)


def test_this_version_was_looked_at() -> None:
    assert library_version() == xgboost.__version__.partition("+")[0]
    assert ".".join(library_version().split(".")[:2]) in VERSIONS


def test_the_library_has_every_function_that_is_called() -> None:
    source = Path(wrapper.__file__).read_text()
    assert set(re.findall(r"(?:_lib|library\(\)|loaded)\.(XG\w+)", source)) == FUNCTIONS
    assert [name for name in sorted(FUNCTIONS) if not hasattr(library(), name)] == []


@pytest.mark.parametrize("name", MODELS)
def test_a_matrix_of_its_own_gives_the_packages_predictions(name: str) -> None:
    booster, outputs = trained(name), MODELS[name][2]
    ours = NativeBooster(bytes(booster.save_raw("ubj")))
    for kind, how in ((VALUE, {}), (MARGIN, {"output_margin": True})):
        found = ours.predict(ROWS, kind)
        assert (found.shape, found.dtype) == ((300, outputs), np.float32)
        assert found.tobytes() == booster.predict(asked(), **how).tobytes()


@pytest.mark.parametrize("name", MODELS)
def test_base_margins_are_the_packages(name: str) -> None:
    booster, outputs = trained(name), MODELS[name][2]
    ours = NativeBooster(bytes(booster.save_raw("ubj")))
    start = np.random.default_rng(3).normal(size=(300, outputs)).astype(np.float32)
    for rows in (slice(None), slice(9, 10)):
        data = asked(ROWS[rows])
        data.set_base_margin(start[rows])
        for kind, how in ((VALUE, {}), (MARGIN, {"output_margin": True})):
            found = ours.predict(ROWS[rows], kind, start[rows])
            assert found.tobytes() == booster.predict(data, **how).tobytes()
            assert found.tobytes() != ours.predict(ROWS[rows], kind).tobytes()


@pytest.mark.parametrize("name", TREES)
def test_rows_in_place_give_the_packages_predictions(name: str) -> None:
    """One row and many: NaN is missing, all rounds count, and the shape is always (n, outputs)."""
    booster, outputs = trained(name), MODELS[name][2]
    ours = NativeBooster(bytes(booster.save_raw("ubj")))
    for rows in (ROWS, ROWS[:1], ROWS[9:10]):
        for kind, how in ((VALUE, "value"), (MARGIN, "margin")):
            found = ours.predict_in_place(rows, kind)
            assert found.shape == (len(rows), outputs)
            expected = booster.inplace_predict(rows, predict_type=how)
            assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", MODELS)
def test_contributions_have_one_shape(name: str) -> None:
    booster, outputs = trained(name), MODELS[name][2]
    ours = NativeBooster(bytes(booster.save_raw("ubj")))
    if name == "vector leaves" and not version().explains_vector_leaves:
        with pytest.raises(LibraryError, match="IsMultiTarget"):
            ours.predict(ROWS, CONTRIBUTIONS)
        return
    found = ours.predict(ROWS, CONTRIBUTIONS)
    assert found.shape == (300, outputs, 5)
    assert found.tobytes() == booster.predict(asked(), pred_contribs=True).tobytes()


def test_a_linear_model_takes_no_rows_in_place() -> None:
    with pytest.raises(LibraryError, match="Inplace predict is not supported"):
        native("gblinear").predict_in_place(ROWS, VALUE)


def test_an_answer_is_a_copy_that_the_next_call_leaves_alone() -> None:
    booster = native("numbers")
    first = booster.predict_in_place(ROWS[:5], VALUE)
    kept = first.copy()
    booster.predict_in_place(ROWS[5:10], VALUE)
    booster.predict(ROWS[10:15], CONTRIBUTIONS)
    assert first.tobytes() == kept.tobytes()


@pytest.mark.parametrize("form", ["ubj", "json"])
def test_a_model_is_told_by_its_first_bytes_and_keeps_to_one_thread(form: str) -> None:
    booster = trained("numbers", nthread=3)
    ours = NativeBooster(bytes(booster.save_raw(form)))
    assert ours.predict_in_place(ROWS, VALUE).tobytes() == booster.predict(asked()).tobytes()
    assert ours.config()["generic_param"]["nthread"] == "1"


def test_what_is_no_model_is_refused_in_words() -> None:
    with pytest.raises(LibraryError, match=r"\S"):
        NativeBooster(b'{"no": "model"}')


def test_counts_and_names() -> None:
    booster = native("numbers")
    assert (booster.feature_count, booster.rounds) == (4, 6)
    assert booster.feature_info("feature_name") == ("a", "b", "c", "d")
    assert booster.feature_info("feature_type") == ("q",) * 4
    label = xgboost.DMatrix(ROWS, NUMBER)
    plain = NativeBooster(bytes(xgboost.train({"nthread": 1}, label, 1).save_raw("ubj")))
    assert plain.feature_info("feature_name") == ()


@pytest.mark.parametrize("name", MODELS)
def test_the_settings_say_what_the_model_is(name: str) -> None:
    params, _, outputs = MODELS[name]
    found = native(name).config()
    parameters = found["learner_model_param"]
    classes, targets = int(str(parameters["num_class"])), int(str(parameters["num_target"]))
    assert max(classes, targets, 1) == outputs
    assert found["objective"]["name"] == params.get("objective", "reg:squarederror")
    assert (found["gradient_booster"]["name"] == "gblinear") == (name == "gblinear")


@pytest.mark.parametrize("name", TREES)
def test_the_json_of_a_round_has_its_trees(name: str) -> None:
    booster, (_, _, outputs) = native(name), MODELS[name]
    found = booster.learner(2, 3)["gradient_booster"]
    assert ("gbtree" in found) == (name == "dart" and version().dart_is_nested)
    model = found.get("gbtree", found)["model"]
    trees = model["trees"]
    vector = name == "vector leaves"
    assert len(trees) == len(model["tree_info"]) == (1 if vector else outputs)
    assert (int(trees[0]["tree_param"]["size_leaf_vector"]) > 1) == vector
    nodes = int(trees[0]["tree_param"]["num_nodes"])
    by_node = (
        "left_children", "right_children", "split_indices", "split_conditions", "default_left",
        "sum_hessian", "split_type",
    )  # fmt: skip
    assert {key: len(trees[0][key]) for key in by_node} == dict.fromkeys(by_node, nodes)
    assert {"categories", "categories_nodes", "categories_segments", "categories_sizes"} <= set(
        trees[0]
    )
    if name == "dart":
        weights = found.get("weight_drop") or model.get("weight_drop")
        assert len(weights) == 1


def test_a_round_is_that_of_the_package() -> None:
    booster = trained("classes")
    part = json.loads(bytes(booster[3:4].save_raw("json")))["learner"]
    assert native("classes").learner(3, 4)["gradient_booster"] == part["gradient_booster"]
