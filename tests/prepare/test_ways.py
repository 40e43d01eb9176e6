"""Preparations with and without a query, a key and a column of times, on files."""

import random
from pathlib import Path

import pytest

from sagetree.prepare.cli import main
from tests.prepare.tables import PARTS, message, outputs, part, put

ROWS = [f"{i % 50},{'abc'[i % 3]},{i % 7}\n" for i in range(400)]
CSV = ("--format", "csv")


def all_rows(root: Path) -> list[tuple[str, ...]]:
    return sorted(tuple(row.values()) for name in PARTS for row in part(root, name))


def test_a_table_alone_needs_nothing_but_its_label(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(root, "t/1.csv", "x,y,z\n" + "".join(ROWS))
    assert main(["--label", "y", *CSV]) == 0
    assert list(part(root, "train")[0]) == ["y", "x", "z"]
    expected = sorted((y, x, z) for x, y, z in (row.strip().split(",") for row in ROWS))
    assert all_rows(root) == expected
    before = outputs(root)
    parts = [{tuple(row.values()) for row in part(root, name)} for name in PARTS]
    assert sum(map(len, parts)) == len(set().union(*parts))
    printed = capsys.readouterr().out
    assert "no --key: rows are split one by one, equal ones into one part\n" in printed
    assert "\ny  train  validation  test\n" in printed

    lines = random.Random(3).sample(ROWS, len(ROWS))
    put(root, "t/1.csv", "x,y,z\n" + "".join(lines[:100]))
    swapped = (line.strip().split(",") for line in lines[100:])
    put(root, "t/2.csv", "z,x,y\n" + "".join(f"{z},{x},{y}\n" for x, y, z in swapped))
    assert main(["--label", "y", *CSV]) == 0
    assert outputs(root) == before


def test_rows_of_a_query_without_a_key(root: Path) -> None:
    put(root, "t.csv", "x,y,z\n" + "".join(ROWS))
    (root / "q.sql").write_text("SELECT x, max(z) AS y FROM t GROUP BY x")
    assert main(["--sql", str(root / "q.sql"), "--label", "y", *CSV]) == 1
    assert message(root).startswith("column 'y': the label has 1 value ('6' in 50 rows)")
    (root / "q.sql").write_text("SELECT x, count(*) + x AS y FROM t GROUP BY x")
    assert main(["--sql", str(root / "q.sql"), "--label", "y", *CSV]) == 0
    assert {(int(y), int(x)) for y, x in all_rows(root)} == {(x + 8, x) for x in range(50)}


def test_tables_are_joined_without_a_query(root: Path) -> None:
    customers = "".join(f"{i},{20 + i},2020-01-01\n" for i in range(0, 60, 2))
    put(root, "a_customers.csv", f"id,age,event_time\n{customers}")
    claims = "".join(f"{i},{i * 7 % 101},2021-01-{1 + i % 28:02}\n" for i in range(50))
    put(root, "claims.csv", f"ID,amount,event_time\n{claims}")
    arguments = ["--key", "id", "--label", "amount", *CSV]
    assert main(arguments) == 0
    rows = {row["ID"]: row for name in PARTS for row in part(root, name)}
    assert list(rows["0"]) == ["amount", "ID", "age"]
    assert {key: row["age"] for key, row in rows.items()} == {
        str(i): "" if i % 2 else str(20 + i) for i in range(50)
    }


def test_the_split_is_by_the_event_time_of_the_table_with_the_label(root: Path) -> None:
    customers = "".join(f"{i},{20 + i},2020-01-01\n" for i in range(40))
    put(root, "a_customers.csv", f"id,age,event_time\n{customers}")
    claims = "".join(f"{i},{i % 2},2021-01-{28 - i % 28:02}\n" for i in range(28))
    put(root, "claims.csv", f"id,y,event_time\n{claims}27,1,2021-02-01\n")
    arguments = ["--key", "id", "--label", "y", "--split-by-time", "Event_Time", *CSV]
    assert main(arguments) == 0
    times = [[row["event_time"] for row in part(root, name)] for name in PARTS]
    assert [len(rows) for rows in times] == [20, 4, 4]
    assert max(times[0]) < min(times[1]) <= max(times[1]) < min(times[2])
    assert max(times[2]) == "2021-02-01"


def test_keys_that_a_query_repeats_are_in_one_part_by_time(root: Path) -> None:
    put(root, "t.csv", "k,y,t\n" + "".join(f"{i},{i % 2},{i}\n" for i in range(60)))
    (root / "q.sql").write_text("SELECT k, y, t + 30 * d AS t FROM t, (VALUES (0), (1)) x(d)")
    arguments = ["--sql", str(root / "q.sql"), "--key", "k", "--label", "y"]
    assert main([*arguments, "--split-by-time", "t", *CSV]) == 0
    keys = [[int(row["k"]) for row in part(root, name)] for name in PARTS]
    assert keys == [
        sorted([*range(42)] * 2), sorted([*range(42, 51)] * 2), sorted([*range(51, 60)] * 2),
    ]  # fmt: skip


def test_a_missing_time_ends_the_job(root: Path) -> None:
    put(root, "t.csv", "x,y,t\n1,0,2020-01-01\n2,1,\n")
    assert main(["--label", "y", "--split-by-time", "t"]) == 1
    assert message(root) == (
        "column 't': the time is missing. Fill it in, or remove the rows with a query (--sql)\n"
    )
    assert not (root / "processing" / "output").exists()
