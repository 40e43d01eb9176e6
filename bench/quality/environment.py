"""The peers' environment: made by uv from requirements.txt, apart from sagetree's own."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHON = Path(sys.executable)
REQUIREMENTS = Path(__file__).with_name("requirements.txt")

_FOLDER = ROOT / ".quality" / "peers"
PEERS_PYTHON = _FOLDER / "bin" / "python"


def pins() -> dict[str, str]:
    """Return the line of requirements.txt for each package."""
    lines = REQUIREMENTS.read_text().splitlines()
    return {line.partition("==")[0]: line for line in lines if "==" in line}


def install_peers() -> None:
    """Make the environment, where it is not there as requirements.txt says.

    Raises CalledProcessError where uv fails, which says why on standard error.
    """
    installed = _FOLDER / "installed.txt"
    if installed.is_file() and installed.read_text() == REQUIREMENTS.read_text():
        return
    uv = PYTHON.with_name("uv")
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", PYTHON, _FOLDER], check=True)
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", PEERS_PYTHON, "-r", REQUIREMENTS], check=True
    )
    shutil.copy(REQUIREMENTS, installed)
