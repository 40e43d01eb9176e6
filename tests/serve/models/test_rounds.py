"""Which rounds of somebody's model answer, at each of the server's doors."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import xgboost

from sagetree.machine.program import LOG
from sagetree.serve.application import site_of
from sagetree.serve.http.shares import Shares
from sagetree.serve.routes.script import script_site
from sagetree.serve.scripts.code import ScriptCode
from sagetree.serve.scripts.user_script import script_holder
from sagetree.serve.telemetry.log_lines import text_line
from sagetree.serve.telemetry.metrics import Observer
from tests.serve.artifacts import settings_for
from tests.serve.asking import client_of, client_of_many
from tests.serve.server_process import ask, load, serving

ROWS = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
LABELS = (ROWS[:, 0] + np.random.default_rng(1).normal(size=100) > 0).astype(int)
BODY = "\n".join(f"{a!r},{b!r}" for a, b in ROWS[:5].tolist())
CSV_TYPE = {"Content-Type": "text/csv"}


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("early") / "model"
    folder.mkdir()
    (folder / "model.bst").write_bytes(own().get_booster().save_raw("ubj"))
    return folder


def own() -> xgboost.XGBClassifier:
    model = xgboost.XGBClassifier(n_estimators=40, early_stopping_rounds=3, n_jobs=1)
    watched = [(ROWS[50:], LABELS[50:])]
    return model.fit(ROWS[:50], LABELS[:50], eval_set=watched, verbose=False)


def expected(rounds: str) -> tuple[int, int, list[float]]:
    """The rounds that predict, those there are, and the scores."""
    model = own()
    stored = model.get_booster().num_boosted_rounds()
    used = model.best_iteration + 1 if rounds == "best" else stored
    assert model.best_iteration + 1 < stored
    scores = model.predict_proba(ROWS[:5], iteration_range=(0, used))[:, 1]
    return used, stored, scores.tolist()


def numbers(text: bytes) -> list[float]:
    return [np.float32(line).item() for line in text.decode().split()]


@pytest.mark.parametrize("rounds", ["best", pytest.param("all", marks=pytest.mark.long)])
def test_one_model(rounds: str, model_dir: Path, tmp_path: Path) -> None:
    settings = settings_for(model_dir, SAGETREE_ROUNDS=rounds)
    client = client_of(site_of(settings, tmp_path, None, Shares(1).take()))
    used, stored, scores = expected(rounds)
    assert numbers(client.post("/invocations", data=BODY, headers=CSV_TYPE).data) == scores
    told = client.get("/metadata").get_json()["model"]
    assert (told["rounds"], told["stored_rounds"]) == ([used], [stored])


@pytest.mark.long
@pytest.mark.parametrize("rounds", ["best", "all"])
def test_many_models(rounds: str, model_dir: Path, tmp_path: Path) -> None:
    settings = settings_for(model_dir, SAGETREE_ROUNDS=rounds, SAGEMAKER_MULTI_MODEL="true")
    with client_of_many(settings, tmp_path) as client:
        loaded = client.post("/models", json={"model_name": "m", "url": str(model_dir)})
        assert loaded.status_code == 200
        *_, scores = expected(rounds)
        answer = client.post("/models/m/invoke", data=BODY, headers=CSV_TYPE)
        assert numbers(answer.data) == scores
        assert client.delete("/models/m").status_code == 200


@pytest.mark.parametrize("rounds", ["best", "all"])
def test_the_default_model_fn_of_a_script(rounds: str, model_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "answer.py").write_text("")
    settings = settings_for(model_dir, SAGETREE_ROUNDS=rounds, SAGEMAKER_PROGRAM="answer.py")
    path = list(sys.path)
    holder = script_holder(settings, ScriptCode(tmp_path / "answer.py"))
    sys.path[:] = path
    holder.start(watch=False)
    holder.wait()
    client = client_of(script_site(settings, holder, Observer(None, text_line, LOG.info)))
    *_, scores = expected(rounds)
    answer = client.post("/invocations", data=BODY, headers=CSV_TYPE)
    assert np.float32(answer.get_json()).tolist() == scores


@pytest.mark.long
@pytest.mark.parametrize("rounds", ["best", "all"])
def test_the_default_model_fn_of_many(rounds: str, model_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "answer.py").write_text("")
    chosen = {"SAGEMAKER_MULTI_MODEL": "true", "SAGEMAKER_PROGRAM": "answer.py"}
    chosen |= {"SAGEMAKER_SUBMIT_DIRECTORY": str(tmp_path / "code"), "SAGETREE_ROUNDS": rounds}
    with serving(tmp_path, tmp_path / "log", **chosen) as server:
        assert load(server, "m", model_dir) == 200
        *_, scores = expected(rounds)
        answer = ask(server, "POST", "/models/m/invoke", BODY.encode())
        assert np.float32(json.loads(answer.body)).tolist() == scores
