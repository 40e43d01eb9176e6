"""A model artifact to a folder: model.tar.gz is opened as data from a stranger."""

import gzip
import io
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tarfile import InvalidHeaderError, ReadError, TruncatedHeaderError  # type: ignore[attr-defined]
from typing import Self

from sagetree.bundle.file_names import MANIFEST_FILE, MODEL_FILE
from sagetree.bundle.model_files import models_among
from sagetree.errors import ArtifactError, PlatformError, quote

ARCHIVE = "model.tar.gz"

# A third of the 30 GB volume a SageMaker instance has if nobody asks for more;
# tree models are a thousand times smaller.
MAX_BYTES = 10 * 1024**3

# A bundle has eight files; a user's code folder beside it may have hundreds.
MAX_MEMBERS = 10_000

# The longest name of a file on Linux (NAME_MAX), here of a whole path, which
# also bounds how deep folders are nested.
MAX_NAME = 255

# tarfile keeps a member's headers (long names, pax records) in memory and reads
# them recursively. Real ones take 1 to 10 kB.
MAX_HEADER = 64 * 1024

# tar fills its last record with zeros: 10 kB, at most 1 MB (option -b).
MAX_PADDING = 1024**2

_AGAIN = "Pack the model's files again: tar -czf model.tar.gz -C FOLDER ."


@contextmanager
def open_model(path: Path) -> Iterator[Path]:
    """Yield a folder that holds the model's files.

    `path` is that folder, an archive, or a folder that holds model.tar.gz; if
    it holds the model's files as well, as in SageMaker's local mode, these are
    taken. An archive is unpacked into a temporary folder, which is the caller's
    own: processes that it forks meanwhile leave it alone. Raises ArtifactError
    for an archive that is damaged, too large, or has a member that is a link, a
    device or outside of the folder; nothing of it is left then.
    """
    archive = _archive(path)
    if archive is None:
        yield path
        return
    folder, owner = Path(tempfile.mkdtemp(prefix="sagetree-model-")), os.getpid()
    try:
        _unpack(archive, folder)
        yield folder
    finally:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)


def _archive(path: Path) -> Path | None:
    """Return the archive to unpack, None if `path` is a folder to be taken as it is."""
    if path.is_file():
        return path
    if not path.is_dir():
        hint = f"Give a folder with {ARCHIVE} or with the model's files"
        raise ArtifactError("there is no model", where=str(path), hint=hint)
    packed = path / ARCHIVE
    return packed if packed.is_file() and not holds_model(path) else None


def holds_model(folder: Path) -> bool:
    """Say whether a model's files lie in the folder itself."""
    named = any((folder / name).is_file() for name in (MANIFEST_FILE, MODEL_FILE))
    return named or bool(models_among(folder))


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack `archive` into the empty `folder`, each member checked before it is written."""
    where = str(archive)
    try:
        with gzip.open(archive) as unzipped:
            stream = _Rationed(unzipped, where)
            # As a stream, so that no byte is asked for before its member is checked.
            with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Member) as tar:
                _write_members(tar, stream, folder, where)
            stream.ration(MAX_PADDING)
            while stream.read(MAX_HEADER):  # to the checksum at the very end
                pass
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError) as error:
        reason = f"it is cut off, damaged, or not a gzip-compressed tar archive ({error})"
        raise ArtifactError(reason, where=where, hint=f"Copy it again. {_AGAIN}") from error
    except OSError as error:
        hint = "Free some space on the volume of the temporary folder, and check its permissions"
        raise PlatformError("it could not be unpacked", where=where, hint=hint) from error


class _Member(tarfile.TarInfo):
    """A member whose header is whole: behind the first, tarfile takes a broken one for the end."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tarfile)
        except (InvalidHeaderError, TruncatedHeaderError) as error:
            raise ReadError(str(error)) from error


def _write_members(tar: tarfile.TarFile, stream: "_Rationed", folder: Path, where: str) -> None:
    members = size = 0
    while member := tar.next():
        place = f"{where}, member {quote(member.name)}"
        members, size = members + 1, size + member.size
        reason = _fault(member, members, size)
        if reason:
            raise ArtifactError(reason, where=place, hint=_AGAIN)
        stream.ration(member.size + MAX_HEADER)
        try:
            _write_member(tar, member, folder / member.name)
        except (FileExistsError, NotADirectoryError) as error:
            reason = "an earlier member has the same path"
            raise ArtifactError(reason, where=place, hint=_AGAIN) from error


def _fault(member: tarfile.TarInfo, members: int, size: int) -> str:
    """Return why a member is refused, "" if it is not; `size` and `members` count it too."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        return "it lies outside the archive's folder"
    if not (member.isfile() or member.isdir()) or member.issparse():
        return "it is neither a plain file nor a folder (a link, a device, a pipe)"
    if member.isfile() and not path.parts:
        return "it has no name"
    if "\0" in member.name or len(os.fsencode(member.name)) > MAX_NAME:
        return f"its name is longer than {MAX_NAME} bytes, or is not the name of a file"
    if members > MAX_MEMBERS:
        return f"it is one more than the {MAX_MEMBERS} members an archive may have"
    if size > MAX_BYTES or member.size < 0:
        return f"with this member the archive holds more than {MAX_BYTES // 1024**3} GB"
    return ""


def _write_member(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    if source is not None:
        with source, path.open("xb") as target:
            shutil.copyfileobj(source, target)


class _Rationed(io.RawIOBase):
    """A file that hands out a limited number of bytes; for tarfile, which knows no limits."""

    def __init__(self, file: gzip.GzipFile, where: str) -> None:
        self._file = file
        self._where = where
        self._left = MAX_HEADER

    def ration(self, size: int) -> None:
        """Allow `size` more bytes."""
        self._left = size

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes. Raises ArtifactError where none is left of the ration."""
        if not self._left and self._file.read(1):
            reason = "it holds more bytes between or after its members than a tar archive needs"
            raise ArtifactError(reason, where=self._where, hint=_AGAIN)
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data
