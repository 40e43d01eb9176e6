"""What can be asked for beside the score, and that it holds together."""

import csv
import io
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import xgboost
from werkzeug.test import Client

from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.model import Model
from sagetree.errors import SettingsError
from sagetree.predictions.keys import KEYS
from sagetree.predictions.scored_rows import available_keys
from sagetree.serve.answers.outputs import COLUMNS
from sagetree.serve.application import Application
from sagetree.serve.models.loading import ServedModel
from sagetree.serve.protocol.messages import Request
from sagetree.tables.label import Label
from tests.serve.artifacts import (
    INPUTS,
    THRESHOLD,
    client_for,
    holder_for,
    settings_for,
    site_of,
)
from tests.serve.rows import Record, csv_body, records

ROWS = records(60, seed=21)
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
LOGISTIC_KEYS = tuple(key for key in KEYS if key != "predicted_score")


def ask(client: Client, keys: str, rows: list[Record], accept: str = "application/json"):
    headers = {ATTRIBUTES: f"inference_output={keys}", "Accept": accept}
    answer = client.post("/invocations", json=rows, headers=headers)
    assert answer.status_code == 200, answer.data
    return answer


def predictions(client: Client, keys: str, rows: list[Record]) -> list[dict[str, object]]:
    return ask(client, keys, rows).get_json()["predictions"]


def test_every_key_has_its_column():
    assert {*COLUMNS, "contributions", "identifiers"} == set(KEYS)


def test_keys_stand_in_the_asked_order(client: Client):
    found = predictions(client, "threshold,score,probability,predicted_label", ROWS)
    assert len({row["predicted_label"] for row in found}) == 2
    for row in found:
        assert list(row) == ["threshold", "score", "probability", "predicted_label"]
        assert row["threshold"] == THRESHOLD
        assert row["probability"] == row["score"]
        assert row["predicted_label"] == ("yes" if row["score"] >= THRESHOLD else "no")


def test_csv_has_the_same_values(client: Client):
    keys = ",".join(LOGISTIC_KEYS)
    text = ask(client, keys, ROWS, "text/csv").data.decode()
    for cells, row in zip(
        csv.reader(io.StringIO(text)), predictions(client, keys, ROWS), strict=True
    ):
        label, *others = zip(row, cells, strict=True)
        assert label == ("predicted_label", row["predicted_label"])
        assert others[-1] == ("policy_id", row["policy_id"] or "")
        assert [json.loads(cell) for _, cell in others[:-1]] == [row[key] for key, _ in others[:-1]]


def test_the_environment_chooses_for_all_requests_and_a_request_for_itself(base_dir: Path):
    client = client_for(base_dir / "model", SAGEMAKER_INFERENCE_OUTPUT="predicted_label,score")
    answer = client.post(
        "/invocations", json=ROWS[:2], headers={"Accept": "text/csv"}
    ).data.decode()
    assert [line.split(",")[0] in ("yes", "no") for line in answer.splitlines()] == [True, True]
    assert ask(client, "threshold", ROWS[:2], "text/csv").data == b"0.25\n0.25\n"


def test_contributions_add_up_to_the_margin(client: Client):
    for row in predictions(client, "score,contributions", ROWS):
        parts = row["contributions"]
        assert tuple(parts["columns"]) == INPUTS
        margin = parts["base_value"] + sum(parts["columns"].values())
        assert 1 / (1 + math.exp(-margin)) == pytest.approx(row["score"], abs=1e-5)


def test_reasons_are_the_three_strongest_columns_in_plain_words(client: Client):
    for record, row in zip(ROWS, predictions(client, "contributions,reasons", ROWS), strict=True):
        parts = row["contributions"]["columns"]
        order = sorted(parts, key=lambda name: -abs(parts[name]))[:3]
        expected = []
        for name in order:
            cell, odds = record[name], math.exp(parts[name])
            if abs(parts[name]) <= math.log(1.005):
                continue
            effect = "raises" if odds > 1 else "lowers"
            effect += f" the score (odds x {odds:.0f})" if odds >= 10 else (
                f" the score (odds x {odds:.2g})"
            )  # fmt: skip
            if cell is None:
                expected.append(f"{name} is missing, which {effect}")
            else:
                shown = repr(cell) if name in ("a<b", "größe") else str(cell)
                expected.append(f"{name} = {shown} {effect}")
        assert row["reasons"] == expected
    assert sum(len(row["reasons"]) for row in predictions(client, "reasons", ROWS)) > len(ROWS)


def test_a_category_never_seen_is_said(client: Client):
    row = {**ROWS[0], "a<b": "TX", "größe": "x" * 50}
    (found,) = predictions(client, "score,reasons", [row])
    assert found["reasons"][-2:] == [
        "a<b = 'TX' was never seen in training and counts as missing",
        f"größe = '{'x' * 39}…' was never seen in training and counts as missing",
    ]
    (missing,) = predictions(client, "score", [{**row, "a<b": None, "größe": None}])
    assert found["score"] == missing["score"]


def test_a_user_s_missing_value_is_called_missing(client: Client):
    row = {**ROWS[0], "num_claims": "?", "a<b": "?"}
    (found,) = predictions(client, "reasons", [row])
    texts = [text for text in found["reasons"] if text.startswith(("num_claims", "a<b"))]
    assert texts
    assert all(" is missing, which " in text for text in texts)


@pytest.mark.parametrize(
    ("negative", "positive", "given"),
    [
        ("0", "1", {0, 1}),
        ("-1", "1", {-1, 1}),
        ("no", "1", {"no", "1"}),
        ("00", "01", {"00", "01"}),
    ],
)
def test_labels_that_are_whole_numbers_are_given_as_such(
    bundle: ModelBundle, tmp_path: Path, negative: str, positive: str, given: set[object]
):
    label = Label(name="fraud", negative=negative, positive=positive)
    schema = bundle.schema.model_copy(update={"label": label})
    parts = {name: getattr(bundle, name) for name in bundle.__dataclass_fields__}
    ModelBundle(**(parts | {"schema": schema})).save(tmp_path / "model")
    client = client_for(tmp_path / "model")
    assert {row["predicted_label"] for row in predictions(client, "predicted_label", ROWS)} == given


def test_a_model_gives_what_it_has(model: Model, plain_dir: Path, multiclass_dir: Path):
    assert available_keys(model) == LOGISTIC_KEYS
    plain = tuple(key for key in LOGISTIC_KEYS if key not in ("threshold", "identifiers"))
    assert available_keys(Model.load(plain_dir)) == plain
    assert available_keys(Model.load(multiclass_dir)) == plain


def test_a_key_the_model_cannot_give_is_refused(plain_dir: Path, tmp_path: Path):
    headers = {ATTRIBUTES: "inference_output=threshold"}
    answer = client_for(plain_dir).post("/invocations", json=[[1, 2, 3]], headers=headers)
    found = answer.get_json()
    assert (
        answer.status_code,
        found["error"],
        found["message"],
        found["where"],
        found["hint"],
    ) == (
        400,
        "RequestError",
        "this model cannot give threshold",
        f"{ATTRIBUTES}, inference_output",
        "This model gives predicted_label, labels, probability, probabilities, raw_score, "
        "raw_scores, score, contributions, reasons, model",
    )
    matrix = np.random.default_rng(5).random((50, 3))
    data = xgboost.DMatrix(matrix, matrix[:, :2])  # two targets
    xgboost.train({"nthread": 1}, data, 2).save_model(tmp_path / "model.ubj")
    with pytest.raises(SettingsError) as caught:
        ServedModel.load(tmp_path, threads=1, output=("score", "reasons"))
    assert str(caught.value) == (
        "SAGEMAKER_INFERENCE_OUTPUT: this model cannot give reasons. It gives predicted_score, "
        "score, contributions, model"
    )


@pytest.mark.parametrize("objective", ["binary:logistic", "binary:logitraw", "binary:hinge"])
def test_of_several_labels_at_once_a_row_has_scores_and_no_class(objective: str, tmp_path: Path):
    matrix = np.random.default_rng(5).random((50, 3))
    data = xgboost.DMatrix(matrix, matrix[:, :2] > 0.5)
    params = {"objective": objective, "nthread": 1}
    folder = tmp_path / "model"
    folder.mkdir()
    xgboost.train(params, data, 2).save_model(folder / "model.ubj")
    client = client_for(folder)
    keys = ["predicted_score", "score", "contributions", "model"]
    (found,) = predictions(client, ",".join(keys), [[0.9, 0.1, 0.5]])
    assert client.get("/schema").get_json()["keys"] == keys
    assert len(found["score"]) == 2
    assert found["predicted_score"] == found["score"]


def test_reasons_of_classes_and_of_numbers_over_http(multiclass_dir: Path, tmp_path: Path):
    row = [[0.9, 0.2, 0.1]]
    client = client_for(multiclass_dir)
    (found,) = predictions(client, "predicted_label,reasons", row)
    assert found["predicted_label"] == 0
    pattern = r"f0 = 0.9 raises the probability of class 0 \(odds x [\d.]+\)"
    assert re.fullmatch(pattern, found["reasons"][0])
    matrix = np.random.default_rng(5).random((50, 3))
    data = xgboost.DMatrix(matrix, 1000 * matrix[:, 0])
    xgboost.train({"nthread": 1}, data, 9).save_model(tmp_path / "model.ubj")
    numbers = client_for(tmp_path)
    (found,) = predictions(numbers, "score,reasons", row)
    assert re.fullmatch(r"f0 = 0.9 raises the score by \d{3}", found["reasons"][0])
    units = {
        client: "the probability of the predicted class (odds x ...)",
        numbers: "the score by ...",
    }
    for asked, unit in units.items():
        schemas = asked.get("/openapi.json").get_json()["components"]["schemas"]
        assert schemas["Prediction"]["properties"]["reasons"]["description"] == (
            f"The columns that moved the row most, each with what it raises or lowers: {unit}"
        )


def test_contributions_and_reasons_of_a_plain_model(plain_dir: Path):
    client = client_for(plain_dir)
    keys = "score,contributions,reasons"
    (found,) = predictions(client, keys, [[0.9, None, 0.5]])
    assert list(found["contributions"]["columns"]) == ["f0", "f1", "f2"]
    assert found["reasons"][0].startswith("f0 = 0.9 raises the score (odds x ")
    assert any(text.startswith("f1 is missing, which ") for text in found["reasons"])


def test_a_bulk_body_gets_the_same_reasons(client: Client):
    """Above 32 kB the cells are Arrow's."""
    headers = {ATTRIBUTES: "inference_output=reasons", "Content-Type": "text/csv"}
    body = csv_body(INPUTS, ROWS, header=True)
    small = client.post("/invocations", data=body, headers=headers).data
    bulk = client.post(
        "/invocations", data=csv_body(INPUTS, ROWS * 30, header=True), headers=headers
    )
    assert len(body) < 32 * 1024
    assert bulk.data == small * 30


def test_scores_are_not_touched_by_what_else_is_asked(client: Client):
    alone = [row["score"] for row in predictions(client, "score", ROWS)]
    together = [row["score"] for row in predictions(client, ",".join(LOGISTIC_KEYS), ROWS)]
    assert np.array_equal(alone, together)


@pytest.mark.parametrize("default", ["score", "score,reasons"])
def test_the_trees_are_read_for_contributions_in_a_thread_and_once(base_dir: Path, default: str):
    """The loop answers small requests itself; what the first one needs would hold up others."""
    settings = settings_for(base_dir / "model", SAGEMAKER_INFERENCE_OUTPUT=default)
    holder = holder_for(base_dir / "model", settings)
    holder.wait()
    application = Application(site_of(settings, holder))

    def request(keys: str | None) -> Request:
        headers = {"content-type": "text/csv", "accept": "application/json"}
        if keys is not None:
            headers[ATTRIBUTES.lower()] = f"inference_output={keys}"
        return Request("POST", "/invocations", "", headers, csv_body(INPUTS, ROWS, header=True))

    assert (application.answer_at_once(request(None)) is None) == ("reasons" in default)
    assert application.answer_at_once(request("Contributions")) is None
    first = application.answer(request("contributions"))
    assert first.status == 200
    for keys in ("contributions", "reasons", None):
        answer = application.answer_at_once(request(keys))
        assert answer is not None
        assert answer.status == 200
    again = application.answer_at_once(request("contributions"))
    assert again is not None
    assert again.body == first.body
