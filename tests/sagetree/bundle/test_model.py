"""A loaded model: equal to what was trained, and refused when it cannot be trusted."""

import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sagetree.bundle.bundle import SelfCheck
from sagetree.bundle.file_names import MODEL_FILE
from sagetree.bundle.model import TOLERANCE, Model
from sagetree.errors import ArtifactError, SchemaError
from sagetree.features.pipeline import FeaturePipeline
from sagetree.tables.cells import Cell
from sagetree.tables.schema import Kind
from sagetree.tables.table import Table
from tests.sagetree.models import Field, Trained, claims, table_of, train, write_plain

ENCODINGS = ["native", "onehot"]


def in_memory(folder: Path, trained: Trained) -> Model:
    """The trained model after saving and loading."""
    trained.bundle.save(folder)
    return Model.load(folder)


def as_text(table: Table) -> Table:
    """The same table as large CSV files give it: Arrow columns of text."""
    columns = [
        pa.chunked_array([pa.array(["" if cell is None else str(cell) for cell in cells])])
        for cells in table.columns
    ]
    return table._replace(columns=tuple(columns))


# -- what was trained is what is served

NAMES = st.sampled_from(["a<b", "x,y", "[x]", "_x_", "größe", "n\0m", "n\0k", "a b", "=", "Σ", '"'])
WORDS = st.sampled_from(["CA", "N/A", "None", "a<b", "[a", "1.0", "True", " OR ", "?", ""])
SOME_CELLS: dict[Kind, st.SearchStrategy[Cell]] = {
    "number": st.none()
    | st.integers(-(10**9), 10**9)
    | st.floats(-1e6, 1e6)
    | st.sampled_from(["?", "", " 1e5 ", "1.0", "True"]),
    "category": st.none() | WORDS | st.text(max_size=3) | st.integers(0, 3) | st.booleans(),
    "ordinal": WORDS | st.none(),
    "boolean": st.sampled_from([True, False, None, 0, 1.0, "TRUE", "0.0", "?", ""]),
    "datetime": st.none() | st.dates().map(str) | st.datetimes().map(str) | st.just("?"),
    "identifier": st.integers() | st.text(max_size=3),
}
Tables = tuple[dict[str, Field], list[int], dict[str, list[Cell]]]


@st.composite
def tables(draw: st.DrawFn) -> Tables:
    """Columns to train on, their labels, and other rows to score."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    kinds = draw(st.lists(st.sampled_from(list(SOME_CELLS)), min_size=len(names)))
    if set(kinds[: len(names)]) == {"identifier"}:
        kinds[0] = "number"
    rows, others = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    fields, requests = {}, {}
    for name, kind in zip(names, kinds, strict=False):
        cells = st.lists(SOME_CELLS[kind], min_size=rows + others, max_size=rows + others)
        drawn = draw(cells)
        if kind == "category":  # a column without any value is a constant to train
            drawn[0] = draw(st.sampled_from(["CA", "N/A", 1.0]))
        fields[name] = Field(kind, drawn[:rows])
        requests[name] = drawn[rows:]
    return fields, draw(st.lists(st.integers(0, 1), min_size=rows, max_size=rows)), requests


@given(drawn=tables(), encoding=st.sampled_from(ENCODINGS))
def test_a_loaded_model_scores_bit_for_bit_as_the_trained_one(
    drawn: Tables, encoding: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    fields, labels, requests = drawn
    trained = train(fields, labels, encoding=encoding)
    loaded = in_memory(tmp_path_factory.mktemp("model"), trained)
    for table in (trained.table, table_of(requests)):
        scores = trained.model.score(table).tobytes()
        assert loaded.score(table).tobytes() == scores
        assert loaded.score(as_text(table)).tobytes() == scores
        alone = [loaded.score(rows_of(table, row)).tobytes() for row in range(table.rows)]
        assert b"".join(alone) == scores
    assert not np.isnan(loaded.score(table_of(requests))).any()
    contributions = loaded.scorer.contributions(loaded.matrix(trained.table).values)
    assert contributions.shape == (trained.table.rows, len(loaded.features.names) + 1)


def rows_of(table: Table, row: int) -> Table:
    """A table of one row."""
    return table._replace(columns=tuple(cells[row : row + 1] for cells in table.columns), rows=1)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_bundle_keeps_everything(encoding: str, tmp_path: Path) -> None:
    trained = claims(encoding)
    loaded = in_memory(tmp_path, trained)
    assert loaded.schema == trained.model.schema
    assert loaded.features == trained.model.features
    assert loaded.decision == trained.model.decision
    assert loaded.scorer.feature_names == trained.model.features.safe_names
    assert loaded.scorer.boosters[0].feature_info("feature_type") == trained.model.features.types


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_unseen_category_scores_as_a_missing_one_and_is_counted(encoding: str) -> None:
    model = claims(encoding).model
    columns = {"amount": [20], "reported": [True], "on": ["2024-05-05"], "severity": ["2"]}
    states = [None, "TX", "CA", "N/A", "a<b", "None"]
    tables = [table_of({**columns, "state [US]": [state]}) for state in states]
    missing, unseen, *seen = (model.score(table).tolist() for table in tables)
    assert missing == unseen
    assert any(scores != missing for scores in seen)
    assert [model.matrix(table).unseen for table in tables] == [
        (((0, "state [US]"),) if state == "TX" else ()) for state in states
    ]


def test_an_unseen_category_may_be_an_error() -> None:
    field = Field("category", ["a", "b"])
    model = train({"state": field}, [0, 1], unknown_category="error").model
    with pytest.raises(SchemaError) as caught:
        model.score(table_of({"state": ["a", "c", "d"]}))
    assert caught.value.status == 422
    assert str(caught.value) == (
        "row 2, column 'state': the category is one that training did not see "
        "(and 1 more like it). Send a trained category, or train with "
        "unknown_category=missing to score it as missing"
    )


# -- models of XGBoost's own


def predicted(path: Path, matrix: NDArray[np.float32]) -> bytes:
    """What XGBoost itself predicts."""
    booster = xgboost.Booster(model_file=bytearray(path.read_bytes()))
    return booster.predict(xgboost.DMatrix(matrix)).tobytes()


@pytest.mark.parametrize("name", [MODEL_FILE, "model.ubj", "model.json", "my.model", "sub.dir.ubj"])
def test_a_plain_model_is_served_by_position(name: str, tmp_path: Path) -> None:
    rows = write_plain(tmp_path / name)
    (tmp_path / ".hidden.json").write_text("{}")
    (tmp_path / "model.tar.gz").write_bytes(b"packed")
    (tmp_path / "folder.json").mkdir()
    model = Model.load(tmp_path)
    matrix = np.array(rows.columns, np.float32).T
    assert model.score(rows).tobytes() == predicted(tmp_path / name, matrix)
    assert model.schema.input_names == ("f0", "f1", "f2")
    assert not model.schema.named
    assert model.decision is None


def test_a_plain_model_is_served_by_the_names_xgboost_stored(tmp_path: Path) -> None:
    rows = write_plain(tmp_path / MODEL_FILE, names=["age", "x,y", "state"])
    model = Model.load(tmp_path)
    columns = dict(zip(["age", "x,y", "state"], rows.columns, strict=True))
    turned = table_of({name: columns[name] for name in ["state", "age", "x,y"]})
    assert model.score(turned).tobytes() == model.score(rows).tobytes()


@pytest.mark.parametrize("width", [2, 4])
def test_a_plain_model_wants_its_number_of_columns(width: int, tmp_path: Path) -> None:
    write_plain(tmp_path / MODEL_FILE)
    model = Model.load(tmp_path)
    table = table_of({str(n): [0.5] for n in range(width)})._replace(named=False)
    with pytest.raises(SchemaError) as caught:
        model.score(table)
    assert str(caught.value) == (
        f"row 1: there are {width} columns, and the model has 3 columns. "
        "Without a header row the columns must be, in this order, f0, f1, f2"
    )


def test_a_linear_model_is_served(tmp_path: Path) -> None:
    rows = write_plain(tmp_path / MODEL_FILE, booster="gblinear")
    matrix = np.array(rows.columns, np.float32).T
    assert Model.load(tmp_path).score(rows).tobytes() == predicted(tmp_path / MODEL_FILE, matrix)


def test_the_official_containers_ensemble_is_served_as_one(tmp_path: Path) -> None:
    for number in (10, 2, 0):
        rows = write_plain(tmp_path / f"{MODEL_FILE}-{number}", max_depth=1 + number % 3)
    (tmp_path / "README.md").write_text("# no model")
    matrix = np.array(rows.columns, np.float32).T
    each = [
        np.frombuffer(predicted(tmp_path / f"{MODEL_FILE}-{n}", matrix), np.float32)
        for n in (0, 2, 10)
    ]
    model = Model.load(tmp_path)
    assert len(model.scorer.boosters) == 3
    np.testing.assert_allclose(model.score(rows), np.mean(each, axis=0), rtol=1e-6)


# -- what is refused


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", [MODEL_FILE, "model.json", "model.pkl", "model.joblib"])
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_refused_and_not_opened(name: str, protocol: int, tmp_path: Path) -> None:
    data = pickle.dumps(Trap(tmp_path / "opened"), protocol)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / name).write_bytes(data)
    with pytest.raises(ArtifactError) as caught:
        Model.load(tmp_path / "model")
    assert str(caught.value) == (
        f"{name}: the model is a pickle. A pickle is a program, so it is not opened. In the "
        f"model's folder run: sagetree convert {name} --out model.ubj"
        f"{' && mv model.ubj xgboost-model' if name == MODEL_FILE else ''} (it takes the model out "
        "and runs nothing); or call save_model('model.ubj') on what the XGBoost that wrote it "
        "unpickles"
    )
    assert not (tmp_path / "opened").exists()
    pickle.loads(data)  # the trap works
    assert (tmp_path / "opened").exists()


@pytest.mark.parametrize("protocol", [0, 1])
def test_a_pickle_of_an_ancient_protocol_is_refused_and_not_opened(
    protocol: int, tmp_path: Path
) -> None:
    (tmp_path / MODEL_FILE).write_bytes(pickle.dumps(Trap(tmp_path / "opened"), protocol))
    with pytest.raises(ArtifactError):
        Model.load(tmp_path)
    assert not (tmp_path / "opened").exists()


PUT = "Put one xgboost-model, *.ubj or *.json there, or the output of sagetree train"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([], "there is no model"),
        (["README.md", ".model.ubj", "model.tar.gz"], "there is no model"),
        (["config.json", "input_example.json", "MLmodel"], "there is no model"),
        (["a.ubj", "b.bst"], "there are several models: a.ubj, b.bst"),
    ],
)
def test_a_folder_without_one_model(files: list[str], reason: str, tmp_path: Path) -> None:
    for name in files:
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(ArtifactError) as caught:
        Model.load(tmp_path)
    assert str(caught.value) == f"{tmp_path}: {reason}. {PUT}"


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="there is no model"):
        Model.load(tmp_path / "model")


def test_a_model_with_other_features_than_the_bundle(tmp_path: Path) -> None:
    bundle = claims().bundle
    replace(bundle, models=claims("onehot").bundle.models).save(tmp_path)
    with pytest.raises(ArtifactError) as caught:
        Model.load(tmp_path)
    assert str(caught.value) == (
        "xgboost-model: it has 13 features, and sagetree/features.json makes 10. Train again"
    )


def test_features_of_other_columns_than_the_schema(tmp_path: Path) -> None:
    bundle = claims().bundle
    features = bundle.features.features
    turned = FeaturePipeline(
        missing_values=(), unknown_category="missing", features=(*features[1:], features[0])
    )
    replace(bundle, features=turned).save(tmp_path)
    with pytest.raises(ArtifactError) as caught:
        Model.load(tmp_path)
    assert str(caught.value) == (
        "sagetree/features.json: its columns are not those of sagetree/schema.json. Train again"
    )


# -- the self-check


def moved(check: SelfCheck, by: float) -> SelfCheck:
    """The check with its last score moved."""
    *others, last = check.scores
    return check.model_copy(update={"scores": (*others, last + by)})


def test_a_self_check_that_fails(tmp_path: Path) -> None:
    bundle = claims().bundle
    replace(bundle, selfcheck=moved(bundle.selfcheck, 0.125)).save(tmp_path)
    with pytest.raises(ArtifactError) as caught:
        Model.load(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: its stored rows get different scores than in training (by 0.125). "
        "Train again, or serve with the library versions named in sagetree/manifest.json"
    )


def test_another_machine_may_differ_in_the_last_bit(tmp_path: Path) -> None:
    bundle = claims().bundle
    replace(bundle, selfcheck=moved(bundle.selfcheck, TOLERANCE / 4)).save(tmp_path)
    Model.load(tmp_path)


def test_the_self_check_measures_the_largest_difference() -> None:
    model, bundle = claims().model, claims().bundle
    assert model.self_check(bundle.selfcheck) == 0
    assert model.self_check(moved(bundle.selfcheck, -0.25)) == pytest.approx(0.25)
    assert np.isnan(model.self_check(moved(bundle.selfcheck, np.nan)))
