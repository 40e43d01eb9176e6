"""What a training settled of its table, applied to the rows of any other one.

Fit once, apply everywhere: the training, validation and test channels and an
evaluation take label, roles and features from their tables by this one way.
"""

from dataclasses import dataclass, field, replace

from sagetree.features.pipeline import FeaturePipeline
from sagetree.tables.label import AnyLabel, Labels, check_varied
from sagetree.tables.roles import (
    Groups,
    RoleColumns,
    RowRoles,
    check_weighted,
    read_amounts,
)
from sagetree.tables.schema import Schema
from sagetree.tables.table import Table


@dataclass(frozen=True)
class LabelledRows:
    """Rows of one channel: their labels (n) or (n, 2), their roles, and their columns.

    `table` has all columns but the label's, `inputs` those that the model needs,
    in its order.
    """

    table: Table
    inputs: Table
    labels: Labels
    roles: RowRoles


@dataclass(frozen=True)
class TablePlan:
    """Which column is the label, which have a role, and what the others are to the model.

    `groups` are the numbers that training gave to the names of its groups.
    """

    label: AnyLabel
    roles: RoleColumns
    schema: Schema
    features: FeaturePipeline
    groups: Groups = field(default_factory=dict)

    def apply(self, table: Table, *, is_part: bool = False) -> LabelledRows:
        """Return the labelled rows of a table that has the columns with a role.

        Raises DataError where the label is absent or the same in every row, or a
        label or role is not as it must be, SchemaError naming each input column that
        is missing or unknown. What only all rows show is not asked of a part of them.
        """
        missing = self.features.missing
        labels, rest = self.label.encode(table, missing)
        if not is_part:
            check_varied(table, self.label, labels)
        columns = self.roles.of(rest)
        roles = columns.read(rest, missing, self.groups)
        if not is_part:
            check_weighted(roles, columns)
        costs = read_amounts(rest, self.roles, self.schema, missing, labels)
        roles = replace(roles, miss=costs.get("miss"), alarm=costs.get("alarm"))
        return LabelledRows(rest, self._inputs(rest), labels, roles)

    def _inputs(self, table: Table) -> Table:
        """Return the model's input columns of a table without its label.

        Files without names give their columns the names of training's, so that
        they too are found by name: one may have weights where others have none.
        """
        schema = self.schema
        for name in set(table.index_columns) & set(table.names) - set(schema.all_names):
            table = table.without(name)  # an index that training's files had not
        names_are_trained = table.named or not schema.named
        if not names_are_trained or not set(schema.input_names) <= set(table.names):
            return schema.arrange(table)
        for name in set(table.roles.values()) - set(schema.all_names):
            table = table.without(name)
        return schema.arrange(table._replace(named=True))
