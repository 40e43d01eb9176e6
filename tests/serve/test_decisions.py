"""From which score on rows are positive: the model's, the endpoint's, or a request's own."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from werkzeug.test import Client

from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.model import Model
from sagetree.decisions.rules import parse_rule
from sagetree.errors import SettingsError
from sagetree.evaluate.verdict.threshold import choose_threshold
from sagetree.predict.cli import main as predict
from sagetree.serve.application import site_of
from sagetree.serve.http.shares import Shares
from sagetree.serve.models.loading import ServedModel
from sagetree.tables.table import Source, Table
from tests.predict.models import make_model
from tests.serve.artifacts import INPUTS, THRESHOLD, client_for, settings_for
from tests.serve.asking import ATTRIBUTES, client_of, client_of_many, problem
from tests.serve.rows import csv_body, is_fraud, records

ROWS = records(80, seed=21)
HELD_OUT = records(300, seed=22)
COST = "cost: miss=30 alarm=20"
HINT = "Ask for a score from 0 to 1 or another rule, or leave it out"
OLD = Path("tests/bundles/format-1-native")


@pytest.fixture(scope="module")
def deciding(bundle: ModelBundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose threshold was chosen by its cost, with its curve."""
    folder = tmp_path_factory.mktemp("deciding") / "model"
    bundle.save(folder)
    scores = scores_of(Model.load(folder), HELD_OUT)
    labels = np.array([is_fraud(row) for row in HELD_OUT], np.float32)
    labels[[*range(0, 300, 7), scores.argmax()]] = 0  # nobody is right of every row
    decision = choose_threshold(labels, scores, rule=parse_rule(COST))
    replace(bundle, decision=decision).save(folder)
    return folder


def scores_of(model: Model, rows: list[dict[str, object]]) -> np.ndarray:
    cells = tuple([row[name] for row in rows] for name in INPUTS)
    return model.score(Table(INPUTS, cells, len(rows), True, (Source(len(rows)),)))


def called(client: Client, decision: str = "") -> tuple[float, list[str]]:
    """The threshold of an answer, and its labels; they are those of the scores."""
    asked = f"decision={decision};" if decision else ""
    headers = {ATTRIBUTES: f"{asked}inference_output=threshold,score,predicted_label",
               "Accept": "application/json"}  # fmt: skip
    answer = client.post("/invocations", json=ROWS, headers=headers)
    assert answer.status_code == 200, answer.data
    rows = answer.get_json()["predictions"]
    (threshold,) = {row["threshold"] for row in rows}
    labels = [row["predicted_label"] for row in rows]
    assert labels == ["yes" if row["score"] >= threshold else "no" for row in rows]
    assert len({*labels}) == 2
    return threshold, labels


def test_the_models_own_rule_holds_and_predict_goes_by_it(
    deciding: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    threshold, labels = called(client_for(deciding))
    decision = Model.load(deciding).decision
    assert decision is not None
    assert threshold == decision.threshold != THRESHOLD
    (tmp_path / "rows.csv").write_bytes(csv_body(INPUTS, ROWS, header=True))
    assert predict(["--model", str(deciding), str(tmp_path / "rows.csv")]) == 0
    lines = capsys.readouterr().out.splitlines()
    place = lines[0].split(",").index("predicted_label")
    assert [line.split(",")[place].strip('"') for line in lines[1:]] == labels


def test_a_request_has_its_own_score_or_rule(deciding: Path) -> None:
    client = client_for(deciding)
    own, _ = called(client)
    assert called(client, "0.125")[0] == 0.125
    found, _ = called(client, "recall >= 90%")
    by_all, _ = called(client, "alerts<=10%")
    assert found < own < by_all
    assert called(client, COST)[0] == own
    assert called(client)[0] == own


def test_an_endpoint_has_its_own_and_a_request_goes_before_it(
    deciding: Path, tmp_path: Path
) -> None:
    settings = settings_for(deciding, SAGETREE_DECISION="alerts<=10%")
    client = client_of(site_of(settings, tmp_path, None, Shares(1).take()))
    found, _ = called(client)
    assert found == called(client_for(deciding), "alerts<=10%")[0]
    assert client.get("/schema").get_json()["threshold"] == found
    assert called(client, "0.5")[0] == 0.5


@pytest.mark.long
def test_each_of_many_models_goes_by_the_endpoints(deciding: Path, tmp_path: Path) -> None:
    chosen = {"SAGEMAKER_MULTI_MODEL": "true", "SAGETREE_DECISION": "alerts<=10%"}
    settings = settings_for(deciding, **chosen)
    plain = make_model(tmp_path / "plain", "reg:squarederror")
    with client_of_many(settings, tmp_path) as client:
        for name, folder, status in (("m", deciding, 200), ("n", plain, 400)):
            answer = client.post("/models", json={"model_name": name, "url": str(folder)})
            assert answer.status_code == status, answer.data
        headers = {ATTRIBUTES: "inference_output=threshold", "Accept": "text/csv"}
        answer = client.post("/models/m/invoke", json=ROWS[:1], headers=headers)
        assert float(answer.data) == called(client_for(deciding), "alerts<=10%")[0]
        assert client.delete("/models/m").status_code == 200


def test_the_open_inference_protocol_heeds_it(deciding: Path) -> None:
    client = client_for(deciding)
    own, _ = called(client)
    kinds = dict(zip(INPUTS, ("FP64", "BYTES", "BOOL", "BYTES", "BYTES"), strict=True))
    inputs = [
        {"name": n, "shape": [3], "datatype": kind, "data": [row[n] for row in ROWS[:3]]}
        for n, kind in kinds.items()
    ]
    for attributes, expected in (("", own), ("decision=0.125", 0.125)):
        for outputs in ([{"name": "threshold"}], []):
            answer = client.post(
                "/v2/models/model/infer",
                json={"inputs": inputs, "outputs": outputs},
                headers={ATTRIBUTES: f"{attributes};inference_output=threshold"},
            )
            assert answer.get_json()["outputs"][0]["data"] == [expected] * 3


@pytest.mark.parametrize(
    ("decision", "text"),
    [
        ("maybe", "'maybe' is not one of f1, precision>=0.3, recall>=0.8, alerts<=5%, or cost: "
         "miss=1200 alarm=35, each a number or the name of a column"),
        ("2", "'2' is not a score from 0 to 1"),
        ("precision>=99%", "precision>=0.99 is not reached on training's held-out rows: the "
         "greatest precision is {best:.4g}%"),
        ("cost: miss=num_claims alarm=1", "the model stores no amounts of 'num_claims' as miss: "
         "give a number, or train with that rule"),
    ],
)  # fmt: skip
def test_a_request_for_what_cannot_be_is_refused(deciding: Path, decision: str, text: str) -> None:
    curve = getattr(Model.load(deciding).decision, "curve")  # noqa: B009 - it has one
    best = 100 * curve.points(parse_rule("f1")).precision.max()
    headers = {ATTRIBUTES: f"decision={decision}"}
    status, found = problem(client_for(deciding).post("/invocations", json=ROWS, headers=headers))
    assert status == 400
    assert found == {
        "error": "RequestError", "message": text.format(best=best), "hint": HINT,
        "where": f"{ATTRIBUTES}, decision",
    }  # fmt: skip


def test_an_endpoint_warns_of_what_it_cannot_reach_and_takes_the_nearest(
    deciding: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = ServedModel.load(deciding, threads=1, output=("score",), decision="precision>=99%")
    decision = model.model.decision
    assert decision is not None
    assert decision.curve is not None
    points = decision.curve.points(parse_rule("f1"))
    best = points.precision.max()
    assert model.model.threshold in points.thresholds[points.precision == best]
    assert caplog.messages == [
        "WARNING: SAGETREE_DECISION is precision>=99%: precision>=0.99 is not reached on "
        f"training's held-out rows: the greatest precision is {100 * best:.4g}%. The "
        f"threshold is the nearest, {model.model.threshold:.4g}"
    ]


def test_a_model_of_before_there_were_rules_has_its_threshold_and_takes_a_score(
    tmp_path: Path,
) -> None:
    shutil.copytree(OLD, tmp_path / "model")
    old = ServedModel.load(tmp_path / "model", threads=1, output=("score",))
    assert old.model.decision is not None
    assert (old.model.decision.rule, old.model.decision.curve) == ("f1", None)
    assert old.deciding("0.5").model.threshold == 0.5
    with pytest.raises(SettingsError) as caught:
        ServedModel.load(tmp_path / "model", threads=1, output=("score",), decision="recall>=0.8")
    assert str(caught.value) == (
        "SAGETREE_DECISION: 'recall>=0.8' needs the curve of training's held-out rows, which this "
        "model does not store: give a score from 0 to 1, or train again. Leave it out, or set "
        "something that the model supports"
    )


def test_xgboosts_own_model_takes_a_score(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", "binary:logistic", foreign=True)
    served = ServedModel.load(folder, threads=1, output=("score",), decision="0.25")
    assert (served.model.threshold, "threshold" in served.keys) == (0.25, True)


def test_a_model_without_a_threshold_takes_none(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", "reg:squarederror")
    with pytest.raises(SettingsError) as caught:
        ServedModel.load(folder, threads=1, output=("score",), decision="0.25")
    assert str(caught.value) == (
        "SAGETREE_DECISION: a model of reg:squarederror calls no row by a threshold. Leave it "
        "out, or set something that the model supports"
    )
