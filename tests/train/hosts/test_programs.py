"""Hosts that are the real command: how they end, and what they leave, where one of them fails."""

import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from sagetree.machine.paths import OptMl
from tests.programs import SAGETREE, environment
from tests.train.conftest import lines
from tests.train.hosts.processes import free_port, lay_out, run_hosts

HINT = (
    "See the log of that host. A job with checkpoints goes on from the newest when it is "
    "started again\n"
)
FOR_EVER = {"num_round": 1_000_000, "early_stopping_rounds": 1_000_000, "max_depth": 2}


class Program:
    """`sagetree train` as a host of a job: a watcher, and the job's own process below it."""

    def __init__(self, opt_ml: OptMl, extra: Mapping[str, str]) -> None:
        self.opt_ml = opt_ml
        self.log_file = opt_ml.root / "log"
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [SAGETREE, "train"], env=environment(opt_ml.root, extra),
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def job(self) -> int:
        """The identifier of the job's own process."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text().split()[0])

    def wait(self) -> int:
        return self.process.wait(100)


def start(root: Path, count: int, timeout: int) -> list[Program]:
    """Start hosts that never come to an end, and wait until they boost."""
    shards = [{"train": lines(300, seed=n), "validation": lines(200, seed=9)} for n in range(count)]
    extra = {
        "SAGETREE_CLUSTER_PORT": str(free_port()),
        "SAGETREE_CLUSTER_TIMEOUT": str(timeout),
        "OMP_NUM_THREADS": "1",
    }
    programs = [Program(opt_ml, extra) for opt_ml in lay_out(root, shards, FOR_EVER)]
    limit = time.monotonic() + 90
    while not re.search(r"^\[3\]", programs[0].log, re.M):
        assert time.monotonic() < limit, [program.log for program in programs]
        time.sleep(0.05)
    return programs


def end(programs: list[Program]) -> None:
    for program in programs:
        if program.process.poll() is None:
            program.process.kill()
            program.process.wait()


@pytest.mark.long
@pytest.mark.parametrize("victim", [0, 1], ids=["the leader", "another"])
def test_a_host_that_is_killed_ends_the_job_with_its_name(tmp_path: Path, victim: int) -> None:
    """As memory that runs out does it: the host's own watcher tells of it, too."""
    programs = start(tmp_path, 3, timeout=600)
    try:
        begun = time.monotonic()
        subprocess.run(["kill", "-KILL", str(programs[victim].job())], check=True)
        assert [program.wait() for program in programs] == [1, 1, 1]
        assert time.monotonic() - begun < 60
        name = f"127.0.0.{victim + 1}"
        for program in programs:
            failure = program.opt_ml.failure.read_text()
            if program is programs[victim]:
                assert failure.startswith("The job was killed by SIGKILL")
            else:
                assert failure.startswith(
                    f"another host of the job is gone: {name} ended without a message, as a host "
                    f"does when it is killed. {HINT}"
                )
            assert not any(program.opt_ml.model.iterdir())
    finally:
        end(programs)


@pytest.mark.long
def test_a_host_that_hangs_ends_the_job_after_the_timeout(tmp_path: Path) -> None:
    programs = start(tmp_path, 2, timeout=4)
    stopped = programs[1].job()
    try:
        subprocess.run(["kill", "-STOP", str(stopped)], check=True)
        assert programs[0].wait() == 1
        assert (
            programs[0]
            .opt_ml.failure.read_text()
            .startswith(
                "another host of the job is gone: 127.0.0.2 did not come to an exchange for 4 s "
                f"(SAGETREE_CLUSTER_TIMEOUT). {HINT}"
            )
        )
    finally:
        subprocess.run(["kill", "-CONT", str(stopped)], check=True)
        assert programs[1].wait() == 1
        end(programs)


@pytest.mark.long
def test_a_job_of_two_programs_ends_well(tmp_path: Path) -> None:
    """The end of the interpreter crashes where XGBoost does not know of it."""
    shards = [{"train": lines(300, seed=n), "validation": lines(200, seed=9)} for n in range(2)]
    extra = {"SAGETREE_CLUSTER_PORT": str(free_port())}
    programs = [Program(opt_ml, extra) for opt_ml in lay_out(tmp_path, shards, {"num_round": 3})]
    assert [program.wait() for program in programs] == [0, 0], [p.log for p in programs]
    assert [program.opt_ml.failure.exists() for program in programs] == [False, False]
    assert "Host 127.0.0.2 is 2 of 2\n" in programs[1].log
    assert "rank" not in programs[0].log + programs[1].log


def test_a_bad_cell_on_one_host_is_the_reason_on_all(tmp_path: Path) -> None:
    bad = lines(200, seed=1).replace("\n1,", "\n1,seven", 1)
    more = {"validation": lines(100, seed=9)}
    shards = [{"train": text, **more} for text in (lines(200), bad)]
    settings = {"num_round": 3, "target": "fraud", "column_types": '{"amount": "number"}'}
    hosts = run_hosts(tmp_path, shards, settings)
    said = (
        "data.csv line 2, column 'amount': 'seven1.346' is not a number, which the column was "
        "declared to be. Correct the cell, or the column's declaration\n"
    )
    assert [host.failure for host in hosts] == [f"host 127.0.0.2, {said}", said]
    for host in hosts:
        assert not any(host.opt_ml.model.iterdir())


def test_a_folder_that_one_host_cannot_write_ends_all(tmp_path: Path) -> None:
    (tmp_path / "127.0.0.2").mkdir()
    (tmp_path / "127.0.0.2" / "model").write_text("a file")
    hosts = run_hosts(tmp_path, [{"train": lines(200)}, {"train": lines(200, seed=1)}], {})

    place = tmp_path / "127.0.0.2" / "model"
    said = (
        f"{place}: the folder cannot be written. Mount it writable for the user that the "
        "container runs as"
    )
    assert hosts[0].failure == f"host 127.0.0.2, {said}\n"
    assert hosts[1].failure.startswith(said)
