"""Make .venv from uv.lock, or mend it; where it is whole nothing is done and nothing is said.

Run by make, with the standard library only. What goes wrong is one sentence with the command that
helps; what pip and uv said themselves is in .venv/install.log.
"""

import argparse
import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from faults import FULL, InstallError, explain
from network import Network

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "install.log"
WHOLE = VENV / ".installed"
UNFINISHED = VENV / ".unfinished"

# Settings of pip, uv and Python that would lead an install past .venv, or the lock.
MISLEADING = (
    "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PIP_USER", "PIP_TARGET", "PIP_PREFIX",
    "PIP_REQUIRE_VIRTUALENV", "UV_SYSTEM_PYTHON", "UV_PYTHON", "UV_FROZEN", "UV_LOCKED",
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """What .venv is to hold, and for which folder: it does not work in another one."""

    folder: str
    python: str
    locked: str
    extras: Sequence[str]
    groups: Sequence[str]

    @classmethod
    def here(cls, groups: Iterable[str]) -> "Wanted":
        """Return what this folder wants of the Python that runs."""
        inputs = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "uv.lock"))
        header = Path(sysconfig.get_path("include"), "Python.h")
        # sagemaker-training, for users' own scripts, comes as a source that is compiled.
        script = ("script",) if shutil.which("cc") and header.exists() else ()
        return cls(
            str(ROOT),
            "{}.{}".format(*sys.version_info),
            hashlib.sha256(inputs).hexdigest(),
            script,
            tuple(sorted(groups)),
        )

    def is_in(self, found: dict[str, Any]) -> bool:
        """Say whether what an earlier install left is this, or more."""
        wanted = vars(self)
        same = all(found.get(name) == wanted[name] for name in ("folder", "python", "locked"))
        return same and all(set(wanted[name]) <= set(found[name]) for name in ("extras", "groups"))


def left_by_an_install() -> dict[str, Any]:
    """Return what the last install that ended well wrote; {} if there was none."""
    try:
        found = json.loads(WHOLE.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def output_of(command: Sequence[object]) -> str | None:
    """Return what a command prints; None where it does not run or fails."""
    try:
        ended = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    except OSError:
        return None
    return None if ended.returncode else ended.stdout.strip()


def what_is_wrong() -> str | None:
    """Say why .venv, if there is one, can only be made anew; None where it can be gone on with."""
    if not VENV.exists():
        return None
    if UNFINISHED.exists():
        return "an install was cut off"
    version = output_of([PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
    if version is None:
        return "its Python does not run"
    mine = "{}.{}".format(*sys.version_info)
    if version != mine:
        return f"it is of Python {version}, and this is {mine}"
    folder = left_by_an_install().get("folder", str(ROOT))
    return None if folder == str(ROOT) else f"it was made in {folder}"


def locked_index() -> str:
    """Return where the lock was made; what it names comes from the user's index, by its hashes."""
    found = re.search(r'registry = "([^"]+)"', (ROOT / "uv.lock").read_text())
    return found[1] if found else ""


class Installer:
    """One install, whose commands write to one log."""

    def __init__(self, uv_version: str) -> None:
        self.pinned = f"uv=={uv_version}"
        self.version = tuple(map(int, uv_version.split(".")))
        self.environ = {k: v for k, v in os.environ.items() if k not in MISLEADING}
        self.environ |= {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
        # That an index refuses to answer is in pip's log alone, and nobody is there to be asked.
        self.environ |= {"PIP_LOG": str(LOG), "PIP_NO_INPUT": "1"}
        self.network = Network.read(self.environ, None)

    def run(self, *command: object, means: str = "", **environ: str) -> None:
        """Run a command; raise InstallError with what it `means`, or said, if it fails."""
        words = [str(word) for word in command]
        with LOG.open("a") as log:
            log.write(f"+ {' '.join(words)}\n")
            log.flush()
            start = log.tell()
            ended = subprocess.run(
                words, cwd=ROOT, env={**self.environ, **environ}, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            )  # fmt: skip
            log.write(ended.stdout)
        if ended.returncode:
            with LOG.open(errors="replace") as log:
                log.seek(start)
                sentence = means or explain(log.read(), self.network)
            raise InstallError(f"{sentence} Details: {LOG}")

    def make_venv(self) -> None:
        """Make an empty .venv, or empty the one there is."""
        if not os.access(ROOT, os.W_OK):
            raise InstallError(f"{ROOT} is not yours to write: clone the repository as this user")
        python = Path(sys.executable)
        in_another = sys.prefix != sys.base_prefix  # it may be the one that goes
        python = python.resolve() if in_another else python
        command = [python, "-m", "venv", "--without-pip", "--clear", VENV]
        if not find_spec("venv") or output_of(command) is None:
            raise InstallError(no_venv())

    def pip(self) -> Sequence[object] | None:
        """Return a command that is pip for .venv; None where this machine has none."""
        own = [PYTHON, "-m", "pip"]
        if output_of([*own, "--version"]) is not None:
            return own
        if output_of([PYTHON, "-m", "ensurepip", "--default-pip"]) is not None:
            return own
        of_system = [Path(sys.executable).resolve(), "-m", "pip"]
        if output_of([*of_system, "--version"]) is not None:
            return [*of_system, "--python", PYTHON]
        return None

    def uv(self, pip: Sequence[object] | None) -> object:
        """Return a uv that reads the lock: .venv's own, this machine's, or one from the index."""
        own = VENV / "bin" / "uv"
        for uv in filter(None, (own, shutil.which("uv"))):
            words = re.match(r"uv (\d+)\.(\d+)\.(\d+)", output_of([uv, "--version"]) or "")
            if words and tuple(map(int, words.groups())) >= self.version:
                return uv
        if pip is None:
            raise InstallError(no_venv())
        self.run(*pip, "install", "--quiet", "--disable-pip-version-check", self.pinned)
        return own

    def install(self, wanted: Wanted) -> None:
        """Install what is wanted, by the hashes of the lock."""
        pip = self.pip()
        listed = output_of([*pip, "config", "list"]) if pip else None
        self.network = Network.read(self.environ, listed)
        self.environ = self.network.environ(self.environ)
        uv = self.uv(pip)
        requirements = VENV / "requirements.txt"
        choice = [f"--extra={name}" for name in wanted.extras]
        choice += [f"--group={name}" for name in wanted.groups]
        self.run(
            uv, "export", "--quiet", "--no-config", "--no-cache", "--offline", "--locked",
            "--no-emit-project", *choice, "--format=requirements.txt",
            "--default-index", locked_index(), "--output-file", requirements,
            UV_INDEX="", UV_INDEX_URL="", UV_EXTRA_INDEX_URL="",
            means="uv.lock is not that of pyproject.toml: 'make lock' makes it anew.",
        )  # fmt: skip
        into = [uv, "pip", "install", "--quiet", "--python", PYTHON]
        self.run(*into, "--no-deps", "--require-hashes", "-r", requirements)
        self.run(*into, "--no-deps", "--editable", ROOT)
        # For whoever goes on with .venv: the targets of make, and scripts that bring requirements.
        self.run(*into, self.pinned, "pip")
        WHOLE.write_text(json.dumps(vars(wanted)))
        UNFINISHED.unlink()


def unlike_the_image() -> str:
    """Return in what .venv differs from the image and how to change it; "" if in nothing."""
    dockerfile = ROOT / "Dockerfile"
    base = (
        re.search(r"BASE_IMAGE=\S*:(\d+\.\d+)", dockerfile.read_text())
        if dockerfile.exists()
        else None
    )
    mine = "{}.{}".format(*sys.version_info)
    if base is None or base[1] == mine:
        return ""
    return (
        f"The image has Python {base[1]}, and uv.lock's XGBoost for it: models may differ from "
        f"those made here, with Python {mine}. To have the same: make install "
        f"PYTHON=python{base[1]}"
    )


def no_venv() -> str:
    """Return the sentence for a Python that came without a part of its standard library."""
    missing = [name for name in ("venv", "ensurepip") if not find_spec(name)]
    has_no = " and no ".join(missing) or "pip"
    package = "python{}.{}-venv".format(*sys.version_info)
    return (
        f"This Python has no {has_no}, and there is no uv: on Debian and Ubuntu 'apt install "
        f"{package}', then try again"
    )


def main(argv: Sequence[str]) -> int:
    """Make .venv whole; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--uv", required=True, help="the version of uv that the lock is read with")
    parser.add_argument("--group", action="append", default=[], help="one more dependency group")
    options = parser.parse_args(argv)
    wanted = Wanted.here(options.group)
    wrong = what_is_wrong()
    if VENV.exists() and wrong is None and wanted.is_in(left_by_an_install()):
        return 0
    again = f" anew ({wrong})" if wrong else ""
    print(
        f"Making .venv{again}: Python {wanted.python} and what uv.lock names. This takes minutes",
        flush=True,
    )
    try:
        installer = Installer(options.uv)
        if wrong or not VENV.exists():
            installer.make_venv()
        WHOLE.unlink(missing_ok=True)
        UNFINISHED.touch()
        LOG.write_text("")
        installer.install(wanted)
        if difference := unlike_the_image():
            print(difference)
    except InstallError as error:
        UNFINISHED.unlink(missing_ok=True)  # it failed before it changed what was there
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            print(FULL, file=sys.stderr)
            return 1
        print(f"{error.filename} cannot be used ({error.strerror}): is it yours?", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
