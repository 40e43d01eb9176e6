"""A user's script made ready, once, before the workers start."""

import sys
from dataclasses import dataclass
from pathlib import Path

from sagetree.errors import ArtifactError, SettingsError, quote
from sagetree.machine.program import LOG
from sagetree.scripts.official_names import FOLDER as OFFICIAL_NAMES
from sagetree.scripts.packages import REQUIREMENTS, install
from sagetree.scripts.source import local_folder
from sagetree.serve.settings import ServeSettings
from sagetree.serve.variables import PROGRAM, SUBMIT_DIRECTORY

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


@dataclass(frozen=True)
class ModelScripts:
    """The scripts of a server of many models: each model's own, else the one for all."""

    program: str
    common: ScriptCode | None

    def of(self, folder: Path) -> ScriptCode:
        """Return the script of the model in `folder`. Raises ArtifactError where there is none."""
        own = folder / CODE / self.program
        if not own.is_file():
            if self.common is not None:
                return self.common
            hint = f"Put it there, or name a folder for all models with {SUBMIT_DIRECTORY.name}"
            raise ArtifactError(
                f"{CODE}/{self.program} does not exist", where=str(folder), hint=hint
            )
        if (own.parent / REQUIREMENTS).is_file():
            raise ArtifactError(
                "requirements of a model's own script are not installed while several models are "
                "served",
                where=str(own.parent / REQUIREMENTS),
                hint=f"Put it into the folder that {SUBMIT_DIRECTORY.name} names",
            )
        return ScriptCode(own, self.common.packages if self.common else None)


def prepare_scripts(settings: ServeSettings, home: Path) -> ModelScripts:
    """Return the scripts of a server of many models, once the one for all is prepared.

    Raises as `prepare_script`.
    """
    common = prepare_script(settings, home) if settings.submit_directory else None
    return ModelScripts(_program(settings), common)


def _program(settings: ServeSettings) -> str:
    """Return the script's file name. Raises SettingsError for what is none of a module."""
    name = settings.program.removesuffix(".py")
    if not name.isidentifier():
        raise SettingsError(
            f"{quote(settings.program)} is not the name of a Python module",
            where=PROGRAM.name,
            hint=f"Name a file such as inference.py, and its folder by {SUBMIT_DIRECTORY.name}",
        )
    return f"{name}.py"


def prepare_script(settings: ServeSettings, home: Path) -> ScriptCode:
    """Unpack the script, and install what its requirements.txt asks for.

    `home` is an empty folder for both. Raises SettingsError where there is no
    script, UserError where pip fails.
    """
    program = _program(settings)
    source = settings.submit_directory or str(settings.model_dir / CODE)
    if not settings.submit_directory and not Path(source).is_dir():
        hint = f"Put the script into the model's folder {CODE}/, or name its folder here"
        where = f"{SUBMIT_DIRECTORY.name}, {source}"
        raise SettingsError("the folder does not exist", where=where, hint=hint)
    folder = local_folder(source, home / CODE, SUBMIT_DIRECTORY.name)
    packages = install(folder, home / "packages")
    path = folder / program
    if packages is None:
        return ScriptCode(path)
    for conflict in packages.conflicts():
        LOG.warning(
            "%s asks for %s: the script runs in the server's process and gets the version "
            "installed here",
            REQUIREMENTS,
            conflict,
        )
    return ScriptCode(path, packages.site)
