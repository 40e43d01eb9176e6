"""Exact, stratified, and the same in whatever order rows come."""

from fractions import Fraction
from hashlib import md5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagetree.errors import DataError, SettingsError
from sagetree.prepare.database import Database
from sagetree.prepare.joining import JOINED
from sagetree.prepare.splitting import Label, Part, count_parts, part_ends, read_label, split_by_key

THREE = (Fraction("0.7"), Fraction("0.15"), Fraction("0.15"))


def joined(db: Database, rows: str) -> None:
    db.run(f"CREATE TABLE {JOINED} AS {rows}")


def assigned(db: Database) -> dict[int, str]:
    return dict(db.rows("SELECT id, part FROM made.assigned"))


@pytest.mark.parametrize(
    ("count", "shares", "ends"),
    [
        (10, ("0.7", "0.15", "0.15"), [7, 9, 10]),
        (20, ("0.7", "0.15", "0.15"), [14, 17, 20]),
        (30, ("0.7", "0.15", "0.15"), [21, 26, 30]),
        (5, ("0.8", "0", "0.2"), [4, 4, 5]),
        (3, ("1", "0", "0"), [3, 3, 3]),
        (1, ("0.7", "0.15", "0.15"), [1, 1, 1]),
        (9, ("1/3", "1/3", "1/3"), [3, 6, 9]),
    ],
)
def test_parts_end_at_the_sum_of_shares(
    count: int, shares: tuple[str, str, str], ends: list[int]
) -> None:
    train, validation, test = map(Fraction, shares)
    assert part_ends(count, (train, validation, test)) == ends


@given(count=st.integers(0, 10**7), cuts=st.tuples(st.integers(1, 999), st.integers(0, 999)))
def test_every_key_has_its_part(count: int, cuts: tuple[int, int]) -> None:
    first, second = min(cuts) or 1, max(cuts)
    shares = (
        Fraction(first, 1000), Fraction(second - first, 1000), Fraction(1000 - second, 1000),
    )  # fmt: skip
    ends = part_ends(count, shares)
    assert ends == sorted(ends)
    assert ends[-1] == count
    sizes = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    assert all(abs(size - count * share) <= 1 for size, share in zip(sizes, shares, strict=True))


def test_keys_are_ordered_by_md5_within_each_label(db: Database) -> None:
    joined(db, "SELECT i AS k, i % 4 = 0 AS y FROM range(40) t(i)")
    split = split_by_key(db, "k", Label("y", negative=False, positive=True), THREE, seed=7)
    expected = {}
    for label, ends in ((True, (7, 9, 10)), (False, (21, 26, 30))):
        keys = [i for i in range(40) if (i % 4 == 0) is label]
        keys.sort(key=lambda i: md5(f"{i}:7".encode()).hexdigest())
        names = ["train"] * ends[0] + ["validation"] * (ends[1] - ends[0])
        names += ["test"] * (ends[2] - ends[1])
        expected |= dict(zip(keys, names, strict=True))
    assert assigned(db) == expected
    assert split.order == 'j."k"'


def test_rows_of_one_key_are_in_one_part(db: Database) -> None:
    rows = "SELECT 'p' || i // 3 AS k, i % 12 = 0 AS y, i FROM range(300) t(i)"
    joined(db, rows)
    label = read_label(db, "y")
    split = split_by_key(db, "k", label, THREE, seed=0)
    assert count_parts(db, split, label) == [
        Part("train", 213, 18), Part("validation", 42, 3), Part("test", 45, 4),
    ]  # fmt: skip
    assert len(assigned(db)) == 100
    assert split.order == 'j."k", j."y", j."i"'


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
    assert read_label(db, "Y") == Label("y", negative, positive)


def test_a_positive_label_is_declared(db: Database) -> None:
    joined(db, "FROM (VALUES ('1.0'), ('0'), ('0')) t(y)")
    assert read_label(db, "y", "0.0") == Label("y", "1.0", "0")
    with pytest.raises(SettingsError) as caught:
        read_label(db, "y", "yes")
    assert str(caught.value) == (
        "--positive-label: 'yes' is not a value of column 'y', which holds '1' and '0'. "
        "Take one of the two"
    )


def test_values_that_training_cannot_tell_apart(db: Database) -> None:
    joined(db, "FROM (VALUES ('True'), ('true'), ('true')) t(y)")
    with pytest.raises(DataError) as caught:
        read_label(db, "y")
    assert str(caught.value) == (
        "column 'y': the values 'True' and 'true' of the label are one and the same to training. "
        "Make two values of them with a query (--sql)"
    )


NAME = "Name the label with --label, or make two values of it with a query (--sql)"
LABELS = {
    "one value": ("SELECT 0 AS y", f"column 'y': the label has 1 value ('0' in 1 rows) where two "
                  f"are needed. {NAME}"),
    "three values": (
        "SELECT least(i, 2) AS y FROM range(9) t(i)",
        "column 'y': the label has 3 values ('2' in 7 rows, '0' in 1 rows, '1' in 1 rows) where "
        f"two are needed. {NAME}",
    ),
    "many values": (
        "SELECT i AS y FROM range(100) t(i)",
        "column 'y': the label has 100 values ('0' in 1 rows, '1' in 1 rows, '2' in 1 rows, "
        f"'3' in 1 rows, '4' in 1 rows, ...) where two are needed. {NAME}",
    ),
    "missing": (
        "SELECT nullif(i % 3, 2) AS y FROM range(9) t(i)",
        "column 'y': the label is missing in 3 rows. "
        "Fill it in, or leave the rows out with a query of your own (--sql)",
    ),
    "no such column": (
        "SELECT 1 AS x, 2 AS z",
        "--label: there is no column 'y' in the joined table. The columns are 'x', 'z'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "text"), LABELS.values(), ids=LABELS)
def test_labels_that_cannot_be_used(db: Database, rows: str, text: str) -> None:
    joined(db, rows)
    with pytest.raises((DataError, SettingsError)) as caught:
        read_label(db, "y")
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("rows", "shares", "text"),
    [
        (
            "SELECT i AS k, i < 2 AS y FROM range(100) t(i)",
            THREE,
            "column 'y': the part test has 15 rows, none of them with y = 'True'. Give the part a "
            "larger share with --split, leave it out with a share of 0, or add rows with y = "
            "'True'",
        ),
        (
            "SELECT i AS k, i < 2 AS y FROM range(6) t(i)",
            THREE,
            "column 'y': the part validation has 1 rows, none of them with y = 'False'. Give the "
            "part a larger share with --split, leave it out with a share of 0, or add rows with "
            "y = 'False'",
        ),
        (
            "SELECT i AS k, i < 3 AS y FROM range(6) t(i)",
            (Fraction("0.9"), Fraction(0), Fraction("0.1")),
            "column 'y': the part test has 0 rows, none of them with y = 'True'. Give the part a "
            "larger share with --split, leave it out with a share of 0, or add rows with y = "
            "'True'",
        ),
    ],
)
def test_parts_without_one_of_the_labels(
    db: Database, rows: str, shares: tuple[Fraction, Fraction, Fraction], text: str
) -> None:
    joined(db, rows)
    label = read_label(db, "y")
    split = split_by_key(db, "k", label, shares, seed=0)
    with pytest.raises(DataError) as caught:
        count_parts(db, split, label)
    assert str(caught.value) == text
