"""A host's side of the meeting: it comes, is told where the tracker is, and parts."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from sagetree.errors import PlatformError
from sagetree.machine.program import describe
from sagetree.train.hosts.cluster import PORT_VARIABLE, TIMEOUT_VARIABLE, Cluster
from sagetree.train.hosts.lines import Line
from sagetree.train.hosts.resource_config import Hosts

# Seconds between two tries: the leader's container may start a minute later.
_PAUSE = 0.2

# Seconds in which the coordinator surely says whom it has lost; then it is lost itself.
_ANSWERS_WITHIN = 10.0

_HINT = (
    "See the log of that host. A job with checkpoints goes on from the newest when it is "
    "started again"
)


class Meeting:
    """One host among those that meet; the coordinator is a child of the leader."""

    def __init__(self, hosts: Hosts, cluster: Cluster) -> None:
        self.hosts = hosts
        self.cluster = cluster
        self.tracker: Sequence[Any] = ()
        self._coordinator = _start_coordinator(hosts, cluster) if hosts.rank == 0 else None
        self._line: Line | None = None

    def come(self) -> None:
        """Wait until all hosts are there; `tracker` is then its address and port.

        Raises PlatformError that names the hosts which did not come.
        """
        deadline = time.monotonic() + self.cluster.timeout
        line = self._line = Line(self._connected(deadline))
        line.send(hello=self.hosts.current, version=_version())
        # the coordinator has waited since before, and says who is missing
        answer = self._answer(line, self.cluster.timeout + _ANSWERS_WITHIN)
        if "refused" in answer:
            raise PlatformError(
                f"the host cannot join the job: {answer['refused']}",
                where=f"host {self.hosts.current}",
                hint="Start all hosts once, from one image, with the same resourceconfig.json",
            )
        self.tracker = answer.get("tracker", ())
        if not self.tracker:
            raise self._lost(answer.get("cause", {}))

    def ask_who_is_lost(self) -> PlatformError:
        """Return the error that says why an exchange broke, as far as the coordinator knows."""
        if self._line is None:
            return self._lost({})
        try:
            self._line.send(lost=True)
            answer = self._answer(self._line, _ANSWERS_WITHIN)
        except OSError:
            answer = {}
        return self._lost(answer.get("cause", {}))

    def leave(self, error: BaseException | None) -> None:
        """Part from the others, with the reason if it is this host that ends the job."""
        if self._line is not None:
            with suppress(OSError):
                if error is None:
                    self._line.send(bye=True)
                else:
                    self._line.send(failed=describe(error).partition("\n")[0])
            self._line.socket.close()
        if self._coordinator is not None:
            try:
                self._coordinator.communicate(timeout=_ANSWERS_WITHIN)
            except subprocess.TimeoutExpired:
                self._coordinator.kill()
                self._coordinator.communicate()

    def _connected(self, deadline: float) -> socket.socket:
        while True:
            try:
                return socket.create_connection((self.hosts.leader, self.cluster.port), timeout=5)
            except OSError as error:  # its name is not known yet, or it does not listen yet
                is_dead = self._coordinator is not None and self._coordinator.poll() is not None
                if is_dead or time.monotonic() > deadline:
                    raise self._unreachable(error, is_dead=is_dead) from error
            time.sleep(_PAUSE)

    def _unreachable(self, error: OSError, *, is_dead: bool) -> PlatformError:
        where = f"{self.hosts.leader}, port {self.cluster.port}"
        if is_dead:
            return PlatformError(
                "the hosts of the job cannot meet here: the port cannot be listened at",
                where=where,
                hint=f"Free the port, or name another one by {PORT_VARIABLE} on all hosts",
            )
        return PlatformError(
            f"the host that leads the job did not answer in {self.cluster.timeout} s: "
            f"{error.strerror or error}",
            where=where,
            hint="See its log, and let the hosts' security group pass all ports between them",
        )

    def _answer(self, line: Line, seconds: float) -> Mapping[str, Any]:
        """Return what the coordinator says next, nothing where it has gone."""
        line.socket.settimeout(seconds)
        try:
            said = line.receive()
            while said == []:  # half a line
                said = line.receive()
        except (OSError, ValueError):
            said = None
        return said[0] if said else {}

    def _lost(self, cause: Mapping[str, Any]) -> PlatformError:
        seconds = self.cluster.timeout
        match cause:
            case {"host": str(name), "why": ""}:
                reason = f"{name} ended without a word, as a host does that is killed"
            case {"host": str(name), "why": str(why)}:
                reason = f"{name} failed: {why}"
            case {"missing": [*names]}:
                return PlatformError(
                    f"not all hosts of the job came within {seconds} s: {', '.join(names)} did not",
                    hint="See their logs, and let the security group pass all ports between them",
                )
            case {"silent": [*names]} if names:
                reason = (
                    f"{', '.join(names)} did not come to an exchange for {seconds} s "
                    f"({TIMEOUT_VARIABLE})"
                )
            case {"silent": _}:
                reason = "the connection between hosts broke"
            case _:
                reason = f"{self.hosts.leader}, which leads the job, cannot be reached any more"
        return PlatformError(f"another host of the job is gone: {reason}", hint=_HINT)


def _start_coordinator(hosts: Hosts, cluster: Cluster) -> subprocess.Popen[bytes]:
    """Start the process beside this one; the end of its input tells it that this one has ended."""
    asked = {
        "names": hosts.names,
        "version": _version(),
        "port": cluster.port,
        "timeout": cluster.timeout,
    }
    command = [sys.executable, "-P", "-m", "sagetree.train.hosts.coordinator", json.dumps(asked)]
    return subprocess.Popen(  # noqa: S603 - this very program
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    )


def _version() -> str:
    import xgboost

    return f"sagetree {version('sagetree')} and XGBoost {xgboost.__version__}"
