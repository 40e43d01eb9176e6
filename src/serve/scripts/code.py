"""Where a user's script lies, and what it needs installed; once, before the workers start."""

import subprocess
import sys
import tarfile
from pathlib import Path

from sagetree.errors import SettingsError, quote
from sagetree.machine.program import LOG
from sagetree.serve.settings import MULTI_MODEL, PROGRAM, SUBMIT_DIRECTORY, ServeSettings

# The folder of a model that SageMaker's SDK packs a script into.
CODE = "code"

S3 = "s3://"

REQUIREMENTS = "requirements.txt"

# Of what pip said, the end has the reason.
SAID = 600


def prepare_script(settings: ServeSettings, shared: Path) -> None:
    """Unpack the script, and install what its requirements.txt asks for, if it has one.

    Raises SettingsError where there is no script or pip fails.
    """
    if not settings.program:
        return
    if settings.multi_model:
        hint = f"Set {PROGRAM.name} or {MULTI_MODEL.name}=true"
        raise SettingsError("a script cannot serve many models", where=PROGRAM.name, hint=hint)
    _check_name(settings.program)
    folder, source = script_folder(settings, shared), settings.submit_directory
    if source.startswith(S3):
        archive = shared / "code.tar.gz"
        _download(source, archive)
        _unpack(archive, folder)
    elif source and _local(source).is_file():
        _unpack(_local(source), folder)
    if not folder.is_dir():
        hint = f"Put the script into the model's folder {CODE}/, or name its folder here"
        raise SettingsError("there is no such folder", where=_where(folder), hint=hint)
    if (folder / REQUIREMENTS).is_file():
        _install(folder / REQUIREMENTS)


def script_folder(settings: ServeSettings, shared: Path) -> Path:
    """Return the folder that holds the script once it is prepared."""
    if not settings.submit_directory:
        return settings.model_dir / CODE
    source = settings.submit_directory
    packed = source.startswith(S3) or _local(source).is_file()
    return shared / CODE if packed else _local(source)


def _local(source: str) -> Path:
    return Path(source.removeprefix("file://"))


def _check_name(program: str) -> None:
    name = program.removesuffix(".py")
    if not name.isidentifier():
        raise SettingsError(
            f"{quote(program)} is not the name of a Python module",
            where=PROGRAM.name,
            hint=f"Name a file such as inference.py, and its folder by {SUBMIT_DIRECTORY.name}",
        )


def _where(folder: Path) -> str:
    return f"{SUBMIT_DIRECTORY.name}, {folder}"


def _download(source: str, archive: Path) -> None:
    import boto3  # SageMaker's toolkit brings it; few need it
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = source.removeprefix(S3).partition("/")
    try:
        boto3.client("s3").download_file(bucket, key, str(archive))
    except (BotoCoreError, ClientError, OSError) as error:
        raise SettingsError(
            f"it cannot be fetched: {error}",
            where=f"{SUBMIT_DIRECTORY.name}, {source}",
            hint="Let the model's role read it, or pack the script into the model's code/",
        ) from error


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with tarfile.open(archive) as opened:
            opened.extractall(folder, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise SettingsError(
            f"it cannot be unpacked: {error}",
            where=_where(archive),
            hint="Name a folder or a .tar.gz file",
        ) from error


def _install(requirements: Path) -> None:
    LOG.info("installing %s", requirements)
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    ended = subprocess.run(  # noqa: S603 - the user's own requirements
        [*command, "-r", str(requirements)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ended.returncode:
        said = " ".join(ended.stdout[-SAID:].split())
        raise SettingsError(
            f"pip cannot install it: {said}",
            where=str(requirements),
            hint="Correct the file, or build an image that has what the script needs",
        )
