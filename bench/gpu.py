"""Training on a GPU beside the same training on the CPU: time, and whether the models agree.

    python -m bench.gpu [--rows 1000000] [--rounds 200] [--device cuda]

Needs XGBoost's CUDA build. The table is bench.train's, as Parquet: 20 numbers, 8 columns of
words, a validation channel of a tenth of the rows. Each way is trained on both, all of it as
a user runs it; both models then score the validation rows by sagetree's own walk on the CPU.
`scores differ` is between the two models; `prediction differs` is between the GPU and that
walk on the model that the GPU made. `rounds` is the time of the boosting alone.
"""

import argparse
import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xgboost
from numpy.typing import NDArray

from bench.train import Figures, generate, run
from sagetree.bundle.file_names import MODEL_FILE
from sagetree.bundle.model import Model
from sagetree.files.reading import read_table
from sagetree.tables.table import Table

FIXED = ("preset=xgboost", "max_depth=6", "eval_metric=auc")
WAYS = {
    "in memory": FIXED,
    "one-hot": (*FIXED, "encoding=onehot"),
    "untouched": (),
}


@dataclass(frozen=True)
class Trained:
    """What one training took, its model's scores, and the GPU's scores of that model."""

    figures: Figures
    scores: NDArray[np.float32]
    predicted: NDArray[np.float32]


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--device", default="cuda", help="the other device")
    options = parser.parse_args()
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, XGBoost "
        f"{xgboost.__version__}: {options.rows} rows, {options.rounds} rounds\n"
    )
    print(
        f"{'':<10} {'cpu s':>7} {'gpu s':>7} {'cpu rounds':>10} {'gpu rounds':>10} {'cpu AUC':>8} "
        f"{'gpu AUC':>8}  scores differ (mean, most)  prediction differs (most)"
    )
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), options.rows)
        base = Path(folder) / "parquet"
        table = read_table(base / "input/data/validation", lambda _: True)
        for way, settings in WAYS.items():
            pair = [
                _train(base, table, (*settings, f"num_round={options.rounds}"), device)
                for device in ("cpu", options.device)
            ]
            _report(way, *pair)


def _train(base: Path, table: Table, settings: tuple[str, ...], device: str) -> Trained:
    command = ["env", f"SAGEMAKER_BASE_DIR={base}", "PYTHONUNBUFFERED=1"]
    command += [str(Path(sys.executable).with_name("sagetree")), "train"]
    for setting in (*settings, f"device={device}"):
        command += ["--set", setting]
    figures = run(command)
    model = Model.load(base / "model")
    features = model.features
    rows = table.without("y")
    values = model.matrix(rows).values
    booster = xgboost.Booster({"device": device})
    booster.load_model(bytearray((base / "model" / MODEL_FILE).read_bytes()))
    data = xgboost.DMatrix(values, feature_types=features.types, enable_categorical=True)
    return Trained(figures, model.score(rows), booster.predict(data, validate_features=False))


def _report(way: str, cpu: Trained, gpu: Trained) -> None:
    apart = np.abs(cpu.scores - gpu.scores)
    print(
        f"{way:<10} {cpu.figures.seconds:7.1f} {gpu.figures.seconds:7.1f} "
        f"{cpu.figures.phases.get('boost', 0):10.1f} {gpu.figures.phases.get('boost', 0):10.1f} "
        f"{cpu.figures.auc:8.5f} {gpu.figures.auc:8.5f}  {apart.mean():12.2g} {apart.max():10.2g}"
        f"  {np.abs(gpu.scores - gpu.predicted).max():20.2g}",
        flush=True,
    )


if __name__ == "__main__":
    main()
