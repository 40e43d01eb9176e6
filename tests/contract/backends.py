"""Two ways to run the programs: as installed here, and as the image. One suite for both."""

import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.image.docker import Container, docker, remove, wait_for
from tests.programs import Outcome, run_sagetree
from tests.serve.server_process import serving


@dataclass(frozen=True)
class Served:
    """A server that listens: where, and how to end it."""

    host: str
    port: int
    end: "Ending"


class Ending(Protocol):
    """Sends SIGTERM and returns the exit code."""

    def __call__(self) -> int: ...


class Backend(Protocol):
    """What the suite asks of a way to run the programs; `root` stands for /opt/ml."""

    def run(self, root: Path, program: str, *arguments: str) -> Outcome: ...

    def serve(self, root: Path) -> "contextmanager[Served]": ...


class Local:
    """The installed programs."""

    def run(self, root: Path, program: str, *arguments: str) -> Outcome:
        return run_sagetree(root, program, *arguments)

    @contextmanager
    def serve(self, root: Path) -> Iterator[Served]:
        with serving(root, root / "serve.log") as server:
            yield Served("127.0.0.1", server.port, server.stop)


@dataclass(frozen=True)
class Image:
    """The image, with the whole folder mounted: docker run -v DIR:/opt/ml IMAGE PROGRAM."""

    name: str

    def run(self, root: Path, program: str, *arguments: str) -> Outcome:
        command = ["docker", "run", "--rm", f"--volume={root}:/opt/ml", self.name, program]
        result = subprocess.run(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        return Outcome(result.returncode, result.stdout)

    @contextmanager
    def serve(self, root: Path) -> Iterator[Served]:
        container = Container(f"sagetree-contract-{uuid.uuid4().hex[:8]}")
        volume = f"--volume={root}:/opt/ml"
        docker("run", "--detach", "--name", container.name, volume, self.name, "serve")

        def stop() -> int:
            container.signal("TERM")
            return container.wait()

        try:
            wait_for(lambda: "serving http://" in container.log, 60, "the server listens")
            yield Served(container.address, 8080, stop)
        finally:
            remove([container.name])
