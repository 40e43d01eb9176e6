"""Channels to examples: everything a job reads before it learns anything."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sagetree.boosters.objectives import objective_of
from sagetree.bundle.bundle import DataFingerprint, ModelBundle
from sagetree.bundle.training_rows import TrainingRows
from sagetree.errors import UserError
from sagetree.features.pipeline import FeaturePipeline
from sagetree.features.plan import LabelledRows, TablePlan
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG
from sagetree.tables.label import ClassLabel
from sagetree.tables.schema import Schema
from sagetree.tables.table import Table
from sagetree.train.channels.channels import check_channel, keys_of
from sagetree.train.channels.continuing import (
    continued,
    fingerprint,
    learnt_objective,
    read_earlier,
)
from sagetree.train.channels.facets import JobFacets
from sagetree.train.channels.sharing import check_rows, read_rows, tell_shares, whole_rows
from sagetree.train.columns.default_objective import fitting_objective
from sagetree.train.columns.features import tell_mean_labels
from sagetree.train.columns.labels import Goal, warn_of_uncensored
from sagetree.train.columns.listing import schema_table
from sagetree.train.columns.metric_labels import check_metric_labels
from sagetree.train.columns.plan import facts_of, fit_plan
from sagetree.train.columns.roles import check_queries
from sagetree.train.examples.copies import tell_copies, with_copies_on
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.known import fingerprint_of, training_rows
from sagetree.train.examples.leakage import Leakage, find_leakage, hashes_of
from sagetree.train.examples.matrix import feature_matrix, is_too_large, out_of_memory
from sagetree.train.examples.stored_rows import StoredRows
from sagetree.train.facts.facts import Facts
from sagetree.train.hosts.group import ONE, Group
from sagetree.train.settings.channel_settings import MODEL, TEST, TRAIN, VALIDATION
from sagetree.train.settings.settings import TrainSettings
from sagetree.train.settings.unnamed_objective import with_objective

# Of more rows, hosts say about how many have which label.
MOST_LABELS = 1_000_000


@dataclass(frozen=True)
class Ingested:
    """What was read: the columns and transforms, rows to be stored, each channel's examples.

    `settings` are the job's, with the objective that its label decides where none is named.
    The tables themselves are gone: features are all that is left in memory.
    `known` are the hashes of all rows that the model learns from. `earlier` is the model
    whose rounds come first, if there is one; `facets` are compared, where some are named.
    """

    settings: TrainSettings
    goal: Goal
    schema: Schema
    features: FeaturePipeline
    stored: StoredRows
    examples: Mapping[str, Examples]
    known: TrainingRows
    earlier: ModelBundle | None = None
    facets: JobFacets | None = None
    group: Group = ONE

    @property
    def class_count(self) -> int:
        """The number of classes, 0 for a label that has none."""
        label = self.schema.label
        return len(label.classes) if isinstance(label, ClassLabel) else 0

    @property
    def first_model(self) -> bytes | None:
        """The model whose rounds come first, as UBJSON."""
        return self.earlier.models[0] if self.earlier else None

    def leakage(self) -> Leakage:
        """Return what looks like leakage in the channels."""
        return find_leakage(
            self.examples[TRAIN],
            {name: rows for name, rows in self.examples.items() if name != TRAIN},
            self.known,
            self.features,
            self.goal.objective.task,
            self.group,
        )

    def known_as(self, train: Examples) -> TrainingRows:
        """Return the hashes of all rows learnt from, those of train as these features have them."""
        if train is self.examples[TRAIN]:
            return self.known
        return _known(training_rows(self.group, hashes_of(train).rows), self.earlier)

    def fingerprints(self) -> dict[str, DataFingerprint]:
        """Return the size and sha256 of each channel."""
        found = {name: fingerprint_of(self.group, rows) for name, rows in self.examples.items()}
        return found | ({MODEL: fingerprint(self.earlier)} if self.earlier else {})


def ingest(opt_ml: OptMl, settings: TrainSettings, group: Group = ONE) -> Ingested:
    """Read the channels, tell what train's columns are, and return what there is to learn from.

    Columns and transforms are those of the channel `model` where there is one. Of several
    hosts each has its own rows, and all find the same in them. Raises UserError for what
    the user gave.
    """
    with _within(MODEL):
        earlier = read_earlier(opt_ml, settings)
    table = read_rows(opt_ml, TRAIN, settings, group, earlier.schema if earlier else None)
    facts = facts_of(table, settings.columns, group)
    settings = settled(settings, facts, earlier)
    goal = goal_of(settings)
    found = fit_plan(facts, settings.columns, goal, earlier.schema.label if earlier else None)
    plan = continued(found, earlier) if earlier else found
    rows = _apply(plan, table, goal, settings, group)
    facets = JobFacets.of(table, plan, settings)
    if facets:
        facets, rows = facets.on_train(rows, reweighs=settings.reweighs)
    _tell(found.schema, plan, facts, rows, goal)
    stored = StoredRows.of(rows, plan.schema)
    keys = keys_of(rows, plan.schema, facts.rows)
    external = settings.boosting.external_memory
    train = _examples(rows, plan, external, TRAIN, group)
    del table, rows, facts
    hashes = hashes_of(train)
    examples = {TRAIN: with_copies_on(group, train, hashes.features)}
    known = _known(training_rows(group, hashes.rows), earlier)
    del train, hashes
    for name in (VALIDATION, TEST):
        if name in settings.formats:
            with _within(name):
                table = read_rows(opt_ml, name, settings, group, plan.schema)
                check_channel(table, plan, name)
                rows = _apply(plan, table, goal, settings, group)
                if facets and name == VALIDATION:
                    rows = facets.on_others(table, plan, rows)
                check_rows(rows, plan.label, keys, name, group)
                examples[name] = _examples(rows, plan, external, name, group)
    if VALIDATION in examples:
        measured = examples[VALIDATION]
        examples[VALIDATION] = with_copies_on(group, measured, hashes_of(measured).features)
    for name in (TRAIN, VALIDATION):
        if name in examples:
            tell_copies(examples[name], name, group)
    parts = settings, goal, plan.schema, plan.features, stored, examples, known, earlier
    return Ingested(*parts, facets, group)


def _tell(found: Schema, plan: TablePlan, facts: Facts, rows: LabelledRows, goal: Goal) -> None:
    """Log what the rows of train hold, and how many of them this host has."""
    tell_mean_labels(plan.features)
    labels = rows.labels
    if facts.group.size > 1:
        labels = facts.spread(labels, MOST_LABELS)
        tell_shares(facts.group, facts.table.rows)
    if facts.group.is_leader:
        LOG.info(schema_table(found, labels, facts.rows))
    warn_of_uncensored(goal, labels)


def settled(settings: TrainSettings, facts: Facts, earlier: ModelBundle | None) -> TrainSettings:
    """Return settings with an objective: the earlier model's, or the one that fits the label.

    Logs the notes it adds. Raises SettingsError for what does not go with it.
    """
    if settings.names_objective:
        return settings
    if earlier is not None:
        objective = learnt_objective(earlier)
    else:
        objective = fitting_objective(facts, settings.columns)
    settled = with_objective(settings, objective)
    for note in settled.notes:
        if note not in settings.notes:
            LOG.warning(note)
    return settled


def _known(rows: TrainingRows, earlier: ModelBundle | None) -> TrainingRows:
    """Return the hashes of the rows of train, and of those that an earlier model has learnt."""
    return earlier.rows.joined(rows) if earlier and earlier.rows else rows


def _apply(
    plan: TablePlan, table: Table, goal: Goal, settings: TrainSettings, group: Group
) -> LabelledRows:
    rows = plan.apply(table, is_part=group.size > 1)
    check_metric_labels(rows, plan.label, settings.boosting.metrics, goal.objective.task)
    query = plan.roles.of(table).group
    if goal.is_ranking and query is not None:
        check_queries(rows.table, query, rows.roles)
    return whole_rows(group, rows, plan, query, is_ranking=goal.is_ranking)


@contextmanager
def _within(channel: str) -> Iterator[None]:
    """Let errors of what is read here name the channel: files of two may have one name."""
    try:
        yield
    except UserError as error:
        if channel not in f"{error.where} {error.message}":
            error.where = ", ".join(filter(None, [f"channel {channel}", error.where]))
        raise


def goal_of(settings: TrainSettings) -> Goal:
    """Return what settings with an objective say is to be learnt."""
    boosting = settings.boosting
    return Goal(
        objective=objective_of(boosting.objective),
        given=settings.names_objective,
        num_class=boosting.num_class,
        exponential_gain=bool(boosting.params.get("ndcg_exp_gain", True)),
    )


def _examples(
    rows: LabelledRows, plan: TablePlan, external: bool | None, name: str, group: Group
) -> Examples:
    """Return a channel's rows as features; warns of cells that training cannot explain.

    `external` None puts them on disk if the memory of some host is too small.
    """
    if external is None:
        external = group.any(is_too_large(rows.inputs.rows * len(plan.features.names)))
    matrix, absent = feature_matrix(rows.inputs, plan.features, in_file=external)
    for suspect in absent.suspects(plan.schema):
        LOG.warning("Channel %s: %s", name, suspect)
    return Examples(matrix, out_of_memory(rows.labels), rows.roles, external=external)
