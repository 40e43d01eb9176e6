"""A model's columns as the text of a parameter."""

import pytest

from sagetree.cloud.columns import STANDARD_CHARACTERS, ColumnNote, InputColumns, LabelNote
from tests.cloud.account import BUNDLE

SCHEMA = BUNDLE / "sagetree" / "schema.json"


def test_only_what_a_request_needs_is_there_with_a_few_categories():
    columns = InputColumns.of_schema(SCHEMA.read_bytes())
    assert columns.to_text() == (
        '[["amount","number",1],["state","category",1,"CA","N/A","OR","a<b"],'
        '["reported","boolean",1],["on","datetime",1],["severity","ordinal",1,"1","2","3"],["fraud","label",0,"0","1"]]'
    )
    assert InputColumns.of_text(columns.to_text()) == columns


def test_the_text_of_an_older_stack_has_no_label():
    columns = InputColumns.of_text('[["amount","number",1]]')
    assert (columns.label, columns.names) == (None, {"amount"})


@pytest.mark.parametrize(
    ("classes", "held", "others"),
    [
        (("0", "1"), (0, 1, 1.0, "1"), (2, "yes", True, None, [], {}, 0.5)),
        (("N", "Y"), ("Y",), ("y", 1, None)),
        (("False", "True"), (True, "True"), ("true", 1)),
        ((), (1, 2.5, -1e9), ("1", True, None, [])),
    ],
)
def test_a_label_holds_its_classes_as_a_table_spells_them(classes, held, others):
    label = LabelNote("fraud", classes)
    assert [value for value in (*held, *others) if label.holds(value)] == list(held)


def wide(count: int) -> InputColumns:
    names = (f"größe of the {number}. column" for number in range(count))
    return InputColumns(tuple(ColumnNote(name, "category", True, ("a", "b")) for name in names))


@pytest.mark.parametrize(("count", "begins"), [(50, "[["), (100, "[["), (300, "c")])
def test_many_columns_fit_too(count, begins):
    columns = wide(count)
    text = columns.to_text()
    assert text.startswith(begins)
    assert len(text) <= STANDARD_CHARACTERS
    found = InputColumns.of_text(text)
    assert [note[:3] for note in found.notes] == [note[:3] for note in columns.notes]


def test_more_than_a_parameter_holds_is_an_error_that_says_so():
    with pytest.raises(ValueError, match=r"4000 columns take \d+ characters, packed, and a para"):
        wide(4000).to_text()


@pytest.mark.parametrize("text", ["[]", "none", "-", "", "[1", "{}"])
def test_other_texts_hold_no_columns(text):
    assert InputColumns.of_text(text) is None


@pytest.mark.parametrize("count", [1, 100, 300, 301, 302, 303, 304, 305])
def test_nothing_that_parameter_store_takes_for_another_parameter_is_in_it(count):
    """It refuses a value with {{ and }} in it, which packed text would have by chance."""
    notes = wide(count).notes
    columns = InputColumns((*notes, ColumnNote("{{claim.state}}", "category", True)))
    text = columns.to_text()
    assert "{" not in text
    assert [note.name for note in InputColumns.of_text(text).notes] == [
        n.name for n in columns.notes
    ]


@pytest.mark.parametrize("text", ["[1]", '[["a"]]', "[null]", '[["a","number",1]', "[[]]"])
def test_what_another_hand_has_broken_holds_no_columns(text):
    assert InputColumns.of_text(text) is None
