"""`train --reproduce manifest.json`: the same training again, and whether the same comes out.

It trains with the hyperparameters, seed and threads that the manifest names, on
the data that are there now, in a folder of its own: no model is overwritten.
"""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import orjson

from sagetree.bundle.bundle import Manifest, read_manifest
from sagetree.bundle.file_names import MANIFEST_FILE, MODEL_FILE
from sagetree.errors import DataError, SettingsError, UserError
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG
from sagetree.train.hyperparameters.value_types import SearchBudget
from sagetree.train.job import run as train


def run(opt_ml: OptMl, path: Path) -> int:
    """Train as the manifest at `path` says, and return 0 if the models are equal.

    Raises ArtifactError for a file that is not a manifest, UserError naming the
    first thing that is not as it was.
    """
    then = read_manifest(path)
    if then.origin is None or then.origin.is_stopped:
        raise SettingsError(
            "it is from a job that was stopped before its end"
            if then.origin
            else "it has neither seed nor threads: it is from an older sagetree",
            where=str(path),
            hint="Name the manifest of a job that was completed",
        )
    if then.origin.hosts > 1:
        raise SettingsError(
            f"it is from a job of {then.origin.hosts} hosts, and this is one host",
            where=str(path),
            hint=(
                "Start a job with the same number of hosts on the same files, and compare the two "
                "models"
            ),
        )
    _check_search(then, path)
    with tempfile.TemporaryDirectory() as folder:
        again = OptMl(Path(folder))
        _prepare(opt_ml, again, then)
        train(again, {"nthread": str(then.origin.threads)})
        now = read_manifest(again.model / MANIFEST_FILE)
    difference = find_difference(then, now)
    if difference is not None:
        raise difference
    models = sum(name.startswith(MODEL_FILE) for name in now.files)
    LOG.info(
        "Equal: %s of %s again, byte for byte",
        "the model" if models == 1 else f"{models} models",
        path,
    )
    return 0


def _check_search(then: Manifest, path: Path) -> None:
    """Raise SettingsError where a machine's speed decided what was tried."""
    budget = then.hyperparameters.get("tune", "")
    if budget and SearchBudget().parse(budget).seconds is not None:
        raise SettingsError(
            f"it is from a search limited by time (tune={budget}), whose trials depend on the "
            "machine",
            where=str(path),
            hint="Name the manifest of a job with a number of trials, such as tune=30",
        )


def _prepare(opt_ml: OptMl, again: OptMl, then: Manifest) -> None:
    """Make a folder whose job has the channels of `opt_ml` and the settings of `then`."""
    again.config.mkdir(parents=True)
    if opt_ml.input_data_config.exists():
        shutil.copyfile(opt_ml.input_data_config, again.input_data_config)
    again.data.symlink_to(opt_ml.data.absolute())
    again.hyperparameters.write_bytes(orjson.dumps(then.hyperparameters))
    if then.origin and then.origin.has_checkpoints:
        again.checkpoint_config.write_text("{}")


def find_difference(then: Manifest, now: Manifest) -> UserError | None:
    """Return the first thing that made models differ, None where they are equal.

    Data come first, then versions, hyperparameters, and the bytes themselves.
    """
    models = {name for name in {*then.files, *now.files} if name.startswith(MODEL_FILE)}
    if all(then.files.get(name) == now.files.get(name) for name in models):
        return None
    for channel in sorted({*then.data, *now.data}):
        before, after = then.data.get(channel), now.data.get(channel)
        if before != after:
            return DataError(
                f"channel {channel} has changed: {_rows(before)} then, {_rows(after)} now, with "
                "another sha256",
                hint="Restore the data to get the same model",
            )
    for what, one, other in (
        ("the version of", then.versions, now.versions),
        ("the hyperparameter", then.hyperparameters, now.hyperparameters),
    ):
        name = _first_other(one, other)
        if name is not None:
            return SettingsError(
                f"{what} {name} has changed: {one.get(name, 'none')} then, "
                f"{other.get(name, 'none')} now",
                hint="Restore it to get the same model",
            )
    return UserError(
        f"{min(models)} has different bytes, though data, versions and hyperparameters are the "
        "same",
        hint="Another CPU type rounds differently: use one like the first",
    )


def _rows(fingerprint: object) -> str:
    return f"{getattr(fingerprint, 'rows', 0)} rows"


def _first_other(one: Mapping[str, str], other: Mapping[str, str]) -> str | None:
    names = sorted({*one, *other} - {"nthread"})
    return next((name for name in names if one.get(name) != other.get(name)), None)
