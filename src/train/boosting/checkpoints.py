"""Checkpoints on disk: what a job stopped by force goes on from.

SageMaker copies the folder of checkpoints to S3 all the time, and back before it
starts the job again. A file appears there whole or not at all, and holds data
only: a line with the sha256 of all that follows, a line of JSON, and the
boosters as XGBoost's own UBJSON.

Every training of a job has its own files (`folds`, then `all-rows`): a job that
was stopped in its second one finds the first one's end, and repeats no round.

Source: SageMaker developer guide, "Use checkpoints in Amazon SageMaker AI"; the
markers are those of its XGBoost container.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from sagetree.bundle.bundle import DataFingerprint
from sagetree.errors import DataError, SettingsError, quote
from sagetree.machine.paths import DEFAULT_BASE_DIR, OptMl
from sagetree.machine.program import LOG, check_writable
from sagetree.train.boosting.rounds import Checkpoint
from sagetree.train.hyperparameters.parameters import BY_NAME
from sagetree.train.settings.channel_settings import read_json
from sagetree.train.settings.settings import Checkpointing, TrainSettings

MAGIC = b"sagetree-checkpoint 1"

# What SageMaker adds to the name of a file it is copying; and what makes it leave one alone.
UPLOADING = ".sagemaker-uploading"
IGNORED = ".sagemaker-ignore"

_PREFIX = "sagetree-checkpoint-"
_NAME = re.compile(_PREFIX + r"([a-z0-9-]+)\.([0-9]+)")

# Hyperparameters a training does not depend on; num_round is looked at by itself.
_IMMATERIAL = frozenset(
    {
        "num_round", "nthread", "verbosity", "checkpoint_interval", "checkpoint_seconds",
        "checkpoints_kept", "save_model_on_termination", "fail_on_leakage",
    }
)  # fmt: skip

_REMEDY = "Restore what it was, or empty the folder of checkpoints to train anew"


class Fingerprint(BaseModel):
    """What a training depends on: hyperparameters as text, and the sha256 of each channel.

    `num_round` stands apart: more rounds may be asked for later, fewer not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_round: int
    hyperparameters: dict[str, str]
    data: dict[str, str]

    def check(self, earlier: "Fingerprint", where: Path) -> None:
        """Raise SettingsError or DataError where a checkpoint is of another training."""
        if earlier.num_round > self.num_round:
            raise SettingsError(
                f"num_round was {earlier.num_round} for this checkpoint and is "
                f"{self.num_round} now; it may only grow",
                where=str(where),
                hint=_REMEDY,
            )
        changes = [
            f"{name} was {_shown(before)} and is {_shown(now)}"
            for name, before, now in _changes(earlier.hyperparameters, self.hyperparameters)
        ]
        if changes:
            raise SettingsError(
                f"it is of a training with other hyperparameters: {', '.join(changes)}",
                where=str(where),
                hint=_REMEDY,
            )
        channels = [name for name, _, _ in _changes(earlier.data, self.data)]
        if channels:
            raise DataError(
                f"it is of a training on other data: channel {', '.join(channels)} has changed",
                where=str(where),
                hint=_REMEDY,
            )


class _Change(NamedTuple):
    name: str
    before: str | None
    now: str | None


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[_Change]:
    names = sorted({*before, *now})
    changes = [_Change(name, before.get(name), now.get(name)) for name in names]
    return [change for change in changes if change.before != change.now]


def _shown(value: str | None) -> str:
    return "not set" if value is None else quote(value)


class _Header(BaseModel):
    """The line of JSON: `sizes` are the bytes of each booster behind it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phase: str
    rounds: int
    fingerprint: Fingerprint
    history: dict[str, dict[str, list[list[float]]]]
    sizes: list[int]


class _DamagedError(Exception):
    """A file that is no whole checkpoint."""


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one job: where, how often, and of which training."""

    folder: Path
    fingerprint: Fingerprint
    settings: Checkpointing

    @classmethod
    def of_job(
        cls, opt_ml: OptMl, settings: TrainSettings, data: Mapping[str, DataFingerprint]
    ) -> "Checkpoints | None":
        """Return the checkpoints of a training job; None where it is to make none.

        That is where there is no checkpointconfig.json, or where XGBoost keeps a
        state that no file can hold. Raises as `open` does.
        """
        path = opt_ml.config / "checkpointconfig.json"
        if not path.exists():
            return None
        reason = cannot_resume(settings.boosting.params)
        if reason:
            LOG.warning("No checkpoints are made: %s", reason)
            return None
        folder = _folder(opt_ml, read_json(path).get("LocalPath"))
        return cls.open(folder, fingerprint(settings, data), settings.checkpointing)

    @classmethod
    def open(cls, folder: Path, fingerprint: Fingerprint, settings: Checkpointing) -> "Checkpoints":
        """Return the checkpoints in `folder`.

        Raises PlatformError for a folder that cannot be written, SettingsError or
        DataError if it holds checkpoints of another training.
        """
        check_writable(folder, "the folder of checkpoints")
        for path in folder.glob(
            f"{_PREFIX}*{IGNORED}"
        ):  # of a job that was stopped while it wrote one
            path.unlink(missing_ok=True)
        for path in _files(folder):
            try:
                earlier = _read(path)[0].fingerprint
            except _DamagedError:
                continue  # named in a warning by who asks for it
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
        for path in reversed(_files(self.checkpoints.folder, self.name)):
            try:
                header, models = _read(path)
            except _DamagedError as error:
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
        path = self.checkpoints.folder / f"{_PREFIX}{self.name}.{checkpoint.rounds}"
        try:
            _write(path, self._content(checkpoint))
            _remove_old(_files(path.parent, self.name), self.checkpoints.settings.kept)
        except OSError as error:
            LOG.warning("The checkpoint %s could not be written: %s", path, error)

    def _content(self, checkpoint: Checkpoint) -> bytes:
        header = _Header(
            phase=self.name,
            rounds=checkpoint.rounds,
            fingerprint=self.checkpoints.fingerprint,
            history=checkpoint.history,
            sizes=[len(model) for model in checkpoint.models],
        )
        line = json.dumps(header.model_dump()).encode()  # orjson has no NaN and no infinity
        return b"\n".join([line, b"".join(checkpoint.models)])


def fingerprint(settings: TrainSettings, data: Mapping[str, DataFingerprint]) -> Fingerprint:
    """Return what a job's training depends on: what was given, and what holds where nothing was."""
    boosting = settings.boosting
    known = {spelling: BY_NAME[spelling] for spelling in settings.given if spelling in BY_NAME}
    values = {p.name: p.parse(settings.given[spelling]) for spelling, p in known.items()}
    values |= dict(boosting.params)
    values |= {"early_stopping_rounds": boosting.patience, "eval_metric": boosting.metrics}
    return Fingerprint(
        num_round=boosting.rounds,
        hyperparameters={n: str(v) for n, v in values.items() if n not in _IMMATERIAL},
        data={name: channel.sha256 for name, channel in data.items()},
    )


def cannot_resume(params: Mapping[str, Any]) -> str | None:
    """Return why no training with these parameters of XGBoost's can go on after a stop, if so."""
    if params.get("lambdarank_unbiased"):
        return "XGBoost does not store what lambdarank_unbiased=true learns about positions"
    if params.get("feature_selector") in ("shuffle", "random"):
        return f"XGBoost does not store the state of feature_selector={params['feature_selector']}"
    return None


def _folder(opt_ml: OptMl, local_path: object) -> Path:
    """Return LocalPath, which SageMaker writes as one below /opt/ml, at this job's root."""
    path = Path(str(local_path or opt_ml.checkpoints))
    below = Path(DEFAULT_BASE_DIR)
    return opt_ml.root / path.relative_to(below) if path.is_relative_to(below) else path


def _files(folder: Path, phase: str | None = None) -> list[Path]:
    """Return the checkpoints in a folder, of one phase or of all, the oldest first."""
    found = []
    for path in folder.iterdir():
        match = _NAME.fullmatch(path.name)
        if match and phase in (None, match[1]):
            found.append((int(match[2]), path))
    return [path for _, path in sorted(found)]


def _read(path: Path) -> tuple[_Header, tuple[bytes, ...]]:
    """Return what a checkpoint holds. Raises _DamagedError."""
    try:
        first, _, rest = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise _DamagedError(error.strerror) from error
    if not first.startswith(MAGIC):
        raise _DamagedError("it does not begin as one")
    if first != _first_line(rest):
        raise _DamagedError("its sha256 is another")
    line, _, blob = rest.partition(b"\n")
    try:
        header = _Header.model_validate(json.loads(line))
    except (ValueError, ValidationError) as error:
        raise _DamagedError("its header is not as sagetree writes it") from error
    if sum(header.sizes) != len(blob):
        raise _DamagedError("its boosters are of other sizes")
    if path.name != f"{_PREFIX}{header.phase}.{header.rounds}":
        raise _DamagedError("it was renamed")
    ends = list(accumulate(header.sizes))
    starts = [0, *ends]
    return header, tuple(blob[a:b] for a, b in zip(starts, ends, strict=False))


def _first_line(rest: bytes) -> bytes:
    return MAGIC + b" " + hashlib.sha256(rest).hexdigest().encode()


def _write(path: Path, content: bytes) -> None:
    """Write a file under a name SageMaker ignores, then give it its own."""
    temporary = path.with_name(path.name + IGNORED)
    try:
        with temporary.open("wb") as file:
            file.write(_first_line(content) + b"\n" + content)
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
