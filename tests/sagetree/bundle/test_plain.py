"""Models that others saved: which file is one, which rounds predict, what categories mean."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost

from sagetree.bundle.model import Model
from sagetree.bundle.model_files import form_of
from sagetree.errors import ArtifactError, SchemaError
from sagetree.export import save_booster
from tests.sagetree.models import table_of, write_plain

ROWS = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
NOISY = (ROWS[:, 0] + np.random.default_rng(1).normal(size=200) > 0).astype(int)
TABLE = table_of({f"f{i}": ROWS[:, i].tolist() for i in range(3)})


def stopped_early(**params: object) -> xgboost.XGBClassifier:
    model = xgboost.XGBClassifier(
        n_estimators=60, learning_rate=0.5, n_jobs=1, early_stopping_rounds=5, **params
    )
    model.fit(ROWS[:100], NOISY[:100], eval_set=[(ROWS[100:], NOISY[100:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    return model


# -- which rounds predict


@pytest.mark.parametrize("params", [{}, {"num_parallel_tree": 3}, {"booster": "dart"}])
def test_a_model_that_was_stopped_early_answers_as_its_own_wrapper(
    params: dict[str, object], tmp_path: Path
) -> None:
    own = stopped_early(**params)
    own.save_model(tmp_path / "model.ubj")
    model = Model.load(tmp_path)
    assert model.score(TABLE).tolist() == own.predict_proba(ROWS)[:, 1].tolist()
    values = model.scorer.contributions(model.matrix(TABLE).values)
    np.testing.assert_allclose(values.sum(axis=1), model.scorer.margin(ROWS), atol=1e-5)
    used, stored = own.best_iteration + 1, own.get_booster().num_boosted_rounds()
    assert model.notes == (
        f"{used} of its {stored} rounds predict, up to the best one of its early stopping "
        "(SAGETREE_ROUNDS=all takes all)",
    )
    everything = Model.load(tmp_path, rounds="all")
    whole = own.predict_proba(ROWS, iteration_range=(0, stored))[:, 1]
    assert everything.score(TABLE).tolist() == whole.tolist()
    assert everything.notes == ()


def test_a_linear_model_that_was_stopped_early_keeps_its_one_line(tmp_path: Path) -> None:
    own = xgboost.XGBClassifier(booster="gblinear", early_stopping_rounds=2, n_estimators=60)
    own.fit(ROWS[:100], NOISY[:100], eval_set=[(ROWS[100:], NOISY[100:])], verbose=False)
    own.save_model(tmp_path / "model.ubj")
    assert Model.load(tmp_path).score(TABLE).tolist() == own.predict_proba(ROWS)[:, 1].tolist()


@pytest.mark.parametrize(
    ("attributes", "rounds"),
    [
        ({"best_iteration": "3"}, 4),
        ({"best_iteration": "3", "best_ntree_limit": "8"}, 4),  # XGBoost 1.3 to 1.7
        ({"best_ntree_limit": "7"}, 4),
        ({"best_iteration": "99"}, 10),
        ({"best_iteration": "soon", "best_ntree_limit": "0"}, 10),
        ({}, 10),
    ],
)
def test_the_best_round_is_what_the_attributes_say(
    attributes: dict[str, str], rounds: int, tmp_path: Path
) -> None:
    data = xgboost.DMatrix(ROWS, NOISY)
    booster = xgboost.train({"num_parallel_tree": 2, "nthread": 1}, data, 10)
    booster.set_attr(**attributes)
    booster.save_model(tmp_path / "model.json")
    assert Model.load(tmp_path).scorer.rounds == (rounds,)


@pytest.mark.parametrize("all_rounds", [False, True])
def test_a_bundle_of_a_booster_that_was_stopped_early(all_rounds: bool, tmp_path: Path) -> None:
    own = stopped_early()
    save_booster(own.get_booster(), ROWS, tmp_path, all_rounds=all_rounds)
    stored = own.get_booster().num_boosted_rounds()
    rounds = stored if all_rounds else own.best_iteration + 1
    expected = own.predict_proba(ROWS, iteration_range=(0, rounds))[:, 1]
    assert Model.load(tmp_path).score(TABLE).tolist() == expected.tolist()


def test_categories_are_refused_before_the_rows_are_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"state": pd.Categorical(["TX", "CA"] * 20)})
    own = xgboost.XGBClassifier(enable_categorical=True, n_estimators=2).fit(frame, [0, 1] * 20)
    with pytest.raises(ArtifactError, match="the booster has XGBoost's own categories"):
        save_booster(own.get_booster(), frame, tmp_path)


# -- which file is the model


@pytest.mark.parametrize(
    "name", ["model.bst", "my-model", "model.xgb", "model.json", "xgb.model", "0001", "m.pkl"]
)
def test_the_one_file_that_xgboost_reads_is_the_model(name: str, tmp_path: Path) -> None:
    write_plain(tmp_path / name)
    (tmp_path / "config.json").write_text('{"model_type": "xgboost", "learner": "gbtree"}')
    (tmp_path / "feature_names.json").write_text('["a", "b", "c"]')
    booster = xgboost.Booster(model_file=bytearray((tmp_path / name).read_bytes()))
    (tmp_path / "booster_config.json").write_text(booster.save_config())
    (tmp_path / "trees.json").write_text(json.dumps(booster.get_dump(dump_format="json")))
    (tmp_path / "encoder.pkl").write_bytes(b"\x80\x04N.")
    (tmp_path / "train.csv").write_text("a,b,c\n1,2,3\n")
    assert Model.load(tmp_path).scorer.feature_count == 3


def test_a_folder_of_mlflow(tmp_path: Path) -> None:
    write_plain(tmp_path / "model.xgb")
    (tmp_path / "MLmodel").write_text("flavors:\n  xgboost:\n    data: model.xgb\n")
    for name in ("conda.yaml", "python_env.yaml", "requirements.txt"):
        (tmp_path / name).write_text("xgboost\n")
    (tmp_path / "input_example.json").write_text('{"columns": ["a"], "data": [[1.0]]}')
    (tmp_path / "serving_input_example.json").write_text('{"dataframe_split": {"data": [[1]]}}')
    assert Model.load(tmp_path).scorer.feature_count == 3


def test_json_that_was_written_again_is_a_model_too(tmp_path: Path) -> None:
    write_plain(tmp_path / "model.json")
    document = json.loads((tmp_path / "model.json").read_bytes())
    turned = {"version": document["version"], "learner": document["learner"]}
    (tmp_path / "model.json").write_text(json.dumps(turned, indent=2))
    assert Model.load(tmp_path).scorer.feature_count == 3


def test_several_models_are_named(tmp_path: Path) -> None:
    for name in ("a.bin", "b.json"):
        write_plain(tmp_path / name)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ArtifactError) as caught:
        Model.load(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: there are several models: a.bin, b.json. Put one xgboost-model, *.ubj or "
        "*.json there, or the output of sagetree train"
    )


@pytest.mark.parametrize("data", [b"", b"{", b"{}", b"binary", b"\0" * 400, b"\x80", b"cat\n"])
def test_what_only_begins_like_a_model_is_none(data: bytes) -> None:
    assert form_of(data) is None


# -- XGBoost's own categories


def with_categories(path: Path, states: list[str], codes: list[int]) -> tuple[object, pd.DataFrame]:
    frame = pd.DataFrame(
        {
            "age": ROWS[:, 0],
            "state": pd.Categorical([states[i % len(states)] for i in range(200)], states),
            "code": pd.Categorical([codes[i % 3] for i in range(200)], codes),
        }
    )
    label = NOISY ^ (frame.state.cat.codes == 1) ^ (frame.code.cat.codes == 2)
    own = xgboost.XGBClassifier(n_estimators=20, enable_categorical=True, n_jobs=1)
    own.fit(frame, label).save_model(path)
    return own, frame


has_tables = pytest.mark.skipif(
    tuple(map(int, xgboost.__version__.split(".")[:2])) < (3, 1), reason="needs XGBoost 3.1"
)


@has_tables
def test_categories_of_xgboosts_own_are_served_by_their_table(tmp_path: Path) -> None:
    own, frame = with_categories(tmp_path / "model.ubj", ["TX", "CA", "NY", "WA"], [30, 10, 20])
    model = Model.load(tmp_path)
    columns = {name: frame[name].astype(object).tolist() for name in frame}
    expected = own.predict_proba(frame)[:, 1]
    assert model.score(table_of(columns)).tolist() == expected.tolist()
    text = {name: [str(cell) for cell in cells] for name, cells in columns.items()}
    assert model.score(table_of(text)).tolist() == expected.tolist()
    assert [(c.kind, c.categories) for c in model.schema.columns] == [
        ("number", ()),
        ("category", ("TX", "CA", "NY", "WA")),
        ("category", ("30", "10", "20")),
    ]
    assert model.notes == ()


@has_tables
def test_a_category_that_xgboost_refuses_is_refused(tmp_path: Path) -> None:
    own, frame = with_categories(tmp_path / "model.ubj", ["TX", "CA", "NY", "WA"], [30, 10, 20])
    one = frame[:1].assign(state=pd.Categorical(["ZZ"]))
    with pytest.raises(xgboost.core.XGBoostError, match="category not in the training set"):
        own.predict_proba(one)
    with pytest.raises(SchemaError) as caught:
        Model.load(tmp_path).score(table_of({"age": [1], "state": ["ZZ"], "code": [30]}))
    assert str(caught.value) == (
        "row 1, column 'state': the category is one that training did not see. Send a trained "
        "category, as XGBoost itself demands, or leave the cell empty if the value is missing"
    )


@has_tables
@pytest.mark.parametrize(
    ("states", "said"),
    [
        (["1", "1.0"], "'1' and '1.0' are spelled the same"),
        (["", "a"], "'' is not one that a cell can hold"),
    ],
)
def test_categories_that_no_cell_can_tell_are_refused(
    states: list[str], said: str, tmp_path: Path
) -> None:
    with_categories(tmp_path / "model.ubj", states, [30, 10, 20])
    with pytest.raises(ArtifactError) as caught:
        Model.load(tmp_path)
    assert str(caught.value) == (
        f"column 'state': of its categories {said}. Rename them before training, in ASCII "
        "letters, or train on numbers (frame[column].cat.codes)"
    )


def test_codes_without_a_table_are_said_to_be_codes(tmp_path: Path) -> None:
    codes = np.stack([ROWS[:, 0], np.arange(200) % 4], axis=1).astype(np.float32)
    data = xgboost.DMatrix(
        codes, NOISY ^ (codes[:, 1] == 2), feature_types=["q", "c"], enable_categorical=True
    )
    booster = xgboost.train({"nthread": 1, "objective": "binary:logistic"}, data, 5)
    booster.save_model(tmp_path / "model.ubj")
    model = Model.load(tmp_path)
    table = table_of({"f0": codes[:, 0].tolist(), "f1": codes[:, 1].tolist()})
    assert model.score(table).tolist() == booster.predict(data).tolist()
    assert model.notes == (
        "the file does not say which categories its codes stand for, so cells must be codes: "
        "columns 'f1'",
    )
