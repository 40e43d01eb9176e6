"""One plan, whatever table it is applied to: by names, by position, with roles of the format's."""

from dataclasses import replace

import pyarrow as pa
import pytest

from sagetree.errors import DataError, SchemaError
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.features.plan import TablePlan
from sagetree.tables.label import NumberLabel
from sagetree.tables.roles import RoleColumns
from sagetree.tables.schema import Column, Schema
from sagetree.tables.table import Source, Table


def table(columns: dict[str, list[object]], *, named: bool = True, **more: object) -> Table:
    cells = tuple(pa.chunked_array([pa.array(column)]) for column in columns.values())
    rows = cells[0].length()
    made = Table(tuple(columns), cells, rows, named, (Source(rows, "a.csv", "line", 2),))
    return made._replace(**more)


def plan_of(*names: str, named: bool = True, **roles: str) -> TablePlan:
    columns = tuple(Column(name=name, kind="number", missing=0, distinct=2) for name in names)
    columns += tuple(
        Column(name=name, kind=kind, missing=0, distinct=0)
        for name, kind in RoleColumns(**roles).kinds.items()
    )
    label = NumberLabel(name="y")
    features = FeaturePipeline(
        missing_values=("-9",),
        unknown_category="missing",
        features=tuple(Number(column=name) for name in names),
    )
    schema = Schema(columns=columns, label=label, named=named)
    return TablePlan(label, RoleColumns(**roles), schema, features)


ROWS: dict[str, list[object]] = {"b": [5, 6], "y": [1, 0], "a": [7, 8]}


def test_columns_are_found_by_their_names() -> None:
    rows = plan_of("a", "b").apply(table(ROWS))
    assert rows.labels.tolist() == [1, 0]
    assert rows.table.names == ("b", "a")
    assert rows.inputs.names == ("a", "b")
    assert [cells.to_pylist() for cells in rows.inputs.columns] == [[7, 8], [5, 6]]


def test_without_names_they_are_found_by_position() -> None:
    rows = plan_of("a", "b").apply(table({"0": [1, 0], "1": [7, 8], "2": [5, 6]}, named=False))
    assert rows.labels.tolist() == [1, 0]
    assert [cells.to_pylist() for cells in rows.inputs.columns] == [[7, 8], [5, 6]]


def test_names_that_are_numbers_are_not_taken_for_positions() -> None:
    """The columns of a file without header are called 1 and 2, and those of train were 2 and 1."""
    rows = plan_of("2", "1").apply(table({"0": [1, 0], "1": [7, 8], "2": [5, 6]}, named=False))
    assert [cells.to_pylist() for cells in rows.inputs.columns] == [[7, 8], [5, 6]]


def test_roles_that_the_format_sets_apart_are_no_features() -> None:
    made = table({"label": [1, 0], "weight": [2, 3], "f0": [7, 8], "qid": [4, 4]}, named=False)
    made = made._replace(roles={"weight": "weight", "group": "qid"})
    rows = plan_of("f0", named=False).apply(made)
    assert rows.inputs.names == ("f0",)
    assert rows.roles.weight is not None
    assert rows.roles.weight.tolist() == [2, 3]
    assert rows.roles.groups is not None
    assert rows.roles.groups.tolist() == [0, 0]


def test_groups_keep_the_numbers_that_training_gave_them() -> None:
    plan = replace(plan_of("a", group="b"), groups={"6": 0, "9": 1})
    groups = plan.apply(table(ROWS)).roles.groups
    assert groups is not None
    assert groups.tolist() == [2, 0]


def test_a_label_or_group_without_value_is_refused() -> None:
    with pytest.raises(DataError, match="the label is empty"):
        plan_of("a").apply(table({"y": [1, None], "a": [7, 8]}))
    with pytest.raises(DataError) as caught:
        plan_of("a", group="b").apply(table({**ROWS, "b": ["x", "-9"]}))
    assert str(caught.value) == (
        "a.csv line 3, column 'b': the group is empty. "
        "Every group must be the name or number of a group"
    )


def test_a_column_that_is_missing_is_named() -> None:
    with pytest.raises(SchemaError, match="is missing"):
        plan_of("a", "b", "c").apply(table(ROWS))
