"""Which rounds of somebody's model answer, at each of the server's doors."""

from pathlib import Path

import numpy as np
import pytest
import xgboost

from sagetree.serve.application import site_of
from sagetree.serve.http.shares import Shares
from sagetree.serve.scripts.defaults import Defaults
from tests.serve.artifacts import settings_for
from tests.serve.asking import client_of

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


@pytest.mark.parametrize("rounds", ["best", "all"])
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
    client = client_of(site_of(settings, tmp_path, None, Shares(1).take()))
    loaded = client.post("/models", json={"model_name": "m", "url": str(model_dir)})
    assert loaded.status_code == 200
    *_, scores = expected(rounds)
    assert numbers(client.post("/models/m/invoke", data=BODY, headers=CSV_TYPE).data) == scores
    assert client.delete("/models/m").status_code == 200


def test_the_default_model_fn_of_a_script(model_dir: Path) -> None:
    booster = Defaults().default_model_fn(str(model_dir))
    *_, scores = expected("best")
    assert booster.predict(xgboost.DMatrix(ROWS[:5])).tolist() == scores
