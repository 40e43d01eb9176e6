"""Jobs killed at random rounds, again and again, end with the bundle of one that was not."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sagetree.machine.paths import OptMl
from tests.programs import environment
from tests.train.conftest import lines

pytestmark = pytest.mark.long

KILLS = 20

# One process starts a job in a child of its own that shares what was imported: the
# imports take seconds, a job of this size does not.
NURSERY = """
import os, sys
import sagetree.train.job
from sagetree.train.cli import main

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.environ["SAGEMAKER_BASE_DIR"] = line.strip()
        os._exit(main([]))
    print("child", child, flush=True)
    _, status = os.waitpid(child, 0)
    print("status", status, flush=True)
"""


class Nursery:
    """Runs jobs one after another, each in a process that may be killed."""

    def __init__(self) -> None:
        # the child of a process that has used OpenMP hangs with more threads than one
        single = {"OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", NURSERY], env=environment(Path("/nowhere"), single),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip

    def run(self, root: Path, kill_at: int | None = None, mark: str = "[") -> list[str]:
        """Run a job on `root`, kill it after this many of its rounds, and return its log.

        A round is a line that begins with `mark`, a trial one that has another in it.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{root}\n")
        log: list[str] = []
        child = rounds = 0
        for line in self.process.stdout:
            word, _, number = line.partition(" ")
            if word == "child":
                child = int(number)
            elif word == "status":
                return log
            else:
                log.append(line)
                rounds += line.startswith(mark) if mark == "[" else mark in line
                if rounds == kill_at:
                    os.kill(child, signal.SIGKILL)
                    kill_at = None
        raise AssertionError("the nursery ended")


def inputs(root: Path, files: dict[str, str], **more: str) -> OptMl:
    opt_ml = OptMl(root)
    for channel, text in files.items():
        (opt_ml.data / channel).mkdir(parents=True)
        (opt_ml.data / channel / "data.csv").write_text(text)
    opt_ml.config.mkdir(parents=True)
    settings = {"num_round": "120", "early_stopping_rounds": "60", "checkpoint_interval": "3"}
    settings |= more
    (opt_ml.config / "hyperparameters.json").write_text(json.dumps(settings))
    config = {"LocalPath": "/opt/ml/checkpoints"}
    (opt_ml.config / "checkpointconfig.json").write_text(json.dumps(config))
    return opt_ml


@pytest.mark.parametrize("watched", [True, False], ids=["validation", "cross-validation"])
def test_twenty_kills_change_nothing(tmp_path: Path, watched: bool) -> None:
    files = {"train": lines(400), **({"validation": lines(200, seed=1)} if watched else {})}
    nursery = Nursery()
    try:
        expected, killed = (inputs(tmp_path / name, files) for name in ("one", "other"))
        nursery.run(expected.root)
        chance = random.Random(4)
        kills = 0
        while kills < KILLS:
            nursery.run(killed.root, kill_at=chance.randint(1, 12))
            if (killed.model / "xgboost-model").exists():  # it came to its end: from the start
                compare(expected, killed)
                shutil.rmtree(killed.model)
                shutil.rmtree(killed.checkpoints)
            else:
                kills += 1
        nursery.run(killed.root)
        compare(expected, killed)
    finally:
        nursery.process.kill()
        nursery.process.communicate()


def test_a_search_that_is_killed_again_and_again_ends_with_the_same_bundle(tmp_path: Path) -> None:
    nursery, files = Nursery(), {"train": lines(200)}
    more = {"tune": "5", "nfold": "2", "num_round": "30", "early_stopping_rounds": "10"}
    try:
        expected, killed = (inputs(tmp_path / name, files, **more) for name in ("one", "other"))
        nursery.run(expected.root)
        chance = random.Random(5)
        kills = 0
        while not (killed.model / "xgboost-model").exists():
            nursery.run(killed.root, kill_at=chance.randint(1, 3), mark=", trial ")
            kills += 1
        assert kills > 3
        compare(expected, killed)
    finally:
        nursery.process.kill()
        nursery.process.communicate()


def compare(expected: OptMl, killed: OptMl) -> None:
    one, other = (
        {path.name: path.read_bytes() for path in opt_ml.model.rglob("*") if path.is_file()}
        for opt_ml in (expected, killed)
    )
    assert one == other
    assert "xgboost-model" in one
