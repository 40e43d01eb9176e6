"""Facets: what a list of them may be, which rows are in them, and when none can be."""

import json
import re

import numpy as np
import pyarrow as pa
import pytest

from sagetree.errors import DataError
from sagetree.tables.cells import Cell, MissingValues, NumberShape
from sagetree.tables.facets import (
    Facet,
    check_columns,
    check_not_empty,
    facet_rows,
    lacking,
    parse_facets,
    settle_facets,
)
from sagetree.tables.table import Source, Table

NOTHING = MissingValues.of(())


def table(**columns: list[Cell]) -> Table:
    rows = len(next(iter(columns.values())))
    return Table(tuple(columns), tuple(columns.values()), rows, True, (Source(rows, "t.csv"),))


def inside(facet: Facet, missing: MissingValues = NOTHING, **columns: list[Cell]) -> list[bool]:
    found: list[bool] = facet_rows(table(**columns), [facet], missing, {}).inside[:, 0].tolist()
    return found


def test_a_list_of_facets() -> None:
    text = json.dumps(
        [
            {"column": "gender", "values": ["F", " other "]},
            {"column": "female", "values": [1, 2.0, True]},
            {"column": "age", "threshold": 40, "group": "state"},
            {"column": "state"},
        ]
    )
    facets = parse_facets(text)
    assert facets == (
        Facet("gender", ("F", "other")),
        Facet("female", ("1", "2", "true")),
        Facet("age", threshold=40.0, group="state"),
        Facet("state"),
    )
    assert parse_facets(text.replace('"', "'").replace("true", "1")) != ()
    assert parse_facets("[]") == ()
    assert [facet.named for facet in facets][2:] == [("age", "state"), ("state",)]
    assert Facet("a", ("x\ny",)).words == "a = x y"
    assert [facet.words for facet in facets[:3]] == [
        "gender one of F, other", "female one of 1, 2, true", "age > 40",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gender", "it is not JSON: "),
        ("{}", "it is not a list of facets"),
        ("[1]", "column is missing from a facet"),
        ('[{"values": [1]}]', "column is missing from a facet"),
        ('[{"column": "a", "value": 1}]',
         "the facet 'a' has the unknown key 'value'; its keys may be column, group, threshold, "
         "values"),
        ('[{"column": "a", "values": [1], "threshold": 2}]',
         "the facet 'a' has both values and a threshold: give one of them"),
        ('[{"column": "a", "threshold": "4"}]', "the threshold of the facet 'a' is not a number"),
        ('[{"column": "a", "threshold": true}]', "the threshold of the facet 'a' is not a number"),
        ('[{"column": "a", "values": "F"}]',
         "the values of the facet 'a' are not a list of texts or numbers"),
        ('[{"column": "a", "values": []}]', "the values of the facet 'a' are empty"),
        ('[{"column": "a", "values": [""]}]', "the values of the facet 'a' are empty"),
        ('[{"column": "a", "group": "a"}]',
         "the group of the facet 'a' is not the name of another column"),
        ('[{"column": "a"}, {"column": "a"}]', "it holds the same facet twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_list_is_said(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}") as error:
        parse_facets(text)
    assert str(error.value) == said or said.endswith(": ")  # orjson's own words follow


def test_values_are_what_cells_mean() -> None:
    cells: list[Cell] = ["1", "1.0", 1, True, "007", "7", "", None, "N/A"]
    assert inside(Facet("a", ("1",)), a=cells) == [True] * 3 + [False] * 6
    assert inside(Facet("a", ("7",)), a=cells)[4:6] == [True, True]  # as a column of numbers
    assert inside(Facet("a", ("N/A", "true")), a=cells)[3:] == [True, *[False] * 4, True]
    missing = MissingValues.of(["N/A", "7"])
    assert inside(Facet("a", ("N/A", "7")), missing, a=cells) == [False] * 9
    assert lacking(table(a=cells), Facet("a", ("1",)), missing) == 5


@pytest.mark.parametrize("kind", [pa.string(), pa.int64(), pa.float32()])
def test_arrow_columns_and_lists_have_the_same_rows(kind: pa.DataType) -> None:
    cells = pa.chunked_array([pa.array([39, 40], pa.int64()), pa.array([41, None], pa.int64())])
    for column in (cells.cast(kind), cells.cast(pa.string()).dictionary_encode()):
        arrow = table(a=[0] * 4)._replace(columns=(column,))
        rows = facet_rows(arrow, [Facet("a", threshold=40.0), Facet("a", ("40",))], NOTHING, {})
        assert rows.inside.T.tolist() == [
            [False, False, True, False], [False, True, False, False],
        ]  # fmt: skip


def test_above_a_threshold_is_not_at_it_and_numbers_are_read_as_they_are_written() -> None:
    facet = Facet("a", threshold=1200.0)
    assert inside(facet, a=["1200", "1200.5", "", 1e9]) == [False, True, False, True]
    money = table(a=["$1,200", "$1,201", ""])
    shapes = {"a": NumberShape("point", "$")}
    (settled,) = settle_facets(money, [facet], NOTHING, shapes)
    assert settled.value_or_threshold == "(1200, 1201]"
    assert facet_rows(money, [settled], NOTHING, shapes).inside.sum() == 1


def test_groups_are_numbered_and_rows_without_one_are_together() -> None:
    facet = Facet("a", ("1",), group="g")
    rows = facet_rows(table(a=[1] * 5, g=["x", "y", "", "x", None]), [facet], NOTHING, {})
    assert rows.groups[:, 0].tolist() == [0, 1, 2, 0, 2]
    assert facet_rows(table(a=[1]), [Facet("a", ("1",))], NOTHING, {}).groups.tolist() == [[-1]]


def test_each_value_is_a_facet_where_none_is_named() -> None:
    found = settle_facets(table(a=["b", "a", "b", ""]), [Facet("a")], NOTHING, {})
    assert found == (Facet("a", ("b",)), Facet("a", ("a",)))


def fault(work: object, *arguments: object) -> str:
    with pytest.raises(DataError) as error:
        work(*arguments)  # type: ignore[operator]
    return str(error.value)


def test_faults() -> None:
    rows = table(gender=["F", "M"], age=["40", "old"], state=["x", "x"])
    assert fault(check_columns, rows, [Facet("gendr")]) == (
        "t.csv row 1, column of a facet: column 'gendr' is missing (did you mean 'gender'?). "
        "The columns are 'gender', 'age', 'state'"
    )
    assert fault(check_columns, rows, [Facet("age", threshold=1.0, group="zip")]).startswith(
        "t.csv row 1, group of a facet: column 'zip' is missing. "
    )
    assert fault(settle_facets, rows, [Facet("age", threshold=30.0)], NOTHING, {}) == (
        "t.csv row 2, column 'age': the cell is 'old'. Every cell must be a number, as its facet "
        "has a threshold, or empty"
    )
    assert fault(settle_facets, rows, [Facet("state")], NOTHING, {}) == (
        "facet 'state': the column has 1 different value, too few to make a facet of each. Give "
        "the "
        "facet values, or a threshold"
    )
    many = table(a=[f"n{n}" for n in range(21)])
    assert "21 different values, too many" in fault(settle_facets, many, [Facet("a")], NOTHING, {})


def test_a_facet_without_rows_or_of_all_is_a_fault() -> None:
    rows = table(gender=["F", "M", ""], age=[40, 30, 50])

    def check(facet: Facet) -> str:
        facets = settle_facets(rows, [facet], NOTHING, {})
        found = facet_rows(rows, facets, NOTHING, {})
        return fault(check_not_empty, rows, facets, found, NOTHING)

    assert check(Facet("gender", ("Female",))) == (
        "column 'gender': no row is in the facet gender = Female. The column's values are 'F', 'M'"
    )
    assert check(Facet("age", threshold=50.0)) == (
        "column 'age': no row is in the facet age > 50. Choose a threshold that divides them: the "
        "greatest number is 50"
    )
    empty = table(a=["", None])
    facets = settle_facets(empty, [Facet("a", threshold=1.0)], NOTHING, {})
    found = facet_rows(empty, facets, NOTHING, {})
    assert fault(check_not_empty, empty, facets, found, NOTHING).endswith(
        "no row is in the facet a > 1. The column has no numbers"
    )
    assert check(Facet("age", threshold=5.0)).startswith("column 'age': every row is in the facet")
    both = facet_rows(rows, [Facet("gender", ("F",))], NOTHING, {})
    check_not_empty(rows, [Facet("gender", ("F",))], both, NOTHING)
    assert np.array_equal(both.inside[:, 0], [True, False, False])
