"""The files of checkpoints: what they are called, what they hold, which training they belong to.

Each is a line with the sha256 of all that follows, a line of JSON, and the
boosters as XGBoost's own UBJSON: data only.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from sagetree.bundle.bundle import DataFingerprint
from sagetree.errors import DataError, SettingsError, quote
from sagetree.tables.stored_record import StoredRecord
from sagetree.train.hyperparameters.parameters import BY_NAME
from sagetree.train.settings.settings import TrainSettings
from sagetree.train.settings.unnamed_objective import with_objective

MAGIC = b"sagetree-checkpoint 1"

PREFIX = "sagetree-checkpoint-"
_NAME = re.compile(PREFIX + r"([a-z0-9-]+)\.([0-9]+)")

# Hyperparameters a training does not depend on; num_round is checked by itself.
_IMMATERIAL = frozenset(
    {
        "num_round", "nthread", "verbosity", "checkpoint_interval", "checkpoint_seconds",
        "checkpoints_kept", "save_model_on_termination", "fail_on_leakage",
    }
)  # fmt: skip

_REMEDY = "Restore the earlier values, or empty the folder of checkpoints to train from the start"


class Fingerprint(StoredRecord):
    """What a training depends on: hyperparameters as text, and the sha256 of each channel.

    `num_round` stands apart: more rounds may be asked for later, fewer not.
    """

    num_round: int
    hyperparameters: dict[str, str]
    data: dict[str, str]

    def check(self, earlier: "Fingerprint", where: Path) -> None:
        """Raise SettingsError or DataError where a checkpoint is of another training."""
        self.check_hyperparameters(earlier, where)
        channels = [name for name, _, _ in _changes(earlier.data, self.data)]
        if channels:
            raise DataError(
                f"it is of a training on other data: channel {', '.join(channels)} has changed",
                where=str(where),
                hint=_REMEDY,
            )

    def check_hyperparameters(self, earlier: "Fingerprint", where: Path) -> None:
        """Raise SettingsError where a checkpoint is of a training with others."""
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


class Header(StoredRecord):
    """The line of JSON: `sizes` are the bytes of each booster behind it."""

    phase: str
    rounds: int
    fingerprint: Fingerprint
    history: dict[str, dict[str, list[list[float]]]]
    sizes: list[int]


class DamagedError(Exception):
    """A file that is not a whole checkpoint."""


def fingerprint(settings: TrainSettings, data: Mapping[str, DataFingerprint]) -> Fingerprint:
    """Return what a job's training depends on: what was given, and what holds where nothing was."""
    boosting = settings.boosting
    known = {spelling: BY_NAME[spelling] for spelling in settings.given if spelling in BY_NAME}
    values = {p.name: p.parse(settings.given[spelling]) for spelling, p in known.items()}
    values |= dict(boosting.params)
    if boosting.depths:
        values |= dict.fromkeys(("max_depth", *boosting.rival), "chosen by the job")
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


def checkpoint_files(folder: Path, phase: str | None = None) -> list[Path]:
    """Return the checkpoints in a folder, of one phase or of all, the oldest first."""
    found = []
    for path in folder.iterdir():
        match = _NAME.fullmatch(path.name)
        if match and phase in (None, match[1]):
            found.append((int(match[2]), path))
    return [path for _, path in sorted(found)]


def read_checkpoint(path: Path) -> tuple[Header, tuple[bytes, ...]]:
    """Return what a checkpoint holds. Raises DamagedError."""
    try:
        first, _, rest = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise DamagedError(error.strerror) from error
    if not first.startswith(MAGIC):
        raise DamagedError("it does not begin as a checkpoint does")
    if first != first_line(rest):
        raise DamagedError("its sha256 is not the stored one")
    line, _, blob = rest.partition(b"\n")
    try:
        header = Header.model_validate(json.loads(line))
    except (ValueError, ValidationError) as error:
        raise DamagedError("its header is not as sagetree writes it") from error
    if sum(header.sizes) != len(blob):
        raise DamagedError("its boosters have other sizes")
    if path.name != f"{PREFIX}{header.phase}.{header.rounds}":
        raise DamagedError("it was renamed")
    ends = list(accumulate(header.sizes))
    starts = [0, *ends]
    return header, tuple(blob[a:b] for a, b in zip(starts, ends, strict=False))


def first_line(rest: bytes) -> bytes:
    """Return the line that stands before `rest`, which is all else of a checkpoint."""
    return MAGIC + b" " + hashlib.sha256(rest).hexdigest().encode()


def fingerprints_in(folder: Path) -> Iterator[tuple[Path, Fingerprint]]:
    """Yield each whole checkpoint in a folder, and the training it is of."""
    for path in checkpoint_files(folder) if folder.is_dir() else ():
        try:
            yield path, read_checkpoint(path)[0].fingerprint
        except DamagedError:
            continue  # named in a warning by who asks for it


def check_checkpoints(folder: Path, settings: TrainSettings) -> None:
    """Raise SettingsError if a folder holds checkpoints of other hyperparameters."""
    for path, earlier in fingerprints_in(folder):
        of_same = with_objective(settings, earlier.hyperparameters["objective"])
        fingerprint(of_same, {}).check_hyperparameters(earlier, path)
