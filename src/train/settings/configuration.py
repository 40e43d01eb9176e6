"""All of /opt/ml/input/config, read and refused in one message before any data are read."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from sagetree.errors import SagetreeError
from sagetree.machine.gpus import visible_gpus
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
from sagetree.train.settings.device import device_faults, device_notes, gpu_notes, wants_gpu
from sagetree.train.settings.faults import Faults
from sagetree.train.settings.settings import TrainSettings
from sagetree.train.settings.tuning import tuning_faults


def read_settings(
    opt_ml: OptMl, overrides: Mapping[str, str], gpus: Hosts | None = None
) -> TrainSettings:
    """Return the settings in `opt_ml`, hyperparameters replaced by `overrides`; log their notes.

    `gpus` are this machine's, where a process for each of them trains. Raises SettingsError that
    names every fault, or the error that is the only one.
    """
    faults = Faults()
    texts, formats, charsets, folder, hosts = None, {}, {}, None, gpus or Hosts()
    with faults.gathered():
        texts = _texts(opt_ml) | dict(overrides)
    with faults.gathered():
        found = read_hosts(read_json(opt_ml.resource_config), faults.texts)
        hosts = gpus or found
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
    for note in (*settings.notes, *device_notes(settings.boosting.params, hosts)):
        LOG.warning(note)
    return replace(settings, charsets=charsets)


def find_hosts(opt_ml: OptMl) -> Hosts:
    """Return the hosts of a job; one where their file has a fault: `read_settings` names it."""
    try:
        return read_hosts(read_json(opt_ml.resource_config), [])
    except SagetreeError:
        return Hosts()


def count_gpus(
    opt_ml: OptMl, overrides: Mapping[str, str], visible: Callable[[], int] = visible_gpus
) -> int:
    """Return how many GPUs of this machine train together, a process for each.

    One where `device` asks for none, and where the job has several hosts; one also where
    something is set that hosts cannot train together: the log says what.
    """
    try:
        texts = _texts(opt_ml) | dict(overrides)
    except SagetreeError:  # `read_settings` names it
        return 1
    settings = TrainSettings.settle(texts, {}, Faults())
    alone = find_hosts(opt_ml).count == 1
    if settings is None or not alone or not wants_gpu(settings.boosting.params):
        return 1
    gpus = visible()
    if gpus < 2:
        return 1
    together = Faults()
    TrainSettings.settle(texts, {}, together, Hosts.of_gpus(gpus))
    if not together.texts:
        return gpus
    for note in gpu_notes(gpus):
        LOG.warning("%s, as a process for each GPU is a host: %s", note, "; ".join(together.texts))
    return 1


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
