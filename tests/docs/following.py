"""Commands of a page, run as somebody would type them."""

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.clients.running import free_port
from tests.docs.readme import Block, shell
from tests.programs import BIN

# An environment takes a minute where its packages have to be fetched.
SECONDS = 900


def follow(folder: Path, chosen: Iterable[Block], path: str) -> str:
    """Run blocks in a folder, one after another; return what they printed."""
    port = free_port()
    ended = subprocess.run(
        ["bash", "-c", shell(chosen, port)],
        cwd=folder,
        env=_environment() | {"PATH": path, "SAGEMAKER_BIND_TO_PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=SECONDS,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def _environment() -> Mapping[str, str]:
    """What a new user's shell has: nothing of the environment that runs the tests."""
    names = ("SAGEMAKER_", "SAGETREE_", "VIRTUAL_ENV", "PYTHON")
    return {name: text for name, text in os.environ.items() if not name.startswith(names)}


def search_path(*first: Path) -> str:
    """The PATH of this machine without the environment that runs the tests."""
    rest = [part for part in os.environ["PATH"].split(os.pathsep) if part != str(BIN)]
    return os.pathsep.join([*map(str, first), *rest])
