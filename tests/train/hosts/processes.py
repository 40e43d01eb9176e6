"""The hosts of a job as processes of this machine, each on an address of its own.

They are forked from a server that has imported what a job needs, which takes seconds; so a
host starts in a moment.
"""

import json
import multiprocessing
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from sagetree.machine.paths import OptMl
from sagetree.machine.program import run_job
from sagetree.train.cli import main as train
from sagetree.train.hosts.cluster import Cluster
from sagetree.train.hosts.group import Group
from sagetree.train.hosts.opening import open_group
from sagetree.train.hosts.resource_config import Hosts
from sagetree.train.job import run_on_gpus
from tests.train.hosts.recording import first_difference, record

# No host of this suite lives longer.
LIMIT = 100

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.train.hosts.preloaded"])

Files = Mapping[str, str] | Mapping[str, bytes] | Mapping[str, str | bytes]


def names_of(count: int) -> list[str]:
    """Return the addresses of this many hosts."""
    return [f"127.0.0.{number}" for number in range(1, count + 1)]


def free_port() -> int:
    """Return a port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass(frozen=True)
class Host:
    """A process that is a host, what it writes, and the folder that is its /opt/ml."""

    process: BaseProcess
    opt_ml: OptMl

    @property
    def log(self) -> str:
        return (self.opt_ml.root / "log").read_text()

    @property
    def failure(self) -> str:
        return self.opt_ml.failure.read_text()

    def signal(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def wait(self, seconds: float = LIMIT) -> int:
        """Return the exit code; that of a signal is negative. Kills what takes too long."""
        self.process.join(seconds)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
            raise AssertionError(f"a host did not end in {seconds} s:\n{self.log}")
        return self.process.exitcode


def lay_out(
    root: Path,
    shards: Sequence[Mapping[str, str | Files]],
    hyperparameters: Mapping[str, object],
    **config: object,
) -> list[OptMl]:
    """Write what each host of a job finds; `config` are files of input/config."""
    names = names_of(len(shards))
    folders = []
    for name, channels in zip(names, shards, strict=True):
        opt_ml = OptMl(root / name)
        for channel, files in channels.items():
            folder = opt_ml.data / channel
            folder.mkdir(parents=True, exist_ok=True)
            named = {"data.csv": files} if isinstance(files, str) else files
            for file, content in named.items():
                data = content.encode() if isinstance(content, str) else content
                (folder / file).write_bytes(data)
        resource = {"hosts": names, "current_host": name}
        written = {"hyperparameters": hyperparameters, "resourceconfig": resource}
        written |= {f"{key}config": value for key, value in config.items()}
        opt_ml.config.mkdir(parents=True, exist_ok=True)
        for key, value in written.items():
            (opt_ml.config / f"{key}.json").write_text(json.dumps(value))
        folders.append(opt_ml)
    return folders


def start_hosts(
    root: Path,
    shards: Sequence[Mapping[str, str | Files]],
    hyperparameters: Mapping[str, object],
    *,
    environ: Mapping[str, str] | None = None,
    **config: object,
) -> list[Host]:
    """Start a training job with one host for each of `shards`: its channels, and their files.

    `config` is written as the files of input/config, by their names without "config.json".
    """
    extra = {"SAGETREE_CLUSTER_PORT": str(free_port()), **(environ or {})}
    return [
        Host(_started(_train, opt_ml.root, extra), opt_ml)
        for opt_ml in lay_out(root, shards, hyperparameters, **config)
    ]


def run_hosts(
    root: Path,
    shards: Sequence[Mapping[str, str | Files]],
    hyperparameters: Mapping[str, object],
    **more: object,
) -> list[Host]:
    """Run a training job as `start_hosts` starts it; all its hosts have ended."""
    hosts = start_hosts(root, shards, hyperparameters, **more)  # type: ignore[arg-type]
    codes = [host.wait() for host in hosts]
    if not any(codes):
        check_calls(hosts)
    return hosts


def check_calls(hosts: Sequence[Host]) -> None:
    """Check that hosts which have ended well have made the same calls of XGBoost's library."""
    found = first_difference([host.opt_ml.root / "calls" for host in hosts])
    assert not found, found


def start_on_gpus(
    root: Path, channels: Mapping[str, str | Files], hyperparameters: Mapping[str, object]
) -> Host:
    """Start a job as on a machine of two GPUs; `device` may say that they are its processor."""
    opt_ml = lay_out(root, [channels], hyperparameters)[0]
    return Host(_started(_train_on_gpus, opt_ml.root), opt_ml)


def _train_on_gpus(root: Path) -> None:
    _written_to(root)
    opt_ml = OptMl(root)
    raise SystemExit(run_job(lambda: run_on_gpus(opt_ml, {}, 2), opt_ml.failure))


def start_group(
    root: Path, count: int, work: Callable[[Group], object], *, timeout: int = 60
) -> list[Host]:
    """Start hosts that only call `work`, a function of a module; its JSON is what they log."""
    cluster = Cluster(free_port(), timeout)
    names = tuple(names_of(count))
    hosts = []
    for name in names:
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        process = _started(_work, folder, work, Hosts(names, name), cluster)
        hosts.append(Host(process, OptMl(folder)))
    return hosts


def in_group(root: Path, count: int, work: Callable[[Group], object]) -> list[object]:
    """Return what `work` returns on each host, in order of rank."""
    hosts = start_group(root, count, work)
    codes = [host.wait() for host in hosts]
    logs = [host.log for host in hosts]
    assert codes == [0] * count, logs
    check_calls(hosts)
    return [json.loads(log.splitlines()[-1]) for log in logs]


def _started(target: Callable[..., None], root: Path, *given: object) -> BaseProcess:
    (root / "log").touch()
    process = _CONTEXT.Process(target=target, args=(root, *given), daemon=True)
    process.start()
    return process


def _written_to(root: Path) -> None:
    """Send what the process writes to a file; one thread, as the machine has few cores."""
    log = os.open(root / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout = os.fdopen(1, "w", buffering=1)
    sys.stderr = os.fdopen(2, "w", buffering=1)
    record(root / "calls")
    os.environ["OMP_NUM_THREADS"] = "1"


def _train(root: Path, environ: Mapping[str, str]) -> None:
    _written_to(root)
    os.environ |= {"SAGEMAKER_BASE_DIR": str(root), **environ}
    raise SystemExit(train([]))


def _work(root: Path, work: Callable[[Group], object], hosts: Hosts, cluster: Cluster) -> None:
    _written_to(root)
    try:
        with open_group(hosts, cluster) as group:
            said = work(group)
    except BaseException as error:
        traceback.print_exception(error)
        print(json.dumps([type(error).__name__, str(error)]))  # noqa: T201
        raise SystemExit(1) from error
    print(json.dumps(said))  # noqa: T201
