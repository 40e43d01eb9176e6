"""Lambda's own emulator, which AWS ships in aws-sam-cli: it starts a command as a function."""

import json
import platform
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.image.modes import NO_RIGHTS, READ_ONLY

ROOT = Path(__file__).parents[2]

# Where it lies in the container.
_PLACE = "/opt/ml/aws-lambda-rie"

_SECONDS = 30


def program() -> Path:
    """Return the emulator for this machine. Raises FileNotFoundError where it is not installed."""
    machine = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    pattern = f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"
    for found in (ROOT / ".sdk" / "lambda").glob(pattern):
        return found
    raise FileNotFoundError("Lambda's emulator is not installed: run `make sdk`")


def options(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the arguments of `docker run`: 512 MB, not root, a root that nobody may write to."""
    return (
        *READ_ONLY, *NO_RIGHTS, "--user=993:990", "--memory=512m", "--memory-swap=512m",
        "--network=host", f"--entrypoint={_PLACE}", f"--volume={program()}:{_PLACE}:ro",
        *(f"--env={name}={value}" for name, value in environ.items()),
    )  # fmt: skip


def command(port: int, *function: str) -> tuple[str, ...]:
    """Return what the container runs: the emulator on `port`, and the function it starts."""
    return (
        f"--runtime-interface-emulator-address=127.0.0.1:{port}",
        f"--runtime-api-address=127.0.0.1:{free_port()}",
        *function,
    )


def wait_until_it_listens(port: int, log: Callable[[], str]) -> None:
    """Return when the emulator takes events; an error has the container's log."""
    limit = time.monotonic() + _SECONDS
    while not _listens(port):
        assert time.monotonic() < limit, log()
        time.sleep(0.01)


def call(port: int, event: object) -> Any:
    """Return what the function answers to an event, or the error that it reported."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations",
        json.dumps(event).encode(),
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.loads(response.read())
    except urllib.error.HTTPError as failed:
        with failed:
            return json.loads(failed.read())


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
