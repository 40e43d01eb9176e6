"""The bytes of a request as an xgboost.DMatrix: `sagemaker_xgboost_container.encoder`.

A cell that is empty, or not written, is missing. Indices of libsvm stay as they stand, from
0 on, as in files that XGBoost reads: a model learnt from those sees the same columns.
"""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import DecodingError, UnsupportedMediaTypeError, quote
from sagetree.formats.csv_text import parse_csv
from sagetree.formats.first_row import CsvError
from sagetree.formats.libsvm import parse_libsvm
from sagetree.formats.media_types import CSV, LIBSVM, OTHER_NAMES, RECORDIO
from sagetree.formats.recordio import parse_recordio
from sagetree.formats.sparse_rows import RecordError, SparseRows
from sagetree.tables.cells import MissingValues
from sagetree.tables.encoding import encode_numbers

if TYPE_CHECKING:
    import xgboost
    from scipy.sparse import csr_matrix

# What may stand between the cells of a request's first line.
_DELIMITERS = (",", ";", "\t", "|")


def csv_to_dmatrix(input: str | bytes, dtype: object = None) -> "xgboost.DMatrix":  # noqa: A002, ARG001 - the official signature
    """Return the rows of a CSV text without a header. Raises DecodingError."""
    body = _bytes(input)
    line = body.partition(b"\n")[0].decode(errors="replace")
    try:
        text = parse_csv(body, max(_DELIMITERS, key=line.count))
    except CsvError as error:
        raise DecodingError(str(error), where=f"line {error.line}", hint=error.hint) from error
    columns = []
    for number, cells in enumerate(text.columns, 1):
        values, misfits = encode_numbers(cells, MissingValues.of(()))
        for misfit in misfits:
            where = f"row {misfit.row + 1}, column {number}"
            hint = "Send numbers without a header row, or write an input_fn"
            raise DecodingError(misfit.reason, where=where, hint=hint)
        columns.append(values)
    return dmatrix(np.array(columns, np.float32).T)


def libsvm_to_dmatrix(string_like: str | bytes) -> "xgboost.DMatrix":
    """Return the rows of a libsvm text, with or without labels. Raises DecodingError."""
    return _sparse(lambda body: parse_libsvm(body, request=True), string_like)


def recordio_protobuf_to_dmatrix(string_like: bytes) -> "xgboost.DMatrix":
    """Return the rows of a recordio-protobuf body. Raises DecodingError."""
    return _sparse(parse_recordio, string_like)


DECODERS: Mapping[str, Callable[[Any], "xgboost.DMatrix"]] = MappingProxyType(
    {
        CSV: csv_to_dmatrix,
        LIBSVM: libsvm_to_dmatrix,
        RECORDIO: recordio_protobuf_to_dmatrix,
    }
)


def decode(obj: str | bytes, content_type: str) -> "xgboost.DMatrix":
    """Return the rows of a body. Raises UnsupportedMediaTypeError and DecodingError."""
    name = content_type.partition(";")[0].strip().lower()
    decoder = DECODERS.get(OTHER_NAMES.get(name, name))
    if decoder is None:
        raise UnsupportedMediaTypeError(
            f"{quote(content_type)} is not supported",
            where="Content-Type",
            hint=f"Send one of {', '.join(DECODERS)}, or write an input_fn",
        )
    return decoder(obj)


def json_to_jsonlines(json_data: str | bytes | Mapping[str, Any]) -> bytes:
    """Return a line of JSON for each entry of the only list in a JSON object."""
    found = json_data if isinstance(json_data, Mapping) else json.loads(json_data)
    if len(found) != 1:
        raise ValueError(f"the object has {len(found)} keys, and it must have exactly one")
    (entries,) = found.values()
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)


def dmatrix(
    rows: "NDArray[np.float32] | csr_matrix", **roles: NDArray[Any] | None
) -> "xgboost.DMatrix":
    """Return XGBoost's matrix; one thread, because others may serve beside it."""
    import xgboost

    return xgboost.DMatrix(rows, nthread=1, **roles)


def csr(rows: SparseRows) -> "csr_matrix":
    """Return sparse rows as XGBoost takes them: what is not written is missing."""
    from scipy.sparse import csr_matrix

    parts = rows.values.astype(np.float32), rows.indices, rows.starts
    return csr_matrix(parts, shape=(rows.rows, rows.width))


def _sparse(parse: Callable[[bytes], SparseRows], body: str | bytes) -> "xgboost.DMatrix":
    try:
        rows = parse(_bytes(body))
    except RecordError as error:
        raise DecodingError(str(error), where=error.place, hint=error.hint) from error
    return dmatrix(csr(rows))


def _bytes(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)
