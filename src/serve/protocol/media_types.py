"""The types of bodies and answers, by their names in the headers."""

from collections.abc import Mapping
from types import MappingProxyType

from sagemaker_inference import content_types

CSV: str = content_types.CSV
JSON: str = content_types.JSON
JSON_LINES = "application/jsonlines"
LIBSVM = "text/libsvm"
PARQUET = "application/x-parquet"
RECORDIO = "application/x-recordio-protobuf"
NPY: str = content_types.NPY

# What can be accepted, the first of equals first.
ACCEPTS = (CSV, JSON, JSON_LINES, RECORDIO, NPY)

# Other names of the same types: what the official container and others take.
OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "csv": CSV,
        "libsvm": LIBSVM,
        "text/x-libsvm": LIBSVM,
        "parquet": PARQUET,
        "recordio-protobuf": RECORDIO,
    }
)
