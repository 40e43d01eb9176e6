"""Files to a table whose label and columns are settled as training settles them."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sagetree.desk.given_files import channel_links
from sagetree.errors import DataError, SettingsError, UserError
from sagetree.evaluate.bias.analysis import BiasAnalysis
from sagetree.evaluate.bias.favourable import find_favourable
from sagetree.evaluate.bias.measuring import labels_before
from sagetree.evaluate.bias.members import find_members
from sagetree.evaluate.report.columns import CodedColumn
from sagetree.features.plan import TablePlan
from sagetree.machine.paths import OptMl
from sagetree.tables.cells import MissingValues
from sagetree.tables.label import AnyLabel, Labels, check_varied
from sagetree.tables.roles import RoleColumns
from sagetree.tables.schema import Schema
from sagetree.tables.table import Table
from sagetree.train.channels.channels import read_channel
from sagetree.train.channels.ingest import goal_of, settled
from sagetree.train.columns.features import fit_features
from sagetree.train.columns.labels import Goal, find_label
from sagetree.train.columns.plan import facts_of
from sagetree.train.columns.roles import check_roles, find_roles
from sagetree.train.facts.telling import Telling
from sagetree.train.profiling.groups import label_column
from sagetree.train.profiling.rows import RowFacts, labelled_facts, unlabelled_facts
from sagetree.train.profiling.taken import Taken, take_columns
from sagetree.train.settings.channel_settings import TRAIN
from sagetree.train.settings.settings import TrainSettings

NO_TARGET = "No label is named: with --target COLUMN the page shows how each column goes with it"


@dataclass(frozen=True)
class Labelled:
    """A label as training learns it, its rows, and what is left of the table without it."""

    label: AnyLabel
    labels: Labels
    rest: Table
    goal: Goal


@dataclass(frozen=True)
class Opened:
    """A table with its columns as training takes them, and the label where there is one.

    `columns` are all but the label's; `no_label` says why there is none.
    """

    table: Table
    columns: tuple[Taken, ...]
    settings: TrainSettings
    roles: RoleColumns
    labelled: Labelled | None
    no_label: str = ""

    @property
    def label(self) -> CodedColumn | None:
        """The label as a column, None without one."""
        found = self.labelled
        return label_column(found.label, found.labels) if found else None

    @property
    def missing(self) -> MissingValues:
        """Which texts mean no value."""
        return MissingValues.of(self.settings.columns.missing_values)

    def row_facts(self) -> RowFacts | None:
        """Return what whole rows show, None where there are no columns left to learn from."""
        columns = tuple(one.column for one in self.columns)
        found = self.labelled
        label = found.label if found else None
        schema = Schema(columns=columns, label=label, named=self.table.named)
        if not schema.input_names:
            return None
        if found is None:
            as_codes = replace(self.settings.columns, encoding="native", encodes_many=False)
            features = fit_features(schema, as_codes, goal_of(self.settings))
            return unlabelled_facts(self.table, schema, features)
        features = fit_features(schema, self.settings.columns, found.goal)
        plan = TablePlan(found.label, self.roles, schema, features)
        return labelled_facts(self.table, plan, found.goal)

    def bias(self) -> BiasAnalysis | None:
        """Return what the labels say about facets, None where none are named.

        Raises SettingsError where there is no label that can favour anyone.
        """
        asked, found = self.settings.bias, self.labelled
        if asked is None:
            return None
        if found is None:
            raise SettingsError(
                "facets are compared by a label, and --target is not set",
                where="facets",
                hint="Name it with --target COLUMN",
            )
        label = found.label
        favourable = find_favourable(label, asked.favourable, asked.setting)
        schema = Schema(
            columns=tuple(one.column for one in self.columns), label=label, named=self.table.named
        )
        members = find_members(self.table, asked, self.missing, schema, label)
        before = labels_before(members, found.labels, favourable)
        value = label.classes[favourable]
        return BiasAnalysis(label.name, value, before, notes=members.notes)


def open_table(paths: Sequence[Path], hyperparameters: Mapping[str, str]) -> Opened:
    """Return the rows of all files, and what training would take their columns for.

    Files without names have their label first, where that can be one; others have
    one where it is named. Raises UserError for what the user gave.
    """
    settings = replace(TrainSettings.of(hyperparameters), formats={TRAIN: None})
    with tempfile.TemporaryDirectory() as folder:
        opt_ml = OptMl(Path(folder))
        for link, path in channel_links(opt_ml.data / TRAIN, paths).items():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path.resolve())
        table = _read(opt_ml, settings, paths)
    if settings.columns.target or settings.columns.label_lower_bound:
        return _opened(table, settings, _labelled(table, settings))
    if table.named:
        return _opened(table, settings, None, NO_TARGET)
    try:
        labelled = _labelled(table, settings)
    except DataError as error:
        reason = f"The first column cannot be the label: {error.message}"
        return _opened(table, settings, None, reason)
    return _opened(table, settings, labelled)


def _read(opt_ml: OptMl, settings: TrainSettings, paths: Sequence[Path]) -> Table:
    """Return the rows; an error of all files names those given, not their links."""
    channel = str(opt_ml.data / TRAIN)
    try:
        return read_channel(opt_ml, TRAIN, settings)
    except UserError as error:
        error.where = error.where.replace(channel, ", ".join(map(str, paths)))
        raise


def _labelled(table: Table, settings: TrainSettings) -> Labelled:
    facts = facts_of(table, settings.columns)
    goal = goal_of(settled(settings, facts, None))
    label = find_label(facts, settings.columns, goal)
    labels, rest = label.encode(table, MissingValues.of(settings.columns.missing_values))
    check_varied(table, label, labels)
    return Labelled(label, labels, rest, goal)


def _opened(
    table: Table, settings: TrainSettings, labelled: Labelled | None, no_label: str = ""
) -> Opened:
    roles = find_roles(table, settings.columns)
    if labelled:
        check_roles(table, roles, labelled.label, TRAIN)
    rest = labelled.rest if labelled else table
    facts = facts_of(table, settings.columns)
    labels = labelled.labels if labelled else np.zeros(table.rows, np.float32)
    telling = Telling(facts, lambda: labels)
    kinds = roles.of(rest).kinds
    columns = take_columns(facts, rest.names, settings.columns, telling, kinds)
    return Opened(table, columns, settings, roles, labelled, no_label)
