"""Base margins in requests: every content type brings them, and each row starts from its own."""

import json
from pathlib import Path

import numpy as np
import pytest
import xgboost
from werkzeug.test import Client

from sagetree.bundle.file_names import MODEL_FILE
from sagetree.machine.paths import OptMl
from sagetree.train.cli import main as train
from tests.serve.artifacts import client_for
from tests.serve.asking import post, problem
from tests.serve.encoded import every_body

NAMES = ("x", "start", "noise")

_RANDOM = np.random.default_rng(4)
_X, _START, _NOISE = _RANDOM.normal(size=(3, 200)).astype(np.float32).round(3)
ROWS = np.stack([_X, _START, _NOISE], axis=1)[:6]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Poisson model of rates by x, of rows that start from the logarithm of their exposure."""
    base = tmp_path_factory.mktemp("margins")
    opt_ml = OptMl(base)
    (opt_ml.data / "train").mkdir(parents=True)
    claims = np.random.default_rng(5).poisson(np.exp(_X / 2 + _START))
    rows = zip(claims, _X, _START, _NOISE, strict=True)
    text = "y,x,start,noise\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    (opt_ml.data / "train" / "a.csv").write_text(text)
    opt_ml.config.mkdir(parents=True)
    settings = {"objective": "count:poisson", "base_margin_column": "start", "num_round": "10"}
    opt_ml.hyperparameters.write_text(json.dumps(settings))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_BASE_DIR", str(base))
        assert train([]) == 0
    return opt_ml.model


@pytest.fixture(scope="module")
def client(folder: Path) -> Client:
    made = client_for(folder)
    assert post(made, b"").status_code == 204  # which waits for the model
    return made


def by_xgboost(folder: Path, start: np.ndarray, **how: bool) -> np.ndarray:
    """What XGBoost's own booster predicts of the rows with `start` as their base margin."""
    booster = xgboost.Booster(model_file=bytearray((folder / MODEL_FILE).read_bytes()))
    data = xgboost.DMatrix(
        ROWS[:, [0, 2]], base_margin=start, feature_names=["x", "noise"],
        feature_types=["float"] * 2,
    )  # fmt: skip
    return booster.predict(data, **how)


def scores(client: Client, body: bytes, kind: str) -> list[float]:
    answer = post(client, body, kind, Accept="application/json")
    assert answer.status_code == 200, answer.data
    return [row["score"] for row in answer.get_json()["predictions"]]


def test_every_content_type_brings_base_margins(client: Client, folder: Path) -> None:
    expected = by_xgboost(folder, ROWS[:, 1])
    for kind, body in every_body(ROWS, NAMES):
        np.testing.assert_allclose(scores(client, body, kind), expected, rtol=1e-6, err_msg=kind)
    for kind, body in every_body(ROWS[:1], NAMES):
        found = scores(client, body, kind)
        np.testing.assert_allclose(found, expected[:1], rtol=1e-6, err_msg=kind)


def test_rows_without_a_base_margin_start_from_0(client: Client, folder: Path) -> None:
    expected = by_xgboost(folder, np.zeros(len(ROWS), np.float32))
    for kind, body in every_body(ROWS[:, [0, 2]], ("x", "noise")):
        if "libsvm" not in kind and "recordio" not in kind:  # which number the columns
            found = scores(client, body, kind)
            np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=kind)
    absent = ROWS.copy()
    absent[:, 1] = np.nan
    for kind, body in every_body(absent, NAMES):
        np.testing.assert_allclose(scores(client, body, kind), expected, rtol=1e-6, err_msg=kind)


def test_tensors_bring_base_margins(client: Client, folder: Path) -> None:
    inputs = [
        {"name": name, "shape": [len(ROWS)], "datatype": "FP64", "data": ROWS[:, i].tolist()}
        for i, name in enumerate(NAMES)
    ]
    answer = client.post("/v2/models/model/infer", json={"inputs": inputs})
    found = answer.get_json()["outputs"][0]["data"]
    np.testing.assert_allclose(found, by_xgboost(folder, ROWS[:, 1]), rtol=1e-6)


def test_a_base_margin_that_is_not_a_number_is_refused(client: Client) -> None:
    body = json.dumps([{"x": 1, "noise": 0}, {"x": 1, "noise": 0, "start": "half"}]).encode()
    reason = "'half' is text where a number is expected"
    assert problem(post(client, body, "application/json")) == (
        422,
        {
            "error": "SchemaError",
            "message": reason,
            "where": "row 2, column 'start'",
            "hint": "Send a number, or leave the base margin out for 0",
            "violations": [{"row": 2, "column": "start", "reason": reason}],
        },
    )


def test_contributions_start_from_the_rows_base_margin(client: Client, folder: Path) -> None:
    body = json.dumps([dict(zip(NAMES, row, strict=True)) for row in ROWS.tolist()]).encode()
    headers = {
        "Accept": "application/json",
        "X_Amzn_SageMaker_Custom_Attributes": "inference_output=contributions",
    }
    answer = post(client, body, "application/json", **headers)
    found = [row["contributions"] for row in answer.get_json()["predictions"]]
    sums = [row["base_value"] + sum(row["columns"].values()) for row in found]
    expected = by_xgboost(folder, ROWS[:, 1], output_margin=True)
    np.testing.assert_allclose(sums, expected, atol=1e-5)


def test_the_schema_says_where_a_row_without_a_base_margin_starts(client: Client) -> None:
    columns = {column["name"]: column for column in client.get("/schema").get_json()["columns"]}
    assert columns["start"] == {
        "name": "start", "kind": "base_margin", "required": False, "default": 0,
    }  # fmt: skip
    assert "default" not in columns["x"]
