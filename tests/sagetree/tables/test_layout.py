"""Rows without names that are as wide as all trained columns, and may not be them."""

import pytest

from sagetree.errors import SchemaError
from sagetree.tables.cells import Cell, MissingValues
from sagetree.tables.forms import forms_of, is_of_form, number_forms
from sagetree.tables.label import AnyLabel, ClassLabel, Label, NumberLabel
from sagetree.tables.layout import refuse_shifted
from sagetree.tables.schema import Column, Schema
from sagetree.tables.table import Source, Table

BINARY = Label(name="y", negative="0", positive="1")
UNIT = {"low": 0.0, "high": 1.0}
WHOLE = {"low": 0.0, "high": 90.0}


def number(name: str, **seen: object) -> Column:
    return Column.model_validate(
        {"name": name, "kind": "number", "missing": 0, "distinct": 90, **seen}
    )


def left_out(name: str = "id", *forms: str, kind: str = "identifier") -> Column:
    return Column.model_validate(
        {"name": name, "kind": kind, "missing": 0, "distinct": 90, "forms": forms}
    )


def category(name: str, *texts: str) -> Column:
    return Column(name=name, kind="category", missing=0, distinct=len(texts), categories=texts)


def refused(*rows: tuple[Cell, ...], columns: tuple[Column, ...], label: AnyLabel = BINARY) -> str:
    """What is said about the rows; "" where they are taken as all trained columns."""
    schema = Schema(columns=columns, label=label, named=True)
    cells = tuple(map(list, zip(*rows, strict=True)))
    names = tuple(map(str, range(len(cells))))
    table = Table(names, cells, len(rows), False, (Source(len(rows), unit="line"),))
    try:
        refuse_shifted(table, schema, MissingValues.of(["NA"]))
    except SchemaError as error:
        return error.violations[0].reason
    return ""


ID_FIRST = (left_out("id", "9"), *(number(f"x{i}", **UNIT) for i in (1, 2, 3)))
TEXT_ID = (left_out("id", "A9"), *ID_FIRST[1:])
OLD = (left_out("id"), *(number(f"x{i}") for i in (1, 2, 3)))
ID_LAST = (*ID_FIRST[1:], left_out("id", "9"))
DOUBT = "the 4 cells may be all trained columns, or x1, x2, x3 and one cell "


@pytest.mark.parametrize(
    ("columns", "row", "reason"),
    [
        (ID_FIRST, ("17", "0.9", "0.1", "0.2"), ""),
        (ID_FIRST, ("17", "0.9", "0.1", ""), ""),
        (ID_FIRST, ("", "0.9", "0.1", "0.2"), ""),
        (ID_FIRST, ("1", "0.9", "0.1", "0.2"), ""),  # 0.2 is not a label
        (ID_FIRST, ("0.9", "0.1", "0.2", "1"), "'0.9' does not look like the cells"),
        (ID_FIRST, (0.9, 0.1, 0.2, None), "'0.9' does not look like the cells"),
        (ID_FIRST, ("1", "0", "0.2", "1"), DOUBT + "after them"),
        (ID_FIRST, ("1", "NA", "0.2", ""), DOUBT + "after them"),
        (ID_FIRST, (1, 0, 1, None), DOUBT + "after them"),
        (TEXT_ID, ("P0001", "0.9", "0.1", "1"), ""),
        (TEXT_ID, ("P0001", "0.9", "0.1", ""), ""),
        (TEXT_ID, ("0.9", "0.1", "0.2", "1"), "'0.9' does not look like the cells"),
        (TEXT_ID, ("Q-1", "0.1", "0.2", "1"), "'Q-1' does not look like the cells"),
        (OLD, ("P0001", "0.9", "0.1", "1"), ""),
        (OLD, ("17", "0.9", "0.1", "0.2"), ""),
        (OLD, ("0.9", "0.1", "0.2", "1"), DOUBT + "after them"),
        (OLD, ("0.9", "0.1", "0.2", ""), DOUBT + "after them"),
        (ID_LAST, ("0.9", "0.1", "0.2", "1"), ""),  # the inputs are the same either way
        (ID_LAST, ("0.9", "0.1", "0.2", ""), ""),
        (ID_LAST, ("1", "0.9", "0.1", "1"), DOUBT + "before them"),
        (ID_LAST, ("0", "0.9", "0.1", "0.2"), "'0.2' does not look like the cells"),
    ],
)
def test_a_row_with_a_cell_too_many_is_never_shifted(
    columns: tuple[Column, ...], row: tuple[Cell, ...], reason: str
) -> None:
    found = refused(row, columns=columns)
    assert found.startswith(reason)
    assert bool(found) == bool(reason)


def test_several_rows_say_more_than_one() -> None:
    columns = (left_out("id", "9"), *(number(f"x{i}", **WHOLE) for i in (1, 2, 3)))
    assert refused((40, 20, 3, 1), columns=columns) == DOUBT + "after them"
    assert not refused((40, 20, 3, 1), (41, 20, 3, 2), columns=columns)  # 2 is not a label
    assert not refused((40, 20, 3, 1), (400, 20, 3, 1), columns=columns)  # 400 is not an x1
    assert refused((40, 20, 3, 1), (41, 20, 3, 0), columns=columns) == DOUBT + "after them"


def test_any_number_may_be_a_label_of_numbers() -> None:
    price = NumberLabel(name="price")
    assert refused((1, 0.9, 0.1, 0.2), columns=ID_FIRST, label=price) == DOUBT + "after them"
    assert not refused((17, 0.9, 0.1, 0.2), columns=ID_FIRST, label=price)
    assert not refused(("P7", 0.9, 0.1, 0.2), columns=TEXT_ID, label=price)


def test_classes_and_categories_tell_rows_apart() -> None:
    columns = (left_out("name", "A"), category("state", "CA", "WA"), number("x", **UNIT))
    label = ClassLabel(name="y", classes=("cat", "dog", "fox"))
    assert not refused(("miller", "CA", 0.5), columns=columns, label=label)
    assert refused(("WA", 0.5, "dog"), columns=columns, label=label).startswith("the 3 cells may")
    numbered = (left_out("name", "A9"), *columns[1:])
    assert not refused(("P7", "CA", 0.5), columns=numbered, label=label)
    assert refused(("ZZ", 0.5, "dog"), columns=numbered, label=label)


def test_of_several_columns_left_out_one_may_be_replaced_by_a_label() -> None:
    columns = (left_out("id", "A9"), left_out("k", "9", kind="constant"), *ID_FIRST[1:])
    assert not refused(("P1", 7, 0.9, 0.1, 0.2), columns=columns)
    assert refused(("P1", 0.9, 0.1, 0.2, 1), columns=columns).startswith("'0.9' does not look")
    weighted = (left_out("id", "A9"), left_out("w", kind="weight"), *ID_FIRST[1:])
    assert refused(("P1", 0.9, 0.1, 0.2, 1), columns=weighted) == (
        "the 5 cells may be all trained columns, or id, x1, x2, x3 and one cell after them"
    )


def test_the_whole_error() -> None:
    schema = Schema(columns=OLD, label=BINARY, named=True)
    source = Source(1, unit="line")
    table = Table(("0", "1", "2", "3"), ([0.9], [0.1], [0.2], [1]), 1, False, (source,))
    with pytest.raises(SchemaError) as caught:
        refuse_shifted(table, schema, MissingValues.of([]))
    assert str(caught.value) == (
        "line 1: the 4 cells may be all trained columns, or x1, x2, x3 and one cell after them. "
        "Name the columns, or send only what the model needs: x1, x2, x3. 4 cells are id, x1, x2, "
        "x3"
    )


@pytest.mark.parametrize(
    ("texts", "forms", "like", "unlike"),
    [
        (["P0001", "P12345"], ("A9",), ["P7", "éa9"], ["7", "P", "P-7", 0.9]),
        (["a1-b2", "1a-2b", "ab-12", "12-ab", "a1-12", "12-1b", "ab-b2", "1a-b2", "b2-ab"],
         ("X2-X2",), ["99-zz"], ["a1", "a1-b", 3]),
        ([f"{'a1' * i} {'1a' * i}" for i in range(1, 10)], ("X X",), ["x y"], ["x", "3"]),
        ([f"a{'-' * i}" for i in range(9)], ("any text",), ["word"], ["3", 0.5, "1e5"]),
        ([f"1{'-' * i}" for i in range(9)], (), ["word", 3], []),
        ([], (), ["word", 3], []),
    ],
)  # fmt: skip
def test_forms_tell_texts_apart(
    texts: list[str], forms: tuple[str, ...], like: list[Cell], unlike: list[Cell]
) -> None:
    assert forms_of(texts) == forms
    assert all(is_of_form(cell, forms) for cell in [*like, None, ""])
    assert not any(is_of_form(cell, forms) for cell in unlike)


def test_numbers_have_a_form_however_they_are_written() -> None:
    assert number_forms(-3, 1e20) == ("-9", "9")
    assert number_forms(0.5, 0.5) == ("9.9",)
    assert all(is_of_form(cell, ("9",)) for cell in (1, 2.0, "1e5", "007", 10**16, 1e16))
    assert not any(is_of_form(cell, ("9",)) for cell in (-1, 0.9, "1.5", "a"))
