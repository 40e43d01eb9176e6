"""Every form of every XGBoost from 0.90 on: served as it predicted itself, or refused with a way.

Each XGBoost makes its models in an environment of its own (make_models.py).
The commands of a refusal are followed to the letter.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sagetree.bundle.model import Model
from sagetree.errors import ArtifactError
from tests.foreign.saved_models import check_scores
from tests.needs import needs_uv
from tests.programs import SAGETREE

pytestmark = [
    pytest.mark.long,
    needs_uv,
    # XGBoost says so of the JSON of 1.0 to 1.5, and reads it
    pytest.mark.filterwarnings("ignore:.*Found JSON model saved before XGBoost 1.6:UserWarning"),
]

MAKER = Path(__file__).with_name("make_models.py")
COMMAND = re.compile(r"In the model's folder run: (.*?)(?:;| \(it takes)")

# By the libraries of their time; XGBoost's own name has wheels of every version.
OF_OLD = ["numpy<2", "scikit-learn<1.5", "pandas<2.2"]


@pytest.mark.parametrize("version", ["0.90", "1.2.0", "1.5.2", "1.7.6", "2.0.3", "2.1.4", "3.0.5"])
def test_models_of_another_xgboost(version: str, tmp_path: Path) -> None:
    wanted = [f"--with={name}" for name in (f"xgboost=={version}", *OF_OLD)]
    uv = str(Path(sys.executable).with_name("uv"))
    made = subprocess.run(
        [uv, "run", "--quiet", "--no-project", "--python", sys.executable, *wanted,
         "python", str(MAKER), str(tmp_path / "models")],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    if "no wheel" in made.stderr or "Failed to build" in made.stderr:
        pytest.skip(f"needs a wheel of XGBoost {version} for this Python")
    assert made.returncode == 0, made.stderr
    check_all(tmp_path / "models")


def test_models_of_the_xgboost_that_serves(tmp_path: Path) -> None:
    command = [sys.executable, str(MAKER), str(tmp_path / "models")]
    subprocess.run(command, check=True, timeout=600)
    check_all(tmp_path / "models")


def check_all(folder: Path) -> None:
    cases = sorted(folder.iterdir())
    assert len(cases) > 10
    wrong = {case.name: error for case in cases if (error := fault(case))}
    assert wrong == {}


def fault(case: Path) -> str:
    """Why a model is not served as it predicted itself; "" if it is."""
    try:
        follow_the_refusal(case / "model")
        check_scores(case, case / "model")
    except (AssertionError, ArtifactError, subprocess.CalledProcessError) as error:
        return f"{error}"
    return ""


def follow_the_refusal(folder: Path) -> None:
    """Do what a refusal says, if there is one."""
    try:
        Model.load(folder)
    except ArtifactError as refusal:
        found = COMMAND.search(str(refusal))
        if not found:
            raise
        command = found[1].replace("sagetree", str(SAGETREE))
        subprocess.run(command, shell=True, cwd=folder, check=True, timeout=600)
