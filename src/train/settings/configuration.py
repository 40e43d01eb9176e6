"""All of /opt/ml/input/config, read and refused in one message before any data are read."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sagetree.errors import SagetreeError
from sagetree.machine.paths import DEFAULT_BASE_DIR, OptMl
from sagetree.machine.program import LOG, check_writable
from sagetree.train.hosts.resource_config import Hosts, read_hosts
from sagetree.train.hyperparameters.value_types import plain_text
from sagetree.train.settings.channel_settings import (
    read_charsets,
    read_formats,
    read_json,
)
from sagetree.train.settings.checkpoint_files import cannot_resume, check_checkpoints
from sagetree.train.settings.device import device_faults, device_notes
from sagetree.train.settings.faults import Faults
from sagetree.train.settings.settings import TrainSettings
from sagetree.train.settings.tuning import tuning_faults


def read_settings(opt_ml: OptMl, overrides: Mapping[str, str]) -> TrainSettings:
    """Return the settings in `opt_ml`, hyperparameters replaced by `overrides`; log their notes.

    Raises SettingsError that names every fault, or the error that is the only one.
    """
    faults = Faults()
    texts, formats, charsets, folder, hosts = None, {}, {}, None, Hosts()
    with faults.gathered():
        texts = _texts(opt_ml) | dict(overrides)
    with faults.gathered():
        hosts = read_hosts(read_json(opt_ml.resource_config), faults.texts)
    with faults.gathered():
        formats = read_formats(opt_ml, faults.texts)
        charsets = read_charsets(opt_ml, faults.texts)
    with faults.gathered():
        folder = _checkpoint_folder(opt_ml)
    settings = None if texts is None else TrainSettings.settle(texts, formats, faults, hosts)
    if settings is not None:
        faults.texts += device_faults(settings.boosting.params)
        faults.texts += tuning_faults(settings.tuning)
    if settings is not None and folder is not None:
        settings = _with_checkpoints(settings, folder)
        folder = settings.checkpointing.folder
    if folder is not None:
        with faults.gathered():
            check_writable(folder, "the folder of checkpoints", make=False)
            if settings is not None:
                check_checkpoints(folder, settings)
    faults.check()
    assert settings is not None  # noqa: S101 - faults are why it may be
    for note in (*settings.notes, *device_notes(settings.boosting.params)):
        LOG.warning(note)
    return replace(settings, charsets=charsets)


def find_hosts(opt_ml: OptMl) -> Hosts:
    """Return the hosts of a job; one where their file has a fault: `read_settings` names it."""
    try:
        return read_hosts(read_json(opt_ml.resource_config), [])
    except SagetreeError:
        return Hosts()


def _texts(opt_ml: OptMl) -> dict[str, str]:
    given = read_json(opt_ml.hyperparameters)
    return {name: plain_text(value) for name, value in given.items()}


def _checkpoint_folder(opt_ml: OptMl) -> Path | None:
    """Return LocalPath, which SageMaker writes as one below /opt/ml, at this job's root."""
    if not opt_ml.checkpoint_config.exists():
        return None
    path = Path(str(read_json(opt_ml.checkpoint_config).get("LocalPath") or opt_ml.checkpoints))
    below = Path(DEFAULT_BASE_DIR)
    return opt_ml.root / path.relative_to(below) if path.is_relative_to(below) else path


def _with_checkpoints(settings: TrainSettings, folder: Path) -> TrainSettings:
    """Return the settings of a job that makes checkpoints, if its training can go on from one."""
    reason = cannot_resume(settings.boosting.params)
    if reason:
        notes = (*settings.notes, f"No checkpoints are made: {reason}")
        return replace(settings, notes=notes)
    return replace(settings, checkpointing=replace(settings.checkpointing, folder=folder))
