"""The latest record of each key, and what cannot tell which it is."""

from pathlib import Path

import pytest

from sagetree.errors import DataError
from sagetree.prepare.database import Database
from sagetree.prepare.inputs import TableFiles
from sagetree.prepare.kinds import key_cells
from sagetree.prepare.loading import load_table
from sagetree.prepare.records import Cleaned, RecordColumns, keep_all, keep_latest

COLUMNS = RecordColumns("id", "event_time", "is_deleted")


def clean(db: Database, folder: Path, text: str) -> tuple[Cleaned, list[tuple[object, ...]]]:
    path = folder / "t.csv"
    path.write_text(text)
    raw = load_table(db, TableFiles("t", {path.name: path}))
    cleaned = keep_latest(db, raw, key_cells(db, [raw], "id")["t"], COLUMNS)
    return cleaned, db.rows("SELECT * FROM t ORDER BY 1")


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("9", "10"),
        ("1583020800.5", "1583020800.75"),
        ("1583020800000000001", "1583020800000000002"),
        ("2020-01-31", "2020-02-01"),
        ("2020-01-31T23:59:59Z", "2020-02-01T00:00:00Z"),
        ("2020-03-31T09:00:00+02:00", "2020-03-31T08:00:00Z"),
        ("2020-03-31 08:00:00.001", "2020-03-31 08:00:00.002"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_latest_record_stays(
    db: Database, tmp_path: Path, earlier: str, later: str, turned: bool
) -> None:
    lines = [f"1,old,{earlier}\n", f"1,new,{later}\n"]
    text = "id,x,event_time\n" + "".join(reversed(lines) if turned else lines) + "2,only,\n"
    cleaned, rows = clean(db, tmp_path, text)
    assert rows == [(1, "new"), (2, "only")]
    assert (cleaned.read, cleaned.duplicates, cleaned.kept) == (3, 1, 2)


def test_of_equal_times_the_last_in_file_order_stays(db: Database, tmp_path: Path) -> None:
    records = "".join(f"{key},{i},2020-01-01\n" for i in range(3) for key in (2, 1))
    _, rows = clean(db, tmp_path, f"id,x,event_time\n{records}")
    assert rows == [(1, 2), (2, 2)]


def test_keys_are_the_same_however_they_are_written(db: Database, tmp_path: Path) -> None:
    _, rows = clean(db, tmp_path, "id,x,event_time\n1,a,1\n1.0,b,2\n 1 ,c,0\n")
    assert rows == [(1, "b")]


def test_a_deleted_key_goes_and_a_restored_one_stays(db: Database, tmp_path: Path) -> None:
    text = (
        "id,x,EVENT_TIME,Is_Deleted\n"
        "1,a,1,False\n1,b,2,True\n"  # deleted
        "2,c,1,True\n2,d,2,False\n"  # restored
        "3,e,1,1\n4,f,1,0\n5,g,1,\n"
    )
    cleaned, rows = clean(db, tmp_path, text)
    assert rows == [(2, "d"), (4, "f"), (5, "g")]
    assert cleaned == Cleaned("t", 7, 0, 2, 2, 3, ())


def test_equal_rows_are_one_without_a_time(db: Database, tmp_path: Path) -> None:
    cleaned, rows = clean(db, tmp_path, "id,x\n1,2.50\n2,3\nid,x\n1,2.5\n1,2.50\n")
    assert rows == [(1, 2.5), (2, 3.0)]
    assert cleaned == Cleaned("t", 5, 1, 2, 0, 2, ())


def test_columns_may_be_called_as_ours_are(db: Database, tmp_path: Path) -> None:
    header = 'id,rowid,number,key,time,"cell id","a""b","x,y",event_time'
    cleaned, rows = clean(db, tmp_path, f"{header}\n1,9,9,9,9,9,9,9,1\n1,8,8,8,8,8,8,8,2\n")
    assert rows == [(1, 8, 8, 8, 8, 8, 8, 8)]
    assert list(db.columns("t")) == [
        "id",
        "rowid",
        "number",
        "key",
        "time",
        "cell id",
        'a"b',
        "x,y",
    ]
    assert cleaned.duplicates == 1


def test_without_a_key_all_rows_stay(
    db: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,Event_time,is_deleted\n1,5,true\n1,5,true\n2,,false\n")
    table = load_table(db, TableFiles("t", {path.name: path}))
    assert keep_all(db, table, ("event_time", "is_deleted")) == Cleaned("t", 3, 0, 0, 0, 3, ())
    assert db.rows("SELECT * FROM t ORDER BY 1") == [
        (1, 5, "true"), (1, 5, "true"), (2, None, "false"),
    ]  # fmt: skip
    assert [record.getMessage() for record in caplog.records] == [
        "Warning: all rows of the table t are kept, whatever its column 'Event_time' and "
        "'is_deleted' says: without --key no row can be the latest of several"
    ]


def test_the_event_time_stays_where_it_is_needed(db: Database, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,event_time,is_deleted\n1,5,false\n1,6,false\n2,7,\n")
    table = load_table(db, TableFiles("t", {path.name: path}))
    columns = RecordColumns("id", "event_time", "is_deleted", keeps_time=True)
    keep_latest(db, table, key_cells(db, [table], "id")["t"], columns)
    assert db.rows("SELECT * FROM t ORDER BY 1") == [(1, 6), (2, 7)]


TIMES = (
    "Write all times as numbers, or all as 2026-01-31T13:45:00Z: they say which record of a key "
    "is the latest"
)
FAULTS = {
    "a key that is missing": (
        "id,x\n1,a\n,b\n",
        "t.csv line 3, column 'id': the key is missing. Fill it in, or remove the rows",
    ),
    "keys that are missing": (
        "id,x\nid,x\n ,a\n1,b\n,c\n",
        "t.csv line 3, column 'id': the key is missing, as in 1 other rows. "
        "Fill it in, or remove the rows",
    ),
    "different rows of one key": (
        "id,x\n1,a\n2,b\n1,c\n1,a\n",
        "t.csv line 2 and t.csv line 4: 3 rows that are not all equal have the key '1'. "
        "Leave one row per key, or add a column of event times (named event_time, or as "
        "--event-time says) by which the latest is kept",
    ),
    "different rows of several keys": (
        "id,x\nb,a\nb,b\na,1\na,2\nc,1\nc,1\n",
        "t.csv line 4 and t.csv line 5: 2 rows that are not all equal have the key 'a', "
        "and so have 1 other keys. "
        "Leave one row per key, or add a column of event times (named event_time, or as "
        "--event-time says) by which the latest is kept",
    ),
    "no time": (
        "id,event_time\n1,2020-01-01\n2,yesterday\n1,yesterday\n",
        f"t.csv line 4, column 'event_time': 'yesterday' is not a time. {TIMES}",
    ),
    "numbers and dates": (
        "id,event_time\n1,1583020800\n1,2020-01-01\n",
        f"t.csv line 2, column 'event_time': '1583020800' is not a time. {TIMES}",
    ),
    "a time that is missing": (
        "id,event_time\n1,2020-01-01\n1,\n",
        f"t.csv line 3, column 'event_time': the event time is missing. {TIMES}",
    ),
    "a mark that is none": (
        "id,is_deleted\n1,true\n2,perhaps\n",
        "t.csv line 3, column 'is_deleted': 'perhaps' is neither true nor false. "
        "Write true or 1 for a deleted record, or name another column with --deleted",
    ),
}


@pytest.mark.parametrize(("text", "message"), FAULTS.values(), ids=FAULTS)
def test_faults(db: Database, tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        clean(db, tmp_path, text)
    assert str(caught.value) == message
