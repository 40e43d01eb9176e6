"""Exact, stratified, and the same in whatever order rows come."""

from collections import Counter
from fractions import Fraction
from hashlib import md5
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagetree.errors import DataError, SettingsError
from sagetree.prepare.database import Database
from sagetree.prepare.joining import JOINED
from sagetree.prepare.splitting.assigning import Cut, Split, split_rows
from sagetree.prepare.splitting.labels import JoinedLabel, read_label
from sagetree.prepare.splitting.parts import Part, count_parts
from sagetree.prepare.splitting.shares import part_ends, strata_ends
from sagetree.prepare.splitting.units import Unit, rows_as_units

THREE = (Fraction("0.7"), Fraction("0.15"), Fraction("0.15"))
PARTS = ("train", "validation", "test")
NUMBERS = JoinedLabel("y", (), are_words=False)


def joined(db: Database, rows: str) -> None:
    db.run(f"CREATE OR REPLACE TABLE {JOINED} AS {rows}")


def assigned(db: Database) -> dict[int, str]:
    return dict(db.rows("SELECT id, part FROM made.assigned"))


def forget(db: Database) -> None:
    """Remove what an earlier split made."""
    for (table,) in db.rows("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'made'"):
        db.run(f"DROP TABLE made.{table}")


def parts_of(db: Database, split: Split, selected: str) -> Counter[tuple[object, ...]]:
    """Count all rows with their parts, what is `selected` of each before it."""
    return Counter(db.rows(split.rows(f"{selected}, a.part")))


def test_keys_are_ordered_by_md5_within_each_label(db: Database) -> None:
    joined(db, "SELECT i AS k, i % 4 = 0 AS y FROM range(40) t(i)")
    split = split_rows(db, Unit("k"), JoinedLabel("y", (False, True)), Cut(THREE, seed=7))
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
    split = split_rows(db, Unit("k"), label, Cut(THREE, seed=0))
    assert count_parts(db, split, label) == [
        Part("train", 213, (195, 18)),
        Part("validation", 42, (39, 3)),
        Part("test", 45, (41, 4)),
    ]
    assert len(assigned(db)) == 100
    assert split.order == 'j."k", j."y", j."i"'


def test_every_class_has_its_shares(db: Database) -> None:
    joined(
        db,
        "SELECT i AS k, CASE WHEN i < 5 THEN 'c' WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS y "
        "FROM range(205) t(i)",
    )
    split = split_rows(db, Unit("k"), read_label(db, "y"), Cut(THREE, seed=0))
    counts = parts_of(db, split, "j.y")
    sizes = [100, 100, 5]
    for value, ends in zip("abc", strata_ends(sizes, THREE), strict=True):
        cut = [end - begin for begin, end in zip([0, *ends], ends, strict=False)]
        assert [counts[value, part] for part in PARTS] == cut
    assert sum(counts.values()) == 205


def test_a_key_with_rows_of_several_classes_counts_for_the_rarest(db: Database) -> None:
    joined(
        db,
        "SELECT i // 2 AS k, CASE WHEN i % 20 = 0 THEN 'rare' WHEN i % 2 = 0 THEN 'a' "
        "ELSE 'b' END AS y FROM range(400) t(i)",
    )
    split = split_rows(db, Unit("k"), read_label(db, "y"), Cut(THREE, seed=0))
    counts = parts_of(db, split, "j.y")
    assert [counts["rare", part] for part in PARTS] == [14, 3, 3]
    assert Counter(assigned(db).values()) == {"train": 140, "validation": 30, "test": 30}


@pytest.mark.parametrize("rows", [20, 35, 200, 1003])
def test_numbers_have_their_shares_in_every_tenth(db: Database, rows: int) -> None:
    joined(db, f"SELECT i AS k, i * i AS y FROM range({rows}) t(i)")
    split = split_rows(db, Unit("k"), NUMBERS, Cut(THREE, seed=0))
    whole = Counter(assigned(db).values())
    assert all(abs(whole[p] - rows * s) <= 2 for p, s in zip(PARTS, THREE, strict=True))
    counts = parts_of(db, split, f"10 * j.k // {rows}")
    for tenth in range(10):
        size = sum(counts[tenth, part] for part in PARTS)
        assert abs(counts[tenth, "train"] - size * THREE[0]) <= 1
        assert abs(counts[tenth, "test"] - size * THREE[2]) <= 1


def test_numbers_that_are_mostly_equal(db: Database) -> None:
    joined(db, "SELECT i AS k, greatest(i - 900, 0) AS y FROM range(1000) t(i)")
    split = split_rows(db, Unit("k"), NUMBERS, Cut(THREE, seed=0))
    counts = parts_of(db, split, "j.y > 0")
    assert [counts[True, part] for part in PARTS] == [69, 15, 15]


ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab:-1")), min_size=4, max_size=30)


@settings(
    max_examples=settings.default.max_examples // 5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=ROWS, randomly=st.randoms(use_true_random=False))
def test_rows_without_a_key(db: Database, rows: list[tuple[int, str]], randomly: Random) -> None:
    """Every row in one part, equal ones in the same, whatever the order of rows and columns."""
    found = []
    for names in ("y, x", "x, y"):
        forget(db)
        values = ", ".join(f"({y}, '{x}')" for y, x in rows)
        joined(db, f"SELECT {names} FROM (VALUES {values}) t(y, x)")
        split = split_rows(db, rows_as_units(db), NUMBERS, Cut(THREE, seed=3))
        found.append(parts_of(db, split, "j.y, j.x"))
        randomly.shuffle(rows)
    assert found[0] == found[1]
    assert Counter({(y, x): n for (y, x, _), n in found[0].items()}) == Counter(rows)
    assert len(found[0]) == len(set(rows))


def test_shares_are_of_rows_where_some_are_equal(db: Database) -> None:
    joined(db, "SELECT i % 2 AS y, i // 4 AS x FROM range(4000) t(i)")
    unit = rows_as_units(db)
    split = split_rows(db, unit, read_label(db, "y"), Cut(THREE, seed=0))
    counts = parts_of(db, split, "j.y")
    for label in (0, 1):
        assert [counts[label, part] for part in PARTS] == [1400, 300, 300]
    before = parts_of(db, split, "j.x, j.y")
    for table in ("units", "hashes", "buckets", "places", "ends", "classes", "assigned"):
        db.run(f"DROP TABLE made.{table}")
    split = split_rows(db, unit, read_label(db, "y"), Cut(THREE, seed=1))
    assert parts_of(db, split, "j.x, j.y") != before


def test_a_column_may_be_called_as_ours_is(db: Database) -> None:
    joined(db, "SELECT i AS Content, i % 2 AS y FROM range(20) t(i)")
    assert rows_as_units(db) == Unit("content ", is_content=True)
    assert list(db.columns(JOINED)) == ["Content", "y", "content "]


def test_rows_that_only_look_equal_are_apart(db: Database) -> None:
    joined(
        db,
        "FROM (VALUES (1, '1:a', NULL), (1, '1', ':a'), (1, '1:a', '-'), (1, '', '')) t(y, a, b)",
    )
    split_rows(db, rows_as_units(db), NUMBERS, Cut(THREE, seed=0))
    assert len(assigned(db)) == 4


def test_by_time_the_latest_rows_are_test(db: Database) -> None:
    joined(db, "SELECT 99 - i AS k, i % 2 AS y, 1000 + i AS t FROM range(100) x(i)")
    split = split_rows(db, Unit("k"), read_label(db, "y"), Cut(THREE, 0, "T"))
    spans = db.rows(f"{split.rows('min(j.t), max(j.t), a.part')} GROUP BY a.part ORDER BY 1")
    assert spans == [(1000, 1069, "train"), (1070, 1084, "validation"), (1085, 1099, "test")]


def test_equal_times_are_in_one_part(db: Database) -> None:
    joined(db, "SELECT i AS k, i % 2 AS y, i // 30 AS t FROM range(100) x(i)")
    split = split_rows(db, Unit("k"), read_label(db, "y"), Cut(THREE, 0, "t"))
    counts = parts_of(db, split, "j.t")
    assert counts == {(0, "train"): 30, (1, "train"): 30, (2, "validation"): 30, (3, "test"): 10}


def test_a_key_is_where_its_latest_time_is(db: Database) -> None:
    """So that train has no row later than the first border; test may have older ones."""
    joined(db, "SELECT i % 100 AS k, i % 2 AS y, i AS t FROM range(150) x(i)")
    split = split_rows(db, Unit("k"), read_label(db, "y"), Cut(THREE, 0, "t"))
    counts = parts_of(db, split, "j.k")
    assert len(counts) == 100
    latest = {k: k + 100 if k < 50 else k for k in range(100)}
    ends = part_ends(100, THREE)
    names = ["train"] * ends[0] + ["validation"] * (ends[1] - ends[0])
    names += ["test"] * (ends[2] - ends[1])
    ordered = sorted(latest, key=lambda k: latest[k])
    assert assigned(db) == dict(zip(ordered, names, strict=True))


@pytest.mark.parametrize(
    "time",
    [
        "CAST(i AS VARCHAR)",
        "CAST(i AS DOUBLE)",
        "CAST('2020-01-01' AS DATE) + CAST(i AS INTEGER)",
        "CAST('2020-01-01T00:00:00' AS TIMESTAMP) + to_hours(CAST(i AS INTEGER))",
        "strftime(CAST('2020-01-01' AS DATE) + CAST(i AS INTEGER), '%Y-%m-%dT00:00:00Z')",
    ],
)
def test_times_are_numbers_dates_and_texts_of_both(db: Database, time: str) -> None:
    joined(db, f"SELECT -i AS k, i % 2 AS y, {time} AS part FROM range(90, 110) x(i)")
    split = split_rows(db, Unit("k"), read_label(db, "y"), Cut(THREE, 0, "part"))
    assert [assigned(db)[-i] for i in (90, 103, 104, 107, 109)] == [
        "train", "train", "validation", "test", "test",
    ]  # fmt: skip
    assert [part.rows for part in count_parts(db, split, read_label(db, "y"))] == [14, 3, 3]


WRITE = "Write all times as numbers, or all as 2026-01-31T13:45:00Z"
TIMES = {
    "missing": (
        "nullif(nullif(i, 3), 5)",
        "k",
        "column 't', key '3': the time is missing, as in 1 other rows. "
        "Fill it in, or remove the rows with a query (--sql)",
    ),
    "missing without a key": (
        "nullif(i, 3)",
        None,
        "column 't': the time is missing. Fill it in, or remove the rows with a query (--sql)",
    ),
    "missing in text": (
        "nullif(CAST(i AS VARCHAR), '3')",
        "k",
        "column 't', key '3': the time is missing. "
        "Fill it in, or remove the rows with a query (--sql)",
    ),
    "not a number": (
        "CASE WHEN i = 3 THEN 'NaN'::DOUBLE ELSE i END",
        "k",
        f"column 't', key '3': 'nan' is not a time. {WRITE}",
    ),
    "no time": (
        "CASE WHEN i = 3 THEN 'soon' ELSE '2020-01-01' END",
        "k",
        f"column 't', key '3': 'soon' is not a time. {WRITE}",
    ),
    "another kind": ("i > 3", "k", f"column 't': BOOLEAN is not a type of time. {WRITE}"),
}


@pytest.mark.parametrize(("time", "key", "text"), TIMES.values(), ids=TIMES)
def test_rows_without_a_time(db: Database, time: str, key: str | None, text: str) -> None:
    joined(db, f"SELECT i AS k, i % 2 AS y, {time} AS t FROM range(20) x(i)")
    unit = Unit(key) if key else rows_as_units(db)
    with pytest.raises(DataError) as caught:
        split_rows(db, unit, read_label(db, "y"), Cut(THREE, 0, "t"))
    assert str(caught.value) == text


def test_no_such_column_of_times(db: Database) -> None:
    joined(db, "SELECT i AS k, i % 2 AS y, i AS time FROM range(20) x(i)")
    with pytest.raises(SettingsError) as caught:
        split_rows(db, Unit("k"), read_label(db, "y"), Cut(THREE, 0, "tine"))
    assert str(caught.value) == (
        "--split-by-time: column 'tine' is missing from the joined table (did you mean 'time'?). "
        "The columns are 'k', 'y', 'time'"
    )
