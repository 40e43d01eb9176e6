"""The image by Docker: jobs that end, and servers that answer until they are removed."""

import os
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LABEL = "sagetree.desk"

JOB_SECONDS = 300
PING_SECONDS = 60
# An engine on a busy machine takes seconds for what is done in a moment elsewhere.
ENGINE_SECONDS = 60

LAST_LINES = 8


class DockerFailed(Exception):  # noqa: N818 - it says what happened
    """The engine refused a command, or did not answer."""


@dataclass(frozen=True)
class Ended:
    """A container that has ended: its exit code, and the last lines it wrote."""

    code: int
    last_lines: str


@dataclass(frozen=True)
class Server:
    """A container that serves a model on a port of this machine."""

    name: str
    address: str


@dataclass
class Docker:
    """Containers of one image, all with a label of this session's, by which they are removed."""

    image: str
    session: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    _closed: bool = False

    def job(self, command: Sequence[str], opt_ml: Path, environment: Mapping[str, str]) -> Ended:
        """Run a job to its end, without a network, with `opt_ml` as its /opt/ml."""
        name = self._name()
        run = ["docker", "run", "--rm", "--network=none", *self._options(name, environment)]
        arguments = [*run, f"--volume={opt_ml}:/opt/ml", self.image, *command]
        try:
            done = subprocess.run(  # noqa: S603 - our own command
                arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=JOB_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            _docker("rm", "--force", name)
            raise DockerFailed(f"{command[0]} did not end within {JOB_SECONDS} s") from error
        return Ended(done.returncode, _tail(done.stdout))

    def serve(self, model: Path, environment: Mapping[str, str]) -> Server | Ended:
        """Serve a model's folder; return what came of it once /ping answers, or it has ended."""
        name = self._name()
        _docker(
            "run", "--detach", "--publish=127.0.0.1::8080", f"--volume={model}:/opt/ml/model:ro",
            *self._options(name, environment), self.image, "serve",
        )  # fmt: skip
        limit = time.monotonic() + PING_SECONDS
        while time.monotonic() < limit and _running(name):
            port = _docker("port", name, "8080").split(":")[-1].split()[0]
            if _healthy(f"http://127.0.0.1:{port}/ping"):
                return Server(name, f"http://127.0.0.1:{port}")
            time.sleep(0.05)
        ended = Ended(1, self.last_lines(name))
        _docker("rm", "--force", name)
        return ended

    def last_lines(self, name: str) -> str:
        """Return the last lines that a container wrote."""
        logs = subprocess.run(  # noqa: S603 - our own command
            ["docker", "logs", "--tail", str(LAST_LINES), name],  # noqa: S607
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=ENGINE_SECONDS,
            check=False,
        )  # fmt: skip
        return _tail(logs.stdout)

    def remove(self, server: Server) -> None:
        """Stop and remove a server."""
        _docker("rm", "--force", "--volumes", server.name)

    def left(self) -> list[str]:
        """Return the names of this session's containers that are there."""
        label = f"label={LABEL}={self.session}"
        return _docker("ps", "--all", "--filter", label, "--format", "{{.Names}}").split()

    def close(self) -> None:
        """Remove all containers of this session, running or not; none is started any more."""
        self._closed = True
        if names := self.left():
            _docker("rm", "--force", "--volumes", *names)

    def _name(self) -> str:
        if self._closed:
            raise DockerFailed("no container is started any more")
        return f"sagetree-desk-{self.session}-{uuid.uuid4().hex[:6]}"

    def _options(self, name: str, environment: Mapping[str, str]) -> list[str]:
        # as who is at the desk, so that what a job writes can be removed again
        user = f"--user={os.getuid()}:{os.getgid()}"
        variables = [f"--env={key}={value}" for key, value in environment.items()]
        return [f"--name={name}", f"--label={LABEL}={self.session}", user, *variables]


def _docker(*arguments: str) -> str:
    command = ["docker", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command, capture_output=True, text=True, timeout=ENGINE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise DockerFailed(f"docker {arguments[0]}: no answer in {ENGINE_SECONDS} s") from error
    if done.returncode:
        raise DockerFailed(f"docker {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def _running(name: str) -> bool:
    return _docker("inspect", "--format", "{{.State.Running}}", name).strip() == "true"


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - loopback
            return True
    except (urllib.error.URLError, OSError):
        return False


def _tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-LAST_LINES:])
