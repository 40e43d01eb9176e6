"""The types of files, bodies and answers, by their names in SageMaker's channels and in headers."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from sagetree.formats.detection import Format

CSV = "text/csv"
JSON = "application/json"
JSON_LINES = "application/jsonlines"
LIBSVM = "text/libsvm"
PARQUET = "application/x-parquet"
RECORDIO = "application/x-recordio-protobuf"
NPY = "application/x-npy"

# What files may be.
FILE_TYPES: Mapping[str, Format] = MappingProxyType(
    {
        CSV: "csv",
        PARQUET: "parquet",
        JSON_LINES: "jsonlines",
        LIBSVM: "libsvm",
        RECORDIO: "recordio",
    }
)

# What an answer can be, the first of equals first.
ACCEPTS = (CSV, JSON, JSON_LINES, RECORDIO, NPY)

# Other names of the same types: what the official container and others take.
OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "csv": CSV,
        "libsvm": LIBSVM,
        "text/x-libsvm": LIBSVM,
        "parquet": PARQUET,
        "recordio-protobuf": RECORDIO,
        "jsonlines": JSON_LINES,
        "application/x-jsonlines": JSON_LINES,
        "application/x-ndjson": JSON_LINES,
    }
)

# How many columns hold the label: one, as nothing else is known here.
LABEL_SIZE = "1"
_LABEL_SIZE = re.compile(r";\s*label_size\s*=?([^;]*)", re.IGNORECASE)


def label_size(content_type: str) -> str:
    """Return the label_size that a content type tells, as it is written; else LABEL_SIZE."""
    told = _LABEL_SIZE.search(content_type)
    return told[1].strip().strip('"') if told else LABEL_SIZE
