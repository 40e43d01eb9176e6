"""Every fault of a job's folder ends it with exactly the text beside it (README.md)."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagetree.machine.paths import OptMl
from sagetree.train.cli import main as train
from tests.needs import needs_script_mode
from tests.train.conftest import lines

CASES = sorted(path.parent for path in Path(__file__).parent.glob("jobs/*/error.txt"))
MARKS = {True: [needs_script_mode], False: []}

# SageMaker shows this much of the failure file.
SHOWN = 1024


@pytest.fixture
def opt_ml(tmp_path: Path) -> Iterator[OptMl]:
    """The folder of a job that nothing is wrong with; the toolkit's traces are wiped away."""
    before = dict(os.environ)
    os.environ["SAGEMAKER_BASE_DIR"] = str(tmp_path)
    opt_ml = OptMl(tmp_path)
    (opt_ml.data / "train").mkdir(parents=True)
    (opt_ml.data / "train" / "data.csv").write_text(lines(60))
    opt_ml.config.mkdir()
    (opt_ml.config / "hyperparameters.json").write_text('{"num_round": "3"}')
    yield opt_ml
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=MARKS[case.name.startswith("script-")])
        for case in CASES
    ],
)
def test_a_fault_is_told_with_place_and_remedy(case: Path, opt_ml: OptMl) -> None:
    shutil.copytree(case, opt_ml.root, dirs_exist_ok=True)
    absent = opt_ml.root / "absent"
    for name in absent.read_text().splitlines() if absent.exists() else ():
        shutil.rmtree(opt_ml.root / name)
    assert train([]) == 1
    failure = opt_ml.failure.read_text()
    assert failure == (case / "error.txt").read_text().replace("{root}", str(opt_ml.root))
    assert len(failure.encode()) < SHOWN
    first = failure.splitlines()[0]
    assert re.search(r"\. [A-Z]|: use ", first)  # what to do comes behind what is wrong
    assert not [path for path in opt_ml.model.rglob("*") if path.is_file()]


def test_nothing_else_is_wrong_with_the_job(opt_ml: OptMl) -> None:
    assert train([]) == 0


def test_there_are_cases() -> None:
    assert len(CASES) > 30
