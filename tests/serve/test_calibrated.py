"""A calibrated model serves the scores that predict and evaluate have, and explains its margin."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sagetree.boosters.calibration import Calibration, log_odds
from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.model import Model
from sagetree.errors import ArtifactError
from sagetree.predict.cli import main as predict
from sagetree.serve.models.loading import ServedModel
from sagetree.serve.routes.information import schema_of
from sagetree.serve.routes.openapi import openapi_of
from sagetree.tables.table import Source, Table
from tests.serve.artifacts import INPUTS, client_for
from tests.serve.asking import ATTRIBUTES
from tests.serve.rows import NAMES, csv_body, records

ROWS = records(60, seed=33)
PLATT = Calibration(method="platt", slope=0.6, intercept=-0.4, rows="some", chosen="by hand")


def calibrated(bundle: ModelBundle, calibration: Calibration, folder: Path) -> Path:
    """The bundle with a calibration, and the scores of its rows that it then has."""
    scores = np.array(bundle.selfcheck.scores, np.float32)
    check = bundle.selfcheck.model_copy(update={"scores": tuple(calibration(scores).tolist())})
    replace(bundle, calibration=calibration, selfcheck=check).save(folder / "model")
    return folder / "model"


@pytest.fixture(scope="module")
def folder(bundle: ModelBundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return calibrated(bundle, PLATT, tmp_path_factory.mktemp("calibrated"))


def scores_of(model: Model) -> np.ndarray:
    cells = tuple([row[name] for row in ROWS] for name in INPUTS)
    return model.score(Table(INPUTS, cells, len(ROWS), True, (Source(len(ROWS)),)))


def test_every_way_has_the_same_bits(
    folder: Path, model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    expected = PLATT(scores_of(model))
    np.testing.assert_array_equal(scores_of(Model.load(folder)), expected)
    client = client_for(folder)
    asked = {"Accept": "application/json"}
    answer = client.post("/invocations", json=ROWS, headers=asked)
    together = [row["score"] for row in answer.get_json()["predictions"]]
    np.testing.assert_array_equal(np.float32(together), expected)
    for row, score in zip(ROWS[:12], expected, strict=False):
        body = csv_body(NAMES[:-1], [row], header=False)
        alone = client.post("/invocations", data=body, content_type="text/csv")
        assert np.float32(alone.data.decode().strip()) == score
    path = tmp_path / "rows.csv"
    path.write_bytes(csv_body(NAMES[:-1], ROWS, header=True))
    assert predict(["--model", str(folder), "--format", "jsonl", str(path)]) == 0
    found = [json.loads(line)["score"] for line in capsys.readouterr().out.splitlines()]
    np.testing.assert_array_equal(np.float32(found), expected)


def test_contributions_add_up_to_the_margin_and_reasons_say_before_calibration(folder: Path):
    keys = "score,probability,raw_score,contributions,reasons"
    headers = {ATTRIBUTES: f"inference_output={keys}", "Accept": "application/json"}
    answer = client_for(folder).post("/invocations", json=ROWS[:5], headers=headers)
    for row in answer.get_json()["predictions"]:
        found = row["contributions"]
        margin = sum(found["columns"].values()) + found["base_value"]
        assert row["probability"] == row["raw_score"] == row["score"]
        odds = log_odds(np.array([row["score"]], np.float32))[0]
        assert odds == pytest.approx(0.6 * margin - 0.4, abs=1e-5)
        assert all("the score (odds before calibration x " in text for text in row["reasons"])


def test_schema_and_openapi_say_how_scores_are_calibrated(folder: Path, base_dir: Path):
    served, plain = (
        ServedModel.load(where, threads=1, output=()) for where in (folder, base_dir / "model")
    )
    assert schema_of(served)["calibration"] == "platt"
    assert schema_of(plain)["calibration"] is None
    text = json.dumps(openapi_of(served, dict.fromkeys(INPUTS)))
    assert "lowers: the score (odds before calibration x ...)" in text


def test_a_shift_of_the_odds_leaves_reasons_as_they_are(bundle: ModelBundle, tmp_path: Path):
    shift = Calibration(method="prior", intercept=-2.0, rows="", chosen="by hand")
    headers = {ATTRIBUTES: "inference_output=reasons", "Accept": "application/json"}
    client = client_for(calibrated(bundle, shift, tmp_path))
    (row,) = client.post("/invocations", json=ROWS[:1], headers=headers).get_json()["predictions"]
    assert all("the score (odds x " in text for text in row["reasons"])


def test_a_reader_that_knows_no_calibration_refuses_the_model(folder: Path, tmp_path: Path):
    """As an older sagetree reads it: without calibration.json, whose scores are others."""
    bundle = replace(ModelBundle.load(folder), calibration=None)
    bundle.save(tmp_path / "model")
    with pytest.raises(
        ArtifactError, match="its stored rows get different scores than in training"
    ):
        Model.load(tmp_path / "model")
