"""The fitted state of a flow's encoders: Spark's StringIndexerModel, packed into text.

Data Wrangler saves the model with Spark, packs its folder as zip, and writes that in base 85.
"""

import base64
import io
import json
import zipfile
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

# A model is a list of words; a file that unpacks to more is none.
_MOST_BYTES = 64 * 1024 * 1024


class FittedError(Exception):
    """State that cannot be read, or that is of another step; the text says why."""


@dataclass(frozen=True)
class Fitted:
    """The categories of a column, the most frequent first."""

    column: str
    categories: tuple[str, ...]


def read_fitted(packed: str) -> Fitted:
    """Return the fitted state in a flow's text. Raises FittedError."""
    try:
        with zipfile.ZipFile(io.BytesIO(base64.b85decode(packed))) as archive:
            metadata = json.loads(_member(archive, "metadata/part-", ""))
            table = pq.read_table(io.BytesIO(_member(archive, "data/part-", ".parquet")))
        parameters = metadata["paramMap"]
        columns = parameters.get("inputCols") or [parameters["inputCol"]]
        row = table.to_pylist()[0]
        lists = row["labelsArray"] if "labelsArray" in row else [row["labels"]]
        [column], [categories] = columns, lists
        return Fitted(str(column), tuple(map(str, categories)))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OSError) as error:
        raise FittedError("its fitted state cannot be read") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, pa.ArrowException) as error:
        raise FittedError("its fitted state cannot be read") from error


def _member(archive: zipfile.ZipFile, start: str, end: str) -> bytes:
    """Return the one file of a saved model that holds what it is about."""
    names = [
        info
        for info in archive.infolist()
        if info.filename.removeprefix("./").startswith(start) and info.filename.endswith(end)
    ]
    if len(names) != 1 or names[0].file_size > _MOST_BYTES:
        raise ValueError(start)
    return archive.read(names[0])
