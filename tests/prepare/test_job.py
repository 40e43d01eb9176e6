"""The program `prepare`, as SageMaker runs it: tables in, parts out, one exit code."""

import csv
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from local_test.generate import main as generate
from tests.needs import WORKSHOP, needs_workshop
from tests.prepare.tables import (
    EXAMPLE,
    PARTS,
    every_row,
    message,
    outputs,
    part,
    prepare,
    put,
    put_one,
    put_pair,
)
from tests.programs import SAGETREE, environment, run_sagetree


def test_joined_parts_are_stratified_and_keys_are_in_one_of_them(root: Path) -> None:
    put_pair(root, rows=400)
    assert prepare("--format", "csv") == 0
    parts = {name: part(root, name) for name in PARTS}
    assert [len(rows) for rows in parts.values()] == [280, 60, 60]
    for rows in parts.values():
        assert sum(row["fraud"] == "1" for row in rows) * 4 == len(rows)
        assert rows == sorted(rows, key=lambda row: int(row["policy_id"]))
    assert list(parts["train"][0]) == ["fraud", "policy_id", "collision", "age"]
    joined = every_row(root)
    assert [int(row["policy_id"]) for row in joined] == list(range(400))
    assert all(int(row["age"]) == 20 + int(row["policy_id"]) for row in joined)
    assert {row["collision"] for row in joined} == {"N/A", "Rear"}


def test_parquet_is_the_default_and_has_the_same_rows(root: Path) -> None:
    put_pair(root)
    assert prepare("--format", "csv") == 0
    texts = part(root, "train")
    assert prepare() == 0
    table = pq.read_table(root / "processing" / "output" / "train" / "train.parquet")
    assert [str(kind) for kind in table.schema.types] == ["int64", "int64", "string", "int64"]
    assert [{k: str(v) for k, v in row.items()} for row in table.to_pylist()] == texts


@pytest.mark.long  # three preparations; test_assigning.py has the same of its SQL
def test_the_split_does_not_depend_on_the_order_of_rows_and_files(root: Path) -> None:
    put_pair(root, rows=200)
    assert prepare() == 0
    before = outputs(root)
    header, *lines = (root / "processing/input/claims/part.csv").read_text().splitlines()
    put(root, "claims/part.csv", "\n".join([header, *lines[150:]]))
    put(root, "claims/a/b.csv", "\n".join([header, *reversed(lines[:150])]))
    assert prepare() == 0
    assert outputs(root) == before
    assert prepare("--seed", "1") == 0
    assert outputs(root) != before


def test_parquet_and_csv_tables_join(root: Path) -> None:
    put_pair(root)
    (root / "processing/input/customers.csv").unlink()
    age = [{"policy_id": i, "age": 20 + i} for i in range(40)]
    folder = root / "processing/input/customers"
    folder.mkdir()
    import pyarrow as pa

    pq.write_table(pa.Table.from_pylist(age[:20]), folder / "0.parquet")
    pq.write_table(pa.Table.from_pylist(age[20:]), folder / "1.parquet")
    assert prepare("--format", "csv") == 0
    assert every_row(root) == [
        {
            "fraud": str(int(i % 4 == 0)), "policy_id": str(i),
            "collision": "N/A" if i % 3 else "Rear", "age": str(20 + i),
        }
        for i in range(40)
    ]  # fmt: skip


def test_claims_without_a_customer_are_kept_and_counted(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_pair(root)
    put(root, "customers.csv", "policy_id,age\n7,27\n100,120\n")
    assert prepare("--format", "csv") == 0
    assert {row["policy_id"]: row["age"] for row in every_row(root)} == {
        str(key): "27" if key == 7 else "" for key in range(40)
    }
    printed = capsys.readouterr().out
    assert "keys of claims without customers: 39\n" in printed
    assert "keys of customers without claims: 1\n" in printed


def test_what_a_messy_export_becomes(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Older records, deleted policies, a stray header, an index column, empty cells, TX."""
    clean, messy = root / "clean", root / "processing" / "input"
    size = ["--policies", "1000", "--seed", "3"]
    generate([*size, "--out", str(clean)])
    generate([*size, "--out", str(messy), "--messy"])
    capsys.readouterr()
    assert prepare("--format", "csv") == 0
    log = capsys.readouterr().out

    with (messy / "claims.csv").open(newline="") as file:
        records = [row for row in csv.DictReader(file) if row["policy_id"] != "policy_id"]
    latest = {row["policy_id"]: row for row in sorted(records, key=lambda row: row["event_time"])}
    kept = {key for key, row in latest.items() if row["is_deleted"] == "False"}
    counts = [len(records) + 1, 1, len(records) - len(latest), len(latest) - len(kept), len(kept)]
    claims = next(line for line in log.splitlines() if line.startswith("claims "))
    assert claims.split()[1:] == list(map(str, counts))
    assert min(counts) > 0
    assert "customers: a column without a name was left out\n" in log

    rows = every_row(root)
    assert {row["policy_id"] for row in rows} == kept
    with (clean / "claims.csv").open(newline="") as file:
        truth = {row["policy_id"]: row for row in csv.DictReader(file)}
    assert all(r["injury_claim"] == truth[r["policy_id"]]["injury_claim"] for r in rows)
    assert {row["policy_state"] for row in rows} >= {"TX", "CA"}
    assert {row["driver_relationship"] for row in rows} >= {"N/A", "Self"}
    assert any(row["num_witnesses"] == "" for row in rows)
    assert not {"", "Unnamed: 0", "event_time", "is_deleted"} & set(rows[0])


@pytest.mark.long  # 20 000 rows
@needs_workshop
def test_the_leaky_join_is_not_made(root: Path) -> None:
    """Four records for each policy in B's store: one is left, once a time tells which."""
    header, *lines = (WORKSHOP / "leaky20k" / "dataset.csv").read_text().splitlines()
    timed = [f"{line},{time}" for time, line in enumerate(lines)]
    put(root, "policies.csv", "\n".join([f"{header},event_time", *timed]))
    sql = root / "one.sql"
    sql.write_text("SELECT * FROM policies")
    assert prepare("--sql", str(sql), "--format", "csv") == 0
    assert len(every_row(root)) == 5000


def test_cells_and_names_come_out_as_they_went_in(root: Path) -> None:
    names = ["policy_id", 'zip "code"', "x,y", "note", "état", "rowid", "big", "part", "a;--"]
    rows = [
        [
            str(i),
            f"00{i % 10}",
            f"{i}.50",
            f'a, "b"\n{i}\r\n',
            "NA",
            "None",
            str(10**17 + i),
            "",
            " ",
        ]
        for i in range(20)
    ]
    lines = [
        ",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [names, *rows]
    ]
    arguments = put_one(root, "\ufeff" + lines[0], lines[1:])
    assert prepare(*arguments) == 0
    expected = [
        {**dict(zip(names, row, strict=True)), "x,y": str(float(row[2])), "fraud": str(i % 2)}
        for i, row in enumerate(rows)
    ]
    assert every_row(root) == expected
    assert list(every_row(root)[0])[:2] == ["fraud", "policy_id"]


def test_tables_may_have_any_name(root: Path) -> None:
    put(root, 'a "b";--/x.csv', "k,v\n" + "".join(f"{i},{i % 2}\n" for i in range(20)))
    put(root, "order.csv", "k,w\n" + "".join(f"{i},{i}\n" for i in range(20)))
    (root / "q.sql").write_text('SELECT * FROM "a ""b"";--" JOIN "order" USING (k);\n')
    arguments = ["--sql", str(root / "q.sql"), "--key", "k", "--label", "v", "--split", "1,0,0"]
    assert prepare(*arguments, "--format", "csv") == 0
    assert len(part(root, "train")) == 20


def test_a_query_can_read_the_tables_alone(root: Path) -> None:
    put(root, "t.csv", "policy_id,fraud\n1,0\n2,1\n")
    (root / "secret.csv").write_text("policy_id,fraud\n1,0\n2,1\n")
    (root / "q.sql").write_text(f"SELECT * FROM t JOIN '{root}/secret.csv' s USING (policy_id)")
    assert prepare("--sql", str(root / "q.sql")) == 1
    assert message(root).startswith("q.sql: ")
    assert message(root).endswith(". Correct the query; the tables are 't'\n")
    assert not (root / "processing" / "output").exists()


def test_as_a_process_it_says_what_it_did(tmp_path: Path) -> None:
    put_pair(tmp_path)
    outcome = run_sagetree(tmp_path, "prepare", *EXAMPLE, "--format", "csv")
    assert outcome.log == (
        "table      rows in  stray headers  duplicates  deleted  rows kept\n"
        "claims          40              0           0        0         40\n"
        "customers       40              0           0        0         40\n"
        "\n"
        "keys of claims without customers: 0\n"
        "keys of customers without claims: 0\n"
        "rows joined: 40\n"
        "\n"
        "part        rows out  of all  fraud = 1   share\n"
        "train             28  70.00%          7  25.00%\n"
        "validation         7  17.50%          2  28.57%\n"
        "test               5  12.50%          1  20.00%\n"
    )
    assert outcome.code == 0
    assert list(outputs(tmp_path)) == [f"{p}/{p}.csv" for p in ("test", "train", "validation")]
    assert not (tmp_path / "output").exists()


def test_it_fails_with_the_message_first(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put_pair(root)
    put(root, "claims/more.csv", "policy_id,collision,fraud\n50,Rear\n")
    code = prepare()
    log = capfd.readouterr()
    text = (
        "claims/more.csv line 2: the line has 2 cells, and the first line has 3. "
        "Give every line the same number of cells; quote a cell that holds a comma\n"
    )
    assert (code, log.out + log.err) == (1, f"FAILED: {text}")
    assert message(root) == text
    assert not (root / "processing" / "output").exists()


@contextmanager
def started(root: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A preparation that runs with a temporary folder of its own, root/tmp."""
    (root / "tmp").mkdir()
    with subprocess.Popen(
        [SAGETREE, "prepare", *EXAMPLE, *arguments],
        env=environment(root, {"TMPDIR": str(root / "tmp")}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def check_stopped(root: Path, process: subprocess.Popen[str]) -> None:
    """Send SIGTERM: the job says so and leaves nothing behind."""
    process.send_signal(signal.SIGTERM)
    log, _ = process.communicate(timeout=60)
    text = "The job was stopped by SIGTERM before it had finished\n"
    assert (process.returncode, log.strip()) == (1, f"FAILED: {text}".strip())
    assert message(root) == text
    assert list((root / "tmp").iterdir()) == []
    assert not (root / "processing" / "output").exists()


def test_a_job_stopped_while_it_reads(tmp_path: Path) -> None:
    claims = tmp_path / "processing" / "input" / "claims"
    claims.mkdir(parents=True)
    os.mkfifo(claims / "endless.csv")
    with started(tmp_path) as process:
        limit = time.monotonic() + 60
        while not list(tmp_path.glob("tmp/*/work.duckdb")) and time.monotonic() < limit:
            time.sleep(0.02)
        check_stopped(tmp_path, process)


@pytest.mark.long  # DuckDB works on all cores until it is stopped
def test_a_job_stopped_within_a_query(tmp_path: Path) -> None:
    put(tmp_path, "t.csv", "policy_id,fraud\n1,0\n2,1\n")
    (tmp_path / "slow.sql").write_text(
        "SELECT *, (SELECT max(md5(CAST(range AS VARCHAR))) FROM range(100000000000)) AS m FROM t"
    )
    with started(tmp_path, "--sql", str(tmp_path / "slow.sql")) as process:
        assert process.stdout
        assert [process.stdout.readline().split()[0] for _ in range(2)] == ["table", "t"]
        time.sleep(0.5)
        check_stopped(tmp_path, process)
