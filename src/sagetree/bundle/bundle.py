"""The model artifact: what SageMaker packs into model.tar.gz, as plain data.

    xgboost-model           XGBoost's own UBJSON, only the rounds that predict; of an
                            ensemble xgboost-model-0, xgboost-model-1, ...
    sagetree/schema.json    the columns and the label
    sagetree/features.json  the fitted transforms
    sagetree/decision.json  the threshold, how it was chosen, and other ones; only of a model
                            whose score is the probability of a positive label
    sagetree/calibration.json what makes a score of xgboost-model a probability, if needed
    sagetree/selfcheck.json some rows and the scores they must get
    sagetree/baseline.json  histograms of training's rows, if they were measured
    sagetree/columns.json   what each column of training's rows held, for `sagetree drift`
    sagetree/curve.json     metrics by round, if rows were held out
    sagetree/rows.bin       hashes of training's rows, if it kept them
    sagetree/manifest.json  format number, sha256 of each file, versions, settings

To change the format, read `sagetree.bundle.old` first.
"""

import hashlib
import platform
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import Self, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sagetree.boosters.calibration import Calibration
from sagetree.boosters.library import library_version
from sagetree.bundle.baseline import Baseline
from sagetree.bundle.column_baseline import ColumnBaselines
from sagetree.bundle.file_names import MANIFEST_FILE, MODEL_FILE
from sagetree.bundle.learning_curve import LearningCurve, TuningHistory
from sagetree.bundle.old import FORMAT, Documents, upgraded
from sagetree.bundle.swap import swap_files
from sagetree.bundle.training_rows import TrainingRows
from sagetree.decisions.decision import Decision
from sagetree.errors import ArtifactError, PlatformError
from sagetree.features.pipeline import FeaturePipeline
from sagetree.tables.cells import Cell
from sagetree.tables.schema import Schema
from sagetree.tables.stored_record import StoredRecord

SCHEMA_FILE = "sagetree/schema.json"
FEATURES_FILE = "sagetree/features.json"
DECISION_FILE = "sagetree/decision.json"
CALIBRATION_FILE = "sagetree/calibration.json"
SELFCHECK_FILE = "sagetree/selfcheck.json"
BASELINE_FILE = "sagetree/baseline.json"
COLUMNS_FILE = "sagetree/columns.json"
CURVE_FILE = "sagetree/curve.json"
ROWS_FILE = "sagetree/rows.bin"

_DAMAGED = "Copy the artifact again, or train again"

Record = TypeVar("Record", bound=BaseModel)


# Rows of a self-check, replayed before a model serves: enough to meet most categories
# and missing cells, few enough to read.
STORED_ROWS = 20


class SelfCheck(StoredRecord):
    """Rows of the training table (cells by column) and the scores they got.

    A model of several outputs has a score for each.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...] = Field(min_length=1)
    scores: tuple[float, ...] | tuple[tuple[float, ...], ...]

    @model_validator(mode="after")
    def _is_rectangular(self) -> Self:
        if len(self.scores) != len(self.rows):
            raise ValueError("every row needs its score")
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("every row needs a cell for each column")
        return self


class DataFingerprint(StoredRecord):
    """What a channel held: rows and the sha256 of its feature matrix and labels."""

    rows: int
    sha256: str


class Origin(BaseModel):
    """What a training depends on beside hyperparameters, data and versions.

    Rounds draw differently in a job that makes checkpoints; a job that was stopped cannot be
    repeated. `max_depth` is what the job chose, None where it had no choice;
    `chosen` are others of XGBoost's parameters that it took in the place of the preset's;
    `hosts` is how many trained together.
    """

    model_config = ConfigDict(frozen=True)

    seed: int
    threads: int
    has_checkpoints: bool
    is_stopped: bool
    max_depth: int | None = None
    chosen: dict[str, float] = {}
    hosts: int = 1


class Manifest(BaseModel):
    """The bundle's list of contents and its origin."""

    model_config = ConfigDict(frozen=True)

    format: int
    files: dict[str, str]
    versions: dict[str, str]
    hyperparameters: dict[str, str]
    data: dict[str, DataFingerprint]
    metrics: dict[str, float]
    origin: Origin | None = None
    tuning: TuningHistory | None = None


@dataclass(frozen=True)
class ModelBundle:
    """A trained model as data; nothing in it is code."""

    models: tuple[bytes, ...]
    schema: Schema
    features: FeaturePipeline
    decision: Decision | None
    selfcheck: SelfCheck
    hyperparameters: Mapping[str, str]
    data: Mapping[str, DataFingerprint]
    metrics: Mapping[str, float]
    baseline: Baseline | None = None
    origin: Origin | None = None
    rows: TrainingRows | None = None
    curve: LearningCurve | None = None
    calibration: Calibration | None = None
    columns: ColumnBaselines | None = None
    tuning: TuningHistory | None = None

    def save(self, folder: Path) -> Manifest:
        """Write the bundle into `folder`, completely or not at all; the manifest comes last.

        A bundle that is there goes with it, once all files are written. Raises PlatformError
        where that fails; the bundle that was there stays.
        """
        files = {
            **dict(zip(model_files(len(self.models)), self.models, strict=True)),
            SCHEMA_FILE: _json(self.schema),
            FEATURES_FILE: _json(self.features),
            SELFCHECK_FILE: _json(self.selfcheck),
        }
        optional = {
            DECISION_FILE: self.decision,
            CALIBRATION_FILE: self.calibration,
            BASELINE_FILE: self.baseline,
            COLUMNS_FILE: self.columns,
            CURVE_FILE: self.curve,
        }
        files |= {name: _json(record) for name, record in optional.items() if record is not None}
        if self.rows is not None:
            files[ROWS_FILE] = self.rows.to_bytes()
        manifest = Manifest(
            format=FORMAT,
            files={name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
            versions=library_versions(*(["optuna"] if self.tuning else [])),
            hyperparameters=dict(self.hyperparameters),
            data=dict(self.data),
            # one that was never a number (an AUC of one class) is not one for JSON
            metrics={name: value for name, value in self.metrics.items() if isfinite(value)},
            origin=self.origin,
            tuning=self.tuning,
        )
        try:
            swap_files(folder, {**files, MANIFEST_FILE: _json(manifest)}, _listed_in(folder))
        except OSError as error:
            raise PlatformError(
                "the model cannot be written",
                where=str(folder),
                hint=(
                    "Free some space, or give the job a larger volume, and check the mount's "
                    "permissions"
                ),
            ) from error
        return manifest

    @classmethod
    def load(cls, folder: Path) -> "ModelBundle":
        """Read the bundle in `folder`, every file checked against the manifest first.

        Raises ArtifactError for a file that is absent, changed or not of a known format.
        """
        manifest = read_manifest(folder / MANIFEST_FILE)
        files = {name: _checked(folder, name, digest) for name, digest in manifest.files.items()}
        # all numbers up to the highest
        models = model_files(sum(name.startswith(f"{MODEL_FILE}-") for name in files) or 1)
        absent = sorted({SCHEMA_FILE, FEATURES_FILE, SELFCHECK_FILE, *models} - set(files))
        if absent:
            raise ArtifactError(f"it does not list {absent[0]}", where=MANIFEST_FILE, hint=_DAMAGED)
        documents = upgraded(_documents(files), manifest.format)
        return cls(
            models=tuple(files[name] for name in models),
            schema=_record(Schema, documents, SCHEMA_FILE),
            features=_record(FeaturePipeline, documents, FEATURES_FILE),
            decision=_optional(Decision, documents, DECISION_FILE),
            calibration=_optional(Calibration, documents, CALIBRATION_FILE),
            selfcheck=_record(SelfCheck, documents, SELFCHECK_FILE),
            hyperparameters=manifest.hyperparameters,
            data=manifest.data,
            metrics=manifest.metrics,
            origin=manifest.origin,
            tuning=manifest.tuning,
            baseline=_optional(Baseline, documents, BASELINE_FILE),
            columns=_optional(ColumnBaselines, documents, COLUMNS_FILE),
            curve=_optional(LearningCurve, documents, CURVE_FILE),
            rows=_training_rows(files[ROWS_FILE]) if ROWS_FILE in files else None,
        )


def model_files(count: int) -> tuple[str, ...]:
    """Return the names of the files of `count` models.

    >>> model_files(2)
    ('xgboost-model-0', 'xgboost-model-1')
    """
    return (MODEL_FILE,) if count == 1 else tuple(f"{MODEL_FILE}-{n}" for n in range(count))


@cache
def library_versions(*others: str) -> dict[str, str]:
    """Return the versions of what a model's numbers depend on; `others` are packages it took."""
    return {
        "python": platform.python_version(),
        "sagetree": version("sagetree"),
        "xgboost": library_version(),
        "numpy": version("numpy"),
        **{name: version(name) for name in others},
    }


def _json(record: BaseModel) -> bytes:
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(record.model_dump(), option=options)


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in a file. Raises ArtifactError if its format is unknown."""
    try:
        document = orjson.loads(path.read_bytes())
        number = document.get("format")
    except (OSError, orjson.JSONDecodeError, AttributeError) as error:
        raise ArtifactError("it cannot be read", where=MANIFEST_FILE, hint=_DAMAGED) from error
    if number not in range(1, FORMAT + 1):
        known = "format 1" if FORMAT == 1 else f"formats 1 to {FORMAT}"
        hint = f"This sagetree reads {known}: serve with the version that trained it"
        raise ArtifactError(f"its format is {number}", where=MANIFEST_FILE, hint=hint)
    return _record(Manifest, {MANIFEST_FILE: document}, MANIFEST_FILE)


def _listed_in(folder: Path) -> Collection[str]:
    """Return the names of the files of the bundle in `folder`; none if there is no readable one."""
    try:
        return read_manifest(folder / MANIFEST_FILE).files
    except ArtifactError:
        return ()


def _documents(files: Mapping[str, bytes]) -> Documents:
    """Return the JSON files of a bundle, parsed; models of XGBoost's are left out."""
    documents = {}
    names = (
        SCHEMA_FILE, FEATURES_FILE, SELFCHECK_FILE, DECISION_FILE, CALIBRATION_FILE,
        BASELINE_FILE, COLUMNS_FILE, CURVE_FILE,
    )  # fmt: skip
    for name in names:
        if name in files:
            try:
                documents[name] = orjson.loads(files[name])
            except orjson.JSONDecodeError as error:
                raise _not_ours(name, error) from error
    return documents


def _record(kind: type[Record], documents: Documents, name: str) -> Record:
    try:
        return kind.model_validate(documents[name])
    except ValidationError as error:
        raise _not_ours(name, error) from error


def _optional(kind: type[Record], documents: Documents, name: str) -> Record | None:
    return _record(kind, documents, name) if name in documents else None


def _training_rows(data: bytes) -> TrainingRows:
    try:
        return TrainingRows.from_bytes(data)
    except ValueError as error:
        raise _not_ours(ROWS_FILE, error) from error


def _not_ours(name: str, error: ValueError) -> ArtifactError:
    reason = str(error).splitlines()[0]
    return ArtifactError(
        f"the file is not as sagetree writes it: {reason}", where=name, hint=_DAMAGED
    )


def _checked(folder: Path, name: str, digest: str) -> bytes:
    path = folder / name
    try:
        outside = folder.resolve() not in path.resolve().parents
        data = b"" if outside else path.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:  # also no name at all, links in circles
        raise ArtifactError("the file does not exist", where=name, hint=_DAMAGED) from error
    if outside:
        raise ArtifactError(
            "it names a file outside the folder", where=MANIFEST_FILE, hint=_DAMAGED
        )
    if hashlib.sha256(data).hexdigest() != digest:
        raise ArtifactError("the file is not the one that was saved", where=name, hint=_DAMAGED)
    return data
