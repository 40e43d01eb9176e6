"""CSV files on Spark's hosts, read there by the reader that reads them everywhere."""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sagetree.errors import DataError
from sagetree.prepare.csv_blocks import Block, read_blocks
from sagetree.prepare.stores.columns import check_same_columns, named
from sagetree.prepare.stores.folders import folder_values

# Beside the cells of a row: its file, its number there, and the line (or row) that says where it
# stands. A number below 0 is not a row but what the file has to say.
FILE, NUMBER, LINE, UNIT = "file", "number", "line", "unit"
PLACE = f"{FILE} STRING, {NUMBER} BIGINT, {LINE} BIGINT, {UNIT} STRING"
HEADERS, FAULT = -1, -2


@dataclass(frozen=True)
class CsvPlan:
    """The files of a table by address with their names, and the columns of the first of them."""

    names: Mapping[str, str]
    first: str
    columns: Sequence[str]

    def reader(self) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
        """Return what makes rows of files given with address and content."""

        def read(files: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in files:
                for file in batch.to_pylist():
                    yield from _rows(self, plain_address(file["path"]), file["content"])

        return read


def columns_of(text: bytes, name: str) -> Sequence[str]:
    """Return the columns of a file that begins with whole rows, with those of its folders."""
    own = next(read_blocks(io.BytesIO(text), name)).rows.column_names
    columns = [*own, *folder_values({name: own})[name]]
    check_same_columns({name: columns})
    return columns


def plain_address(address: str) -> str:
    """Return an address with as many slashes as Spark's own listing gives it, or not.

    >>> plain_address("file:///data/a.csv"), plain_address("file:/data/a.csv")
    ('file:/data/a.csv', 'file:/data/a.csv')
    """
    scheme, _, path = address.partition(":")
    return f"{scheme}:/{path.lstrip('/')}"


def _rows(plan: CsvPlan, address: str, content: bytes) -> Iterator[pa.RecordBatch]:
    name = plan.names[address]
    rows = headers = 0
    try:
        for block in read_blocks(io.BytesIO(content), name):
            own = block.rows.column_names
            values = folder_values({name: own})[name]
            check_same_columns({plan.first: plan.columns, name: [*own, *values]})
            yield _batch(plan, name, block, rows, values)
            rows += block.rows.num_rows
            headers += block.headers
        yield _remark(plan, name, HEADERS, headers, "")
    except DataError as error:
        said = {"text": error.message, "where": error.where, "hint": error.hint}
        yield _remark(plan, name, FAULT, 0, json.dumps(said))


def _batch(
    plan: CsvPlan, name: str, block: Block, before: int, values: Mapping[str, str | None]
) -> pa.RecordBatch:
    count = block.rows.num_rows
    cells = {}
    for column in named(plan.columns):
        if column in block.rows.column_names:
            cells[column] = block.rows[column].combine_chunks()
        else:
            cells[column] = pa.repeat(pa.scalar(values[column], pa.string()), count)
    lines = [np.arange(s.first, s.first + s.rows) for s in block.sources]
    units = [unit for s in block.sources for unit in [s.unit] * s.rows]
    place = [
        pa.repeat(name, count),
        pa.array(np.arange(before, before + count)),
        pa.array(np.concatenate([np.empty(0, np.int64), *lines]).astype(np.int64)),
        pa.array(units, pa.string()),
    ]
    return pa.RecordBatch.from_arrays([*place, *cells.values()], schema=_schema(plan))


def _remark(plan: CsvPlan, name: str, kind: int, count: int, text: str) -> pa.RecordBatch:
    place = [pa.array([name]), pa.array([kind]), pa.array([count]), pa.array([text])]
    nothing = [pa.nulls(1, pa.string())] * len(named(plan.columns))
    return pa.RecordBatch.from_arrays([*place, *nothing], schema=_schema(plan))


def _schema(plan: CsvPlan) -> pa.Schema:
    place = [(FILE, pa.string()), (NUMBER, pa.int64()), (LINE, pa.int64()), (UNIT, pa.string())]
    return pa.schema([*place, *((f"cell {c}", pa.string()) for c in named(plan.columns))])
