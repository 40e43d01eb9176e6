"""The trials of a job's searches on disk, beside its checkpoints, as plain JSON.

Each search has a file, written anew after every trial. What a job stopped by force goes on
from is what that says: trials are whole or not there.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import orjson
from pydantic import ValidationError

from sagetree.bundle.learning_curve import Trial
from sagetree.errors import DataError
from sagetree.machine.program import LOG
from sagetree.tables.stored_record import StoredRecord
from sagetree.train.boosting.checkpoints import IGNORED, Checkpoints
from sagetree.train.settings.checkpoint_files import Fingerprint

PREFIX = "sagetree-trials-"


class StoredSearch(StoredRecord):
    """A search so far: its training, its trials, the seconds they took, and if it is over."""

    fingerprint: Fingerprint
    trials: tuple[Trial, ...]
    seconds: float
    is_over: bool


@dataclass(frozen=True)
class TrialStore:
    """Where the trials of one search are kept; nowhere without `checkpoints`."""

    checkpoints: Checkpoints | None
    name: str

    @property
    def path(self) -> Path | None:
        """The file of the search."""
        folder = self.checkpoints.folder if self.checkpoints else None
        return folder and folder / f"{PREFIX}{self.name}.json"

    def read(self) -> StoredSearch | None:
        """Return what is stored, None where nothing is.

        Raises SettingsError or DataError where it is of another training, DataError
        for a file that is damaged.
        """
        if self.path is None or self.checkpoints is None or not self.path.exists():
            return None
        try:
            found = StoredSearch.model_validate(orjson.loads(self.path.read_bytes()))
        except (orjson.JSONDecodeError, ValidationError) as error:
            raise DataError(
                "the file of trials is not as sagetree writes it",
                where=str(self.path),
                hint="Empty the folder of checkpoints to train from the start",
            ) from error
        self.checkpoints.fingerprint.check(found.fingerprint, self.path)
        LOG.info("Going on after %d trials, from %s", len(found.trials), self.path)
        return found

    def write(self, trials: tuple[Trial, ...], seconds: float, *, is_over: bool) -> None:
        """Store a search as it is now; where that fails, warn and go on."""
        if self.path is None or self.checkpoints is None:
            return
        stored = StoredSearch(
            fingerprint=self.checkpoints.fingerprint,
            trials=trials,
            seconds=seconds,
            is_over=is_over,
        )
        temporary = self.path.with_name(self.path.name + IGNORED)
        try:
            with temporary.open("wb") as file:
                file.write(orjson.dumps(stored.model_dump(mode="json"), option=orjson.OPT_INDENT_2))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            LOG.warning("The trials could not be stored in %s: %s", self.path, error)
