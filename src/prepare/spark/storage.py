"""Files wherever Spark reads them: listed, looked into, and given their names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from pyspark.sql import SparkSession

from sagetree.errors import DataError, PlatformError, SettingsError, quote
from sagetree.files.finding import is_skipped
from sagetree.prepare.inputs import SUFFIXES, find_name
from sagetree.prepare.query import Query
from sagetree.prepare.spark.session import spark_errors


@dataclass(frozen=True)
class StoredFile:
    """A file with the name that messages give it, its address and its size."""

    name: str
    address: str
    size: int


@dataclass(frozen=True)
class StoredTable:
    """A table with its files, in order of their names."""

    name: str
    files: Sequence[StoredFile]


@dataclass(frozen=True)
class Storage:
    """Hadoop's file systems: this machine's, HDFS, S3 and whatever else the cluster knows."""

    session: SparkSession

    def _path(self, address: str) -> Any:  # noqa: ANN401 - an object of Java
        return self.session._jvm.org.apache.hadoop.fs.Path(address)

    def _system(self, path: Any) -> Any:  # noqa: ANN401 - objects of Java
        return path.getFileSystem(self.session._jsc.hadoopConfiguration())

    def head(self, file: StoredFile, size: int) -> bytes:
        """Return a file's first bytes."""
        with spark_errors():
            path = self._path(file.address)
            stream = self._system(path).open(path)
            try:
                reader = self.session._jvm.org.apache.commons.io.IOUtils
                return bytes(reader.toByteArray(stream, min(size, file.size)))
            finally:
                stream.close()

    def find_table(self, address: str) -> StoredTable:
        """Return the table at an address: a file, or a folder with all files below it.

        Raises DataError where it does not exist, SettingsError for what is not an address.
        """
        with spark_errors():
            path = self._path(address)
            system = self._system(path)
            if not system.exists(path):
                hint = "Name a folder of CSV or Parquet files, or a file"
                raise DataError("the file or folder does not exist", where=address, hint=hint)
            status = system.getFileStatus(path)
            is_folder = bool(status.isDirectory())
            found = [*_listed(system, status.getPath())] if is_folder else [_entry(status)]
        root = PurePosixPath(address.rstrip("/")).name
        base = f"{_uri(status.getPath()).rstrip('/')}/"
        files = []
        for uri, size in sorted(found, key=lambda entry: PurePosixPath(entry[0]).parts):
            below = uri.removeprefix(base) if is_folder else ""
            if not any(map(is_skipped, PurePosixPath(below).parts)):
                files.append(StoredFile(f"{root}/{below}" if is_folder else root, uri, size))
        if not files:
            hint = "Put CSV or Parquet files there"
            raise DataError("the folder holds no data file", where=address, hint=hint)
        return StoredTable(_table_name(address, is_folder=is_folder), files)

    def publish(self, source: str, target: str, name: str, ending: str) -> int:
        """Move what Spark wrote to `source` into the folder `target` under our names.

        What an earlier run left there under such names goes. Returns the number of files.
        """
        with spark_errors():
            folder, written = self._path(target), self._path(source)
            system = self._system(folder)
            self.remove_earlier(target, name)
            parts = sorted(str(status.getPath().getName()) for status in system.listStatus(written))
            parts = [part for part in parts if part.endswith(ending)]
            for number, part in enumerate(parts):
                new = self._path(f"{target}/{name}-{number:05}{ending}")
                if not system.rename(self._path(f"{source}/{part}"), new):
                    raise _not_moved(target)
                # What Hadoop adds to each file of this machine, and nobody reads.
                system.delete(self._path(f"{target}/.{name}-{number:05}{ending}.crc"), False)
            return len(parts)

    def remove_earlier(self, folder: str, name: str) -> None:
        """Delete the files of a part that an earlier run left in its folder."""
        with spark_errors():
            path = self._path(folder)
            system = self._system(path)
            if system.exists(path):
                for status in system.listStatus(path):
                    if _is_ours(str(status.getPath().getName()), name):
                        system.delete(status.getPath(), False)

    def remove(self, address: str) -> None:
        """Delete a folder of ours, if it is there."""
        with spark_errors():
            path = self._path(address)
            self._system(path).delete(path, True)


def tables_at(storage: Storage, addresses: Sequence[str], query: Query | None) -> list[StoredTable]:
    """Return the tables that the query mentions, without a query all, by name.

    Raises SettingsError where two have one name, or the query reads none.
    """
    found: dict[str, StoredTable] = {}
    for address in addresses:
        table = storage.find_table(address)
        if other := find_name(found, table.name):
            raise SettingsError(
                f"{address} and another one are both the table {quote(other)}",
                where="TABLE",
                hint="Rename one, or put the files of one table into a folder and name that",
            )
        if query is None or query.mentions(table.name):
            found[table.name] = table
    if not found:
        raise SettingsError(
            "the query reads none of these tables",
            where="TABLE",
            hint="Name folders and files as the query names its tables",
        )
    return [found[name] for name in sorted(found)]


def _not_moved(folder: str) -> PlatformError:
    hint = "Check whether another job writes there, and whether this job may write there"
    return PlatformError("a file cannot be renamed", where=folder, hint=hint)


def _table_name(address: str, *, is_folder: bool) -> str:
    path = PurePosixPath(address.rstrip("/"))
    if is_folder:
        return path.name
    if path.suffix.lower() not in SUFFIXES:
        hint = "Save it as one of these, and name that file"
        raise SettingsError(
            "a table is a .csv or .parquet file, or a folder of them",
            where=f"TABLE {address}",
            hint=hint,
        )
    return path.stem


def _listed(system: Any, folder: Any) -> Iterator[tuple[str, int]]:  # noqa: ANN401 - of Java
    files = system.listFiles(folder, True)
    while files.hasNext():
        yield _entry(files.next())


def _entry(status: Any) -> tuple[str, int]:  # noqa: ANN401 - of Java
    return _uri(status.getPath()), int(status.getLen())


def _uri(path: Any) -> str:  # noqa: ANN401 - of Java
    return str(path.toString())


def _is_ours(file: str, part: str) -> bool:
    rest = file.removeprefix(part)
    return rest != file and (
        rest in (".parquet", ".csv") or (rest[:1] == "-" and rest[1:6].isdecimal())
    )
