"""Settings that name no objective, once it is known which one the job has."""

from dataclasses import replace

from sagetree.train.settings.faults import Faults
from sagetree.train.settings.settings import TrainSettings


def with_objective(settings: TrainSettings, objective: str) -> TrainSettings:
    """Return settings that name no objective as those of this one; others stay as they are.

    Raises SettingsError that names everything that does not go with it.
    """
    if settings.names_objective:
        return settings
    faults = Faults()
    texts = {**settings.given, "objective": objective}
    settled = TrainSettings.settle(texts, settings.formats, faults, settings.hosts)
    faults.check()
    assert settled is not None  # noqa: S101 - faults are why it may be
    return replace(
        settled,
        given=settings.given,
        charsets=settings.charsets,
        bias=settings.bias,
        checkpointing=settings.checkpointing,
    )
