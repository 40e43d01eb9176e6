"""Spark gives the same rows in the same parts as DuckDB, and says the same."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.needs import needs_spark
from tests.prepare.spark.engines import both, message_of_both
from tests.prepare.tables import EXAMPLE, put, put_pair

pytestmark = [
    pytest.mark.long,
    needs_spark,
    pytest.mark.usefixtures("spark"),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas"),
]

Capture = pytest.CaptureFixture[str]


def put_parquet(root: Path, name: str, columns: dict[str, object]) -> None:
    pq.write_table(pa.table(columns), put(root, name, ""))


def test_the_example(root: Path, capsys: Capture) -> None:
    put_pair(root, 60)
    assert sum(len(rows) for rows in both(root, capsys, *EXAMPLE).values()) == 60


def test_latest_records_of_csv_files(root: Path, capsys: Capture) -> None:
    """Ties of time, deleted keys, stray headers, quotes, other orders of columns, odd names."""
    put(
        root,
        "claims/a.csv",
        "id,event_time,is_deleted,x,y,rowid\n"
        + "".join(f"{i},2020-01-0{1 + i % 3}T00:00:00Z,,{i}.50,{i % 2},007\n" for i in range(40))
        + "id,event_time,is_deleted,x,y,rowid\n5,2020-01-09,True,,1,007\n",
    )
    put(
        root,
        "claims/b/c d.csv",
        '\ufeffy,id,x,event_time,is_deleted,rowid\r\n1, "7.0" ,"2,5",2020-01-02,0,"a\nb"\r\n'
        "0,8,,2020-01-03T00:00:00+00:00,,9\r\n",
    )
    rows = both(root, capsys, "--key", "id", "--label", "y")
    found = {row["id"]: row for part in rows.values() for row in part.to_pylist()}
    assert len(found) == 39
    assert found[7]["x"] == "2,5"
    assert found[8] == {"y": 0, "id": 8, "x": None, "rowid": "9"}


def test_rows_without_a_key(root: Path, capsys: Capture) -> None:
    """Equal rows are one unit, by a hash of their text: here of every type there is."""
    count = 90
    numbers = [1e20, 1e16, 123456789.5, 1e-5, 0.0001, -0.0, 0.1, 5e-324, 1e-100, float("inf"), 2.0]
    doubles = (numbers * 9)[:count]
    moments = [datetime(2020, 1, 1 + i % 9, 3, 4, 5, i * 1000, UTC) for i in range(count)]
    put_parquet(
        root,
        "t.parquet",
        {
            "y": pa.array([i % 2 for i in range(count)], pa.int32()),
            "double": doubles,
            "decimal": [Decimal(i) / 1000 for i in range(count)],
            "small": pa.array(
                [Decimal("0.0000001") * i for i in range(count)], pa.decimal128(20, 10)
            ),
            "text": [None, "", "é", "a'b", "\\n"] * 18,
            "moment": moments,
            "naive": pa.array([m.replace(tzinfo=None) for m in moments], pa.timestamp("us")),
            "day": [date(1969, 1, 1 + i % 28) for i in range(count)],
            "yes": [None, True, False] * 30,
        },
    )
    both(root, capsys, "--label", "y", "--seed", "7")


def test_by_time_and_by_numbers(root: Path, capsys: Capture) -> None:
    rows = "".join(f"{i % 70},{i * 37 % 101 / 8},2021-01-{1 + i % 28:02}\n" for i in range(150))
    put(root, "t.csv", f"k,amount,t\n{rows}")
    (root / "q.sql").write_text("SELECT k, amount, t, k // 2 AS half FROM t")
    arguments = [
        "--sql",
        str(root / "q.sql"),
        "--key",
        "k",
        "--label",
        "amount",
        "--event-time",
        "u",
    ]
    assert message_of_both(root, *arguments).startswith("t.csv line 2 and t.csv line 72: 3 rows")
    by_time = ["--label", "amount", "--split-by-time", "t"]
    both(root, capsys, "--sql", str(root / "q.sql"), *by_time)
    both(root, capsys, "--key", "k", "--event-time", "t", *by_time)
    both(root, capsys, "--key", "k", "--event-time", "t", "--label", "amount")


def test_a_feature_store_in_folders_of_days(root: Path, capsys: Capture) -> None:
    for day in range(3):
        keys = [*range(day * 10, 30 + day * 10)]
        put_parquet(
            root,
            f"claims/year=2020/day={day}/part.parquet",
            {
                "id": keys,
                "y": [k % 3 for k in keys],
                "event_time": [f"2020-01-0{1 + day}T00:00:00Z"] * 30,
                "write_time": [datetime(2020, 1, 9, tzinfo=UTC)] * 30,
                "api_invocation_time": [datetime(2020, 1, 8, k % 24, tzinfo=UTC) for k in keys],
                "is_deleted": [k == 12 for k in keys],
                **({"later": [k / 7 for k in keys]} if day else {}),
            },
        )
    rows = both(root, capsys, "--key", "id", "--label", "y")
    assert sum(map(len, rows.values())) == 49


def test_columns_of_folders(root: Path, capsys: Capture) -> None:
    for state in ("NY", "a%20b"):
        for year in (7, 8):
            put_parquet(
                root,
                f"t/state={state}/year={year}/p.parquet",
                {"k": [f"{state}{year}{i}" for i in range(9)], "y": [i % 2 for i in range(9)]},
            )
            lines = "".join(f"{state}{year}{i},{i}\n" for i in range(9))
            put(root, f"other/state2={state}/year2={year}/p.csv", f"k,x\n{lines}")
    rows = both(root, capsys, "--key", "k", "--label", "y")
    assert {row["state"] for part in rows.values() for row in part.to_pylist()} == {"NY", "a b"}


FAULTS = {
    "ragged": ("id,y\n1,0\n2\n", ["--key", "id"]),
    "not UTF-8": ("id,y\n1,0\n2,\udcff\n", ["--key", "id"]),
    "no rows": ("id,y\n", ["--key", "id"]),
    "no key": ("id,y\n1,0\n,1\n", ["--key", "id"]),
    "no time": ("id,y,event_time\n1,0,1\n1,1,yesterday\n", ["--key", "id"]),
    "no mark": ("id,y,is_deleted\n1,0,no\n2,1,perhaps\n", ["--key", "id"]),
    "no label": ("id,y\n1,0\n2,\n", ["--key", "id"]),
}


@pytest.mark.parametrize(("text", "arguments"), FAULTS.values(), ids=FAULTS)
def test_faults(root: Path, text: str, arguments: list[str]) -> None:
    put(root, "t.csv", text.encode(errors="surrogateescape"))
    assert message_of_both(root, *arguments, "--label", "y")


def test_a_query_that_fails(root: Path) -> None:
    put_pair(root, 20)
    (root / "q.sql").write_text("SELECT policy_id, fraud, nothing FROM claims")
    arguments = ["--sql", str(root / "q.sql"), "--key", "policy_id", "--label", "fraud"]
    assert "nothing" in message_of_both(root, *arguments)
