"""Checkpoints on disk: what a job stopped by force goes on from.

SageMaker copies the folder of checkpoints to S3 all the time, and back before it
starts the job again. A file appears there whole or not at all.

Every training of a job has its own files (`folds`, then `all-rows`): a job that
was stopped in its second one finds the first one's end, and repeats no round.

Of several hosts the leader saves them, and all go on from the leader's: SageMaker keeps
one place for the folders of all.

Source: SageMaker developer guide, "Use checkpoints in Amazon SageMaker AI"; the
markers are those of its XGBoost container.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sagetree.bundle.bundle import DataFingerprint
from sagetree.machine.program import LOG, check_writable
from sagetree.train.boosting.rounds import Checkpoint, CheckpointStore
from sagetree.train.hosts.group import Group
from sagetree.train.settings.checkpoint_files import (
    PREFIX,
    DamagedError,
    Fingerprint,
    Header,
    checkpoint_files,
    fingerprint,
    fingerprints_in,
    first_line,
    read_checkpoint,
)
from sagetree.train.settings.settings import Checkpointing, TrainSettings

# What SageMaker adds to the name of a file it is copying; and what makes it leave one alone.
UPLOADING = ".sagemaker-uploading"
IGNORED = ".sagemaker-ignore"


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one job: where, how often, and which training they belong to."""

    folder: Path
    fingerprint: Fingerprint
    settings: Checkpointing

    @classmethod
    def of_job(
        cls, settings: TrainSettings, data: Mapping[str, DataFingerprint]
    ) -> "Checkpoints | None":
        """Return the checkpoints of a training job, None where it makes none; raises as `open`."""
        folder = settings.checkpointing.folder
        if folder is None:
            return None
        return cls.open(folder, fingerprint(settings, data), settings.checkpointing)

    @classmethod
    def open(cls, folder: Path, fingerprint: Fingerprint, settings: Checkpointing) -> "Checkpoints":
        """Return the checkpoints in `folder`.

        Raises PlatformError for a folder that cannot be written, SettingsError or
        DataError if it holds checkpoints of another training.
        """
        check_writable(folder, "the folder of checkpoints")
        for path in folder.glob(f"{PREFIX}*{IGNORED}"):  # a job was stopped while it wrote one
            path.unlink(missing_ok=True)
        for path, earlier in fingerprints_in(folder):
            fingerprint.check(earlier, path)
        return cls(folder, fingerprint, settings)

    def phase(self, name: str, boosters: int = 1) -> "PhaseCheckpoints":
        """Return the checkpoints of one of the job's trainings, of this many boosters."""
        return PhaseCheckpoints(self, name, boosters)


class PhaseCheckpoints:
    """The checkpoints of one training; a `sagetree.train.boosting.rounds.CheckpointStore`."""

    def __init__(self, checkpoints: Checkpoints, name: str, boosters: int) -> None:
        self.checkpoints = checkpoints
        self.name = name
        self.boosters = boosters
        self.saved_at = time.monotonic()
        self.saved_rounds = 0

    def newest(self, limit: int) -> Checkpoint | None:
        """Return the newest checkpoint of at most `limit` rounds; a damaged file is passed over."""
        for path in reversed(checkpoint_files(self.checkpoints.folder, self.name)):
            try:
                header, models = read_checkpoint(path)
            except DamagedError as error:
                LOG.warning("The checkpoint %s is damaged (%s): trying the one before", path, error)
                continue
            if header.rounds <= limit and len(models) == self.boosters:
                LOG.info("Going on after round %d, from %s", header.rounds - 1, path)
                self.saved_rounds = header.rounds
                return Checkpoint(header.rounds, models, header.history)
        return None

    def is_due(self, rounds: int) -> bool:
        """Say whether a checkpoint is to be saved after this many rounds."""
        settings = self.checkpoints.settings
        if settings.rounds is not None:
            return rounds % settings.rounds == 0
        return time.monotonic() - self.saved_at >= settings.seconds

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint and remove the oldest ones; where that fails, warn and go on."""
        if checkpoint.rounds == self.saved_rounds:
            return
        self.saved_at = time.monotonic()
        self.saved_rounds = checkpoint.rounds
        path = self.checkpoints.folder / f"{PREFIX}{self.name}.{checkpoint.rounds}"
        try:
            _write(path, self._content(checkpoint))
            _remove_old(checkpoint_files(path.parent, self.name), self.checkpoints.settings.kept)
        except OSError as error:
            LOG.warning("The checkpoint %s could not be written: %s", path, error)

    def _content(self, checkpoint: Checkpoint) -> bytes:
        header = Header(
            phase=self.name,
            rounds=checkpoint.rounds,
            fingerprint=self.checkpoints.fingerprint,
            history=checkpoint.history,
            sizes=[len(model) for model in checkpoint.models],
        )
        line = json.dumps(header.model_dump()).encode()  # orjson has no NaN and no infinity
        return b"\n".join([line, b"".join(checkpoint.models)])


class LeadersCheckpoints:
    """The leader's checkpoints as every host of a group has them: only the leader saves any.

    `own` are these on the leader, None on the others.
    """

    def __init__(self, group: Group, own: CheckpointStore | None) -> None:
        self._group = group
        self._own = own

    def newest(self, limit: int) -> Checkpoint | None:
        """Return the leader's newest checkpoint of at most `limit` rounds."""
        found = self._own.newest(limit) if self._own else None
        own = [json.dumps([found.rounds, found.history]).encode(), *found.models] if found else []
        count = self._group.gather(len(own))[0]
        told = [self._group.gather_bytes(own[n] if own else b"")[0] for n in range(count)]
        if not told:
            return None
        rounds, history = json.loads(told[0])
        return Checkpoint(rounds, tuple(told[1:]), history)

    def is_due(self, rounds: int) -> bool:
        """Say whether this host is to save a checkpoint after this many rounds."""
        return self._own is not None and self._own.is_due(rounds)

    def save(self, checkpoint: Checkpoint) -> None:
        """Save a checkpoint, on the leader."""
        if self._own is not None:
            self._own.save(checkpoint)


def _write(path: Path, content: bytes) -> None:
    """Write a file under a name SageMaker ignores, then give it its own."""
    temporary = path.with_name(path.name + IGNORED)
    try:
        with temporary.open("wb") as file:
            file.write(first_line(content) + b"\n" + content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _remove_old(files: Sequence[Path], kept: int) -> None:
    """Remove all but the newest; one that SageMaker is copying stays until the next time."""
    for path in files[:-kept]:
        if not path.with_name(path.name + UPLOADING).exists():
            path.unlink(missing_ok=True)
