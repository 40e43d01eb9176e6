"""What the fuzzers ask of a decoder, for any bytes, and the list of all fuzzers.

What is neither features nor the client's fault is a find: an exception of
another kind, or features that change where columns are read as numbers at once.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sagetree.errors import RequestError, SagetreeError, SchemaError
from sagetree.features.category import Category
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.serve.bodies.decoders import DECODERS
from sagetree.serve.bodies.hints import Decoder, Hints
from sagetree.serve.bodies.json_body import parse_json
from sagetree.serve.protocol.messages import Body
from sagetree.serve.routes.kserve import table_of_tensors
from sagetree.tables.schema import Column, Schema
from tests.fuzz.http_requests import connection

# Arrow's reader of CSV is to see small inputs too: sagetree.formats.csv_text.BULK_BYTES.
BULK_BYTES = 64

SCHEMA = Schema(
    columns=(
        Column(name="a", kind="number", missing=0, distinct=9),
        Column(name="b", kind="category", missing=0, distinct=2, categories=("x", "y")),
        Column(name="id", kind="identifier", missing=0, distinct=9),
    ),
    label=None,
    named=True,
)

FEATURES = FeaturePipeline(
    missing_values=("?", "999"),
    unknown_category="missing",
    features=(Number(column="a"), Category(column="b", categories=("x", "y"))),
)

LIMIT = 2**20

# The content type's parameters, chosen by the input's first byte.
PARAMETERS = (
    {}, {"header": "present"}, {"header": "absent"}, {"delimiter": ";"}, {"delimiter": "tab"},
    {"charset": "latin-1"}, {"charset": "utf-16"},
)  # fmt: skip
SLICES = (16, 2**20)


def decoding(content_type: str) -> Callable[[bytes], None]:
    """Return the function that decodes an input; the first byte chooses how."""
    decoder = DECODERS[content_type]

    def one_input(data: bytes) -> None:
        if not data:
            return
        first, body = data[0], data[1:]
        parameters = PARAMETERS[first % len(PARAMETERS)]
        size = SLICES[first // len(PARAMETERS) % len(SLICES)]
        hints = Hints(
            SCHEMA, parameters, LIMIT, batch=first >= 128, slice_bytes=size, slice_values=size
        )
        found = _features(decoder, body, hints)
        if content_type == "text/csv":
            missing = FEATURES.missing.texts
            at_once = hints._replace(numbers=FEATURES.number_columns, missing=missing)
            assert _features(decoder, body, at_once) == found

    return one_input


def tensors(data: bytes) -> None:
    """Decode a body of the Open Inference Protocol."""
    try:
        asked = parse_json(data)
        table_of_tensors(asked.get("inputs") if isinstance(asked, dict) else asked, SCHEMA)
    except (RequestError, SchemaError) as error:
        _check(error)


# Each fuzzer's name, as its corpus is called.
INPUTS: Mapping[str, Callable[[bytes], None]] = MappingProxyType(
    {
        "csv": decoding("text/csv"),
        "json": decoding("application/json"),
        "json_lines": decoding("application/jsonlines"),
        "libsvm": decoding("text/libsvm"),
        "npy": decoding("application/x-npy"),
        "parquet": decoding("application/x-parquet"),
        "recordio": decoding("application/x-recordio-protobuf"),
        "kserve": tensors,
        "http": connection,
    }
)


def _features(decoder: Decoder, body: Body, hints: Hints) -> list[bytes] | str:
    """Return the features of all slices, or the text of the client's fault."""
    try:
        return [
            FEATURES.transform(SCHEMA.arrange(table)).values.tobytes()
            for table in decoder(body, hints)
        ]
    except (RequestError, SchemaError) as error:
        _check(error)
        return str(error)


def _check(error: SagetreeError) -> None:
    """A message is one that a client can be sent: short, and text."""
    text = str(error)
    assert len(text) < 2000, len(text)
    text.encode()
