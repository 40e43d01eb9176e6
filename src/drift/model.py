"""The model that is watched: from a folder, an archive, or S3."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagetree.bundle.archive import ARCHIVE
from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.file_names import MANIFEST_FILE
from sagetree.bundle.model import Model
from sagetree.desk.model_folder import model_folder
from sagetree.errors import ArtifactError
from sagetree.machine.cores import usable_cores
from sagetree.scripts.source import S3, download


def load_model(given: str) -> tuple[Model, ModelBundle]:
    """Return the model that MODEL names, ready to score, and its bundle.

    Raises ArtifactError for one that is not of sagetree: it does not say what it was trained on;
    SettingsError where S3 does not give it.
    """
    with _here(given) as place, model_folder(place) as folder:
        if not (folder / MANIFEST_FILE).exists():
            raise ArtifactError(
                "it is a plain XGBoost model, which does not store what its training rows were "
                "like",
                where=given,
                hint="Train it with sagetree, or compare two tables with `sagetree profile`",
            )
        return Model.load(folder, threads=usable_cores()), ModelBundle.load(folder)


@contextmanager
def _here(given: str) -> Iterator[Path]:
    if not given.startswith(S3):
        yield Path(given)
        return
    with tempfile.TemporaryDirectory(prefix="sagetree-") as folder:
        archive = Path(folder) / ARCHIVE
        download(given, archive, f"--model {given}")
        yield archive
