"""Two values, classes or numbers, and labels that are none of them."""

import pytest

from sagetree.errors import DataError, SettingsError
from sagetree.prepare.database import Database
from sagetree.prepare.joining import JOINED
from sagetree.prepare.splitting.labels import JoinedLabel, read_label


def joined(db: Database, rows: str) -> None:
    db.run(f"CREATE TABLE {JOINED} AS {rows}")


@pytest.mark.parametrize(
    ("values", "negative", "positive"),
    [
        ("(0), (0), (1)", 0, 1),
        ("(1), (1), (0)", 0, 1),
        ("(0), (1)", 0, 1),
        ("('no'), ('yes'), ('no')", "no", "yes"),
        ("('yes'), ('no'), ('yes')", "no", "yes"),
        ("(true), (false)", False, True),
        ("(3.0), (2.0), (3.0)", 3, 2),
        ("('legit'), ('fraud'), ('legit')", "legit", "fraud"),
        ("('stayed'), ('churned')", "churned", "stayed"),
    ],
)
def test_the_positive_value_is_the_one_training_takes(
    db: Database, values: str, negative: object, positive: object
) -> None:
    joined(db, f"FROM (VALUES {values}) t(y)")
    label = read_label(db, "Y")
    assert (label.column, label.classes) == ("y", (negative, positive))


def test_a_positive_label_is_declared(db: Database) -> None:
    joined(db, "FROM (VALUES ('1.0'), ('0'), ('0')) t(y)")
    assert read_label(db, "y", "0.0") == JoinedLabel("y", ("1.0", "0"), are_words=True)
    with pytest.raises(SettingsError) as caught:
        read_label(db, "y", "yes")
    assert str(caught.value) == (
        "--positive-label: 'yes' is not a value of column 'y', which holds '1' and '0'. "
        "Use one of the two"
    )


def test_values_that_training_cannot_tell_apart(db: Database) -> None:
    joined(db, "FROM (VALUES ('True'), ('true'), ('true')) t(y)")
    with pytest.raises(DataError) as caught:
        read_label(db, "y")
    assert str(caught.value) == (
        "column 'y': training takes the values 'True' and 'true' of the label for the same value. "
        "Make two values of them with a query (--sql)"
    )


NAME = "Name the label with --label, or make two values of it with a query (--sql)"
LABELS = {
    "one value": ("SELECT 0 AS y", f"column 'y': the label has 1 value ('0' in 1 rows), and two "
    f"are needed. {NAME}"),
    "no classes": (
        "SELECT 'id' || i AS y FROM range(30) t(i)",
        "column 'y': the label is text with 30 values in 30 rows ('id0' in 1 rows, 'id1' in 1 "
        "rows, 'id10' in 1 rows, 'id11' in 1 rows, 'id12' in 1 rows, ...), which are neither "
        "classes nor plain numbers. Name the label with --label, or make classes or numbers of "
        "it with a query (--sql)",
    ),
    "not a number": (
        "SELECT CASE WHEN i < 2 THEN 'NaN'::DOUBLE ELSE i END AS y FROM range(30) t(i)",
        "column 'y': the label is missing from 2 rows. "
        "Fill it in, or remove the rows with a query (--sql)",
    ),
    "missing": (
        "SELECT nullif(i % 3, 2) AS y FROM range(9) t(i)",
        "column 'y': the label is missing from 3 rows. "
        "Fill it in, or remove the rows with a query (--sql)",
    ),
    "no such column": (
        "SELECT 1 AS x, 2 AS z",
        "--label: column 'y' is missing from the joined table. The columns are 'x', 'z'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "text"), LABELS.values(), ids=LABELS)
def test_labels_that_cannot_be_used(db: Database, rows: str, text: str) -> None:
    joined(db, rows)
    with pytest.raises((DataError, SettingsError)) as caught:
        read_label(db, "y")
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("rows", "label"),
    [
        (
            "SELECT CASE WHEN i < 2 THEN 'c' WHEN i < 5 THEN 'a' ELSE 'b' END AS y "
            "FROM range(9) t(i)",
            JoinedLabel("y", ("b", "a", "c"), are_words=True),
        ),
        ("SELECT i % 3 AS y FROM range(9) t(i)", JoinedLabel("y", (0, 1, 2), are_words=False)),
        (
            "SELECT i % 20 AS y FROM range(40) t(i)",
            JoinedLabel("y", (*range(20),), are_words=False),
        ),
        ("SELECT i % 21 AS y FROM range(42) t(i)", JoinedLabel("y", (), are_words=False)),
        ("SELECT i / 7 AS y FROM range(50) t(i)", JoinedLabel("y", (), are_words=False)),
        (
            "SELECT chr(CAST(65 + i % 21 AS INTEGER)) AS y FROM range(42) t(i)",
            JoinedLabel("y", (*"ABCDEFGHIJKLMNOPQRSTU",), are_words=True),
        ),
    ],
)
def test_several_classes_and_numbers(db: Database, rows: str, label: JoinedLabel) -> None:
    joined(db, rows)
    assert read_label(db, "y") == label


def test_a_positive_label_is_for_two_values(db: Database) -> None:
    joined(db, "SELECT i % 3 AS y FROM range(9) t(i)")
    with pytest.raises(SettingsError) as caught:
        read_label(db, "y", "1")
    assert str(caught.value) == (
        "--positive-label: column 'y' has 3 values, and none is the positive one. "
        "Leave it out; it is for a label of two values"
    )
