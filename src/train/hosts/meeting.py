"""A host's side of the meeting: it joins, learns where the tracker is, and leaves."""

import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sagetree.boosters.library import library_version
from sagetree.errors import PlatformError
from sagetree.machine.program import FAILED, describe, fail
from sagetree.train.hosts.cluster import PORT_VARIABLE, TIMEOUT_VARIABLE, Cluster
from sagetree.train.hosts.lines import MOST, HostLine
from sagetree.train.hosts.resource_config import Hosts

# Seconds between two tries: the leader's container may start a minute later.
_PAUSE = 0.2

# Seconds in which the coordinator surely says whom it has lost; then it is lost itself.
_ANSWERS_WITHIN = 10.0

# Seconds in which it surely passes on why this host ends.
_NOTES_WITHIN = 2.0

# How often this host checks whether another one is lost, and seconds in which its exchange with
# that one surely breaks.
_CHECKED_EVERY = 1.0
_BREAKS_WITHIN = 10.0

_HINT = (
    "See the log of that host. A job with checkpoints goes on from the newest when it is "
    "started again"
)


class Meeting:
    """One host among those that meet; the coordinator is a child of the leader."""

    def __init__(self, hosts: Hosts, cluster: Cluster) -> None:
        self.hosts = hosts
        self.cluster = cluster
        self.version = _version()
        self.tracker: Sequence[Any] = ()
        self._said: list[dict[str, Any]] = []
        self._coordinator = self._start_coordinator() if hosts.rank == 0 else None
        self._line: HostLine | None = None
        self._notices = threading.Event()

    def come(self) -> None:
        """Wait until all hosts are there; `tracker` is then its address and port.

        Raises PlatformError that names the hosts which did not come.
        """
        deadline = time.monotonic() + self.cluster.timeout
        line = self._line = HostLine(self._connected(deadline))
        line.send(hello=self.hosts.current, version=self.version)
        # the coordinator has waited since before, and says who is missing
        answer = self._answer(line, self.cluster.timeout + _ANSWERS_WITHIN)
        if "refused" in answer:
            raise PlatformError(
                f"the host cannot join the job: {answer['refused']}",
                where=f"host {self.hosts.current}",
                hint=(
                    "Start each host once, all from one image and with the same resourceconfig.json"
                ),
            )
        self.tracker = answer.get("tracker", ())
        if not self.tracker:
            raise self._lost(answer.get("cause", {}))

    def watch(self, report: Path | None) -> None:
        """Have a thread end this process where it never notices that a host is lost.

        XGBoost may wait for ever in an exchange with it, where no Python code runs. The reason
        goes to the file `report`, too. Ends with `stop_watching`, and with the job.
        """
        threading.Thread(target=self._watch, args=(report,), daemon=True).start()

    def stop_watching(self) -> None:
        """Leave it to this host from now on to notice what becomes of the others."""
        self._notices.set()

    def _watch(self, report: Path | None) -> None:
        cause = None
        while cause is None:
            if self._notices.wait(_CHECKED_EVERY):
                return
            cause = self._unread_cause()
        if not self._notices.wait(_BREAKS_WITHIN):
            fail(describe(self._lost(cause)), report)
            sys.stdout.flush()
            os._exit(FAILED)

    def _unread_cause(self) -> Mapping[str, Any] | None:
        """Return what the coordinator has sent of a lost host, empty if it has gone, else None."""
        line = self._line
        try:
            if line is None or not select.select([line.socket], [], [], 0)[0]:
                return None
            data = line.socket.recv(MOST, socket.MSG_PEEK)
            said = [json.loads(text) for text in data.splitlines()]
        except (OSError, ValueError):  # it is closed here, or not all of it has arrived
            return None
        return next((words["cause"] for words in said if "cause" in words), None if data else {})

    def ask_who_is_lost(self) -> PlatformError:
        """Return the error that says why an exchange broke, as far as the coordinator knows."""
        self.stop_watching()
        if self._line is None:
            return self._lost({})
        answer = self._answer(self._line, 0)  # it may have said so, and be gone since
        if not answer:
            self._say(lost=True)
            answer = self._answer(self._line, _ANSWERS_WITHIN)
        return self._lost(answer.get("cause", {}))

    def finish(self) -> None:
        """Say that the leader has done what it does alone, or wait until it has.

        Raises PlatformError where it ends before that, or says nothing for too long.
        """
        if self.hosts.rank == 0:
            self._say(done=True)
        elif self._line is not None:
            answer = self._answer(self._line, self.cluster.timeout)
            if "done" not in answer:
                raise self._lost(answer.get("cause", {}))
        self.close()

    def close(self) -> None:
        """Part from the others in order: the leader is the last."""
        self.stop_watching()
        self._say(bye=True)
        self._close_line()
        self._wait_for_coordinator()

    def leave(self, error: BaseException) -> None:
        """End the job for all, with the reason that the others get.

        Where the hosts have met nobody is waited for: they miss this one once it has ended.
        """
        self.stop_watching()
        self._say(failed=describe(error).partition("\n")[0])
        if self._line is not None:
            self._answer(self._line, _NOTES_WITHIN)
            self._close_line()
        if not self.tracker:
            self._wait_for_coordinator()

    def _say(self, **words: object) -> None:
        if self._line is not None:
            with suppress(OSError):  # the coordinator is gone: whoever asks it gets an error
                self._line.send(**words)

    def _close_line(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.socket.close()

    def _wait_for_coordinator(self) -> None:
        coordinator, self._coordinator = self._coordinator, None
        if coordinator is not None:
            try:
                coordinator.communicate(timeout=_ANSWERS_WITHIN)
            except subprocess.TimeoutExpired:
                coordinator.kill()
                coordinator.communicate()

    def _start_coordinator(self) -> subprocess.Popen[bytes]:
        """Start the process beside this one; the end of its input says that this one has ended."""
        asked = {
            "names": self.hosts.names,
            "version": self.version,
            "timeout": self.cluster.timeout,
        }
        command = [sys.executable, "-P", "-m", "sagetree.train.hosts.coordinator"]
        with self._listening() as server:
            number = server.fileno()
            return subprocess.Popen(  # noqa: S603 - this very program
                [*command, json.dumps({**asked, "listening": number})],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=(number,),
                start_new_session=True,
            )

    def _listening(self) -> socket.socket:
        """Return the socket at which hosts meet; a container's own name may be known only later."""
        deadline = time.monotonic() + self.cluster.timeout
        hint = f"Free the port, or name another one by {PORT_VARIABLE} on all hosts"
        while True:
            try:
                family, *_, place = socket.getaddrinfo(
                    self.hosts.leader, self.cluster.port, type=socket.SOCK_STREAM
                )[0]
                return socket.create_server(place[:2], family=family, backlog=self.hosts.count)
            except OSError as error:
                is_unknown = isinstance(error, socket.gaierror)
                if not is_unknown or time.monotonic() > deadline:
                    raise PlatformError(
                        f"the hosts of the job cannot meet here: {_reason(error)}",
                        where=f"{self.hosts.leader}, port {self.cluster.port}",
                        hint="Check the hosts in resourceconfig.json" if is_unknown else hint,
                    ) from error
            time.sleep(_PAUSE)

    def _connected(self, deadline: float) -> socket.socket:
        while True:
            try:
                return socket.create_connection((self.hosts.leader, self.cluster.port), timeout=5)
            except OSError as error:  # its name is not known yet, or it does not listen yet
                if time.monotonic() > deadline:
                    raise PlatformError(
                        "the host that leads the job did not answer in "
                        f"{self.cluster.timeout} s: {_reason(error)}",
                        where=f"{self.hosts.leader}, port {self.cluster.port}",
                        hint="See its log, and let the hosts' security group pass all ports "
                        "between them",
                    ) from error
            time.sleep(_PAUSE)

    def _answer(self, line: HostLine, seconds: float) -> Mapping[str, Any]:
        """Return what the coordinator says next, nothing where it has gone."""
        line.socket.settimeout(seconds)
        try:
            while not self._said:
                said = line.receive()
                if said is None:
                    return {}
                self._said += said
        except (OSError, ValueError):
            return {}
        return self._said.pop(0)

    def _lost(self, cause: Mapping[str, Any]) -> PlatformError:
        seconds = self.cluster.timeout
        match cause:
            case {"host": str(name), "why": ""}:
                reason = f"{name} ended without a message, as a host does when it is killed"
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
                reason = f"{self.hosts.leader}, which leads the job, can no longer be reached"
        return PlatformError(f"another host of the job is gone: {reason}", hint=_HINT)


def _reason(error: OSError) -> str:
    """Return the system's words, without what Python adds of the address."""
    return (error.strerror or str(error)).partition(" (")[0]


def _version() -> str:
    return f"sagetree {version('sagetree')} and XGBoost {library_version()}"
