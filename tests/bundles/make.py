"""Make the bundles of the present format, or that of a release (see README.md).

`python -m tests.bundles.make` makes the former, with `--release` the latter.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import orjson

from sagetree.bundle.model import Model
from sagetree.bundle.old import FORMAT
from sagetree.machine.paths import OptMl
from sagetree.tables.cells import Cell
from sagetree.train.job import run
from tests.sagetree.models import Field, table_of, train
from tests.train.tasks import CASES, FEATURES, Case

HERE = Path(__file__).parent
EXPECTED_FILE = "expected.json"

ENCODINGS = ("native", "onehot")

# Kinds of bundles that a job of `tests.train.tasks` makes: the case, and settings beside its own.
TASKS: dict[str, tuple[str, dict[str, str]]] = {
    "multiclass": ("multi:softprob", {}),
    "quantiles": ("reg:quantileerror", {}),
    "interval": ("survival:aft", {}),
    "ensemble": ("rank:ndcg", {"_kfold": "2"}),
    "mean": ("reg:squarederror", {"encoding": "target"}),
    "shares": ("multi:softprob", {"encoding": "target"}),
    "platt": ("binary:logistic", {"calibration": "platt"}),
    "isotonic": ("binary:logistic", {"calibration": "isotonic"}),
}

STATES = ("CA", "N/A", "OR", "a<b")
SEVERITIES = ("1", "2", "3")

# Rows to score: usual ones, then missing cells, unseen categories, other spellings.
ROWS: dict[str, list[Cell]] = {
    "amount": [12.5, 70, 99.5, None, "70.0", 7e1, "?"],
    "state": ["CA", "a<b", "OR", None, "TX", " N/A ", ""],
    "reported": [True, False, "True", None, 0, 1.0, "FALSE"],
    "on": ["2024-01-31", "2025-06-01T13:45:00", "2024-12-24", None, "2024-02-29", "", "2025-01-01"],
    "severity": ["1", 2, 3.0, None, "4", " 2 ", "1.0"],
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Write bundles of all kinds, or a release's one, each beside what it must answer."""
    parser = argparse.ArgumentParser(prog="python -m tests.bundles.make")
    parser.add_argument("--release", action="store_true", help="only the present version's bundle")
    if parser.parse_args(arguments).release:
        make_release()
        return
    make_encodings()
    for name in TASKS:
        make_task(name)


def make_release() -> None:
    """Run a job with the version's own defaults, for all files that it writes."""
    settings = {"max_depth": "2", "num_round": "3", "calibration": "platt"}
    make_job(HERE / f"release-{version('sagetree')}", CASES["binary:logistic"], settings)


def make_encodings() -> None:
    """Train a binary model of all kinds of columns on 120 generated rows."""
    random = np.random.default_rng(FORMAT)
    rows = 120
    fields = {
        "policy_id": Field("identifier", list(range(rows))),
        "amount": Field("number", [float(n) / 10 for n in random.integers(1, 1000, rows)]),
        "state": Field("category", [str(state) for state in random.choice(STATES, rows)]),
        "reported": Field("boolean", [bool(value) for value in random.integers(0, 2, rows)]),
        "on": Field("datetime", [_day(n) for n in random.integers(0, 700, rows)]),
        "severity": Field("ordinal", [str(s) for s in random.choice(SEVERITIES, rows)]),
    }
    labels = [
        int(amount > 60) ^ int(state == "a<b") ^ int(severity == "3" and not reported)
        for amount, state, severity, reported in zip(
            *(fields[name].cells for name in ("amount", "state", "severity", "reported")),
            strict=True,
        )
    ]
    for encoding in ENCODINGS:
        folder = HERE / f"format-{FORMAT}-{encoding}"
        folder.mkdir()  # fails where it is there: an old bundle is never made again
        train(fields, labels, encoding=encoding).bundle.save(folder)
        scores = Model.load(folder).score(table_of(ROWS))
        expected = {"rows": ROWS, "scores": scores.tolist()}
        (folder / EXPECTED_FILE).write_bytes(orjson.dumps(expected, option=orjson.OPT_INDENT_2))


def make_task(name: str) -> None:
    """Run the training job of a task."""
    case, more = TASKS[name]
    settings = {"preset": "xgboost", "max_depth": "2", "num_round": "3", **more}
    make_job(HERE / f"format-{FORMAT}-{name}", CASES[case], settings)


def make_job(folder: Path, one: Case, settings: Mapping[str, str]) -> None:
    """Run a training job, and keep its model. Raises FileExistsError where the folder is there."""
    folder.mkdir()
    with tempfile.TemporaryDirectory() as root:
        opt_ml = OptMl(Path(root))
        (opt_ml.data / "train").mkdir(parents=True)
        (opt_ml.data / "train" / "t.csv").write_text(one.csv())
        opt_ml.config.mkdir(parents=True)
        texts = {**one.hyperparameters, **settings}
        (opt_ml.config / "hyperparameters.json").write_text(json.dumps(texts))
        run(opt_ml, {})
        shutil.copytree(opt_ml.model, folder, dirs_exist_ok=True)
    rows = {column: [*cells[:6], None] for column, cells in FEATURES.items()}
    expected = {"rows": rows, "scores": Model.load(folder).score(table_of(rows)).tolist()}
    (folder / EXPECTED_FILE).write_bytes(orjson.dumps(expected, option=orjson.OPT_INDENT_2))


def _day(number: int) -> str:
    return str(np.datetime64("2024-01-01") + np.timedelta64(int(number), "D"))


if __name__ == "__main__":
    main()
