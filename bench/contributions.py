"""Contributions of one row: microseconds of this project's way beside XGBoost's own.

    python -m bench.contributions [--repeats 200]

`library` is XGBoost's C function with the DMatrix it needs, `package` the
Python package: `Booster.predict(DMatrix(row), pred_contribs=True)`. All three
are asked in turn, for the two models of bench.serve; a ratio is the median of
the turns' ratios.
"""

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import xgboost
from numpy.typing import NDArray

from bench.serve.models import models
from sagetree.boosters.explainer import Explainer
from sagetree.boosters.library import CONTRIBUTIONS, NativeBooster
from sagetree.bundle.file_names import MODEL_FILE

Row = NDArray[np.float32]
Way = Callable[[Row], NDArray[np.float32]]

# Rows of one turn.
ROWS = 20


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.contributions", description=__doc__)
    parser.add_argument("--repeats", type=int, default=200, help="turns")
    repeats = parser.parse_args().repeats
    print(f"Python {platform.python_version()}, XGBoost {xgboost.__version__}, one thread\n")
    print(
        "model              sagetree us  library us  package us  library/sagetree  package/sagetree"
    )
    with tempfile.TemporaryDirectory() as folder:
        for model in models(Path(folder)):
            compare(model.name, (model.root / "model" / MODEL_FILE).read_bytes(), repeats)


def compare(name: str, model: bytes, repeats: int) -> None:
    """Print the line of one model."""
    native = NativeBooster(model)
    package = xgboost.Booster({"nthread": 1}, model_file=bytearray(model))
    rows = np.random.default_rng(1).normal(size=(ROWS, 1, native.feature_count))
    names, types = package.feature_names, package.feature_types

    def by_package(row: Row) -> NDArray[np.float32]:
        data = xgboost.DMatrix(
            row, feature_names=names, feature_types=types, enable_categorical=True, nthread=1
        )
        return np.asarray(package.predict(data, pred_contribs=True))

    ways: tuple[Way, ...] = (
        Explainer(native, 1).contributions,
        lambda row: native.predict(row, CONTRIBUTIONS),
        by_package,
    )
    asked = np.abs(rows).astype(np.float32)
    results = [way(asked[0]).reshape(1, -1) for way in ways]
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], rtol=1e-4, atol=1e-4)
    turns = np.array([[microseconds(way, asked) for way in ways] for _ in range(repeats)])
    own, library, by_python = (median(turns[:, way]) for way in range(len(ways)))
    ratios = [median(turns[:, way] / turns[:, 0]) for way in (1, 2)]
    print(
        f"{name:18} {own:11.0f} {library:11.0f} {by_python:11.0f} "
        f"{ratios[0]:17.2f} {ratios[1]:17.2f}"
    )


def microseconds(way: Way, rows: NDArray[np.float32]) -> float:
    """Return the time of one row."""
    begin = time.perf_counter()
    for row in rows:
        way(row)
    return (time.perf_counter() - begin) / len(rows) * 1e6


if __name__ == "__main__":
    main()
