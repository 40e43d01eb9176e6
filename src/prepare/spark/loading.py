"""The files of a table to one of Spark's, its rows numbered in the order of the files."""

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import reduce
from itertools import accumulate

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sql
from pyspark.sql.types import ByteType, IntegerType, LongType, NullType, ShortType, StructType

from sagetree.errors import DataError, quote
from sagetree.files.finding import listed
from sagetree.formats.whole_rows import end_of_rows
from sagetree.machine.program import LOG
from sagetree.prepare.csv_blocks import check_names
from sagetree.prepare.loading import PROBE_BYTES, TEXT, RawTable, is_parquet
from sagetree.prepare.spark.csv_rows import (
    FAULT,
    FILE,
    HEADERS,
    LINE,
    NUMBER,
    PLACE,
    UNIT,
    CsvPlan,
    columns_of,
    plain_address,
)  # fmt: skip
from sagetree.prepare.spark.engine import SparkDatabase, kind_of
from sagetree.prepare.spark.session import spark_errors
from sagetree.prepare.spark.storage import Storage, StoredFile, StoredTable
from sagetree.prepare.stores.columns import named, nameless
from sagetree.prepare.stores.feature_store import WRITTEN, is_feature_store
from sagetree.prepare.stores.folders import Values, all_whole, columns_by_folder
from sagetree.tables.table import Source

# A CSV file is read as a whole by one core of a host.
_LARGEST_CSV = 1_000_000_000

# This much of a CSV file tells its columns.
_HEAD_BYTES = 1 << 20

# Footers of this many files are read at once.
_AT_ONCE = 16

_WHOLE = (ByteType, ShortType, IntegerType, LongType)

# What Spark's reader leaves out, or takes for a pattern, in the name of a file.
_UNREADABLE = re.compile(r"(^|/)_|[*?\[\]{}\\]")


def load_table(db: SparkDatabase, storage: Storage, table: StoredTable) -> RawTable:
    """Load the files of a table. Raises DataError naming file and line."""
    table = _without_empty_files(table)
    for file in table.files:
        if _UNREADABLE.search(file.name):
            hint = "Rename it: no underscore before the name, none of * ? [ ] { } in it"
            raise DataError("Spark does not read a file of this name", where=file.name, hint=hint)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        kinds = [*pool.map(lambda file: _is_parquet(storage, file), table.files)]
    if len({*kinds}) > 1:
        raise DataError(
            "some of its files are CSV, and others Parquet",
            where=f"table {table.name}",
            hint="Leave files of one kind: is the same data there twice?",
        )
    raw = _load_parquet(db, table) if kinds[0] else _load_csv(db, storage, table)
    if not raw.rows:
        hint = "Put rows below the header"
        raise DataError("there are no rows", where=f"table {table.name}", hint=hint)
    return raw


def _without_empty_files(table: StoredTable) -> StoredTable:
    files = [file for file in table.files if file.size]
    if not files or len(files) == len(table.files):
        return table
    empty = [file.name for file in table.files if not file.size]
    LOG.info("%s: empty and skipped: %s", table.name, listed(empty))
    return replace(table, files=files)


def _is_parquet(storage: Storage, file: StoredFile) -> bool:
    if "metadata/" in file.name and ".metadata.json" in file.name:
        raise DataError(
            "--engine spark does not read Iceberg tables",
            where=file.name,
            hint="Write what the table holds as Parquet first (in Athena: UNLOAD)",
        )
    return is_parquet(storage.head(file, PROBE_BYTES), file.name)


def _load_csv(db: SparkDatabase, storage: Storage, table: StoredTable) -> RawTable:
    for file in table.files:
        if file.size > _LARGEST_CSV:
            raise DataError(
                f"the file has {file.size / 1e9:.1f} GB, and Spark reads a CSV file of up to "
                f"{_LARGEST_CSV / 1e9:.0f} GB as a whole",
                where=file.name,
                hint="Write the table as Parquet, or as several files",
            )
    first = table.files[0]
    columns = columns_of(_head(storage, first), first.name)
    names = {plain_address(file.address): file.name for file in table.files}
    plan = CsvPlan(names, first.name, columns)
    cells = ", ".join(f"`cell {c.replace('`', '``')}` STRING" for c in named(columns))
    with spark_errors():
        files = db.session.read.format("binaryFile").load([f.address for f in table.files])
        rows = files.select("path", "content").mapInArrow(plan.reader(), f"{PLACE}, {cells}")
        rows = rows.withColumns({
            name: sql.when(sql.col(_quoted(name)) != "", sql.col(_quoted(name)))
            for name in rows.columns[4:]
        })  # fmt: skip
    kinds = dict.fromkeys(named(columns), TEXT)
    return _numbered(db, table, rows, kinds, {first.name: columns}, is_csv=True)


def _head(storage: Storage, file: StoredFile) -> bytes:
    head = storage.head(file, _HEAD_BYTES)
    return head if len(head) == file.size else head[: end_of_rows(head, ",")[0]]


def _load_parquet(db: SparkDatabase, table: StoredTable) -> RawTable:
    with spark_errors(), ThreadPoolExecutor(_AT_ONCE) as pool:
        reader = db.session.read
        found = [*pool.map(lambda file: reader.parquet(file.address).schema, table.files)]
    schemas = {file.name: schema for file, schema in zip(table.files, found, strict=True)}
    own = {name: [field.name for field in schema] for name, schema in schemas.items()}
    for name, names in own.items():
        check_names(tuple(names), name)
    values = columns_by_folder(table.name, own)
    kinds = _kinds(table, schemas, values)
    groups: dict[str, list[StoredFile]] = {}
    for file in table.files:
        groups.setdefault(schemas[file.name].json(), []).append(file)
    with spark_errors():
        frames = [_parquet_rows(db, files, schemas, values, kinds) for files in groups.values()]
        rows = reduce(DataFrame.unionByName, frames)
    columns = {name: [*own[name], *values[name]] for name in own}
    return _numbered(db, table, rows, kinds, columns, is_csv=False)


def _kinds(
    table: StoredTable, schemas: Mapping[str, StructType], values: Mapping[str, Values]
) -> Mapping[str, str]:
    """Return each column's type: the same in all files, of whole numbers the widest."""
    kinds: dict[str, str] = {}
    holders: dict[str, str] = {}
    for name, schema in schemas.items():
        for field in schema:
            kind = TEXT if isinstance(field.dataType, NullType) else kind_of(field.dataType)
            if kind is None:
                raise DataError(
                    f"{field.dataType.simpleString()} is not a type that both engines read in the "
                    "same way",
                    where=f"{name}, column {quote(field.name)}",
                    hint="Leave the column out, or write it as text, numbers or times",
                )
            before = kinds.setdefault(field.name, kind)
            holder = holders.setdefault(field.name, name)
            if before != kind:
                kinds[field.name] = _wider(table, field.name, {holder: before, name: kind})
    kept = {column: kinds[column] for column in named([*kinds])}
    for column in named([*next(iter(values.values()))]):
        whole = all_whole(given[column] for given in values.values())
        kept[column] = "BIGINT" if whole else TEXT
    return kept


def _wider(table: StoredTable, column: str, kinds: Mapping[str, str]) -> str:
    whole = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT"]
    (holder, one), (other_holder, other) = kinds.items()
    if one in whole and other in whole:
        return max(one, other, key=whole.index)
    raise DataError(
        f"it is {other} in {other_holder} and {one} in {holder}",
        where=f"table {table.name}, column {quote(column)}",
        hint="Write the column with the same type in all files",
    )


def _parquet_rows(
    db: SparkDatabase,
    files: Sequence[StoredFile],
    schemas: Mapping[str, StructType],
    values: Mapping[str, Values],
    kinds: Mapping[str, str],
) -> DataFrame:
    """Return the rows of files that have the same columns, with their places."""
    schema = schemas[files[0].name]
    have = {field.name for field in schema}
    frame = db.session.read.schema(schema).parquet(*(file.address for file in files))
    address = sql.regexp_replace(sql.col("_metadata.file_path"), "^([^:]+):/+", "$1:/")
    names = sql.create_map(*(
        sql.lit(text) for file in files for text in (_url(db, file.address), file.name)
    ))  # fmt: skip
    row = sql.col("_metadata.row_index")
    cells = [
        _cell(column, kind, column in have, names[address], {f.name: values[f.name] for f in files})
        for column, kind in kinds.items()
    ]
    return frame.select(
        names[address].alias(FILE), row.alias(NUMBER), (row + 1).alias(LINE),
        sql.lit("row").alias(UNIT), *cells,
    )  # fmt: skip


def _url(db: SparkDatabase, address: str) -> str:
    """Return an address as Spark's rows name it, its odd characters encoded."""
    path = db.session._jvm.org.apache.hadoop.fs.Path(address)
    return plain_address(str(path.toUri().toString()))


def _cell(
    column: str,
    kind: str,
    is_own: bool,
    file: Column,
    values: Mapping[str, Values],
) -> Column:
    spark = {"VARCHAR": "string", "TIMESTAMP WITH TIME ZONE": "timestamp"}.get(kind)
    spark = spark or ("timestamp_ntz" if kind == "TIMESTAMP" else kind)
    if is_own:
        value = sql.col(_quoted(column))
    else:
        given = {name: texts.get(column) for name, texts in values.items()}
        pairs = [sql.lit(text) for name, text in given.items() for text in (name, text)]
        value = sql.create_map(*pairs)[file]
    return value.cast(spark).alias(f"cell {column}")


def _numbered(
    db: SparkDatabase,
    table: StoredTable,
    rows: DataFrame,
    kinds: Mapping[str, str],
    columns: Mapping[str, Sequence[str]],
    *,
    is_csv: bool,
) -> RawTable:
    """Keep the rows, numbered (rowid) in the order of the files."""
    with spark_errors():
        kept = db.keep(f"sagetree read {table.name}", rows) if is_csv else rows
        runs = kept.groupBy(FILE, UNIT, (sql.col(LINE) - sql.col(NUMBER)).alias("shift"))
        found = runs.agg(sql.min(NUMBER), sql.count("*"), sql.min(LINE)).collect()
    order = {file.name: place for place, file in enumerate(table.files)}
    found.sort(key=lambda run: (order[run[0]], run[3]))
    _raise_fault(found)
    sources = [Source(run[4], run[0], run[1], run[5]) for run in found if run[3] >= 0]
    sizes = dict.fromkeys(order, 0)
    for source in sources:
        sizes[source.name] += source.rows
    starts = dict(zip(sizes, [0, *accumulate(sizes.values())], strict=False))
    written = WRITTEN if is_feature_store(columns.values()) else ()
    raw = RawTable(
        name=table.name,
        columns={column: kind for column, kind in kinds.items() if column not in written},
        is_csv=is_csv,
        nameless=nameless(columns),
        headers=sum(run[5] for run in found if run[3] == HEADERS),
        sources=tuple(sources),
        written=written,
    )
    _keep_numbered(db, table, kept, starts)
    return raw


def _keep_numbered(
    db: SparkDatabase, table: StoredTable, rows: DataFrame, starts: Mapping[str, int]
) -> None:
    with spark_errors():
        begins = db.session.createDataFrame([*starts.items()], f"{FILE} STRING, begin BIGINT")
        rows = rows.where(sql.col(NUMBER) >= 0).join(sql.broadcast(begins), FILE)
        cells = [sql.col(_quoted(name)) for name in rows.columns if name.startswith("cell ")]
        rows = rows.select((sql.col("begin") + sql.col(NUMBER)).alias("rowid"), *cells)
    db.keep(f"sagetree raw {table.name}", rows)
    db.release(f"sagetree read {table.name}")


def _raise_fault(found: Sequence[tuple[str, str, int, int, int, int]]) -> None:
    """Raise DataError for the first file with a fault."""
    for _, text, _, number, *_ in found:
        if number == FAULT:
            said = json.loads(text)
            raise DataError(said["text"], where=said["where"], hint=said["hint"])


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
