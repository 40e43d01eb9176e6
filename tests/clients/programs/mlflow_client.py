# /// script
# requires-python = ">=3.11"
# dependencies = ["mlflow-skinny==3.17.2", "pandas<3", "scikit-learn", "xgboost-cpu>=3.2,<3.5"]
# ///
"""MLflow: `save FOLDER` writes two model folders, `ask PORT` uses its scoring client.

Printed is what the models predict here, and what the client got.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import xgboost
from mlflow.deployments import PredictionsResponse
from mlflow.pyfunc.scoring_server.client import ScoringServerClient


def frame() -> pd.DataFrame:
    """Rows with missing cells."""
    source = np.random.default_rng(5)
    rows = pd.DataFrame(source.random((300, 3)), columns=["age", "amount", "x y"])
    return rows.mask(source.random(rows.shape) < 0.1)


def save(folder: Path) -> dict[str, list[float]]:
    """Save a Booster and an XGBClassifier; return what each predicts."""
    rows = frame()
    label = (rows["age"].fillna(0.5) > rows["amount"].fillna(0.5)).astype(int)
    shown = rows.head(8)
    data = xgboost.DMatrix(rows, label)
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 3}, data, 10)
    model = xgboost.XGBClassifier(n_estimators=10, max_depth=3).fit(rows, label)
    for name, made in (("booster", booster), ("classifier", model)):
        mlflow.xgboost.save_model(
            made, folder / name / "model", input_example=shown, pip_requirements=["xgboost"]
        )
    by_mlflow = mlflow.pyfunc.load_model(str(folder / "booster" / "model")).predict(shown)
    return {
        "booster": np.asarray(by_mlflow).tolist(),
        "classifier": model.predict_proba(shown)[:, 1].tolist(),
    }


def ask(port: int) -> dict[str, object]:
    """Ask a server by MLflow's client."""
    client = ScoringServerClient("127.0.0.1", port)
    client.ping()
    rows = frame().head(8)
    return {
        "version": result(client.get_version),
        "frame": result(lambda: scores(client.invoke(rows))),
        "matrix": result(lambda: scores(client.invoke(rows.to_numpy()))),
        "list": result(lambda: scores(client.invoke(rows.to_numpy().tolist()))),
        "params": result(lambda: scores(client.invoke(rows, {"inference_output": "score"}))),
    }


def scores(answer: PredictionsResponse) -> list[float]:
    """The one column of an answer."""
    return answer.get_predictions().iloc[:, 0].tolist()


def result(call: Callable[[], object]) -> object:
    """What comes of it; of an error, what the client says."""
    try:
        return call()
    except Exception as error:
        return f"refused: {error}"


if __name__ == "__main__":
    command, argument = sys.argv[1:]
    json.dump(save(Path(argument)) if command == "save" else ask(int(argument)), sys.stdout)
