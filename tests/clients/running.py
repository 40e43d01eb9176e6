"""Clients as processes: programs of this machine, and scripts that name the packages they need.

A script names them in its first lines (inline script metadata). uv makes an environment
of that in its cache, so that nothing is added to the one that runs the tests.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.needs import skip_without

PROGRAMS = Path(__file__).with_name("programs")
UV = str(Path(sys.executable).with_name("uv"))

# An environment takes some ten seconds where its packages have to be fetched.
SECONDS = 300


def said(*command: object, stdin: bytes | None = None) -> str:
    """Run a client to its end, which has to be a good one; return what it printed."""
    ended = subprocess.run(
        [str(part) for part in command],
        input=stdin,
        capture_output=True,
        timeout=SECONDS,
        env=_environment(),
    )
    assert ended.returncode == 0, (ended.stdout + ended.stderr).decode(errors="replace")
    return ended.stdout.decode()


def told(script: str, *arguments: object, stdin: bytes = b"") -> Any:
    """Run a script of programs/ with the packages it names; return the JSON on its last line."""
    chosen = ("--quiet", "--python", sys.executable, "--script", PROGRAMS / script)
    skip_without(script, [UV, "sync", *chosen], _environment())
    output = said(UV, "run", *chosen, *arguments, stdin=stdin)
    return json.loads(output.splitlines()[-1])


def _environment() -> dict[str, str]:
    """What a client inherits: no credentials and no settings of SageMaker's tools."""
    names = ("AWS_", "SAGEMAKER_", "PYTHON", "VIRTUAL_ENV", "MLFLOW_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    return kept | {
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def listens(port: int) -> bool:
    """Whether a connection to the port is taken."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(log: Path, *command: object) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program that goes on until it is asked to end."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command], stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
