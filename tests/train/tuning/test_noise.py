"""Where nothing is to be learnt, a search says so: the held-out rows chose none of its settings."""

import numpy as np
import orjson
import pytest

from sagetree.bundle.bundle import read_manifest
from sagetree.bundle.file_names import MANIFEST_FILE
from tests.train.conftest import Job

pytestmark = pytest.mark.long

SEEDS, ROWS = 48, 400

# Few rounds of large steps: what many tries make of noise is seen in them as well.
SETTINGS = {
    "target": "y", "tune": 10, "nfold": 3, "num_round": 30, "early_stopping_rounds": 10,
    "eta": 0.3, "max_depth": 3, "eval_metric": "auc", "nthread": 1,
}  # fmt: skip


def noise(seed: int) -> str:
    """Labels, three numbers and a category that have nothing to do with each other."""
    random = np.random.default_rng(seed)
    labels, numbers = random.permutation(ROWS) % 2, random.normal(size=(ROWS, 3)).round(3)
    kinds = random.choice(list("abcdefgh"), ROWS)
    cells = zip(labels, *numbers.T, kinds, strict=True)
    return "y,a,b,c,kind\n" + "".join(",".join(map(str, row)) + "\n" for row in cells)


def test_pure_noise_has_an_auc_of_a_half(job: Job) -> None:
    found, best = [], []
    for seed in range(SEEDS):
        ran = job({"train": noise(seed)}, {**SETTINGS, "seed": seed})
        assert ran.code == 0, ran.log
        metrics = orjson.loads((ran.opt_ml.output_data / "metrics.json").read_bytes())
        found.append(metrics["binary_classification_metrics"]["auc"]["value"])
        history = read_manifest(ran.opt_ml.model / MANIFEST_FILE).tuning
        assert history is not None
        best.append(max(trial.value or 0.0 for trial in history.trials))
    assert abs(np.mean(found) - 0.5) < 0.01, (np.mean(found), np.std(found) / SEEDS**0.5)
    # what the trials themselves say about the best of them is not a figure for a model
    assert np.mean(best) > 0.53
