"""A Parquet file to tables, row group by row group."""

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from sagetree.errors import DataError
from sagetree.tables.index_names import index_columns
from sagetree.tables.schema import header_names
from sagetree.tables.table import Source, Table

# Below, a file is read whole, front to back. Of a larger one the footer is read
# first and then the row groups in their order, each byte once.
WHOLE_BYTES = 64 * 1024 * 1024

# Rows of one table: some megabytes at the usual widths.
BATCH_ROWS = 64 * 1024


def read_parquet(file: BinaryIO, head: bytes, name: str) -> Iterator[Table]:
    """Yield the rows of a Parquet file whose `head` is read already: one table at least.

    Raises DataError naming the file.
    """
    try:
        parquet = pq.ParquetFile(_source(file, head), read_dictionary=None)
        names = header_names(parquet.schema_arrow.names)
        index = index_columns(parquet.schema_arrow.metadata)
        row = 1
        for batch in parquet.iter_batches(BATCH_ROWS):
            pa.Table.from_batches([batch]).validate(
                full=True
            )  # text in another encoding than UTF-8, for one
            columns = tuple(pa.chunked_array([column]) for column in batch.columns)
            sources = (Source(batch.num_rows, name, "row", row),)
            yield Table(names, columns, batch.num_rows, True, sources, index_columns=index)
            row += batch.num_rows
        if row == 1:
            empty = tuple(pa.chunked_array([], field.type) for field in parquet.schema_arrow)
            yield Table(names, empty, 0, True, (Source(0, name),), index_columns=index)
    except (pa.ArrowInvalid, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        hint = "Write the file again; it may be cut off"
        raise DataError(f"the Parquet file is damaged: {reason}", where=name, hint=hint) from error


def _source(file: BinaryIO, head: bytes) -> "pa.NativeFile | BinaryIO":
    rest = file.read(WHOLE_BYTES)
    if len(rest) == WHOLE_BYTES and file.seekable():
        return file
    parts = [head, rest, *iter(lambda: file.read(WHOLE_BYTES), b"")]
    return pa.BufferReader(b"".join(parts))
