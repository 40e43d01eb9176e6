# /// script
# requires-python = ">=3.11"
# dependencies = ["mlflow-skinny==3.17.2", "sqlalchemy<3", "alembic<2"]
# ///
"""A job tracked in MLflow: hyperparameters, metrics of each round, the evaluation and the model.

usage: mlflow_tracking.py TRAIN.csv TEST.csv TARGET [NAME=VALUE ...]

MLFLOW_TRACKING_URI says where to; here it is mlflow.db unless it is set.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Metric

ROUND = re.compile(r"\[(\d+)\]\t(\S+:\S+.*)")

# MLflow takes no more of them at a time.
BATCH = 1000


def sagetree(*command: str) -> str:
    """Run a program of sagetree and return its log, which is shown. Raises CalledProcessError."""
    ran = subprocess.run(  # noqa: S603 - the user's own words
        ["sagetree", *command],  # noqa: S607 - the one on the path
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(ran.stdout, end="", flush=True)
    ran.check_returncode()
    return ran.stdout


def metrics_of_rounds(log: str) -> list[Metric]:
    """Return what the log says about each round, as lines `[0]<tab>train-auc:0.7<tab>...`."""
    now = round(1000 * time.time())
    return [
        Metric(key=name, value=float(value), timestamp=now, step=int(found[1]))
        for found in map(ROUND.fullmatch, log.splitlines())
        if found
        for name, value in (part.rsplit(":", 1) for part in found[2].split("\t"))
    ]


def metrics_of_rows(evaluation: dict[str, Any]) -> dict[str, float]:
    """Return what is one number of what evaluation.json has of the test rows."""
    return {
        f"test-{name}": metric["value"]
        for group, metrics in evaluation.items()
        if group.endswith("_metrics")
        for name, metric in metrics.items()
        if isinstance(metric.get("value"), float)
    }


def main() -> None:
    """Make one run of MLflow's of one training."""
    train, test, target, *settings = sys.argv[1:]
    mlflow.set_tracking_uri(os.environ.get("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db"))
    mlflow.set_experiment("sagetree")
    with mlflow.start_run() as run, tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        chosen = [word for setting in settings for word in ("--set", setting)]
        log = sagetree("train", train, "--target", target, "--out", str(out), *chosen)
        sagetree("evaluate", str(out), test)
        manifest = json.loads((out / "model" / "sagetree" / "manifest.json").read_text())
        evaluation = out / "processing" / "evaluation"
        tested = json.loads((evaluation / "evaluation.json").read_text())
        mlflow.log_params(manifest["hyperparameters"])
        mlflow.set_tags({f"rows.{name}": data["rows"] for name, data in manifest["data"].items()})
        metrics = metrics_of_rounds(log)
        for begin in range(0, len(metrics), BATCH):
            mlflow.MlflowClient().log_batch(run.info.run_id, metrics[begin : begin + BATCH])
        mlflow.log_metrics(metrics_of_rows(tested))
        mlflow.log_artifacts(str(evaluation), "evaluation")
        mlflow.log_artifacts(str(out / "model"), "model")
        print(f"run {run.info.run_id} of experiment sagetree")


if __name__ == "__main__":
    main()
