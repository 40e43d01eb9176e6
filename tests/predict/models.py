"""Small models of each task, as bundles and as XGBoost's own files, and what the server says."""

from pathlib import Path

import numpy as np
import xgboost
from numpy.typing import NDArray

from sagetree.bundle.bundle import MODEL_FILE
from sagetree.export import save_booster
from tests.serve.artifacts import client_for

NAMES = ("a", "b", "c")
CLASSES = ("low", "mid", "high")

Matrix = NDArray[np.float32]

# Objectives, and the parameters that go with them.
TASKS: dict[str, dict[str, object]] = {
    "binary:logistic": {},
    "multi:softprob": {"num_class": 3},
    "multi:softmax": {"num_class": 3},
    "reg:squarederror": {},
    "reg:quantileerror": {"quantile_alpha": [0.1, 0.9]},
    "rank:ndcg": {},
}


def matrix(rows: int, seed: int = 0) -> Matrix:
    """Rows of numbers, some of them missing."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(rows, len(NAMES))).astype(np.float32)
    values[random.random(values.shape) < 0.1] = np.nan
    return values


def make_model(folder: Path, objective: str, *, foreign: bool = False, named: bool = True) -> Path:
    """Train on 200 rows, and leave the model in `folder`: a bundle, or XGBoost's own file."""
    rows = matrix(200, seed=1)
    value = np.nan_to_num(rows) @ np.array([1, -1, 0.5])
    labels = np.digitize(value, [-1, 1]) if "num_class" in TASKS[objective] else value
    if objective == "binary:logistic":
        labels = value > 0
    if objective == "rank:ndcg":
        labels = np.digitize(value, [0, 1])
    data = xgboost.DMatrix(rows, labels, feature_names=list(NAMES) if named else None)
    if objective == "rank:ndcg":
        data.set_group([10] * 20)
    params = {"objective": objective, "max_depth": 3, "nthread": 1, **TASKS[objective]}
    booster = xgboost.train(params, data, 5)
    if foreign:
        folder.mkdir(parents=True)
        (folder / MODEL_FILE).write_bytes(booster.save_raw("ubj"))
    else:
        classes = CLASSES if "num_class" in TASKS[objective] else ()
        save_booster(booster, rows, folder, label="y", classes=classes)
    return folder


def served(model: Path, body: bytes, keys: str = "score") -> list[dict[str, object]]:
    """What the server answers to a CSV body, row by row."""
    answer = client_for(model).post(
        "/invocations",
        data=body,
        headers={
            "X-Amzn-SageMaker-Custom-Attributes": f"inference_output={keys}",
            "Content-Type": "text/csv",
            "Accept": "application/json",
        },
    )
    assert answer.status_code == 200, answer.data
    found: list[dict[str, object]] = answer.get_json()["predictions"]
    return found
