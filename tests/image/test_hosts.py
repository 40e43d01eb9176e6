"""Containers of the image on one network, as SageMaker runs a job on several machines."""

import json
import re
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.image.conftest import LABEL, Runner, readable, writable
from tests.image.docker import Container, docker, wait_for
from tests.train.conftest import lines

pytestmark = pytest.mark.docker

DESK = Path(__file__).parents[2] / "local_test"
HOSTS = ("algo-1", "algo-2")
RESOLVE = "import socket, sys; print(socket.gethostbyname(sys.argv[1]))"


@pytest.fixture
def network() -> Iterator[str]:
    """A network of this test, without a way out."""
    name = f"sagetree-test-{uuid.uuid4().hex[:8]}"
    docker("network", "create", "--internal", f"--label={LABEL}={name}", name)
    yield name
    docker("network", "rm", name)


def test_two_hosts_see_each_other(network: str, runner: Runner) -> None:
    wait = ("python", "-c", "import time; time.sleep(60)")
    options = [(f"--network={network}", f"--network-alias={h}", f"--hostname={h}") for h in HOSTS]
    first, second = (runner.start(*wait, options=option) for option in options)

    for container, other, name in ((first, second, "algo-2"), (second, first, "algo-1")):
        assert container.exec("python", "-c", RESOLVE, name).strip() == other.address
        own = container.exec("hostname").strip()
        assert container.exec("python", "-c", RESOLVE, own).strip() == container.address

    # A network cannot be removed under its containers.
    docker("rm", "--force", first.name, second.name)


@dataclass(frozen=True)
class Host:
    """A container that is a host of a training job, and the folder with what it writes."""

    container: Container
    folder: Path

    @property
    def failure(self) -> str:
        return (self.folder / "output" / "failure").read_text()

    @property
    def model(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "model").iterdir())


class Hosts:
    """Starts the hosts of a job on a network."""

    def __init__(self, runner: Runner, network: str, folder: Path) -> None:
        self.runner, self.network, self.folder = runner, network, folder

    def start(self, count: int, settings: Mapping[str, object], timeout: int = 600) -> list[Host]:
        """Start a job; each host has 300 rows of its own."""
        names = [f"algo-{number}" for number in range(1, count + 1)]
        return [self._start(name, names, settings, timeout) for name in names]

    def _start(
        self, name: str, names: list[str], settings: Mapping[str, object], timeout: int
    ) -> Host:
        folder = self.folder / name
        config = folder / "input" / "config"
        config.mkdir(parents=True)
        (config / "hyperparameters.json").write_text(json.dumps(settings))
        resource = {"current_host": name, "hosts": names, "network_interface_name": "eth0"}
        (config / "resourceconfig.json").write_text(json.dumps(resource))
        for channel, seed in (("train", names.index(name)), ("validation", 9)):
            place = folder / "input" / "data" / channel
            place.mkdir(parents=True)
            (place / "data.csv").write_text(lines(300, seed=seed))
        mounts = {
            readable(folder / "input"): "input:ro",
            writable(folder / "model"): "model",
            writable(folder / "output"): "output",
        }
        options = (
            f"--network={self.network}", f"--network-alias={name}", f"--hostname={name}",
            f"--env=SAGETREE_CLUSTER_TIMEOUT={timeout}", "--env=OMP_NUM_THREADS=1",
        )  # fmt: skip
        return Host(self.runner.start("train", mounts=mounts, options=options), folder)


@pytest.fixture
def hosts(runner: Runner, network: str, tmp_path: Path) -> Iterator[Hosts]:
    """The function that starts a job's hosts; they are removed before their network."""
    tmp_path.chmod(0o755)
    yield Hosts(runner, network, tmp_path)
    docker("rm", "--force", "--volumes", *runner.started)
    runner.started.clear()


def test_the_desk_trains_with_two_containers(image: str, tmp_path: Path) -> None:
    for channel, files in (("train", 2), ("validation", 1)):
        for number in range(files):
            path = tmp_path / "input" / "data" / channel / f"{number}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(lines(300, seed=number))
    (tmp_path / "input" / "config").mkdir()
    (tmp_path / "input" / "config" / "hyperparameters.json").write_text('{"num_round": 3}')
    networks = docker("network", "ls", "--quiet").stdout
    command = [str(DESK / "train_local.sh"), "--docker", image, "--hosts", "2", str(tmp_path)]
    ran = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stdout
    assert "algo-2: Host algo-2 is 2 of 2\n" in ran.stdout
    assert (tmp_path / "model.tar.gz").exists()
    assert docker("network", "ls", "--quiet").stdout == networks


FOR_EVER = {"num_round": 1_000_000, "early_stopping_rounds": 1_000_000, "max_depth": 2}
GONE = "another host of the job is gone: "
HINT = (
    ". See the log of that host. A job with checkpoints goes on from the newest when it is "
    "started again\n"
)


def boosting(started: list[Host]) -> list[Host]:
    """Wait until the leader tells of rounds."""
    leader = started[0].container
    wait_for(lambda: re.search(r"^\[3\]", leader.log, re.M), 120, "rounds in the leader's log")
    return started


@pytest.mark.parametrize("count", [2, 3])
def test_hosts_train_one_model_that_the_leader_writes(hosts: Hosts, count: int) -> None:
    leader, *others = hosts.start(count, {"num_round": 5})

    assert leader.container.wait() == 0, leader.container.log
    assert leader.model == ["sagetree", "xgboost-model"]
    assert f"Host algo-1 is 1 of {count}\n" in leader.container.log
    for host in others:
        assert host.container.wait() == 0, host.container.log
        assert host.model == []
        assert "validation-auc" not in host.container.log


@pytest.mark.parametrize("victim", [0, 2], ids=["the leader", "another"])
def test_a_killed_container_ends_the_others_with_its_name(hosts: Hosts, victim: int) -> None:
    started = boosting(hosts.start(3, FOR_EVER))
    started[victim].container.signal("KILL")

    for host in started:
        if host is not started[victim]:
            assert host.container.wait() == 1, host.container.log
            assert re.match(f"{GONE}algo-{victim + 1}[ ,]", host.failure)
            assert host.model == []


def test_a_paused_container_ends_the_others_after_the_timeout(hosts: Hosts) -> None:
    started = boosting(hosts.start(3, FOR_EVER, timeout=10))
    docker("pause", started[1].container.name)
    try:
        for host in (started[0], started[2]):
            assert host.container.wait() == 1, host.container.log
            said = "algo-2 did not come to an exchange for 10 s (SAGETREE_CLUSTER_TIMEOUT)"
            assert host.failure.startswith(GONE + said + HINT)
    finally:
        docker("unpause", started[1].container.name)
    assert started[1].container.wait() == 1, started[1].container.log
    assert started[1].failure.startswith(GONE)


def test_a_cut_network_ends_both_sides_after_the_timeout(hosts: Hosts) -> None:
    started = boosting(hosts.start(2, FOR_EVER, timeout=10))
    docker("network", "disconnect", hosts.network, started[1].container.name)

    assert [host.container.wait() for host in started] == [1, 1], started[1].container.log
    said = "algo-2 did not come to an exchange for 10 s (SAGETREE_CLUSTER_TIMEOUT)"
    assert started[0].failure.startswith(GONE + said + HINT)
    said = "algo-1, which leads the job, can no longer be reached"
    assert started[1].failure.startswith(GONE + said + HINT)
    assert [host.model for host in started] == [[], []]
