"""Feature groups' offline stores in Glue's layout to rows: the latest record of each key."""

from pathlib import Path

import pytest

from sagetree.prepare.cli import main
from tests.prepare.stores.trees import deleted, put_group, record
from tests.prepare.tables import every_row, message

CSV = ("--label", "fraud", "--format", "csv", "--split", "1,0,0")
KEY = ("--key", "policy_id")


def put_claims(root: Path, zeros: bool = True) -> None:
    records = [
        record(i, f"2026-{month:02}-{day:02}T{hour:02}:10:00", fraud=i % 2, amount=i + hour / 100)
        for month, day, hour in ((8, 8, 8), (9, 30, 9), (9, 30, 10), (10, 1, 0), (12, 31, 23))
        for i in range(hour % 3, 8)
    ]
    records.append(deleted(5, "2027-01-01T00:00:00", "fraud", "amount"))
    put_group(root, "claims", records, zeros)


@pytest.mark.parametrize(
    "zeros", [True, pytest.param(False, marks=pytest.mark.long)], ids=["hour=09", "hour=9"]
)
def test_hours_days_and_months_of_any_mix(root: Path, zeros: bool) -> None:
    put_claims(root, zeros)
    assert main([*KEY, *CSV]) == 0
    latest = {0: 0.09, 1: 0.1, **dict.fromkeys(range(2, 8), 0.23)}
    latest |= {0: 0.0, 1: 0.0}
    assert every_row(root) == [
        {"fraud": str(i % 2), "policy_id": str(i), "amount": str(i + latest[i])}
        for i in range(8)
        if i != 5
    ]


def test_two_groups_are_joined_without_the_stores_columns(root: Path) -> None:
    put_claims(root)
    customers = [record(str(i), f"2026-09-0{1 + i}T0{i}:00:00", age=20 + i) for i in range(8)]
    put_group(root, "customers", customers)
    assert main([*KEY, *CSV]) == 0
    rows = every_row(root)
    assert list(rows[0]) == ["fraud", "policy_id", "amount", "age"]
    assert [row["age"] for row in rows] == [str(20 + i) for i in range(8) if i != 5]


def test_of_one_event_time_the_record_that_came_later_counts(root: Path) -> None:
    """File order says nothing: a file is named by the latest event time in it, and at random."""
    time = "2026-09-30T09:00:00"
    kept = {0: "later", 1: "earlier"}
    records = [
        record(0, time, fraud=0, text="later", came=7),
        record(0, time, fraud=0, text="earlier", came=2),
        deleted(1, time, "fraud", "text", came=2),
        record(1, time, fraud=1, text="earlier", came=3),
        record(2, time, fraud=1, text="gone", came=2),
        deleted(2, time, "fraud", "text", came=3),
        record(3, time, fraud=1, text="written later"),
        record(3, time, fraud=1, text="written earlier"),
    ]
    records[7]["write_time"] = records[7]["api_invocation_time"]
    put_group(root, "claims", records)
    assert main([*KEY, *CSV]) == 0
    texts = {int(row["policy_id"]): row["text"] for row in every_row(root)}
    assert texts == {**kept, 3: "written later"}


def test_a_feature_that_was_added_is_empty_in_earlier_records(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = [record(i, "2026-09-30T09:00:00", fraud=i % 2) for i in range(4)]
    new = [record(i, "2026-10-01T10:00:00", fraud=i % 2, age=30 + i) for i in range(2, 6)]
    put_group(root, "claims", [*old, *new])
    assert main([*KEY, *CSV]) == 0
    assert [row["age"] for row in every_row(root)] == ["", "", "32", "33", "34", "35"]
    assert (
        "claims: column 'age' is filled with empty cells, as it is missing from: "
        "claims/year=2026/month=09/day=30/"
        "hour=09/20260930T090000Z_0000000000000000.parquet\n"
    ) in capsys.readouterr().out


def test_a_group_without_its_key(root: Path) -> None:
    put_claims(root)
    assert main([*CSV]) == 1
    assert message(root) == (
        "--key: not given, and 'claims' is a feature group's offline store, with every version "
        "of each record, and deleted ones. Name the group's record identifier with --key, or "
        "choose the records by a query of your own (--sql)\n"
    )


def test_a_group_whose_event_time_has_another_name(root: Path) -> None:
    put_claims(root)
    arguments = [*KEY, *CSV, "--event-time"]
    assert main([*arguments, "EventTime"]) == 1
    assert message(root) == (
        "table claims: this is a feature group's offline store, and column 'EventTime', which "
        "says which record of a key is the latest, is missing from it. Name the group's event "
        "time feature "
        "with --event-time; the columns are 'policy_id', 'fraud', 'amount', 'event_time', "
        "'is_deleted'\n"
    )
    assert main([*arguments, "event_time"]) == 0


def test_a_query_that_chooses_records_itself_sees_the_stores_columns(root: Path) -> None:
    put_claims(root)
    query = "SELECT policy_id, fraud, max(write_time) - min(api_invocation_time) AS x FROM claims "
    (root / "q.sql").write_text(query + "WHERE NOT is_deleted GROUP BY ALL")
    assert main(["--sql", str(root / "q.sql"), *CSV]) == 0
    assert [row["policy_id"] for row in every_row(root)] == [str(i) for i in range(8)]
