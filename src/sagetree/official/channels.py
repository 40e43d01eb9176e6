"""A channel's files as an xgboost.DMatrix: `sagemaker_xgboost_container.data_utils`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import DataError, SettingsError, quote
from sagetree.files.finding import data_files, opened
from sagetree.files.header import looks_like_header
from sagetree.files.reading import read_table
from sagetree.formats.detection import Format
from sagetree.formats.libsvm import parse_libsvm
from sagetree.formats.recordio import parse_recordio
from sagetree.formats.sparse_rows import RecordError, SparseRows, join
from sagetree.official.decoding import csr, dmatrix
from sagetree.tables.cells import MissingValues
from sagetree.tables.encoding import encode_numbers

if TYPE_CHECKING:
    import xgboost

CSV, LIBSVM, PARQUET, RECORDIO_PROTOBUF = "csv", "libsvm", "parquet", "recordio-protobuf"

_CONTENT_TYPES = {
    CSV: CSV,
    "text/csv": CSV,
    LIBSVM: LIBSVM,
    "text/libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    PARQUET: PARQUET,
    "application/x-parquet": PARQUET,
    RECORDIO_PROTOBUF: RECORDIO_PROTOBUF,
    "application/x-recordio-protobuf": RECORDIO_PROTOBUF,
}

_PARSERS = {LIBSVM: parse_libsvm, RECORDIO_PROTOBUF: parse_recordio}

Channel = str | Sequence[str] | None


def get_content_type(content_type_cfg_val: str | None) -> str:
    """Return the format that a channel's ContentType means; none is libsvm.

    Raises SettingsError for another, and for a label_size that is not 1.
    """
    if content_type_cfg_val is None:
        return LIBSVM
    name, *parameters = (part.strip() for part in content_type_cfg_val.lower().split(";"))
    if name not in _CONTENT_TYPES:
        raise SettingsError(
            f"{quote(content_type_cfg_val)} is not supported",
            where="ContentType",
            hint=f"Use one of {', '.join(_CONTENT_TYPES)}",
        )
    sizes = [text for text in parameters if text.replace(" ", "").startswith("label_size=")]
    if name.endswith(CSV) and sizes and sizes[0].replace(" ", "") != "label_size=1":
        raise SettingsError(
            f"{quote(content_type_cfg_val)} has a label_size other than 1",
            where="ContentType",
            hint="Put one label first, and leave label_size out",
        )
    return _CONTENT_TYPES[name]


def get_dmatrix(
    data_path: Channel, content_type: str, csv_weights: int = 0, is_pipe: bool = False
) -> "xgboost.DMatrix | None":
    """Return the rows of all files below a folder, or of several, or of one file.

    The label comes first, with csv_weights=1 the weight after it. None where the folder does not
    exist, as without a validation channel. Raises DataError for what cannot be read.
    """
    if is_pipe:
        hint = "Leave is_pipe out; FastFile mode reads as fast"
        raise SettingsError("pipe mode does not read files", where="is_pipe", hint=hint)
    given = [data_path] if isinstance(data_path, str) else data_path or ()
    paths = [Path(path) for path in given if Path(path).exists()]
    if not paths:
        return None
    kind = get_content_type(content_type)
    if kind in _PARSERS:
        return _sparse(paths, kind)
    tables = [_numbers(path, "csv" if kind == CSV else "parquet") for path in paths]
    values = np.concatenate(tables)
    if csv_weights and kind == CSV:
        return dmatrix(values[:, 2:], label=values[:, 0], weight=values[:, 1])
    return dmatrix(values[:, 1:], label=values[:, 0])


def get_csv_dmatrix(
    path: Channel, csv_weights: int = 0, is_pipe: bool = False
) -> "xgboost.DMatrix | None":
    """Return the rows of CSV files, as `get_dmatrix`."""
    return get_dmatrix(path, CSV, csv_weights, is_pipe)


def get_libsvm_dmatrix(files_path: Channel, is_pipe: bool = False) -> "xgboost.DMatrix | None":
    """Return the rows of libsvm files, as `get_dmatrix`."""
    return get_dmatrix(files_path, LIBSVM, is_pipe=is_pipe)


def get_parquet_dmatrix(path: Channel, is_pipe: bool = False) -> "xgboost.DMatrix | None":
    """Return the rows of Parquet files, as `get_dmatrix`."""
    return get_dmatrix(path, PARQUET, is_pipe=is_pipe)


def get_recordio_protobuf_dmatrix(path: Channel, is_pipe: bool = False) -> "xgboost.DMatrix | None":
    """Return the rows of recordio-protobuf files, as `get_dmatrix`."""
    return get_dmatrix(path, RECORDIO_PROTOBUF, is_pipe=is_pipe)


def get_size(data_path: str, is_pipe: bool = False) -> int:  # noqa: ARG001 - the official signature
    """Return the bytes of all files below a folder, 0 where there is none."""
    path = Path(data_path)
    if not path.exists():
        return 0
    return sum(file.stat().st_size for file in data_files(path))


def _sparse(paths: Sequence[Path], kind: str) -> "xgboost.DMatrix":
    parts: list[SparseRows] = []
    for file in (file for path in paths for file in data_files(path)):
        with opened(file, file.name) as stream:
            data = stream.read()
        try:
            parts.append(_PARSERS[kind](data))
        except RecordError as error:
            raise error.in_file(file.name) from error
    rows = join(parts)
    return dmatrix(csr(rows), label=rows.labels, weight=rows.weights, qid=rows.groups)


def _numbers(path: Path, kind: Format) -> NDArray[np.float32]:
    """Return the cells (n, columns) of all files below a folder."""
    table = read_table(path, looks_like_header, kind)
    columns = []
    for name, cells in zip(table.names, table.columns, strict=True):
        values, misfits = encode_numbers(cells, MissingValues.of(()))
        for misfit in misfits:
            raise DataError(
                misfit.reason,
                where=f"{table.locate(misfit.row)}, column {quote(name)}",
                hint="Give numbers alone, or read the files with pandas or pyarrow",
            )
        columns.append(values)
    if len(columns) < 2:
        hint = "Put features beside it"
        raise DataError("the label is the only column", where=str(path), hint=hint)
    return np.array(columns, np.float32).T
