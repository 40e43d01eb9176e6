"""Training on from an earlier model: its columns stay, new rounds are put on top.

The channel `model` holds what an earlier job left, as a folder or as the
model.tar.gz that SageMaker makes of it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from sagetree.boosters.objectives import objective_of
from sagetree.boosters.scoring import Scorer
from sagetree.bundle.archive import open_model
from sagetree.bundle.bundle import DataFingerprint, ModelBundle
from sagetree.bundle.file_names import MANIFEST_FILE
from sagetree.errors import ArtifactError, DataError, SettingsError, quote
from sagetree.features.plan import TablePlan
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG
from sagetree.tables.label import AnyLabel, ClassLabel, EventLabel, Label
from sagetree.train.settings.channel_settings import MODEL, VALIDATION
from sagetree.train.settings.settings import TrainSettings


def read_earlier(opt_ml: OptMl, settings: TrainSettings) -> ModelBundle | None:
    """Return the model that the channel `model` holds, None without such a channel.

    Raises ArtifactError for one that is damaged or that holds several boosters,
    SettingsError for one of another objective than the settings name.
    """
    if MODEL not in settings.formats:
        return None
    where = f"channel {MODEL}"
    with open_model(opt_ml.data / MODEL) as folder:
        if not (folder / MANIFEST_FILE).exists():
            raise ArtifactError(
                f"there is no {MANIFEST_FILE} in it",
                where=where,
                hint="Give what an earlier job of sagetree left: its folder, or its model.tar.gz",
            )
        earlier = ModelBundle.load(folder)
    if len(earlier.models) > 1:
        raise ArtifactError(
            f"it holds {len(earlier.models)} models that are served as one",
            where=where,
            hint="Give a model that was trained without _kfold",
        )
    objective, learnt = objective_of(settings.boosting.objective).name, learnt_objective(earlier)
    if settings.names_objective and learnt != objective:
        raise SettingsError(
            f"objective is {objective}, and the model has learnt {learnt}",
            where=where,
            hint=f"Set objective={learnt}, or leave the channel out",
        )
    LOG.info("New rounds come after those of the model in the channel %s", MODEL)
    if VALIDATION not in settings.formats:
        LOG.warning(
            "Rows the earlier model has learnt from are among those left out: their metrics "
            "are too good. A validation channel it has not seen has honest ones"
        )
    return earlier


def learnt_objective(earlier: ModelBundle) -> str:
    """Return XGBoost's name of what an earlier model has learnt."""
    return Scorer.load(*earlier.models).objective


def continued(found: TablePlan, earlier: ModelBundle) -> TablePlan:
    """Return the plan of rows that an earlier model goes on with: by its columns and transforms.

    Raises DataError where their label is not the one it has learnt, SettingsError
    where they start from other base margins.
    """
    if found.label != earlier.schema.label:
        raise DataError(
            f"the label is {_told(found.label)}; the model to train on from has learnt "
            f"{_told(earlier.schema.label)}",
            where="channel train",
            hint="Give rows with the same label and the same values of it",
        )
    if found.schema.base_margins != earlier.schema.base_margins:
        raise SettingsError(
            f"base_margin_column is {_columns(found.schema.base_margins)}; rows of the model to "
            f"train on from start from {_columns(earlier.schema.base_margins)}",
            where=f"channel {MODEL}",
            hint="Name the same columns, or leave the channel out",
        )
    return replace(found, schema=earlier.schema, features=earlier.features)


def _columns(names: Sequence[str]) -> str:
    return ", ".join(map(quote, names)) or "not set"


def _told(label: AnyLabel | None) -> str:
    match label:
        case Label(name=name, negative=negative, positive=positive):
            return f"{quote(name)} of {quote(negative)} and {quote(positive)}"
        case ClassLabel(name=name, classes=classes):
            return f"{quote(name)} of {', '.join(map(quote, classes))}"
        case EventLabel(name=name, event=event, happened=happened, censored=censored):
            values = ", ".join(map(quote, (*happened, *censored)))
            return f"{quote(name)} with {quote(event)} of {values}"
        case None:
            return "none"
    return quote(label.name)


def fingerprint(earlier: ModelBundle) -> DataFingerprint:
    """Return what says which model was trained on from; it has no rows of its own."""
    return DataFingerprint(rows=0, sha256=hashlib.sha256(earlier.models[0]).hexdigest())
