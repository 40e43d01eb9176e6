"""What a script's requirements.txt asks for, installed apart from what the programs use.

It goes into a virtual environment of its own that sees all that is installed
here: only what is missing here, or wanted in another version, is fetched, and
nothing here is replaced. A script in a process of its own runs on that
environment's Python and finds its own versions first. A script inside the
server shares the server's process: there ours come first.
"""

import os
import sys
import sysconfig
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

from sagetree.errors import PlatformError, UserError
from sagetree.machine.program import LOG
from sagetree.scripts.process import execute

REQUIREMENTS = "requirements.txt"

# Debian has its own name for the folder.
_SITES = ("site-packages", "dist-packages")


@dataclass(frozen=True)
class Packages:
    """A virtual environment: its folder."""

    folder: Path

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / "bin" / "python"

    @property
    def site(self) -> Path:
        """Where the environment's own packages are."""
        base = str(self.folder)
        return Path(sysconfig.get_path("purelib", "venv", {"base": base, "platbase": base}))

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the variables in which `python` and installed commands are the environment's."""
        path = f"{self.python.parent}{os.pathsep}{environ.get('PATH', os.defpath)}"
        return {**environ, "PATH": path, "VIRTUAL_ENV": str(self.folder)}

    def conflicts(self) -> list[str]:
        """Return what is in the environment in another version than here."""
        # the first on the path is what is imported
        here = {_normal(found.name): found.version for found in reversed([*distributions()])}
        return sorted(
            f"{found.name} {found.version} (here {here[name]})"
            for found in distributions(path=[str(self.site)])
            if here.get(name := _normal(found.name), found.version) != found.version
        )


def install(code: Path, folder: Path, extra: Sequence[str] = ()) -> Packages | None:
    """Install what the code's requirements.txt asks for, and `extra`, into an environment.

    `extra` are arguments of pip. Returns None where nothing is asked for. Raises
    UserError with pip's reason, PlatformError where there is no pip.
    """
    wanted = [*extra]
    if (code / REQUIREMENTS).is_file():
        wanted += ["-r", REQUIREMENTS]
    if not wanted:
        return None
    if find_spec("pip") is None:
        raise PlatformError(
            "pip is not installed, and it is needed to install what a script asks for",
            where=REQUIREMENTS,
            hint="Install it: uv pip install pip",
        )
    LOG.info("installing %s for the script", " ".join(wanted))
    packages = _environment(folder)
    pip = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
    command = [str(packages.python), *pip, *wanted]
    ended = execute("pip", command, code, packages.variables(os.environ))
    if ended.code:
        reasons = [line for line in ended.said if line.startswith("ERROR: ")] or ["pip failed"]
        raise UserError(
            f"{REQUIREMENTS}: {reasons[-1].removeprefix('ERROR: ').rstrip('.')}. Correct it; "
            "without a network it can only name what is installed already\n\n"
            + "\n".join(ended.said)
        )
    return packages


def _environment(folder: Path) -> Packages:
    """Make an environment in which everything is found that is installed here."""
    venv.EnvBuilder(symlinks=True).create(folder)
    packages = Packages(folder)
    here = [path for path in sys.path if Path(path).name in _SITES]
    # not the folder alone: what is installed editable here is named by a file in it
    lines = [f"import site; site.addsitedir({path!r})\n" for path in here]
    (packages.site / "installed_here.pth").write_text("".join(lines), encoding="utf-8")
    return packages


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
