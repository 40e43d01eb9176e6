"""Parquet bodies: named columns, read in batches of rows.

A file of some kilobytes can stand for terabytes: pages that unpack to more,
one value repeated, a long text referred to a million times. All of that is
counted before it is unpacked.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sagetree.errors import DecodingError, PayloadTooLargeError, SchemaError, Violation
from sagetree.serve.bodies.hints import Hints
from sagetree.serve.bodies.parquet_pages import unpacked_bytes
from sagetree.serve.bodies.tables import refuse_width, table_of_columns
from sagetree.serve.protocol.messages import Body
from sagetree.tables.arrow_types import is_text, unreadable
from sagetree.tables.index_names import index_columns
from sagetree.tables.table import Source, Table

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

MAGIC = b"PAR1"

# What Arrow says about a damaged file: its own errors are of these classes too,
# but some of C++ come through as they are.
FAULTS = (OSError, RuntimeError, ValueError, ArithmeticError, LookupError)
HINT = "Send a Parquet file, such as pandas' to_parquet writes, with a column for each of the model"

# The file's description of itself, which is read as a whole: 150 bytes for each
# column of each row group are usual.
MOST_FOOTER_BYTES = 2**20

# The texts of a batch, written out.
MOST_TEXT_BYTES = 64 * 2**20


def decode_parquet(body: Body, hints: Hints) -> Iterable[Table]:
    """Return the rows of a Parquet file, in batches.

    Raises DecodingError for what is none, SchemaError for columns that hold no
    single values, PayloadTooLargeError for a file that unpacks to too much.
    """
    import pyarrow as pa

    _check_footer(body)
    try:
        return _batches(_open(body, hints), hints)
    except (pa.ArrowException, *FAULTS) as error:
        raise _no_parquet(str(error)) from error


def _check_footer(body: Body) -> None:
    if len(body) < 12 or body[:4] != MAGIC or body[-4:] != MAGIC:
        raise _no_parquet("its first or last four bytes are not PAR1")
    if int.from_bytes(body[-8:-4], "little") > min(MOST_FOOTER_BYTES, len(body) - 12):
        raise _no_parquet("the length of its footer is wrong")


def _no_parquet(reason: str) -> DecodingError:
    problem = f"it is not a Parquet file: {reason.splitlines()[0]}"
    return DecodingError(problem, where="the body", hint=HINT)


def _open(body: Body, hints: Hints) -> "pq.ParquetFile":
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = pa.BufferReader(pa.py_buffer(body))
    file = pq.ParquetFile(source, pre_buffer=False)
    _check_columns(file, hints)
    _check_size(body, file.metadata, hints)
    texts = [f.name for f in file.schema_arrow if is_text(f.type)]
    # as references to a dictionary, which are small however long the texts
    return pq.ParquetFile(source, read_dictionary=texts, pre_buffer=False)


def _check_columns(file: "pq.ParquetFile", hints: Hints) -> None:
    """Raise SchemaError for far too many columns, and for cells that are not single values."""
    refuse_width(file.metadata.num_columns, hints.schema)
    violations = [
        Violation(field.name, f"holds cells {problem}")
        for field in file.schema_arrow
        if (problem := unreadable(field.type))
    ]
    if violations:
        raise SchemaError(violations, hint=HINT)


def _check_size(body: Body, metadata: "pq.FileMetaData", hints: Hints) -> None:
    """Raise PayloadTooLargeError for more than the limit; a cell counts as a byte at least."""
    if not metadata.num_rows:
        raise DecodingError("there are no rows", where="the body", hint=HINT)
    if hints.limit is None:
        return
    cells = metadata.num_rows * metadata.num_columns
    if max(cells, unpacked_bytes(body)) > hints.limit:
        raise PayloadTooLargeError(
            f"the Parquet file is larger than {hints.limit / 2**20:g} MB when unpacked",
            where="the body",
            hint="Send fewer rows at once",
        )


def _batches(file: "pq.ParquetFile", hints: Hints) -> Iterator[Table]:
    import pyarrow as pa

    rows = max(1, hints.slice_values // file.metadata.num_columns)
    before = 0
    try:
        for batch in file.iter_batches(rows, columns=_wanted(file, hints), use_threads=False):
            columns = [pa.chunked_array([_checked(column)]) for column in batch.columns]
            source = Source(batch.num_rows, first=before + 1)
            yield table_of_columns(batch.schema.names, columns, source)
            before += batch.num_rows
    except (pa.ArrowException, *FAULTS) as error:
        raise _no_parquet(str(error)) from error


def _wanted(file: "pq.ParquetFile", hints: Hints) -> list[str] | None:
    """Return the columns less a frame's index that the model does not know, None for all."""
    names = file.schema_arrow.names
    other = set(index_columns(file.schema_arrow.metadata)) - set(hints.schema.all_names)
    return None if other.isdisjoint(names) else [name for name in names if name not in other]


def _checked(column: "pa.Array") -> "pa.Array":
    """Return the column, unless its texts written out would take too much memory.

    Raises ArrowInvalid for texts in another encoding than UTF-8.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    column.validate(full=True)
    if pa.types.is_dictionary(column.type) and is_text(column.type.value_type):
        lengths = pc.binary_length(column.dictionary)
        size = pc.sum(lengths.take(column.indices)).as_py() or 0
        if size > MOST_TEXT_BYTES:
            raise PayloadTooLargeError(
                f"the texts of a column take more than {MOST_TEXT_BYTES >> 20} MB",
                where="the body",
                hint="Send fewer rows at once",
            )
    return column
