"""Flask on gunicorn's threads, Booster.inplace_predict, and no checks."""

import json
import os
from pathlib import Path

import flask
import numpy as np
import xgboost

FOLDER = Path(os.environ["BENCH_MODEL"])
BOOSTER = xgboost.Booster(model_file=FOLDER / "xgboost-model.ubj")
BOOSTER.set_param({"nthread": 1})
CODES: list[dict[str, int] | None] = json.loads((FOLDER / "codes.json").read_text())

app = flask.Flask(__name__)


def number(cell: str, codes: dict[str, int] | None) -> float:
    """Return a cell as a number."""
    return float(cell) if codes is None else codes[cell]


@app.get("/ping")
def ping() -> str:
    """Answer 200."""
    return ""


@app.post("/invocations")
def invocations() -> flask.Response:
    """Answer rows with scores."""
    lines = flask.request.get_data(as_text=True).splitlines()
    rows = [[*map(number, line.split(","), CODES)] for line in lines]
    scores = BOOSTER.inplace_predict(np.array(rows, np.float32))
    return flask.Response("\n".join(map(str, scores.tolist())), content_type="text/csv")
