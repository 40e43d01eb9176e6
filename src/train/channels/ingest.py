"""Channels to examples: everything a job reads before it learns anything."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sagetree.boosters.objectives import objective_of
from sagetree.bundle.bundle import DataFingerprint, ModelBundle
from sagetree.errors import UserError
from sagetree.features.pipeline import FeaturePipeline
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG
from sagetree.tables.label import ClassLabel
from sagetree.tables.schema import Schema
from sagetree.train.channels.channels import (
    Channel,
    inputs_of,
    read_channel,
    split_training_table,
    split_validation_table,
)
from sagetree.train.channels.continuing import check_label, fingerprint, read_earlier
from sagetree.train.columns.features import fit_features
from sagetree.train.columns.labels import Goal
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.matrix import feature_matrix, is_too_large
from sagetree.train.examples.stored_rows import StoredRows
from sagetree.train.settings.channel_settings import MODEL, TEST
from sagetree.train.settings.settings import TRAIN, VALIDATION, TrainSettings
from sagetree.train.summary import schema_table


@dataclass(frozen=True)
class Ingested:
    """What was read: the columns and transforms, rows to be stored, each channel's examples.

    The tables themselves are gone: features are all that is left in memory.
    `earlier` is the model whose rounds come first, if there is one.
    """

    goal: Goal
    schema: Schema
    features: FeaturePipeline
    stored: StoredRows
    examples: Mapping[str, Examples]
    earlier: ModelBundle | None = None

    @property
    def class_count(self) -> int:
        """The number of classes, 0 for a label that has none."""
        label = self.schema.label
        return len(label.classes) if isinstance(label, ClassLabel) else 0

    @property
    def first_model(self) -> bytes | None:
        """The model whose rounds come first, as UBJSON."""
        return self.earlier.models[0] if self.earlier else None

    def fingerprints(self) -> dict[str, DataFingerprint]:
        """Return the size and sha256 of each channel."""
        found = {name: _fingerprint(rows) for name, rows in self.examples.items()}
        return found | ({MODEL: fingerprint(self.earlier)} if self.earlier else {})


def ingest(opt_ml: OptMl, settings: TrainSettings) -> Ingested:
    """Read the channels, tell what train's columns are, and return what there is to learn from.

    Columns and transforms are those of the channel `model` where there is one.
    Raises UserError for what the user gave.
    """
    goal = _goal(settings)
    with _within(MODEL):
        earlier = read_earlier(opt_ml, settings, goal.objective)
    table = read_channel(opt_ml, TRAIN, settings, earlier.schema if earlier else None)
    train, schema = split_training_table(table, settings.columns, goal)
    LOG.info(schema_table(schema, train.labels))
    if earlier is not None:
        check_label(schema, earlier.schema)
        schema = earlier.schema
    features = earlier.features if earlier else fit_features(schema, settings.columns)
    stored = StoredRows.of(inputs_of(train, schema), train.labels, schema.label)
    external = settings.boosting.external_memory
    examples = {TRAIN: _examples(train, schema, features, external)}
    for name in (VALIDATION, TEST):
        if name in settings.formats:
            with _within(name):
                table = read_channel(opt_ml, name, settings, schema)
                other = split_validation_table(table, name, schema, settings.columns, goal, train)
                examples[name] = _examples(other, schema, features, external)
    return Ingested(goal, schema, features, stored, examples, earlier)


@contextmanager
def _within(channel: str) -> Iterator[None]:
    """Let errors of what is read here name the channel: files of two may have one name."""
    try:
        yield
    except UserError as error:
        if channel not in f"{error.where} {error.message}":
            error.where = ", ".join(filter(None, [f"channel {channel}", error.where]))
        raise


def _goal(settings: TrainSettings) -> Goal:
    boosting = settings.boosting
    return Goal(
        objective=objective_of(boosting.objective),
        given="objective" in settings.given,
        num_class=boosting.num_class,
        exponential_gain=bool(boosting.params.get("ndcg_exp_gain", True)),
    )


def _examples(
    channel: Channel, schema: Schema, features: FeaturePipeline, external: bool | None
) -> Examples:
    """Return the rows as features; `external` None puts them on disk if the memory is too small."""
    inputs = inputs_of(channel, schema)
    if external is None:
        external = is_too_large(inputs.rows * len(features.names))
    matrix = feature_matrix(inputs, features, in_file=external)
    return Examples(matrix, channel.labels, channel.roles, external=external)


def _fingerprint(examples: Examples) -> DataFingerprint:
    digest = hashlib.sha256()
    for _, features in examples.blocks():
        digest.update(features.tobytes())
    for values in (examples.labels, *vars(examples.roles).values()):
        if values is not None:
            digest.update(values.tobytes())
    return DataFingerprint(rows=examples.rows, sha256=digest.hexdigest())
