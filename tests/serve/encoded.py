"""The same rows of numbers as a body of every content type."""

import io
import json
import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sagetree.formats.recordio import frame, record_class

Matrix = NDArray[np.float32]

# NaN is a missing value.
Rows = Sequence[Sequence[float]]


def _cells(matrix: Matrix) -> list[list[float | None]]:
    """The numbers as JSON and CSV write them: the shortest that are these float32s."""
    return [[None if np.isnan(x) else float(str(x)) for x in row] for row in matrix]


def csv(matrix: Matrix, delimiter: str = ",", header: Sequence[str] = ()) -> bytes:
    rows = [["" if x is None else repr(x) for x in row] for row in _cells(matrix)]
    return "\n".join(map(delimiter.join, [header] * bool(header) + rows)).encode()


def libsvm(matrix: Matrix, label: str = "") -> bytes:
    rows = [[f"{i}:{x!r}" for i, x in enumerate(row) if x is not None] for row in _cells(matrix)]
    return "\n".join(" ".join([label or "0", *row]) for row in rows).encode()


def recordio(matrix: Matrix, *, sparse: bool) -> bytes:
    written = []
    for row in matrix:
        record = record_class()()
        tensor = record.features["values"].float32_tensor
        there = np.flatnonzero(~np.isnan(row)) if sparse else np.arange(len(row))
        tensor.values.extend(row[there].tolist())
        if sparse:
            tensor.keys.extend(there.tolist())
            tensor.shape.append(len(row))
        written.append(frame(record.SerializeToString()))
    return b"".join(written)


def npy(array: NDArray[np.generic]) -> bytes:
    target = io.BytesIO()
    np.save(target, array, allow_pickle=False)
    return target.getvalue()


def parquet(columns: dict[str, object], **options: object) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target, **options)
    return target.getvalue()


def every_body(matrix: Matrix, names: Sequence[str]) -> list[tuple[str, bytes]]:
    """Content types and bodies; each holds the rows of `matrix`."""
    cells = _cells(matrix)
    records = [dict(zip(names, row, strict=True)) for row in cells]
    shapes = [
        records, cells, {"instances": cells}, {"instances": records},
        {"features": cells}, {"instances": [{"features": row} for row in cells]},
        {"columns": names, "data": cells}, {"dataframe_records": records},
        {"dataframe_split": {"columns": names, "index": [0], "data": cells}},
    ]  # fmt: skip
    lines = [records, cells, [{"features": row} for row in cells]]
    columns = {name: matrix[:, i] for i, name in enumerate(names)}
    nulls = {name: pa.array(column, from_pandas=True) for name, column in columns.items()}
    return [
        ("text/csv", csv(matrix)),
        ("csv", csv(matrix, header=names)),
        ("text/csv; delimiter=tab", csv(matrix, "\t")),
        ("text/csv", csv(matrix, ";")),
        ("text/csv", re.sub(rb"[^,\n]+", rb' "\g<0>" ', csv(matrix))),
        ("TEXT/CSV; charset=utf-8", csv(matrix).replace(b"\n", b"\r\n") + b"\r\n"),
        *(("application/json", json.dumps(shape).encode()) for shape in shapes),
        *(
            ("application/jsonlines", "\n".join(map(json.dumps, rows)).encode())
            for rows in lines
        ),
        ("text/libsvm", libsvm(matrix)),
        ("text/x-libsvm", libsvm(matrix, label="-1.5")),
        ("application/x-recordio-protobuf", recordio(matrix, sparse=False)),
        ("application/x-recordio-protobuf", recordio(matrix, sparse=True)),
        ("application/x-npy", npy(matrix)),
        ("application/x-npy", npy(np.asfortranarray(matrix))),
        ("application/x-npy", npy(matrix.astype(">f8"))),
        ("application/x-parquet", parquet(columns)),
        ("application/x-parquet", parquet(nulls)),
    ]  # fmt: skip
