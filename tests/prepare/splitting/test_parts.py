"""What parts hold, and parts that are of no use."""

from fractions import Fraction

import pytest

from sagetree.errors import DataError
from sagetree.prepare.database import Database
from sagetree.prepare.joining import JOINED
from sagetree.prepare.report import parts_report
from sagetree.prepare.splitting.assigning import Cut, split_rows
from sagetree.prepare.splitting.labels import read_label
from sagetree.prepare.splitting.parts import count_parts
from sagetree.prepare.splitting.units import Unit

THREE = (Fraction("0.7"), Fraction("0.15"), Fraction("0.15"))


def joined(db: Database, rows: str) -> None:
    db.run(f"CREATE TABLE {JOINED} AS {rows}")


def report(db: Database, rows: str, time: str | None = None) -> str:
    joined(db, rows)
    label = read_label(db, "y")
    split = split_rows(db, Unit("k"), label, Cut(THREE, 0, time))
    return parts_report(count_parts(db, split, label), label)


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
    split = split_rows(db, Unit("k"), label, Cut(shares, seed=0))
    with pytest.raises(DataError) as caught:
        count_parts(db, split, label)
    assert str(caught.value) == text


CLASSES = "CASE WHEN i < 2 THEN 'c' WHEN i < 20 THEN 'a' ELSE 'b' END"


def test_classes_are_counted_and_rare_ones_named(
    db: Database, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert report(db, f"SELECT i AS k, {CLASSES} AS y FROM range(100) t(i)") == (
        "part        rows out  of all\n"
        "train             70  70.00%\n"
        "validation        15  15.00%\n"
        "test              15  15.00%\n"
        "\n"
        "y  train  validation  test\n"
        "c      1           1     0\n"
        "a     13           2     3\n"
        "b     56          12    12"
    )
    assert [record.getMessage() for record in caplog.records] == [
        "Warning: the part test has no row with y = 'c'"
    ]


def test_of_many_classes_the_rarest_are_shown(db: Database) -> None:
    lines = report(db, "SELECT i AS k, 'v' || i % 25 AS y FROM range(1000) t(i)").splitlines()
    assert len(lines) == 4 + 1 + 1 + 20 + 1
    assert lines[-1] == "... and 5 more frequent values"


def test_numbers_are_described_by_their_median(db: Database) -> None:
    text = report(db, "SELECT i AS k, i AS y FROM range(1001) t(i)")
    assert text.splitlines()[0] == "part        rows out  of all  median y"
    medians = [float(line.split()[-1]) for line in text.splitlines()[1:]]
    assert all(abs(median - 500) < 40 for median in medians)


def test_parts_by_time_say_from_when_to_when(db: Database) -> None:
    rows = "SELECT i AS k, i % 2 AS y, CAST('2020-01-01' AS DATE) + CAST(i AS INTEGER) AS t"
    assert report(db, f"{rows} FROM range(20) x(i)", "t") == (
        "part        rows out  of all  y = 1   share        from          to\n"
        "train             14  70.00%      7  50.00%  2020-01-01  2020-01-14\n"
        "validation         3  15.00%      1  33.33%  2020-01-15  2020-01-17\n"
        "test               3  15.00%      2  66.67%  2020-01-18  2020-01-20"
    )


LACKING = {
    "a word that training has not seen": (
        "CASE WHEN i = 19 THEN 'new' WHEN i % 2 = 0 THEN 'a' ELSE 'b' END",
        "column 'y': the part train has 14 rows, none of them with y = 'new'. Give the part a "
        "larger share with --split, leave it out with a share of 0, or add rows with y = 'new'",
    ),
    "numbers": (
        "i",
        "--split: the part test has no rows. "
        "Give the part a larger share, leave it out with a share of 0, or add rows",
    ),
}


@pytest.mark.parametrize(("label", "text"), LACKING.values(), ids=LACKING)
def test_parts_that_lack_what_they_need(db: Database, label: str, text: str) -> None:
    time = "least(i, 15)" if label == "i" else "i"
    rows = 24 if label == "i" else 20
    with pytest.raises(DataError) as caught:
        report(db, f"SELECT i AS k, {label} AS y, {time} AS t FROM range({rows}) x(i)", "t")
    assert str(caught.value) == text
