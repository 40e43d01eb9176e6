"""What names the counts of a model: the worker that is asked for /metrics may not have it."""

import os
from hashlib import sha256
from pathlib import Path

from sagetree.bundle.baseline import Baseline
from sagetree.tables.stored_record import StoredRecord


class MonitoredModel(StoredRecord):
    """Names of its columns and of its m features; what training's rows looked like, if known."""

    columns: tuple[str, ...]
    features: tuple[str, ...]
    baseline: Baseline | None

    def write(self, folder: Path, key: str) -> None:
        """Write the file of the model `key`, which is the same whichever worker writes it."""
        path = _path(folder, key)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(self.model_dump_json())
        draft.replace(path)

    @classmethod
    def read(cls, folder: Path, key: str) -> "MonitoredModel":
        """Return the model `key`, which a worker that counts it has written."""
        return cls.model_validate_json(_path(folder, key).read_bytes())


def _path(folder: Path, key: str) -> Path:
    return folder / f"{sha256(key.encode()).hexdigest()}.model"
