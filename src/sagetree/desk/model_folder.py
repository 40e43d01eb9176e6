"""MODEL on a command line: a folder that training wrote to, a model's own folder, a model.tar.gz.

It loads nothing that serving must not load before it listens.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagetree.bundle.archive import ARCHIVE, holds_model, open_model
from sagetree.errors import ArtifactError
from sagetree.machine.paths import OptMl

_PACKED = (".tar.gz", ".tgz")

_HINT = f"Give a folder that sagetree train wrote to, a folder with a model's files, or a {ARCHIVE}"


@contextmanager
def model_folder(given: Path) -> Iterator[Path]:
    """Yield a folder with the files of the model that MODEL names; an archive is unpacked.

    Raises ArtifactError where there is none, or one that cannot be unpacked.
    """
    with open_model(find_model(given)) as folder:
        yield folder


def find_model(given: Path) -> Path:
    """Return the folder or the archive of the model that MODEL names.

    Raises ArtifactError where there is none.
    """
    if given.is_file():
        if not given.name.lower().endswith(_PACKED):
            reason = "it is neither a folder nor a .tar.gz"
            raise ArtifactError(reason, where=str(given), hint=_HINT)
        return given
    if not given.exists():
        raise ArtifactError("the file or folder does not exist", where=str(given), hint=_HINT)
    inside = OptMl(given).model
    for folder in (given, inside):
        if folder.is_dir() and holds_model(folder):
            return folder
    for folder in (given, inside):
        if (folder / ARCHIVE).is_file():
            return folder
    raise ArtifactError("it holds no model", where=str(given), hint=_HINT)
