"""Drive the Docker engine by its command line, as a person would."""

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# An engine on a busy machine takes seconds for what is done in a moment elsewhere.
TIMEOUT = 120


def docker(
    *arguments: str, check: bool = True, timeout: float = TIMEOUT
) -> subprocess.CompletedProcess[str]:
    """Run `docker ARGUMENTS`; standard error is left apart."""
    result = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=timeout, check=False
    )
    if check and result.returncode:
        raise AssertionError(f"docker {' '.join(arguments)}: {result.stderr.strip()}")
    return result


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return the first true value of `condition`; fail after `seconds`."""
    limit = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < limit, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)
    return value


@dataclass(frozen=True)
class Container:
    """A container that was started, by its name."""

    name: str

    def inspect(self, field: str) -> Any:
        """Return one field of `docker inspect`, such as .State."""
        return json.loads(docker("inspect", "--format", f"{{{{json {field}}}}}", self.name).stdout)

    @property
    def log(self) -> str:
        """What it has written so far, errors too."""
        result = docker("logs", self.name)
        return result.stdout + result.stderr

    @property
    def running(self) -> bool:
        return bool(self.inspect(".State.Running"))

    @property
    def address(self) -> str:
        """Its address on its network: what reaches it without Docker's proxy in between."""
        (network,) = self.inspect(".NetworkSettings.Networks").values()
        return str(network["IPAddress"])

    def wait(self, seconds: float = TIMEOUT) -> int:
        """Return its exit code, once it has ended."""
        return int(docker("wait", self.name, timeout=seconds).stdout)

    def exec(self, *command: str) -> str:
        """Return what a command in it says; fail if the command does."""
        return docker("exec", self.name, *command).stdout

    def signal(self, name: str) -> None:
        """Send a signal to its process 1."""
        docker("kill", "--signal", name, self.name)

    def changes(self) -> list[str]:
        """Return the paths of its own file system that were added, changed or deleted."""
        return [line.split(" ", 1)[1] for line in docker("diff", self.name).stdout.splitlines()]


def remove(names: Sequence[str]) -> None:
    """Remove containers, running or not."""
    if names:
        docker("rm", "--force", "--volumes", *names)
