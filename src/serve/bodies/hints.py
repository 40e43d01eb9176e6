"""What a decoder gets beside the body: the content type's parameters, the model, the bounds."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from sagetree.serve.protocol.messages import Body
from sagetree.tables.schema import Schema
from sagetree.tables.table import Table

# A body of more bytes, or values, is decoded and scored in slices of about this
# size, so that the memory for it does not grow with it. Smaller slices cost
# time: 8 MB of text is about 40 000 rows, which take 0.1 s.
SLICE_BYTES = 8 * 2**20
SLICE_VALUES = 2 * 2**20


class Hints(NamedTuple):
    """How to read a body.

    `limit` is what a packed body may hold unpacked, in bytes (None: any);
    `batch` says that the body may be a part of a file, cut between two lines.
    Of the columns in `numbers` only the numbers matter, not how their cells are
    written; `missing` are texts that are not values.
    """

    schema: Schema
    parameters: Mapping[str, str]
    limit: int | None = None
    batch: bool = False
    numbers: Collection[str] = ()
    missing: Collection[str] = ()
    slice_bytes: int = SLICE_BYTES
    slice_values: int = SLICE_VALUES


# The rows of a body in order, in one table or, where it is large, in several.
# Errors may come while it is iterated over.
Decoder: TypeAlias = Callable[[Body, Hints], Iterable[Table]]
