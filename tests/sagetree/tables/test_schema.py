"""Names, not positions: which tables fit a trained schema, and what is said about the others."""

import numpy as np
import pyarrow as pa
import pytest

from sagetree.errors import DataError, SchemaError
from sagetree.tables.cells import Cell, MissingValues
from sagetree.tables.label import Label
from sagetree.tables.schema import Column, Schema, header_names
from sagetree.tables.table import Source, Table
from tests.sagetree.columns import chunked

NOTHING = MissingValues.of(())


def column(name: str, kind: str = "number") -> Column:
    return Column.model_validate({"name": name, "kind": kind, "missing": 0, "distinct": 2})


SCHEMA = Schema(
    columns=(
        column("policy_id", "identifier"),
        column("age"),
        column("a<b", "category"),
        column("year", "constant"),
        column("x,y", "boolean"),
    ),
    label=Label(name="fraud", negative="0", positive="1"),
    named=True,
)
INPUTS = ("age", "a<b", "x,y")


def named(*names: str) -> Table:
    """One row whose cells are their column's name."""
    return Table(names, tuple([name] for name in names), 1, True, (Source(1, "", "line", 2),))


def positional(width: int) -> Table:
    names = tuple(map(str, range(width)))
    return Table(names, tuple([name] for name in names), 1, False, (Source(1, "", "line"),))


def test_what_feeds_no_feature_is_no_input() -> None:
    assert SCHEMA.input_names == INPUTS
    assert SCHEMA.all_names == ("policy_id", "age", "a<b", "year", "x,y")


@pytest.mark.parametrize("kind", ["identifier", "constant", "dropped"])
def test_kinds_that_are_left_out(kind: str) -> None:
    assert not column("a", kind).is_input


@pytest.mark.parametrize("kind", ["number", "boolean", "category", "ordinal", "datetime"])
def test_kinds_that_are_inputs(kind: str) -> None:
    assert column("a", kind).is_input


@pytest.mark.parametrize(
    "names",
    [
        INPUTS,
        ("x,y", "age", "a<b"),
        ("policy_id", "x,y", "year", "age", "a<b"),
        ("year", *INPUTS),
        ("Unnamed: 0", *INPUTS),  # pandas' index, which training did not see
        (*INPUTS, "__index_level_0__"),
    ],
)
def test_columns_are_matched_by_name(names: tuple[str, ...]) -> None:
    arranged = SCHEMA.arrange(named(*names))
    assert arranged.names == INPUTS
    assert arranged.columns == (["age"], ["a<b"], ["x,y"])
    assert arranged.locate(0) == "line 2"


NEEDS = "The model needs age, a<b, x,y"


@pytest.mark.parametrize(
    ("names", "text", "violations"),
    [
        (
            ("age", "x,y"),
            f"column 'a<b' is missing. {NEEDS}",
            ["column 'a<b' is missing"],
        ),
        (
            ("age", "a<b", "x,y", "Age"),
            f"column 'Age' is unknown. {NEEDS}",
            ["column 'Age' is unknown"],
        ),
        (
            ("fraud", "age", "a<b", "x,y"),
            f"column 'fraud' is the label: leave it out of the request. {NEEDS}",
            ["column 'fraud' is the label: leave it out of the request"],
        ),
        (
            ("fraud", "age", "Year"),
            "columns 'a<b', 'x,y' are missing; column 'fraud' is the label: leave it out of the "
            f"request; column 'Year' is unknown. {NEEDS}",
            [
                "column 'a<b' is missing",
                "column 'x,y' is missing",
                "column 'fraud' is the label: leave it out of the request",
                "column 'Year' is unknown",
            ],
        ),
    ],
)
def test_names_that_do_not_fit(names: tuple[str, ...], text: str, violations: list[str]) -> None:
    with pytest.raises(SchemaError) as caught:
        SCHEMA.arrange(named(*names))
    assert str(caught.value) == text
    assert [str(violation) for violation in caught.value.violations] == violations


def test_columns_that_do_not_fit_are_said_of_their_file() -> None:
    table = named("age", "x,y", "Age")._replace(sources=(Source(1, "claims.csv", "line", 2),))
    with pytest.raises(SchemaError) as caught:
        SCHEMA.arrange(table)
    assert str(caught.value) == (
        f"claims.csv: column 'a<b' is missing; column 'Age' is unknown. {NEEDS}"
    )


def test_without_names_exactly_the_inputs_in_order() -> None:
    arranged = SCHEMA.arrange(positional(3))
    assert arranged.names == INPUTS
    assert arranged.columns == (["0"], ["1"], ["2"])
    assert arranged.named


def test_without_names_exactly_all_trained_columns_in_order() -> None:
    assert SCHEMA.arrange(positional(5)).columns == (["1"], ["2"], ["4"])


@pytest.mark.parametrize("width", [1, 2, 4, 6])
def test_without_names_any_other_width_is_refused(width: int) -> None:
    with pytest.raises(SchemaError) as caught:
        SCHEMA.arrange(positional(width))
    assert str(caught.value) == (
        f"line 1: there are {width} columns, and the model has 3 or 5 columns. "
        "Without a header row the columns must be, in this order, age, a<b, x,y; or, with those "
        "left out of training, policy_id, age, a<b, year, x,y"
    )


def test_one_width_is_named_where_all_columns_are_inputs() -> None:
    schema = Schema(columns=(column("f0"), column("f1")), label=None, named=False)
    with pytest.raises(SchemaError) as caught:
        schema.arrange(positional(3))
    assert str(caught.value) == (
        "line 1: there are 3 columns, and the model has 2 columns. "
        "Without a header row the columns must be, in this order, f0, f1"
    )


@pytest.mark.parametrize(("width", "more"), [(50, ""), (51, ", ... (51 in all)")])
def test_a_long_list_of_names_is_cut(width: int, more: str) -> None:
    schema = Schema(columns=tuple(column(f"f{i}") for i in range(width)), label=None, named=False)
    with pytest.raises(SchemaError) as caught:
        schema.arrange(positional(1))
    shown = ", ".join(f"f{i}" for i in range(50))
    assert caught.value.hint == (
        f"Without a header row the columns must be, in this order, {shown}{more}"
    )


def test_a_request_for_a_model_without_names_may_name_its_columns() -> None:
    schema = Schema(columns=(column("f0"), column("f1")), label=None, named=False)
    assert schema.arrange(named("f1", "f0")).columns == (["f0"], ["f1"])
    with pytest.raises(SchemaError) as caught:
        schema.arrange(named("f1", "age"))
    assert str(caught.value) == (
        "column 'f0' is missing; column 'age' is unknown. The model needs f0, f1"
    )


@pytest.mark.parametrize(
    "cells",
    [
        INPUTS,
        ("x,y", "a<b", "age"),
        (" age ", "a<b", "x,y"),
        ("policy_id", "age", "a<b", "year", "x,y"),
        # faulty ones, which are no data either: arrange() says what is wrong
        ("age", "a<b", "x;y"),
        ("fraud", "age", "a<b", "x,y"),
        ("age", "a<b", "a<b"),
        ("age", "a<b", "x,y", "more"),
        ("age", "a<b", "x,y", "1", "2"),
        # too short for rows
        ("age",),
        ("age", "a<b"),
        ("fraud", "age"),
    ],
)
def test_a_row_of_trained_names_is_a_header(cells: tuple[str, ...]) -> None:
    assert SCHEMA.is_header(cells)


@pytest.mark.parametrize(
    "cells",
    [
        ("31", "rear", "true"),
        ("31", "age", "true"),  # a category that is called like a column
        ("",),
        ("age", "a<b", "1", "2"),  # half of them
    ],
)
def test_other_rows_are_data(cells: tuple[str, ...]) -> None:
    assert not SCHEMA.is_header(cells)


def test_a_header_may_hold_the_label() -> None:
    assert SCHEMA.is_header(("fraud", *INPUTS))
    two = Schema(columns=(column("a"),), label=SCHEMA.label, named=True)
    assert two.is_header(("fraud", "a"))
    assert not two.is_header(("fraud", "1"))


def test_a_header_of_one_column() -> None:
    one = Schema(columns=(column("x,y"),), label=None, named=True)
    assert one.is_header(("x,y",))
    assert not one.is_header(("1",))


def test_a_header_begins_with_the_nameless_index_of_pandas() -> None:
    one = Schema(columns=(column("x"),), label=None, named=True)
    assert one.is_header(("", "x"))
    assert one.is_header(("", "", "x"))
    assert not one.is_header(("", "1"))
    assert not SCHEMA.is_header(("", "", "age"))  # a category that is called like a column


def test_empty_names_are_called_as_pandas_calls_them() -> None:
    assert header_names(["", " fraud", "\t", "b "]) == ("Unnamed: 0", "fraud", "Unnamed: 2", "b")


LABEL = Label(name="fraud", negative="no", positive="yes")


def labelled(cells: list[Cell], *, named: bool = True) -> Table:
    names = ("age", "fraud") if named else ("label", "f0")
    columns = ([1] * len(cells), cells) if named else (cells, [1] * len(cells))
    return Table(names, columns, len(cells), named, (Source(len(cells), "t.csv", "line", 2),))


def test_labels_are_found_by_name() -> None:
    labels, rest = LABEL.encode(labelled(["no", " yes ", "no"]), NOTHING)
    assert labels.dtype == np.float32
    assert labels.tolist() == [0, 1, 0]
    assert rest.names == ("age",)


def test_labels_without_names_are_the_first_column() -> None:
    labels, rest = LABEL.encode(labelled(["yes", "no"], named=False), NOTHING)
    assert labels.tolist() == [1, 0]
    assert rest.names == ("f0",)


@pytest.mark.parametrize(
    ("values", "cells", "expected"),
    [
        (("0", "1"), ["0", "1.0", 1, 0.0, " 1 "], [0, 1, 1, 0, 1]),
        (("1", "2"), ["2", 1, 2.0], [1, 0, 1]),
        (("false", "true"), ["False", "TRUE", True, False], [0, 1, 1, 0]),
    ],
)
def test_labels_in_any_spelling(
    values: tuple[str, str], cells: list[Cell], expected: list[int]
) -> None:
    label = Label(name="fraud", negative=values[0], positive=values[1])
    assert label.encode(labelled(cells), NOTHING)[0].tolist() == expected


def test_labels_of_a_typed_column() -> None:
    label = Label(name="fraud", negative="0", positive="1")
    table = Table(("fraud",), (chunked([0.0, 1.0], pa.float32()),), 2, True, (Source(2),))
    assert label.encode(table, NOTHING)[0].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("cells", "missing", "text"),
    [
        (["no", "maybe"], (), "t.csv line 3, column 'fraud': the label is 'maybe'."),
        (["no", 1], (), "t.csv line 3, column 'fraud': the label is '1'."),
        (
            ["", "no"],
            (),
            "t.csv line 2, column 'fraud': the label is empty. Leave out the rows without a label.",
        ),
        (
            ["no", None],
            (),
            "t.csv line 3, column 'fraud': the label is empty. Leave out the rows without a label.",
        ),
        (
            ["no", "?"],
            ("?",),
            "t.csv line 3, column 'fraud': the label is empty. Leave out the rows without a label.",
        ),
        (["no", "x" * 50], (), f"t.csv line 3, column 'fraud': the label is '{'x' * 39}…'."),
    ],
)
def test_labels_that_are_none(cells: list[Cell], missing: tuple[str, ...], text: str) -> None:
    with pytest.raises(DataError) as caught:
        LABEL.encode(labelled(cells), MissingValues.of(missing))
    assert str(caught.value) == f"{text} Every label must be 'no' or 'yes'"


def test_a_table_without_the_label() -> None:
    with pytest.raises(DataError) as caught:
        LABEL.encode(labelled(["no"]).without("fraud"), NOTHING)
    assert str(caught.value) == (
        "t.csv line 2: label column 'fraud' is missing. The columns are 'age'"
    )


WORDS = Schema(
    columns=tuple(
        Column(name=name, kind="category", missing=0, distinct=2, categories=categories)
        for name, categories in (("Color", ("red", "blue")), ("A", ("p", "q")), ("B", ("r", "s")))
    ),
    label=Label(name="y", negative="0", positive="1"),
    named=True,
)


@pytest.mark.parametrize(
    ("cells", "is_header"),
    [
        (("COLOR", "A", "B"), True),
        (("", "B", "A", "color", "Y"), True),  # an index, and the label
        (("COLOR", "A"), False),
        (("COLOR", "a", "a"), False),
        (("COLOR", "a", "c"), False),
        (("red", "a", "b"), False),
        (("Color", "a", "b"), True),  # one is written as in training
    ],
)
def test_names_in_another_case_are_a_header(cells: tuple[str, ...], is_header: bool) -> None:
    assert WORDS.is_header(cells) is is_header


def test_categories_may_be_names_in_another_case() -> None:
    columns = tuple(
        Column(name=name, kind="category", missing=0, distinct=2, categories=("a", "b"))
        for name in ("A", "B")
    )
    codes = Schema(columns=columns, label=None, named=True)
    assert not codes.is_header(("a", "b"))
    assert codes.is_header(("A", "B"))
