"""A machine of several GPUs: a process for each, which train together as hosts do.

Where there is no GPU the processes train on the processor: what they exchange is the same.
"""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.train.hosts.processes import Host, run_hosts, start_on_gpus
from tests.train.hosts.test_together import HEAD, METRICS, models_of, rows_of

TRAIN = HEAD + "".join(rows_of(600))
VALIDATION = HEAD + "".join(rows_of(200, 1))
CHANNELS = {"train": TRAIN, "validation": VALIDATION}
FEW = {"num_round": 4, "max_depth": 3, "report": "false"}


def test_they_make_the_model_of_as_many_hosts_and_say_each_thing_once(tmp_path: Path) -> None:
    channel = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}
    hosts = run_hosts(
        tmp_path / "hosts", [CHANNELS] * 2, FEW, inputdata=dict.fromkeys(CHANNELS, channel)
    )
    on_gpus = start_on_gpus(tmp_path / "gpus", CHANNELS, FEW)
    assert on_gpus.wait() == 0, on_gpus.log
    assert models_of(on_gpus) == models_of(hosts[0])
    assert on_gpus.log.startswith(
        "The 2 GPUs of this machine train together, a process for each\nHost GPU 0 is 1 of 2\n"
    )
    rounds = METRICS.findall(on_gpus.log)
    assert rounds
    assert rounds == METRICS.findall(hosts[0].log)
    assert not children_of(on_gpus)


@pytest.mark.long
def test_what_all_find_wrong_is_said_once(tmp_path: Path) -> None:
    host = start_on_gpus(tmp_path, {"train": "y,a\n1,2\n1,3\n"}, FEW)
    assert host.wait() == 1
    assert host.failure == (
        "column 'y': the label is '1' in every row; two values are needed. Name the label column "
        "with target; it is 'y' now\n"
    )
    assert host.log.count("FAILED") == 1


@pytest.mark.long
@pytest.mark.parametrize("moment", ["at once", "while it trains"])
def test_a_process_that_is_killed_ends_the_job_with_its_name(tmp_path: Path, moment: str) -> None:
    settings = FEW | {"num_round": 100_000, "early_stopping_rounds": 100_000}
    host = start_on_gpus(tmp_path, CHANNELS, settings)
    pid = _first_child(host)
    if moment == "while it trains":
        _wait(host, "[3]")
    os.kill(pid, signal.SIGKILL)
    assert host.wait(60) == 1
    assert "GPU 1" in host.failure
    assert not children_of(host)
    assert not list(host.opt_ml.model.glob("*"))


@pytest.mark.long
def test_sigterm_to_the_first_stops_all_and_leaves_a_model(tmp_path: Path) -> None:
    settings = FEW | {"num_round": 100_000, "early_stopping_rounds": 100_000}
    settings["save_model_on_termination"] = "true"
    host = start_on_gpus(tmp_path, CHANNELS, settings)
    _wait(host, "[3]")
    host.signal(signal.SIGTERM)
    assert host.wait(60) == 0, host.log
    assert models_of(host)
    assert not children_of(host)


@pytest.mark.long
def test_the_others_end_when_the_first_is_killed(tmp_path: Path) -> None:
    settings = FEW | {"num_round": 100_000, "early_stopping_rounds": 100_000}
    host = start_on_gpus(tmp_path, CHANNELS, settings)
    pid = _first_child(host)
    _wait(host, "[3]")
    host.signal(signal.SIGKILL)
    host.wait()
    deadline = time.monotonic() + 60
    while _is_gpu(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _is_gpu(pid)


def children_of(host: Host) -> list[int]:
    """Return the processes that train for a job beside its first."""
    root = str(host.opt_ml.root).encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
        if b"sagetree.train.gpu" in command and root in command:
            found.append(int(folder.name))
    return found


def _first_child(host: Host) -> int:
    deadline = time.monotonic() + 60
    while not (found := children_of(host)):
        assert time.monotonic() < deadline, host.log
        time.sleep(0.05)
    return found[0]


def _is_gpu(pid: int) -> bool:
    try:
        return b"sagetree.train.gpu" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _wait(host: Host, text: str) -> None:
    deadline = time.monotonic() + 60
    while text not in host.log:
        assert time.monotonic() < deadline, host.log
        time.sleep(0.05)
