"""What the database may touch, and what it says when the machine does not suffice."""

import doctest
import gc
import importlib
import random
import resource
import signal
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from types import FrameType

import duckdb
import pyarrow as pa
import pytest

from sagetree.errors import PlatformError
from sagetree.prepare.database import Database, identifier, open_database


def test_nothing_outside_the_given_folders_can_be_opened(tmp_path: Path) -> None:
    inside, outside = tmp_path / "it's", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "x.csv").write_text("a\n1\n")
    with open_database(1_000_000_000) as db:
        db.confine([inside])
        db.run(f"COPY (SELECT 1 AS a) TO '{str(inside).replace(chr(39), chr(39) * 2)}/y.csv'")
        for sql in (
            f"SELECT * FROM '{outside}/x.csv'",
            f"SELECT * FROM read_text('{outside}/x.csv')",
            f"COPY (SELECT 1) TO '{outside}/y.csv'",
            f"ATTACH '{outside}/z.duckdb'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SELECT * FROM read_csv('https://example.com/x.csv')",
            "SET enable_external_access = true",
            "SET allowed_directories = ['/']",
        ):
            with pytest.raises(duckdb.Error):
                db.run(sql)
    assert [path.name for path in inside.iterdir()] == ["y.csv"]
    assert [path.name for path in outside.iterdir()] == ["x.csv"]


def test_a_query_sees_no_variable_of_the_program() -> None:
    secret = pa.table({"a": [1]})
    with open_database(1_000_000_000) as db, pytest.raises(duckdb.CatalogException):
        db.run("SELECT * FROM secret")
    assert secret.num_rows == 1


def test_the_temporary_folder_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with open_database(1_000_000_000) as db:
        assert [path.name[:17] for path in tmp_path.iterdir()] == ["sagetree-prepare-"]
        with pytest.raises(duckdb.CatalogException):
            db.run("SELECT * FROM nope")
    assert list(tmp_path.iterdir()) == []


class Stopped(BaseException):
    """A signal has come."""


def stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


def signal_after(delays: "SimpleQueue[float | None]") -> None:
    """Send the main thread a signal after each of these numbers of seconds."""
    main = threading.main_thread().ident
    assert main is not None
    while (delay := delays.get()) is not None:
        time.sleep(delay)
        signal.pthread_kill(main, signal.SIGUSR1)


def run_until_stopped(db: Database, delays: "SimpleQueue[float | None]", delay: float) -> None:
    delays.put(delay)
    db.run("SELECT count(*) FROM range(1_000_000_000_000)")  # takes a minute and more


def test_a_signal_at_any_moment_of_a_query_frees_the_connection() -> None:
    before = signal.signal(signal.SIGUSR1, stop)
    delays: SimpleQueue[float | None] = SimpleQueue()
    sender = threading.Thread(target=signal_after, args=(delays,))
    sender.start()
    chance = random.Random(1)
    gc.collect()
    gc.disable()  # what the handler raises while rubbish of other tests is removed is lost
    try:
        with open_database(1_000_000_000) as db:
            for _ in range(100):
                began = time.monotonic()
                with pytest.raises(Stopped):
                    run_until_stopped(db, delays, chance.uniform(0, 0.0005))
                assert time.monotonic() - began < 30
                assert db.connection.execute("SELECT 1").fetchall() == [(1,)]
    finally:
        gc.enable()
        delays.put(None)
        sender.join()
        signal.signal(signal.SIGUSR1, before)


def fill_wide_table(limit: int) -> None:
    names = [f"c{number}" for number in range(300)]
    rows = pa.table({name: [f"{name}.{row}" for row in range(3000)] for name in names})
    with open_database(limit) as db:
        db.run(f"CREATE TABLE raw.wide ({', '.join(f'{name} VARCHAR' for name in names)})")
        for _ in range(12):
            db.insert("raw.wide", "*", rows)


def test_no_room_for_the_tables_is_the_machines_fault() -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, before[1]))
    try:
        with pytest.raises(PlatformError) as caught:
            fill_wide_table(1_000_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value) == (
        "a file could not be read or written. Is the disk of the temporary folder (TMPDIR) or of "
        "the output full?"
    )


def test_another_fault_of_a_transaction_is_not_the_machines() -> None:
    with open_database(1_000_000_000) as db, pytest.raises(duckdb.TransactionException):
        db.run("COMMIT")


@pytest.mark.parametrize("limit", [20_000_000, 30_000_000, 34_000_000])
def test_too_little_memory_to_write_the_tables_is_the_machines_fault(limit: int) -> None:
    with pytest.raises(PlatformError) as caught:
        fill_wide_table(limit)
    assert str(caught.value) == (
        "the tables need more memory, or more room in the temporary folder, than there is. "
        "Raise --memory-limit, let TMPDIR name a larger disk, or use a larger instance"
    )


def test_too_little_memory_is_the_machines_fault() -> None:
    with pytest.raises(PlatformError) as caught, open_database(10_000_000) as db:
        db.run("CREATE TABLE main.x AS SELECT list(i) AS a FROM range(10_000_000) t(i)")
    assert str(caught.value) == (
        "the tables need more memory, or more room in the temporary folder, than there is. "
        "Raise --memory-limit, let TMPDIR name a larger disk, or use a larger instance"
    )


def test_a_file_that_cannot_be_written_is_the_machines_fault(tmp_path: Path) -> None:
    with pytest.raises(PlatformError) as caught, open_database(1_000_000_000) as db:
        db.run(f"COPY (SELECT 1) TO '{tmp_path}/none/x.csv'")
    assert str(caught.value) == (
        "a file could not be read or written. "
        "Is the disk of the temporary folder (TMPDIR) or of the output full?"
    )


@pytest.mark.parametrize("name", ["a", 'a"b', '"', "a'b", "x,y", "select", "é", "a;--", " "])
def test_any_name_can_be_a_column_and_a_table(name: str) -> None:
    with open_database(1_000_000_000) as db:
        db.run(f"CREATE TABLE main.{identifier(name)} AS SELECT 1 AS {identifier(name)}")
        assert list(db.columns(f"main.{identifier(name)}")) == [name]
        assert db.count(f"main.{identifier(name)}") == 1


@pytest.mark.parametrize("module", ["database", "splitting.shares"])
def test_examples_in_docstrings_are_true(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"prepare.{module}"))
    assert (result.failed, bool(result.attempted)) == (0, True)


@pytest.mark.long
def test_a_wide_table_in_small_chunks_takes_no_more_memory_than_in_one() -> None:
    columns, chunks = 2000, 50
    chunk = pa.record_batch({f"x{place}": [*"abcdefghijklmnopqrst"] for place in range(columns)})
    rows = pa.Table.from_batches([chunk] * chunks)
    with open_database(250_000_000) as db:
        cells = ", ".join(f"{identifier(name)} VARCHAR" for name in rows.column_names)
        db.run(f"CREATE TABLE raw.wide ({cells})")
        db.insert("raw.wide", "*", rows)
        found = db.rows("SELECT x0, x1999 FROM raw.wide")
    assert found == [(cell, cell) for cell in "abcdefghijklmnopqrst"] * chunks
