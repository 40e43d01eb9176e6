"""Files of channels as xgboost.DMatrix."""

from sagetree.official.channels import (
    CSV,
    LIBSVM,
    PARQUET,
    RECORDIO_PROTOBUF,
    get_content_type,
    get_csv_dmatrix,
    get_dmatrix,
    get_libsvm_dmatrix,
    get_parquet_dmatrix,
    get_recordio_protobuf_dmatrix,
    get_size,
)
from sagetree.official.lacking import lacking

__all__ = [
    "CSV",
    "LIBSVM",
    "PARQUET",
    "RECORDIO_PROTOBUF",
    "get_content_type",
    "get_csv_dmatrix",
    "get_dmatrix",
    "get_libsvm_dmatrix",
    "get_parquet_dmatrix",
    "get_recordio_protobuf_dmatrix",
    "get_size",
]

__getattr__ = lacking(__name__)
