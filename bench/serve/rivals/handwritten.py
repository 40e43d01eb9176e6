"""Flask on gunicorn's sync workers, pandas.read_csv, and predict on a DMatrix."""

import io
import json
import os
from pathlib import Path

import flask
import pandas as pd
import xgboost

FOLDER = Path(os.environ["BENCH_MODEL"])
BOOSTER = xgboost.Booster(model_file=FOLDER / "xgboost-model.ubj")
BOOSTER.set_param({"nthread": 1})
CODES: list[dict[str, int] | None] = json.loads((FOLDER / "codes.json").read_text())

app = flask.Flask(__name__)


@app.get("/ping")
def ping() -> str:
    """Answer 200."""
    return ""


@app.post("/invocations")
def invocations() -> flask.Response:
    """Answer rows with scores."""
    frame = pd.read_csv(io.StringIO(flask.request.get_data(as_text=True)), header=None)
    for index, codes in enumerate(CODES):
        if codes is not None:
            frame[index] = frame[index].map(codes)
    data = xgboost.DMatrix(
        frame.to_numpy("float32"), feature_types=BOOSTER.feature_types, nthread=1
    )
    scores = BOOSTER.predict(data, validate_features=False)
    return flask.Response("\n".join(map(str, scores.tolist())), content_type="text/csv")
