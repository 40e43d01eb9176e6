"""Offline stores of any records, in any files: what is kept is what a plain sort keeps."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagetree.prepare.database import Database, identifier
from sagetree.prepare.inputs import find_tables
from sagetree.prepare.kinds import key_cells
from sagetree.prepare.loading import load_table
from sagetree.prepare.records import RecordColumns, keep_latest
from tests.prepare.stores.trees import INPUT, Record, deleted, put_group, record

TIMES = ("2026-09-30T09:59:59", "2026-09-30T10:00:00", "2026-10-01T00:00:00", "2027-01-01T08:00:00")

RECORDS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(TIMES),
        st.integers(1, 3),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


def clear(db: Database) -> None:
    for schema, table in db.rows("SELECT schema_name, table_name FROM duckdb_tables()"):
        db.run(f"DROP TABLE {schema}.{identifier(table)}")


def made(drawn: list[tuple[int, str, int, bool]]) -> list[Record]:
    """Return records, each with its own number; one feature was added in October."""
    records: list[Record] = []
    for number, (key, time, came, is_deleted) in enumerate(drawn):
        features: dict[str, object] = {"number": number}
        if time > "2026-10":
            features["more"] = number
        if is_deleted:
            records.append(deleted(key, time, *features, came=came))
        else:
            records.append(record(key, time, came=came, **features))
    return records


def latest(records: list[Record]) -> list[tuple[object, ...]]:
    """Return the rows that stay, of ties none: which is the last depends on the files."""
    kept: dict[object, Record] = {}
    for each in records:
        other = kept.get(each["policy_id"])
        if other is None or order(each) >= order(other):
            kept[each["policy_id"]] = each
    return sorted(
        (key, each["number"], each.get("more"))
        for key, each in kept.items()
        if not each["is_deleted"]
    )


def order(each: Record) -> tuple[str, ...]:
    return tuple(str(each[name]) for name in ("event_time", "api_invocation_time", "write_time"))


def has_ties(records: list[Record]) -> bool:
    return len({(each["policy_id"], order(each)) for each in records}) < len(records)


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(drawn=RECORDS, zeros=st.booleans(), seed=st.integers(0, 9))
def test_the_latest_record_of_each_key_stays(
    shared_db: Database, drawn: list[tuple[int, str, int, bool]], zeros: bool, seed: int
) -> None:
    records = made(drawn)
    if has_ties(records):
        return
    clear(shared_db)
    with TemporaryDirectory() as folder:
        root = Path(folder)
        group = put_group(root, "claims", random.Random(seed).sample(records, len(records)), zeros)
        split(group, seed)
        [files] = find_tables(root / INPUT, None)
        raw = load_table(shared_db, files)
    columns = RecordColumns("policy_id", "event_time", "is_deleted")
    keep_latest(shared_db, raw, key_cells(shared_db, [raw], "policy_id")["claims"], columns)
    names = [*shared_db.columns("main.claims")]
    assert set(names) <= {"policy_id", "number", "more"}
    more = "more" if "more" in names else "NULL"
    rows = shared_db.rows(f"SELECT policy_id, number, {more} FROM main.claims ORDER BY 1")
    assert rows == latest(records)


def split(group: Path, seed: int) -> None:
    """Cut some files in two, the second before the first by name."""
    draw = random.Random(seed)
    for path in sorted(group.rglob("*.parquet")):
        table = pq.read_table(path)
        if table.num_rows > 1 and draw.random() < 0.5:
            at = draw.randint(1, table.num_rows - 1)
            for name, part in (("b", table.slice(0, at)), ("a", table.slice(at))):
                pq.write_table(pa.table(part), path.with_name(f"{name}{path.name}"))
            path.unlink()
