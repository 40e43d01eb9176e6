"""Feature groups' offline stores in Iceberg's layout: only the current snapshot's files count.

iceberg.tar.gz is a table that PyIceberg 0.12 wrote to a bucket of moto's: 40 records, 20 of
them again a day later, all rewritten (the old files stay, as after OPTIMIZE), a column added,
two records marked as deleted, three more of one policy each, and one taken out of the history.
"""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.errors import DataError
from sagetree.prepare.cli import main
from sagetree.prepare.inputs import find_tables
from tests.prepare.stores.avro_files import container
from tests.prepare.stores.trees import INPUT, record
from tests.prepare.tables import every_row, message, put

GROUP = "claims-1593511200"
ARGUMENTS = ("--key", "policy_id", "--label", "fraud", "--format", "csv", "--split", "1,0,0")
PLACE = f"s3://amzn-s3-demo-bucket/example-prefix/offline-store/{GROUP}"
DAY = "EventTime_trunc=2026-09-30"

FILE = {
    "type": "record",
    "name": "r2",
    "fields": [
        {"name": "content", "type": "int"},
        {"name": "file_path", "type": "string"},
    ],
}
ENTRIES = {
    "type": "record",
    "name": "manifest_entry",
    "fields": [{"name": "status", "type": "int"}, {"name": "data_file", "type": FILE}],
}
LIST = {
    "type": "record",
    "name": "manifest_file",
    "fields": [
        {"name": "manifest_path", "type": "string"},
        {"name": "content", "type": "int"},
    ],
}


@pytest.mark.parametrize(
    "above",
    ["", pytest.param("claims/", marks=pytest.mark.long)],
    ids=["its folder", "the folder above"],
)
def test_a_table_that_another_program_wrote(root: Path, above: str) -> None:
    with tarfile.open(Path(__file__).with_name("iceberg.tar.gz")) as archive:
        archive.extractall(root / INPUT / above, filter="data")
    assert main([*ARGUMENTS, "--event-time", "EventTime"]) == 0
    expected = []
    for i in set(range(40)) - {3, 5, 21}:
        amount = (3000 if i in (7, 8, 9) else 2000 if i < 20 else 1000) + i
        injuries = str(i % 3) if i in (7, 8, 9) else ""
        expected.append({"fraud": str(i % 2), "policy_id": str(i), "amount": f"{amount}.0",
                         "num_injuries": injuries})  # fmt: skip
    assert every_row(root) == expected


def put_table(root: Path, name: str = "claims", **changes: Any) -> Path:
    """Write a table of two files; an entry says that the second is deleted."""
    folder = root / INPUT / name
    uris = [f"{PLACE}/data/0aec19ca/{DAY}/2026093{n}T090000Z_a.parquet" for n in (0, 1)]
    for number, uri in enumerate(uris):
        rows = [record(i, "2026-09-30T09:00:00", fraud=number) for i in range(4)]
        path = Path(str(uri).replace(PLACE, str(folder)))
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            pa.Table.from_pylist([{**row, "fraud": i % 2} for i, row in enumerate(rows)]), path
        )
    entries = [
        {"status": status, "data_file": {"content": 0, "file_path": uri}}
        for status, uri in zip((1, 2), uris, strict=True)
    ]
    manifests = [{"manifest_path": f"{PLACE}/metadata/m0.avro", "content": 0}]
    columns = [*record(0, "2026-09-30T09:00:00"), "fraud"]
    metadata = {
        "format-version": 2,
        "location": PLACE,
        "current-schema-id": 0,
        "schemas": [
            {"schema-id": 0, "fields": [{"id": i, "name": c} for i, c in enumerate(columns)]}
        ],
        "current-snapshot-id": 7,
        "snapshots": [{"snapshot-id": 7, "manifest-list": f"{PLACE}/metadata/snap-7.avro"}],
        **changes.get("metadata", {}),
    }
    files = {
        "m0.avro": container(ENTRIES, changes.get("entries", entries)),
        "snap-7.avro": container(LIST, changes.get("manifests", manifests)),
        "00001-b.metadata.json": json.dumps(metadata).encode(),
        "00000-a.metadata.json": b"{}",
        **changes.get("files", {}),
    }
    for file, data in files.items():
        put(root, f"{name}/metadata/{file}", data)
    return folder


def test_the_metadata_of_the_highest_number_count(root: Path) -> None:
    put_table(root)
    assert main([*ARGUMENTS]) == 0
    assert [row["policy_id"] for row in every_row(root)] == ["0", "1", "2", "3"]


def entry(uri: str, status: int = 1, content: int = 0) -> dict[str, Any]:
    return {"status": status, "data_file": {"content": content, "file_path": uri}}


def remove(part: str) -> Callable[[Path], object]:
    return lambda folder: [path.unlink() for path in folder.rglob(part)]


WHERE = "claims/metadata/00001-b.metadata.json"
COPY = "Copy the table's whole folder again, with metadata/ and data/"
DELETES = (
    f"{WHERE}: rows of the Iceberg table are deleted by delete files, which are not supported. "
    "Rewrite the table's data files first (in Athena: OPTIMIZE table REWRITE DATA USING "
    "BIN_PACK), and copy its folder again"
)
FILE_0 = f"data/0aec19ca/{DAY}/20260930T090000Z_a.parquet"
FAULTS: dict[str, tuple[dict[str, Any], Callable[[Path], object] | None, str]] = {
    "a data file is missing": (
        {}, remove("*0930T09*"),
        f"{WHERE}: the Iceberg table's file {FILE_0} does not exist. {COPY}",
    ),
    "a manifest is missing": (
        {}, remove("m0.avro"),
        f"{WHERE}: the Iceberg table's file metadata/m0.avro does not exist. {COPY}",
    ),
    "no metadata": (
        {}, remove("*.json"),
        f"claims/{FILE_0}: these are files of an Iceberg table, without the folder metadata/ that "
        "says which of them are the table now. Name the folder above, which has both data/ and "
        "metadata/",
    ),
    "two newest": (
        {"files": {"00001-a.metadata.json": b"{}"}}, None,
        "claims/metadata/00001-a.metadata.json: 00001-b.metadata.json is as new as this one, and "
        "only one of them is the Iceberg table's. Remove the one that the table's "
        "metadata_location in Glue does not name",
    ),
    "a manifest of deletes": (
        {"manifests": [{"manifest_path": f"{PLACE}/metadata/m0.avro", "content": 1}]},
        None, DELETES,
    ),
    "an entry of deletes": ({"entries": [entry(f"{PLACE}/{FILE_0}", content=1)]}, None, DELETES),
    "a file elsewhere": (
        {"entries": [entry("s3://other/x.parquet")]}, None,
        f"{WHERE}: the Iceberg table keeps a file outside its folder: 's3://other/x.parquet'. "
        "Copy the table into one folder (in Athena: CREATE TABLE ... AS SELECT)",
    ),
    "a way out": (
        {"entries": [entry(f"{PLACE}/../claims/{FILE_0}")]}, None,
        f"{WHERE}: the Iceberg table's file ../claims/{FILE_0} does not exist. {COPY}",
    ),
    "no files": (
        {"entries": [entry(f"{PLACE}/{FILE_0}", status=2)]}, None,
        f"{WHERE}: the Iceberg table has no rows. Write rows to it first",
    ),
    "no snapshot": (
        {"metadata": {"current-snapshot-id": -1}}, None,
        f"{WHERE}: the Iceberg table has no rows. Write rows to it first",
    ),
    "version 3": (
        {"metadata": {"format-version": 3}}, None,
        f"{WHERE}: this is an Iceberg table of version 3, and only versions 1 and 2 are supported. "
        "Write the table in version 2",
    ),
    "manifests in the snapshot": (
        {"metadata": {"snapshots": [{"snapshot-id": 7, "manifests": []}]}}, None,
        f"{WHERE}: the Iceberg table's snapshot has no manifest list, which early versions left "
        "out. Write the table in version 2",
    ),
    "damaged metadata": (
        {"files": {"00001-b.metadata.json": b"{"}}, None,
        f"{WHERE}: the Iceberg table's metadata are damaged: they are not as Iceberg "
        f"writes them. {COPY}",
    ),
    "metadata of another kind": (
        {"files": {"00001-b.metadata.json": b"[]"}}, None,
        f"{WHERE}: the Iceberg table's metadata are damaged: they are not as Iceberg "
        f"writes them. {COPY}",
    ),
    "a damaged manifest": (
        {"files": {"m0.avro": b"Obj"}}, None,
        "claims/metadata/m0.avro: the Iceberg table's metadata are damaged: it ends too early. "
        f"{COPY}",
    ),
    "another file beside": (
        {}, lambda folder: folder.rename(folder.parent / "t") and [
            (folder.parent / "claims").mkdir(),
            (folder.parent / "t").rename(folder / "t"),
            (folder / "x.parquet").write_bytes(b"PAR1"),
        ],
        "claims/t/metadata/00001-b.metadata.json: beside the Iceberg table there are other files: "
        "x.parquet. Keep only the table's folder in the folder",
    ),
    "two tables": (
        {}, lambda folder: put_table(folder.parents[2], "claims/again"),
        "claims: there are several Iceberg tables in the folder: claims, claims/again. Give each "
        "its own folder",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "change", "text"), FAULTS.values(), ids=FAULTS)
def test_faults(
    root: Path, changes: dict[str, Any], change: Callable[[Path], object] | None, text: str
) -> None:
    folder = put_table(root, **changes)
    if change:
        change(folder)
    with pytest.raises(DataError) as caught:
        find_tables(root / INPUT, None)
    assert str(caught.value) == text


def test_a_file_without_any_of_the_columns(root: Path) -> None:
    folder = put_table(root)
    pq.write_table(pa.table({"other": [1]}), next(folder.rglob("*0930T09*")))
    assert main([*ARGUMENTS]) == 1
    assert message(root) == (
        f"claims/{FILE_0}: it has none of the Iceberg table's columns. Leave the file out, or "
        "write it again\n"
    )


def test_a_column_that_only_the_metadata_have(root: Path) -> None:
    """As in tables that were Hive's, whose files lack what their folders say."""
    specs = [{"spec-id": 0, "fields": [{"source-id": 5, "transform": "identity", "name": "f"}]}]
    folder = put_table(root, metadata={"partition-specs": specs})
    file = next(folder.rglob("*0930T09*"))
    pq.write_table(pq.read_table(file).drop_columns(["fraud"]), file)
    assert main([*ARGUMENTS]) == 1
    assert message(root) == (
        f"claims/{FILE_0}: the column 'fraud' is in the Iceberg table's metadata alone. Rewrite "
        "the table's data files first (in Athena: OPTIMIZE table REWRITE DATA USING BIN_PACK), "
        "and copy its folder again\n"
    )


def test_a_column_that_was_renamed(root: Path) -> None:
    fields = [pa.field("old", pa.int64(), metadata={"PARQUET:field_id": "5"})]
    folder = put_table(root)
    pq.write_table(pa.table([[1]], schema=pa.schema(fields)), next(folder.rglob("*0930T09*")))
    assert main([*ARGUMENTS]) == 1
    assert message(root) == (
        f"claims/{FILE_0}: the column 'old' is called 'fraud' now. Rewrite the table's data "
        "files first (in Athena: OPTIMIZE table REWRITE DATA USING BIN_PACK), and copy its folder "
        "again\n"
    )
