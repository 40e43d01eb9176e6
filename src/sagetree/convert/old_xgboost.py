"""An XGBoost that still reads the old binary form: fetched for one model, and thrown away."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from sagetree.boosters.scoring import PLACE
from sagetree.bundle.model_files import OLD_XGBOOST
from sagetree.convert import old_process
from sagetree.errors import ArtifactError, PlatformError
from sagetree.machine.program import LOG

# The build without CUDA, which is for Linux and Windows; macOS has but one.
PACKAGE = f"xgboost{'' if sys.platform == 'darwin' else '-cpu'}=={OLD_XGBOOST}"

# Fetching takes seconds, reading less; what takes so long has stopped.
MOST_SECONDS = 600


def saved_again(model: bytes, attributes: Mapping[str, str], where: str) -> bytes:
    """Return a model in the old binary form as UBJSON, some attributes set.

    Raises ArtifactError for one that XGBoost cannot read, PlatformError where
    that XGBoost cannot be had.
    """
    with TemporaryDirectory(prefix="sagetree-convert-") as name:
        folder = Path(name)
        packages, source, out = folder / "packages", folder / "model", folder / "model.ubj"
        _install(packages)
        source.write_bytes(model)
        parts = map(str, (packages, source, out))
        command = [sys.executable, "-I", old_process.__file__, *parts, json.dumps(attributes)]
        ended = _run(command)
        if ended.returncode or not out.is_file():
            reason = PLACE.sub("", ended.stderr.strip().rpartition("\n")[2]) or "it ends"
            raise ArtifactError(
                f"XGBoost {OLD_XGBOOST} cannot read the model: {reason.rstrip(' :.')}",
                where=where,
                hint="Copy the file again; if it is whole, save it with the XGBoost that wrote it",
            )
        return out.read_bytes()


def _install(folder: Path) -> None:
    """Install the old XGBoost into a folder by uv or pip, as they are set up, whichever can."""
    tools = _installers()
    if not tools:
        raise PlatformError(
            "neither uv nor pip is installed to fetch an old XGBoost with",
            where="convert",
            hint="Install one of them, for example: uv pip install pip",
        )
    LOG.info("fetching %s for this model alone", PACKAGE)
    for tool in tools:
        ended = _run([*tool, "--quiet", "--no-deps", "--target", str(folder), PACKAGE])
        if not ended.returncode:
            return
        LOG.warning("%s", ended.stderr.strip())
    raise PlatformError(
        f"{PACKAGE} could not be fetched",
        where="convert",
        hint=(
            "Let this machine reach PyPI, or the index that uv or pip is set to use; or convert "
            "the model on another machine"
        ),
    )


def _installers() -> list[list[str]]:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    tools = [[uv, "pip", "install", "--python", sys.executable]] if uv else []
    if find_spec("pip") is not None:
        tools.append([sys.executable, "-m", "pip", "install", "--disable-pip-version-check"])
    return tools


def _run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - uv, pip, or Python on our own script
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        timeout=MOST_SECONDS, check=False,
    )  # fmt: skip
