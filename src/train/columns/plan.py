"""The training table to its plan: label, roles, kinds, schema and features, settled once."""

from sagetree.errors import DataError, SettingsError
from sagetree.features.plan import TablePlan
from sagetree.machine.program import LOG
from sagetree.tables.cells import MissingValues
from sagetree.tables.label import AnyLabel
from sagetree.tables.roles import RoleColumns, number_groups
from sagetree.tables.schema import Column, Schema
from sagetree.tables.table import Table
from sagetree.train.columns.features import fit_features
from sagetree.train.columns.kinds import infer_columns
from sagetree.train.columns.labels import Goal, find_label
from sagetree.train.columns.roles import check_roles, find_roles
from sagetree.train.facts.facts import Facts
from sagetree.train.facts.telling import Telling
from sagetree.train.hosts.group import ONE, Group
from sagetree.train.settings.channel_settings import TRAIN
from sagetree.train.settings.columns import Columns


def facts_of(table: Table, columns: Columns, group: Group = ONE) -> Facts:
    """Return what the hosts' tables hold together; `table` is this host's."""
    missing = MissingValues.of(columns.missing_values)
    facts = Facts(table, missing, columns.kinds, columns.decimal == "comma", group)
    roles = (columns.weight, columns.group, columns.time, *columns.base_margin)
    return facts.tell(without={*columns.dropped, *roles, *table.roles.values()})


def fit_plan(
    facts: Facts, columns: Columns, goal: Goal, learnt: AnyLabel | None = None
) -> TablePlan:
    """Return what the training table's columns are; `learnt` is an earlier model's label.

    Several hosts do not number the groups of ranking alike.

    Raises SettingsError for a column that is named and not there, DataError
    for a label that the objective cannot learn, and where no feature is left.
    """
    table, missing = facts.table, facts.missing
    label = find_label(facts, columns, goal, learnt)
    declared = find_roles(table, columns)
    check_roles(table, declared, label, TRAIN)
    roles = declared.of(table)
    if goal.is_ranking and roles.group is None:
        raise SettingsError(
            f"objective {goal.objective.name} ranks the rows of a group, and group_column is not "
            "set",
            hint="Set it to the column that says which query each row belongs to",
        )
    telling = Telling(facts, lambda: label.encode(table, missing)[0])
    schema = _schema(facts, label, roles, columns, telling)
    groups = number_groups(table.column(roles.group), missing, {}) if roles.group else {}
    return TablePlan(label, declared, schema, fit_features(schema, columns, goal), groups)


def _schema(
    facts: Facts, label: AnyLabel, roles: RoleColumns, columns: Columns, telling: Telling
) -> Schema:
    table = rest = facts.table
    for name in label.columns:
        rest = rest.without(name)
    features = roles.without(rest)
    if not features.names:
        raise DataError(
            "the label is the only column",
            where=table.locate(0),
            hint="Put features beside it",
        )
    found = {}
    for column, notes, reading in infer_columns(facts, features.names, columns, telling):
        found[column.name] = column
        if reading:
            LOG.info("%s", reading[0].upper() + reading[1:])
        for note in notes:
            LOG.warning("%s", note[0].upper() + note[1:])
    for name, kind in roles.kinds.items():
        found[name] = Column(name=name, kind=kind, missing=0, distinct=0)
    ordered = tuple(found[name] for name in rest.names)
    first_index = 0 if table.first_index is None else table.first_index
    return Schema(
        columns=ordered,
        label=label,
        named=table.named,
        first_index=first_index,
        rows=facts.rows,
        base_margins=roles.base_margin,
    )
