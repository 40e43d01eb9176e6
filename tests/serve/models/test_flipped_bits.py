"""Models with one bit changed: refused with the reason, or equal to XGBoost's own prediction."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sagetree.bundle.model import TOLERANCE
from tests.sagetree.damaged import COLUMNS, KINDS, flipped, model

ROWS = np.random.default_rng(5).random((50, COLUMNS), np.float32) * 2 - 0.5

# The trial of each model, XGBoost's own prediction and ours: in processes that may die of it,
# forked by one that has everything but a booster.
PROGRAM = """
import json, os, sys
from pathlib import Path
import numpy as np
from sagetree.machine.unused import leave_out_unused
leave_out_unused()
import xgboost
from sagetree.bundle.model import Model
from sagetree.serve.models.trial import Question, run_trial
from sagetree.serve.models.trials import MODELS

def theirs(folder, rows):
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray((folder / "xgboost-model").read_bytes()))
    return booster.predict(xgboost.DMatrix(rows, nthread=1), validate_features=False)

def ours(folder, rows):
    return Model.load(folder).scorer.score(rows)

rows = np.load(Path(sys.argv[1]) / "rows.npy")
for folder in sorted(Path(sys.argv[1]).glob("m-*")):
    asked = Question(str(folder), {"output": ["score"]}, 2**28, False)
    told = run_trial(MODELS, asked, lambda: True)
    (folder / "told.json").write_text(json.dumps(told))
    for predict in (theirs, ours) if "bytes" in told else ():
        if os.fork() == 0:
            try:
                np.save(folder / predict.__name__, predict(folder, rows))
            finally:
                os._exit(0)
        os.wait()
"""


def check(base: Path, cases: list[tuple[str, str, int]]) -> tuple[int, int]:
    """Return how many models are served, and how many are refused."""
    np.save(base / "rows", ROWS)
    whole = {(kind, form): model(kind, form) for kind, form, _ in cases}
    for kind, form, seed in cases:
        folder = base / f"m-{kind}-{form}-{seed:03d}"
        folder.mkdir()
        (folder / "xgboost-model").write_bytes(flipped(whole[kind, form], seed))
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, str(base)]
    subprocess.run(command, check=True, timeout=900, capture_output=True)
    served = refused = 0
    for folder in sorted(base.glob("m-*")):
        told = (folder / "told.json").read_text()
        if '"bytes"' in told:
            served += 1
            theirs, ours = np.load(folder / "theirs.npy"), np.load(folder / "ours.npy")
            np.testing.assert_allclose(ours, theirs, rtol=TOLERANCE, err_msg=folder.name)
        else:
            refused += 1
            assert '"message": "' in told, folder.name
            assert "cannot be served" not in told, (folder.name, told)  # one that nobody foresaw
    return served, refused


@pytest.mark.long
@pytest.mark.parametrize("form", ["ubj", "json"])
@pytest.mark.parametrize("kind", KINDS)
def test_fifty_flipped_bits_of_each_kind(kind: str, form: str, tmp_path: Path):
    served, refused = check(tmp_path, [(kind, form, seed) for seed in range(1000, 1050)])
    assert served > 0
    assert refused > 0
