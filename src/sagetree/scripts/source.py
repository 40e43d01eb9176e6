"""Where a user's script lies: a folder or an archive, here or on S3."""

import tarfile
import tempfile
from pathlib import Path

from sagetree.errors import SettingsError

S3 = "s3://"

_HINT = "Name a folder or a .tar.gz, here or on s3://, that this job may read"


def local_folder(source: str, target: Path, where: str) -> Path:
    """Return the folder with the code: `source` itself, or `target` with what its archive holds.

    `where` names the setting that says `source`. Raises SettingsError for what
    cannot be fetched or unpacked.
    """
    local = Path(source.removeprefix("file://"))
    if local.is_dir():
        return local
    place = f"{where}, {source}"
    if not source.startswith(S3):
        if not local.exists():
            raise SettingsError("the folder or file does not exist", where=place, hint=_HINT)
        _unpack(local, target, place)
        return target
    with tempfile.TemporaryDirectory(prefix="sagetree-") as folder:
        archive = Path(folder) / "code.tar.gz"
        download(source, archive, place)
        _unpack(archive, target, place)
    return target


def download(source: str, target: Path, place: str) -> None:
    """Fetch an object of S3. Raises SettingsError, at `place`, where that fails."""
    import boto3  # takes two seconds, and few need it
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, key = source.removeprefix(S3).partition("/")
    try:
        boto3.client("s3").download_file(bucket, key, str(target))
    except (Boto3Error, BotoCoreError, ClientError, ValueError, OSError) as error:
        raise SettingsError(f"it cannot be fetched: {error}", where=place, hint=_HINT) from error


def _unpack(archive: Path, folder: Path, place: str) -> None:
    try:
        with tarfile.open(archive) as opened:
            opened.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise SettingsError(f"it cannot be unpacked: {error}", where=place, hint=_HINT) from error
