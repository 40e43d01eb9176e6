"""The official container's keys for every objective, on real models of each."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xgboost
from werkzeug.test import Client

from tests.serve.artifacts import client_for
from tests.serve.asking import ATTRIBUTES, post

MATRIX = np.random.default_rng(4).random((60, 3), np.float32)
BODY = "\n".join(",".join(map(str, row)) for row in MATRIX[:8]).encode()

CLASSES = ("predicted_label", "labels", "raw_score", "raw_scores")
PROBABLE = ("predicted_label", "labels", "probability", "probabilities", "raw_score", "raw_scores")
EVERY = ("score", "contributions", "model")

Client = Callable[..., tuple[Client, xgboost.Booster]]


@pytest.fixture(scope="module")
def client_of(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """A client of a model of an objective as the official container leaves it."""

    def make(objective: str, **params: object) -> tuple[Client, xgboost.Booster]:
        labels = MATRIX.argmax(axis=1) if objective.startswith("multi") else MATRIX[:, 0] > 0.5
        data = xgboost.DMatrix(MATRIX, labels)
        if objective.startswith("rank"):
            data.set_group([30, 30])
        if objective == "survival:aft":
            data.set_float_info("label_lower_bound", MATRIX[:, 0])
            data.set_float_info("label_upper_bound", MATRIX[:, 0] + 1)
        given = {"objective": objective, "max_depth": 2, "nthread": 1, **params}
        booster = xgboost.train(given, data, 3)
        folder = tmp_path_factory.mktemp("objective") / "model"
        folder.mkdir()
        booster.save_model(folder / "model.ubj")
        return client_for(folder), booster

    return make


def ask(client: Client, keys: str, body: bytes = BODY) -> list[dict[str, object]]:
    headers = {"Accept": "application/json", ATTRIBUTES: f"inference_output={keys}"}
    answer = post(client, body, "text/csv", **headers)
    assert answer.status_code == 200, answer.data
    return answer.get_json()["predictions"]


def columns(rows: list[dict[str, object]]) -> dict[str, list[object]]:
    return {key: [row[key] for row in rows] for key in rows[0]}


def test_binary_logistic(client_of: Client):
    client, booster = client_of("binary:logistic")
    found = columns(ask(client, ",".join(PROBABLE)))
    scores = booster.inplace_predict(MATRIX[:8]).tolist()
    assert found == {
        "predicted_label": [int(score > 0.5) for score in scores],
        "labels": [[0, 1]] * 8,
        "probability": scores,
        "probabilities": [[1.0 - score, score] for score in scores],
        "raw_score": scores,
        "raw_scores": [[1.0 - score, score] for score in scores],
    }


@pytest.mark.parametrize("objective", ["binary:logitraw", "binary:hinge"])
def test_binary_margins_and_classes(client_of: Client, objective: str):
    client, booster = client_of(objective)
    found = columns(ask(client, ",".join(CLASSES)))
    scores = booster.inplace_predict(MATRIX[:8]).tolist()
    is_margin = objective == "binary:logitraw"
    other = [-score if is_margin else 1.0 - score for score in scores]
    assert found == {
        "predicted_label": [int(score > 0) if is_margin else score for score in scores],
        "labels": [[0, 1]] * 8,
        "raw_score": scores,
        "raw_scores": [list(pair) for pair in zip(other, scores, strict=True)],
    }


def test_multi_softprob(client_of: Client):
    client, booster = client_of("multi:softprob", num_class=3)
    found = columns(ask(client, ",".join(PROBABLE)))
    scores = booster.inplace_predict(MATRIX[:8]).tolist()
    assert found == {
        "predicted_label": [int(np.argmax(row)) for row in scores],
        "labels": [[0, 1, 2]] * 8,
        "probability": list(map(max, scores)),
        "probabilities": scores,
        "raw_score": list(map(max, scores)),
        "raw_scores": scores,
    }


def test_multi_softmax_has_a_raw_score_for_each_class(client_of: Client):
    client, booster = client_of("multi:softmax", num_class=3)
    found = columns(ask(client, ",".join(CLASSES)))
    margins = booster.predict(xgboost.DMatrix(MATRIX[:8]), output_margin=True).tolist()
    assert found == {
        "predicted_label": booster.inplace_predict(MATRIX[:8]).tolist(),
        "labels": [[0, 1, 2]] * 8,
        "raw_score": list(map(max, margins)),
        "raw_scores": margins,
    }


@pytest.mark.parametrize(
    ("objective", "params"),
    [
        ("reg:squarederror", {}),
        ("reg:logistic", {}),
        ("count:poisson", {}),
        ("reg:tweedie", {}),
        ("rank:pairwise", {}),
        ("survival:cox", {}),
        ("survival:aft", {}),
        ("reg:quantileerror", {"quantile_alpha": [0.1, 0.9]}),
    ],
)
def test_other_objectives_have_a_predicted_score(
    client_of: Client, objective: str, params: dict[str, object]
):
    client, booster = client_of(objective, **params)
    found = columns(ask(client, "predicted_score,score"))
    expected = booster.inplace_predict(MATRIX[:8]).tolist()
    assert found == {"predicted_score": expected, "score": expected}
    headers = {ATTRIBUTES: "inference_output=probability"}
    answer = post(client, BODY, "text/csv", **headers)
    assert (answer.status_code, answer.get_json()["message"], answer.get_json()["hint"]) == (
        400,
        "this model cannot give probability",
        "This model gives predicted_score, score, contributions, reasons, model",
    )


def test_csv_writes_several_keys_as_the_official_container_does(client_of: Client):
    client, booster = client_of("binary:logistic")
    headers = {ATTRIBUTES: "inference_output=predicted_label,probability,probabilities,labels"}
    (line, *_) = post(client, BODY, "text/csv", **headers).data.decode().splitlines()
    score = float(booster.inplace_predict(MATRIX[:1])[0])
    label = int(score > 0.5)
    assert line == f'{label},{score!r},"[{1.0 - score!r}, {score!r}]","[0, 1]"'


@pytest.mark.parametrize(
    ("objective", "params"),
    [("reg:squarederror", {}), ("multi:softprob", {"num_class": 3}), ("binary:logitraw", {})],
)
def test_contributions_add_up_to_the_margin_with_any_number_of_columns(
    client_of: Client, objective: str, params: dict[str, object]
):
    client, booster = client_of(objective, **params)
    margins = booster.predict(xgboost.DMatrix(MATRIX[:8]), output_margin=True).reshape(8, -1)
    for top in ("", ";top_k=1", ";top_k=2", ";top_k=9"):
        rows = ask(client, f"contributions{top}")
        for row, expected in zip(rows, margins, strict=True):
            parts = row["contributions"]
            outputs = parts if isinstance(parts, list) else [parts]
            sums = [
                part["base_value"] + sum(part["columns"].values()) + part.get("others", 0)
                for part in outputs
            ]
            assert sums == pytest.approx(expected, abs=1e-5)
            if top == ";top_k=1":
                assert {len(part["columns"]) for part in outputs} == {1}


def test_leaves_of_several_values_have_contributions_where_xgboost_has_them(tmp_path: Path):
    settings = {"multi_strategy": "multi_output_tree", "max_depth": 2, "nthread": 1}
    booster = xgboost.train(settings, xgboost.DMatrix(MATRIX, MATRIX[:, :2]), 3)
    folder = tmp_path / "model"
    folder.mkdir()
    booster.save_model(folder / "model.ubj")
    client = client_for(folder)
    headers = {"Accept": "application/json", ATTRIBUTES: "inference_output=contributions"}
    answer = post(client, BODY, "text/csv", **headers)
    if tuple(map(int, xgboost.__version__.split(".")[:2])) >= (3, 4):
        margins = booster.predict(xgboost.DMatrix(MATRIX[:8]), output_margin=True)
        for row, expected in zip(answer.get_json()["predictions"], margins, strict=True):
            sums = [
                part["base_value"] + sum(part["columns"].values()) for part in row["contributions"]
            ]
            assert sums == pytest.approx(expected, abs=1e-5)
        return
    found = answer.get_json()
    assert (answer.status_code, found["message"], found["where"], found["hint"]) == (
        400,
        "this model cannot give contributions",
        f"{ATTRIBUTES}, inference_output",
        "This model gives predicted_score, score, model",
    )


def test_the_strongest_columns_come_first(client_of: Client):
    client, _ = client_of("reg:squarederror")
    whole = ask(client, "contributions")[0]["contributions"]["columns"]
    first = ask(client, "contributions;top_k=2")[0]["contributions"]
    strongest = sorted(whole, key=lambda name: -abs(whole[name]))
    assert list(first["columns"]) == strongest[:2]
    assert first["others"] == pytest.approx(whole[strongest[2]])


def test_top_k_is_a_number(client_of: Client):
    client, _ = client_of("reg:squarederror")
    headers = {ATTRIBUTES: "inference_output=contributions;top_k=0"}
    found = post(client, BODY, "text/csv", **headers).get_json()
    assert (found["message"], found["where"], found["hint"]) == (
        "it is '0'",
        f"{ATTRIBUTES}, top_k",
        "Write how many columns the contributions should name, such as top_k=5",
    )


def test_the_model_is_named_by_its_hash(client: Client, base_dir: Path):
    manifest = json.loads((base_dir / "model/sagetree/manifest.json").read_text())
    headers = {ATTRIBUTES: "inference_output=model", "Accept": "application/json"}
    row = {"num_claims": 1, "a<b": "42", "x,y": 1, "début [UTC]": None, "größe": None}
    (found,) = post(client, json.dumps(row).encode(), "application/json", **headers).get_json()[
        "predictions"
    ]
    assert found == {"model": {"name": "model", "sha256": manifest["files"]["xgboost-model"]}}


def test_identifiers_pass_through_under_their_own_names(client: Client):
    headers = {ATTRIBUTES: "inference_output=identifiers,threshold"}
    with_id = b'1,42,true,,large,P7\n1,42,true,,large,"P,8"\n'
    assert post(client, with_id, "text/csv", **headers).data == b'P7,0.25\n"P,8",0.25\n'
    named = b'policy_id,num_claims,a<b,"x,y",d\xc3\xa9but [UTC],gr\xc3\xb6\xc3\x9fe\nP9,1,42,1,,\n'
    assert post(client, named, "text/csv", **headers).data == b"P9,0.25\n"
    found = post(client, b"1,42,true,,large\n", "text/csv", **headers)
    assert (found.status_code, found.get_json()["message"], found.get_json()["where"]) == (
        400,
        "column 'policy_id', which identifiers asks for, is missing from the rows",
        "the body",
    )
