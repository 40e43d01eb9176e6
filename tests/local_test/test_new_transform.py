"""The example of a new transform: its patch fits this code, and what it adds trains and serves."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.readme import ROOT
from tests.programs import TIMEOUT
from tests.serve.server_process import PROGRAM

PATCH = ROOT / "local_test" / "examples" / "new_transform" / "clock.patch"

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")


def test_the_patch_fits() -> None:
    subprocess.run(["git", "apply", "--check", PATCH], cwd=ROOT, check=True, timeout=TIMEOUT)


@pytest.fixture(scope="module")
def patched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code, with the transform."""
    folder = tmp_path_factory.mktemp("patched")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("src", "docs", "tests"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    subprocess.run(["git", "apply", PATCH], cwd=folder, check=True, timeout=TIMEOUT)
    return folder


def run(patched: Path, *command: str) -> tuple[int, str]:
    """Run a program of the copy in its folder."""
    ended = subprocess.run(
        command,
        cwd=patched,
        env=os.environ | {"PYTHONPATH": str(patched / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
    )
    return ended.returncode, ended.stdout


@pytest.mark.long
def test_a_model_learns_from_times_of_day(patched: Path) -> None:
    """What is fraud at night only is found in the minutes, as trees see no order in words."""
    rows = [f"{h:02}:{m:02},{int(h < 6)}" for h in range(24) for m in range(0, 60, 5)]
    (patched / "claims.csv").write_text("\n".join(["at,fraud", *rows]))
    (patched / "rows.csv").write_text("at\n2:03\n13:07\n\n")
    kinds = ("--set", 'column_types={"at": "clock"}')
    trained = (*PROGRAM, "train", "claims.csv", "--target", "fraud", *kinds)
    code, log = run(patched, *trained)
    assert code == 0, log
    features = patched / "sagetree-out" / "model" / "sagetree" / "features.json"
    assert json.loads(features.read_bytes())["features"] == [{"kind": "clock", "column": "at"}]
    predict = (*PROGRAM, "predict", "--model", "sagetree-out", "rows.csv", "--output")
    code, log = run(patched, *predict, "scores.csv")
    assert code == 0, log
    header, *lines = (patched / "scores.csv").read_text().splitlines()
    place = header.split(",").index("score")
    night, noon, *_ = (float(line.split(",")[place]) for line in lines)
    assert night > 0.8 > 0.2 > noon
    (patched / "rows.csv").write_text("at\n25:00\n")
    code, log = run(patched, *predict, "none.csv")
    assert code == 1
    assert "'25:00' is not a time of day written as 23:40" in log


@pytest.mark.long
def test_its_own_tests_pass(patched: Path) -> None:
    command = (sys.executable, "-m", "pytest", "-q", "tests/sagetree/features/test_clock.py")
    code, log = run(patched, *command)
    assert code == 0, log
