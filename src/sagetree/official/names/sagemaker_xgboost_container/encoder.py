"""Bodies of requests as xgboost.DMatrix."""

from sagetree.official.decoding import (
    csv_to_dmatrix,
    decode,
    json_to_jsonlines,
    libsvm_to_dmatrix,
    recordio_protobuf_to_dmatrix,
)
from sagetree.official.lacking import lacking

__all__ = [
    "csv_to_dmatrix",
    "decode",
    "json_to_jsonlines",
    "libsvm_to_dmatrix",
    "recordio_protobuf_to_dmatrix",
]

__getattr__ = lacking(__name__)
