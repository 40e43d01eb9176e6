"""Scores and contributions: equal to XGBoost's own, and what cannot be read."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sagetree.boosters.explainer import contributions_by_column
from sagetree.boosters.scoring import Scorer
from sagetree.errors import ArtifactError
from tests.sagetree.models import claims

UNREADABLE = (
    "xgboost-model: XGBoost cannot read the model: {}. Save it with Booster.save_model, "
    f"by an XGBoost that is not newer than {xgboost.__version__}"
)
CUT_OFF = UNREADABLE.format("it is cut off, or is not a model in UBJSON or JSON")

MATRIX: NDArray[np.float32] = np.random.default_rng(5).random((60, 3), np.float32)
MATRIX[::7, 1] = np.nan


def booster(**params: object) -> xgboost.Booster:
    data = xgboost.DMatrix(MATRIX, MATRIX[:, 0] > MATRIX[:, 2])
    settings = {"objective": "binary:logistic", "nthread": 1, **params}
    return xgboost.train(settings, data, 4)


@pytest.mark.filterwarnings("ignore:.*deprecated:UserWarning")
@pytest.mark.parametrize("form", ["ubj", "json"])
@pytest.mark.parametrize("kind", ["gbtree", "dart", "gblinear"])
def test_scores_are_xgboosts_own(form: str, kind: str) -> None:
    trained = booster(booster=kind)
    data = xgboost.DMatrix(MATRIX)
    scorer = Scorer.load(bytes(trained.save_raw(form)))
    assert (scorer.feature_count, scorer.outputs, scorer.objective) == (3, 1, "binary:logistic")
    assert scorer.boosters[0].rounds == trained.num_boosted_rounds()
    scores = scorer.score(MATRIX)
    assert (scores.dtype, scores.shape) == (np.float32, (60,))
    assert scores.tobytes() == trained.predict(data).tobytes()
    # dart adds up in another order when it reads a matrix in place
    margins = trained.predict(data, output_margin=True)
    np.testing.assert_allclose(scorer.margin(MATRIX), margins, rtol=1e-6)
    contributions = trained.predict(data, pred_contribs=True)
    found = scorer.contributions(MATRIX)
    np.testing.assert_allclose(found, contributions, atol=1e-6)
    if kind == "gblinear":
        assert found.tobytes() == contributions.tobytes()


@pytest.mark.parametrize("rows", [1999, 2000, 4001])
def test_threads_share_the_rows_of_a_large_matrix_with_equal_results(rows: int) -> None:
    model = bytes(booster().save_raw("ubj"))
    matrix = np.random.default_rng(6).random((rows, 3), np.float32)
    shared = Scorer.load(model, threads=2)
    assert shared.score(matrix).tobytes() == Scorer.load(model).score(matrix).tobytes()
    assert (
        shared.contributions(matrix).tobytes() == Scorer.load(model).contributions(matrix).tobytes()
    )


def test_models_of_several_widths_and_threads_never_mix_their_rows() -> None:
    rows = np.random.default_rng(7).random((40, 5), np.float32)
    models = []
    for width in (5, 2, 3):
        data = xgboost.DMatrix(rows[:, :width], rows[:, 0] > rows[:, 1])
        trained = xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 3)
        scorer = Scorer.load(bytes(trained.save_raw("ubj")))
        models.append((scorer, width, trained.predict(data)))

    def ask(number: int) -> bool:
        scorer, width, expected = models[number % 3]
        row = number % 40
        score = scorer.score(rows[row : row + 1, :width])
        return score.tobytes() == expected[row : row + 1].tobytes()

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(ask, range(2000)))


@pytest.mark.parametrize("objective", ["multi:softprob", "multi:softmax"])
def test_several_classes_have_a_score_each_or_are_the_score(objective: str) -> None:
    data = xgboost.DMatrix(MATRIX, np.arange(60) % 3)
    trained = xgboost.train({"objective": objective, "num_class": 3, "nthread": 1}, data, 2)
    scorer = Scorer.load(bytes(trained.save_raw("ubj")))
    assert scorer.outputs == 3
    assert scorer.score(MATRIX).tobytes() == trained.predict(data).tobytes()
    assert scorer.margin(MATRIX).tobytes() == trained.predict(data, output_margin=True).tobytes()
    contributions = trained.predict(data, pred_contribs=True)
    assert scorer.contributions(MATRIX).shape == (60, 3, 4)
    np.testing.assert_allclose(scorer.contributions(MATRIX), contributions, atol=1e-6)


def test_an_ensemble_answers_with_its_mean() -> None:
    models = [bytes(booster(eta=eta).save_raw("ubj")) for eta in (0.1, 0.3, 0.9)]
    ensemble = Scorer.load(*models)
    members = [Scorer.load(model) for model in models]
    scores = np.mean([member.score(MATRIX) for member in members], axis=0, dtype=np.float32)
    assert ensemble.score(MATRIX).tobytes() == scores.tobytes()
    margins = np.mean([member.margin(MATRIX) for member in members], axis=0)
    sums = ensemble.contributions(MATRIX).sum(axis=1)
    np.testing.assert_allclose(sums, margins, atol=1e-5)


def test_an_ensemble_of_labels_takes_the_most_frequent() -> None:
    def labelling(shift: int) -> bytes:
        data = xgboost.DMatrix(MATRIX, (np.arange(60) + shift) % 3)
        params = {"objective": "multi:softmax", "num_class": 3, "max_depth": 9, "nthread": 1}
        return bytes(xgboost.train(params, data, 9).save_raw("ubj"))

    once, twice = labelling(0), labelling(1)
    labels = Scorer.load(twice).score(MATRIX)
    assert labels.tolist() != Scorer.load(once).score(MATRIX).tolist()
    assert Scorer.load(once, twice, twice).score(MATRIX).tolist() == labels.tolist()


def test_models_that_do_not_go_together_are_refused() -> None:
    other = xgboost.train({"nthread": 1}, xgboost.DMatrix(MATRIX, MATRIX[:, 0]), 1)
    with pytest.raises(ArtifactError) as caught:
        Scorer.load(bytes(booster().save_raw("ubj")), bytes(other.save_raw("ubj")), name="model/")
    assert str(caught.value) == (
        "model/: the models of the ensemble differ in features, categories, outputs or "
        "objective. "
        "Put only models of one training job together"
    )


def test_one_row_gets_the_score_it_has_among_others() -> None:
    scorer = Scorer.load(bytes(booster().save_raw("ubj")))
    alone = [scorer.score(MATRIX[row : row + 1]).tobytes() for row in range(len(MATRIX))]
    assert b"".join(alone) == scorer.score(MATRIX).tobytes()


@pytest.mark.parametrize(
    "model",
    [
        b"",  # XGBoost would abort the process
        b"{",
        b"hello",
        b"\x1f\x8b\x08\x00",
        bytes(booster().save_raw("ubj"))[:-1],
        bytes(booster().save_raw("ubj"))[:95],  # XGBoost would ask for all the memory there is
        bytes(booster().save_raw("json"))[:-1],
        b"binf" + bytes(400),  # XGBoost 1.x wrote this
    ],
    ids=lambda model: repr(model[:8]),
)
def test_a_model_that_is_cut_off_is_refused(model: bytes) -> None:
    with pytest.raises(ArtifactError) as caught:
        Scorer.load(model)
    assert str(caught.value) == CUT_OFF


@pytest.mark.parametrize("model", [b"{}", b'{"learner": {}}', b"{L}", b'{"\xff": 1}'])
def test_what_xgboost_refuses_is_refused_without_the_place_in_its_source(model: bytes) -> None:
    with pytest.raises(ArtifactError) as caught:
        Scorer.load(model, name="model.json")
    text = str(caught.value)
    assert text.startswith("model.json: XGBoost cannot read the model: ")
    assert "[" not in text
    assert "/" not in text


@pytest.mark.parametrize("encoding", ["native", "onehot"])
def test_contributions_by_column_add_up_to_the_margin(encoding: str) -> None:
    trained = claims(encoding)
    model, matrix = trained.model, trained.model.matrix(trained.table).values
    values = model.scorer.contributions(matrix)
    assert values.shape == (200, len(model.features.names) + 1)
    by_column = contributions_by_column(values, model.features.owners)
    assert by_column.shape == (200, len(model.schema.input_names) + 1)
    scores = model.score(trained.table).astype(np.float64)
    margins = np.log(scores / (1 - scores))
    np.testing.assert_allclose(by_column.sum(axis=1), margins, atol=1e-5)
    # The base value is one and the same for every row.
    assert len(set(by_column[:, -1].tolist())) == 1


def test_contributions_are_summed_to_their_owners() -> None:
    values = np.array([[1, 2, 4, 8, 16], [0, 0, 1, 1, 16]], np.float32)
    summed = contributions_by_column(values, (0, 1, 1, 2))
    assert summed.tolist() == [[1, 6, 8, 16], [0, 1, 1, 16]]
    assert summed.dtype == np.float32


@given(st.data())
def test_no_contribution_is_lost(data: st.DataObject) -> None:
    widths = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    owners = [column for column, width in enumerate(widths) for _ in range(width)]
    whole = st.integers(-100, 100)
    row = st.lists(whole, min_size=len(owners) + 1, max_size=len(owners) + 1)
    values = np.array(data.draw(st.lists(row, min_size=1, max_size=3)), np.float32)
    summed = contributions_by_column(values, owners)
    assert summed.shape == (len(values), len(widths) + 1)
    assert (summed.sum(axis=1) == values.sum(axis=1)).all()
    assert (summed[:, -1] == values[:, -1]).all()
    starts = np.cumsum([0, *widths[:-1]])
    assert (summed[:, :-1] == np.add.reduceat(values[:, :-1], starts, axis=1)).all()


def test_a_model_of_more_names_than_features_is_refused() -> None:
    data = xgboost.DMatrix(MATRIX, MATRIX[:, 0], feature_names=["a", "b", "c"])
    text = xgboost.train({"nthread": 1}, data, 1).save_raw("json").decode()
    for names, count in (('["a","b","c","d"]', 4), ('["a","b"]', 2)):
        changed = text.replace('["a","b","c"]', names)
        assert changed != text
        with pytest.raises(ArtifactError) as caught:
            Scorer.load(changed.encode())
        assert str(caught.value) == (
            f"xgboost-model: it has 3 features and {count} names of features. "
            "Set its feature_names to one name for each feature, and save it again"
        )


@pytest.mark.parametrize("form", ["ubj", "json"])
def test_leaves_of_several_values_as_before_3_2_are_refused(form: str) -> None:
    """What those versions saved has no leaf_weights, which the library takes for granted.

    A feature of that name is none.
    """
    params = {"multi_strategy": "multi_output_tree", "tree_method": "hist", "nthread": 1}
    names = ["leaf_weights", *(f"f{place}" for place in range(1, MATRIX.shape[1]))]
    data = xgboost.DMatrix(MATRIX, np.nan_to_num(MATRIX[:, :2]), feature_names=names)
    now = bytes(xgboost.train(params, data, 1).save_raw(form))
    assert Scorer.load(now).outputs == 2
    with pytest.raises(ArtifactError) as caught:
        Scorer.load(re.sub(rb'leaf_weights(?=\[|":)', b"left_weights", now))
    assert str(caught.value) == (
        "xgboost-model: its leaves have several values (multi_output_tree), and XGBoost "
        f"{xgboost.__version__} cannot read those that a version before 3.2 saved. "
        "Train it again with XGBoost 3.2 or newer, or without multi_strategy"
    )


@pytest.mark.parametrize(
    ("key", "place", "value", "fault"),
    [
        ("left_children", 0, 99, "tree 0: node 99 is not one of its {} nodes"),
        ("right_children", 0, -7, "tree 0: node -7 is not one of its {} nodes"),
        ("left_children", 0, 0, "tree 0: node 0 is not one of its {} nodes"),
        ("right_children", 0, 1, "tree 0: node 1 has two parents"),
        ("split_indices", 0, 3, "tree 0: it splits by feature 3 of 3"),
    ],
)
def test_trees_that_lead_out_of_the_model_are_found(
    key: str, place: int, value: int, fault: str
) -> None:
    document = json.loads(booster(max_depth=2).save_raw("json"))
    tree = document["learner"]["gradient_booster"]["model"]["trees"][0]
    tree[key][place] = value
    scorer = Scorer.load(json.dumps(document).encode())
    with pytest.raises(ArtifactError) as caught:
        scorer.check_structure("m.json")
    assert str(caught.value) == (
        f"m.json: the model is damaged: {fault.format(len(tree['left_children']))}. "
        "Copy it again, or save it again with Booster.save_model"
    )


@pytest.mark.filterwarnings("ignore:.*deprecated:UserWarning")
@pytest.mark.parametrize("kind", ["gbtree", "dart", "gblinear"])
def test_a_whole_model_passes_the_check_of_its_structure(kind: str) -> None:
    Scorer.load(bytes(booster(booster=kind).save_raw("ubj"))).check_structure("m")
