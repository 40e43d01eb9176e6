"""The data files of an Iceberg table's current snapshot, among all that lie in its folder.

Source: Apache Iceberg, "Table Spec", versions 1 and 2: table metadata, snapshots, manifest
lists and manifests.
"""

import gzip
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sagetree.errors import DataError, quote
from sagetree.files.finding import listed
from sagetree.prepare.stores.avro import AvroError, read_avro

# 00012-0aec19ca-....metadata.json where Glue is the catalog, v12.metadata.json where files are.
_METADATA = re.compile(r"v?(\d+)(-[^/]*)?(\.gz)?\.metadata\.json(\.gz)?")

# What Feature Store calls the folder of a day: <event time feature>_trunc=2022-11-09.
_DAY = re.compile(r"[^/=]+_trunc=\d{4}-\d{2}-\d{2}")

_VERSIONS = (1, 2)
_DELETED = 2
REWRITE = (
    "Rewrite the table's data files first (in Athena: OPTIMIZE table REWRITE DATA USING BIN_PACK)"
)
_COPY_AGAIN = "Copy the table's whole folder again, with metadata/ and data/"


class _Record(BaseModel):
    """A part of the metadata; other fields than those read here are skipped."""

    model_config = ConfigDict(extra="ignore", frozen=True)


_R = TypeVar("_R", bound=_Record)


class _Field(_Record):
    id: int
    name: str


class _Schema(_Record):
    id: int = Field(default=0, alias="schema-id")
    fields: tuple[_Field, ...]


class _PartitionField(_Record):
    source: int = Field(alias="source-id")
    transform: str


class _PartitionSpec(_Record):
    fields: tuple[_PartitionField, ...]


class _SnapshotRecord(_Record):
    id: int = Field(alias="snapshot-id")
    manifest_list: str | None = Field(default=None, alias="manifest-list")


class _Metadata(_Record):
    version: int = Field(alias="format-version")
    location: str
    schemas: tuple[_Schema, ...] = ()
    first_schema: _Schema | None = Field(default=None, alias="schema")
    current_schema: int = Field(default=0, alias="current-schema-id")
    partitions: tuple[_PartitionSpec, ...] = Field(default=(), alias="partition-specs")
    snapshots: tuple[_SnapshotRecord, ...] = ()
    current_snapshot: int | None = Field(default=None, alias="current-snapshot-id")


class _Manifest(_Record):
    manifest_path: str
    content: int = 0


class _DataFile(_Record):
    file_path: str
    content: int = 0


class _Entry(_Record):
    status: int
    data_file: _DataFile


@dataclass(frozen=True)
class Snapshot:
    """The files of a table as it is now, and its columns by their field ids.

    `partitions` are the columns whose values the metadata have, too: files
    that were made by Hive may lack them.
    """

    files: Sequence[Path]
    columns: Mapping[int, str]
    partitions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Table:
    """A table's folder, what its metadata call that folder, and the metadata."""

    folder: Path
    location: str
    metadata: _Metadata
    where: str

    def local(self, uri: str) -> Path:
        """Return where a file of the table lies here. Raises DataError where it does not."""
        inside = _without_scheme(uri).removeprefix(self.location + "/")
        if inside == _without_scheme(uri):
            raise DataError(
                f"the Iceberg table keeps a file outside its folder: {quote(uri)}",
                where=self.where,
                hint="Copy the table into one folder (in Athena: CREATE TABLE ... AS SELECT)",
            )
        path = self.folder / inside
        if ".." in path.parts or not path.is_file():
            raise DataError(
                f"the Iceberg table's file {inside} does not exist",
                where=self.where,
                hint=_COPY_AGAIN,
            )
        return path


def current_snapshot(folder: Path, files: Sequence[Path]) -> Snapshot | None:
    """Return what an Iceberg table's folder holds now, None if it is not such a table.

    `files` are all files below the folder. Raises DataError for a table that
    is not whole, or whose rows are deleted by files of their own.
    """
    metadata = [path for path in files if _is_metadata(path)]
    if not metadata:
        _refuse_bare_data(folder, files)
        return None
    table = _read_table(folder, metadata)
    _refuse_other_files(table, files)
    data = [table.local(uri) for uri in _data_files(table)]
    if not data:
        raise DataError(
            "the Iceberg table has no rows", where=table.where, hint="Write rows to it first"
        )
    columns = _columns(table.metadata)
    specs = [field for spec in table.metadata.partitions for field in spec.fields]
    plain = {field.source for field in specs if field.transform == "identity"}
    partitions = frozenset(name for number, name in columns.items() if number in plain)
    return Snapshot(sorted(data), columns, partitions)


def _is_metadata(path: Path) -> bool:
    return path.parent.name == "metadata" and _METADATA.fullmatch(path.name) is not None


def _refuse_bare_data(folder: Path, files: Sequence[Path]) -> None:
    """Raise DataError for an Iceberg table's data files without what says which of them count."""
    bare = next((p for p in files if _DAY.search(str(p.parent.relative_to(folder)))), None)
    if bare and bare != folder:
        raise DataError(
            "these are files of an Iceberg table, without the folder metadata/ that says which of "
            "them are the table now",
            where=f"{folder.name}/{bare.relative_to(folder)}",
            hint="Name the folder above, which has both data/ and metadata/",
        )


def _read_table(folder: Path, metadata: Sequence[Path]) -> _Table:
    """Read the newest metadata. Raises DataError where it is not sure which they are."""
    roots = {path.parent.parent for path in metadata}
    if len(roots) > 1:
        names = ", ".join(sorted(str(root.relative_to(folder.parent)) for root in roots))
        raise DataError(
            f"there are several Iceberg tables in the folder: {names}",
            where=folder.name,
            hint="Give each its own folder",
        )
    newest = max(map(_version, metadata))
    found = sorted(path for path in metadata if _version(path) == newest)
    where = str(found[0].relative_to(folder.parent))
    if len(found) > 1:
        raise DataError(
            f"{found[1].name} is as new as this one, and only one of them is the Iceberg table's",
            where=where,
            hint="Remove the one that the table's metadata_location in Glue does not name",
        )
    content = _read_metadata(found[0], where)
    location = _without_scheme(content.location).rstrip("/")
    return _Table(found[0].parent.parent, location, content, where)


def _version(path: Path) -> int:
    found = _METADATA.fullmatch(path.name)
    return int(found.group(1)) if found else -1


def _read_metadata(path: Path, where: str) -> _Metadata:
    try:
        data = path.read_bytes()
        text = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        metadata = _Metadata.model_validate_json(text)
    except (OSError, EOFError, zlib.error, ValidationError) as error:
        raise _damaged("they are not as Iceberg writes them", where) from error
    if metadata.version not in _VERSIONS:
        raise DataError(
            f"this is an Iceberg table of version {metadata.version}, and only versions 1 and 2 "
            "are supported",
            where=where,
            hint="Write the table in version 2",
        )
    return metadata


def _refuse_other_files(table: _Table, files: Iterable[Path]) -> None:
    """Raise DataError for files beside the table: nothing says whether they are rows of it."""
    beside = [path for path in files if not path.is_relative_to(table.folder)]
    if beside:
        names = listed([path.name for path in beside])
        raise DataError(
            f"beside the Iceberg table there are other files: {names}",
            where=table.where,
            hint="Keep only the table's folder in the folder",
        )


def _without_scheme(uri: str) -> str:
    """Return a URI without s3://, s3a:// or file://."""
    return re.sub(r"^[a-z0-9]+:/*", "/", uri)


def _columns(metadata: _Metadata) -> Mapping[int, str]:
    """Return the names of the table's columns now, by field id."""
    schemas = [schema for schema in metadata.schemas if schema.id == metadata.current_schema]
    schema = schemas[0] if schemas else metadata.first_schema
    return {field.id: field.name for field in schema.fields} if schema else {}


def _data_files(table: _Table) -> Sequence[str]:
    """Return the URIs of the data files in the current snapshot."""
    current = table.metadata.current_snapshot
    snapshot = next((s for s in table.metadata.snapshots if s.id == current), None)
    if snapshot is None:
        return []
    if snapshot.manifest_list is None:
        raise DataError(
            "the Iceberg table's snapshot has no manifest list, which early versions left out",
            where=table.where,
            hint="Write the table in version 2",
        )
    files: list[_DataFile] = []
    for manifest in _avro(table, snapshot.manifest_list, _Manifest):
        found = [e for e in _avro(table, manifest.manifest_path, _Entry) if e.status != _DELETED]
        if found and (manifest.content or any(entry.data_file.content for entry in found)):
            raise DataError(
                "rows of the Iceberg table are deleted by delete files, which are not supported",
                where=table.where,
                hint=f"{REWRITE}, and copy its folder again",
            )
        files += (entry.data_file for entry in found)
    return [file.file_path for file in files]


def _avro(table: _Table, uri: str, kind: type[_R]) -> Sequence[_R]:
    path = table.local(uri)
    try:
        return [kind.model_validate(record) for record in read_avro(path.read_bytes())]
    except (AvroError, OSError, ValidationError) as error:
        reason = (
            str(error) if isinstance(error, AvroError) else "they are not as Iceberg writes them"
        )
        raise _damaged(reason, str(path.relative_to(table.folder.parent))) from error


def _damaged(reason: str, where: str) -> DataError:
    return DataError(
        f"the Iceberg table's metadata are damaged: {reason}", where=where, hint=_COPY_AGAIN
    )
