"""Machines that fail a job: no space, no rights, no memory. The reason says what to do."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagetree.machine.paths import OptMl
from tests.programs import environment
from tests.train.conftest import Job, job, lines, opt_ml  # noqa: F401 - fixtures


@pytest.fixture
def small_disk(opt_ml: OptMl) -> Iterator[Path]:  # noqa: F811
    """The model's folder, on a file system of its own with 16 kB."""
    opt_ml.model.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(opt_ml.model)]
    if os.getuid() != 0 or subprocess.run(mount, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("only root can mount a file system")
    yield opt_ml.model
    subprocess.run(["umount", str(opt_ml.model)], check=True)


def test_a_full_disk(job: Job, small_disk: Path) -> None:  # noqa: F811
    ran = job({"train": lines(300)}, {"preset": "xgboost", "num_round": 30})
    assert ran.code == 1
    first, _, cause = ran.failure.splitlines()
    assert first == (
        f"{small_disk}: the model cannot be written. "
        "Free some space, or give the job a larger volume, and check the mount's permissions"
    )
    assert cause.startswith("Cause: [Errno 28] No space left on device")
    assert not [path for path in small_disk.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ["model", "output/data", "checkpoints"])
def test_a_file_where_a_folder_should_be(job: Job, opt_ml: OptMl, name: str) -> None:  # noqa: F811
    opt_ml.config.mkdir(parents=True)
    (opt_ml.config / "checkpointconfig.json").write_text("{}")
    path = opt_ml.root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("in the way")
    what = "the folder of checkpoints" if name == "checkpoints" else "the folder"
    first, _, cause = job({"train": lines()}).failure.splitlines()
    assert first == (
        f"{path}: {what} cannot be written. Mount it writable for the user that the container "
        "runs as"
    )
    assert cause == f"Cause: [Errno 17] File exists: '{path}'"


def test_a_config_file_that_cannot_be_read(job: Job, opt_ml: OptMl) -> None:  # noqa: F811
    (opt_ml.config / "checkpointconfig.json").mkdir(parents=True)
    first = job({"train": lines()}).failure.splitlines()[0]
    assert first == (
        "checkpointconfig.json: the file cannot be read. "
        "Check its permissions, and that it is a file"
    )


LIMITED = """
import resource, sys
from pathlib import Path
import sagetree.train.job
from sagetree.machine.watch import watched
from sagetree.train.cli import main

with open("/proc/self/statm") as statm:
    size = int(statm.read().split()[0]) * resource.getpagesize() + int(sys.argv[1]) * 2**20
resource.setrlimit(resource.RLIMIT_AS, (size, size))
work = lambda: main(["--set", "nfold=2", "--set", "num_round=2"])
sys.exit(watched(work, lambda: Path(sys.argv[2])))
"""


@pytest.mark.long
def test_too_little_memory_is_never_called_a_wrong_setting(tmp_path: Path) -> None:
    """Where it runs out is not ours to choose: in Arrow, in numpy, in XGBoost."""
    data = tmp_path / "input" / "data" / "train"
    data.mkdir(parents=True)
    cells = ([i % 2, *(i * k % 1009 for k in range(7, 27))] for i in range(60_000))
    (data / "data.csv").write_text("\n".join(",".join(map(str, row)) for row in cells))
    failure = tmp_path / "output" / "failure"
    said = []
    for megabytes in (5, 15, 40, 80, 90, 100, 150):
        failure.unlink(missing_ok=True)
        ended = subprocess.run(
            [sys.executable, "-c", LIMITED, str(megabytes), str(failure)],
            env=environment(tmp_path, {"OMP_NUM_THREADS": "1"}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert ended.returncode in (0, 1)
        if ended.returncode:
            said.append(failure.read_text().splitlines()[0])
    memory = "The machine ran out of memory. Use a larger instance or fewer rows"
    assert memory in said
    others = re.compile(
        r"The job was killed by SIG(ABRT|SEGV).*; it had taken .* If memory ran out, use .*|"
        r"The machine failed: no thread can be started\. .* or give the job more memory"
    )
    assert all(reason == memory or others.fullmatch(reason) for reason in said), said
