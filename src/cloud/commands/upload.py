"""`sagetree cloud upload`: tables to where the pipeline reads them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.refusals import refusals
from sagetree.cloud.account.stack import output_of
from sagetree.cloud.account.typed import line_of
from sagetree.errors import UserError, quote

# Where in the bucket the pipeline looks, unless another place is set.
FOLDER = "tables"

# What `sagetree prepare` reads. A file without an ending is judged there, by what is in it.
_ENDINGS = (".csv", ".parquet")

# Of a table, which is a folder in the bucket.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def upload(account: Account, tables: Mapping[str, Path]) -> int:
    """Copy files, or the files of folders, each below the name of its table."""
    bucket = output_of(account, "BucketName")
    for name, path in tables.items():
        for file, key in _keys(name, path):
            account.type_out("s3", "cp", str(file), f"s3://{bucket}/{key}")
            if not account.dry_run:
                _send(account, file, bucket, key)
    if not account.dry_run:
        _tell_others(account, bucket, tables)
    account.say(f"To train on them:  sagetree cloud run {account.options}")
    return 0


def tables_of(arguments: Sequence[str]) -> dict[str, Path]:
    """Return the table of each argument: NAME=PATH, or a path whose name is the table's."""
    tables: dict[str, Path] = {}
    for argument in arguments:
        name, _, path = argument.rpartition("=")
        given = Path(path)
        name = name or _table_name(given)
        _check(name, given)
        if name in tables:
            raise UserError(
                f"the table {quote(name)} is named twice",
                hint="Put its files into one folder, and name that",
            )
        tables[name] = given
    return tables


def _check(name: str, path: Path) -> None:
    """Raise UserError for what the pipeline could not read, and for what cannot be a name."""
    if not path.exists():
        raise UserError("the file does not exist", where=str(path), hint="Name a file or a folder")
    if path.is_dir() and not _files(path):
        raise UserError("the folder is empty", where=str(path), hint="Name a folder that has files")
    for file in _files(path):
        if file.suffix and file.suffix.lower() not in _ENDINGS:
            raise UserError(
                f"the pipeline reads CSV and Parquet, not {quote(file.suffix)}",
                where=str(file),
                hint="Unpack or convert it to .csv or .parquet",
            )
    if not _NAME.fullmatch(name):
        raise UserError(
            f"{quote(name)} cannot be the name of a table", hint="Use letters, digits, _, . and -"
        )


def _table_name(path: Path) -> str:
    """Return a file's or folder's name without what says how it is written.

    >>> _table_name(Path("data/claims.csv"))
    'claims'
    """
    name = path.resolve().name
    return name.rpartition(".")[0] if name.lower().endswith(_ENDINGS) else name


def _files(path: Path) -> list[Path]:
    """Return a file, or all files below a folder."""
    return [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())


def _keys(name: str, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file with its key in the bucket."""
    if path.is_file():
        yield path, f"{FOLDER}/{name}/{path.name}"
        return
    for file in _files(path):
        yield file, f"{FOLDER}/{name}/{file.relative_to(path).as_posix()}"


def _send(account: Account, file: Path, bucket: str, key: str) -> None:
    with file.open("rb") as stream, refusals("s3", "PutObject"):
        account.client("s3").upload_fileobj(stream, bucket, key)


def _tell_others(account: Account, bucket: str, tables: Mapping[str, Path]) -> None:
    """Say what else lies there, since the pipeline reads each folder as a table of its own."""
    sent = {key for name, path in tables.items() for _, key in _keys(name, path)}
    for entry in account.pages(
        "s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=f"{FOLDER}/"
    ):
        if entry["Key"] not in sent:
            uri = f"s3://{bucket}/{entry['Key']}"
            account.say(f"Note: {uri} was there before and is read too. To remove it:")
            account.say(f"  {line_of(['aws', 's3', 'rm', uri, *account.chosen])}")
