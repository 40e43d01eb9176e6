"""Who computes contributions, by SAGETREE_CONTRIBUTIONS, in a real server."""

import json
from pathlib import Path

import numpy as np
import pytest

from sagetree.boosters.explainer import Explainer
from sagetree.boosters.library import CONTRIBUTIONS, Matrix, NativeBooster
from sagetree.bundle.file_names import MODEL_FILE
from tests.serve.server_process import eventually, healthy, load, serving

ROWS: Matrix = np.random.default_rng(9).random((50, 3), np.float32)
BODY = "\n".join(",".join(map(repr, row)) for row in ROWS.tolist()).encode()
HEADERS = {"Content-Type": "text/csv", "Accept": "application/json"}


def served(folder: Path, log: Path, *, many: bool, **variables: str) -> Matrix:
    """The contributions that a server answers with, the base value last."""
    chosen = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "SAGEMAKER_INFERENCE_OUTPUT": "contributions"}
    mode = {"SAGEMAKER_MULTI_MODEL": "true"} if many else {}
    with serving(folder.parent, log, **chosen, **mode, **variables) as server:
        if many:
            assert load(server, "m", folder) == 200
        else:
            eventually(lambda: healthy(server))
        path = "/models/m/invoke" if many else "/invocations"
        answer = server.request("POST", path, BODY, HEADERS)
    assert answer.status == 200, answer.body
    found = [row["contributions"] for row in json.loads(answer.body)["predictions"]]
    return np.float32([[*row["columns"].values(), row["base_value"]] for row in found])


@pytest.mark.long
@pytest.mark.parametrize("many", [False, True])
def test_the_variable_says_who_computes_contributions(
    plain_dir: Path, tmp_path: Path, many: bool
) -> None:
    booster = NativeBooster((plain_dir / MODEL_FILE).read_bytes())
    ours = Explainer(booster, 1).contributions(ROWS)[:, 0]
    theirs = booster.predict(ROWS, CONTRIBUTIONS)[:, 0]
    assert (ours != theirs).any()  # in the last bits: else the test would say nothing
    log = tmp_path / "log"
    np.testing.assert_array_equal(served(plain_dir, log, many=many), ours)
    by_xgboost = served(plain_dir, log, many=many, SAGETREE_CONTRIBUTIONS="xgboost")
    np.testing.assert_array_equal(by_xgboost, theirs)
