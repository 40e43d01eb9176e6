"""A user's script made ready, once, before the workers start."""

import sys
from dataclasses import dataclass
from pathlib import Path

from sagetree.errors import SettingsError, quote
from sagetree.machine.program import LOG
from sagetree.scripts.official_names import FOLDER as OFFICIAL_NAMES
from sagetree.scripts.packages import REQUIREMENTS, install
from sagetree.scripts.source import local_folder
from sagetree.serve.settings import MULTI_MODEL, PROGRAM, SUBMIT_DIRECTORY, ServeSettings

# The folder of a model that SageMaker's SDK packs a script into.
CODE = "code"


@dataclass(frozen=True)
class ScriptCode:
    """A script's file, and where the packages are that it alone asked for, if it did."""

    path: Path
    packages: Path | None = None

    def put_on_path(self) -> None:
        """Have this process find the script's helpers before all else, its packages last."""
        sys.path.insert(0, str(self.path.parent))
        if self.packages is not None:
            sys.path.append(str(self.packages))
        sys.path.append(str(OFFICIAL_NAMES))


def prepare_script(settings: ServeSettings, home: Path) -> ScriptCode:
    """Unpack the script, and install what its requirements.txt asks for.

    `home` is an empty folder for both. Raises SettingsError where there is no
    script, UserError where pip fails.
    """
    if settings.multi_model:
        hint = f"Set {PROGRAM.name} or {MULTI_MODEL.name}=true"
        raise SettingsError("a script cannot serve many models", where=PROGRAM.name, hint=hint)
    name = settings.program.removesuffix(".py")
    if not name.isidentifier():
        raise SettingsError(
            f"{quote(settings.program)} is not the name of a Python module",
            where=PROGRAM.name,
            hint=f"Name a file such as inference.py, and its folder by {SUBMIT_DIRECTORY.name}",
        )
    source = settings.submit_directory or str(settings.model_dir / CODE)
    if not settings.submit_directory and not Path(source).is_dir():
        hint = f"Put the script into the model's folder {CODE}/, or name its folder here"
        where = f"{SUBMIT_DIRECTORY.name}, {source}"
        raise SettingsError("there is no such folder", where=where, hint=hint)
    folder = local_folder(source, home / CODE, SUBMIT_DIRECTORY.name)
    packages = install(folder, home / "packages")
    path = folder / f"{name}.py"
    if packages is None:
        return ScriptCode(path)
    for conflict in packages.conflicts():
        LOG.warning(
            "%s asks for %s: the script shares the server's process and gets what is here",
            REQUIREMENTS,
            conflict,
        )
    return ScriptCode(path, packages.site)
