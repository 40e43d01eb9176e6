"""One decoder fed with bytes that atheris makes (`make fuzz SECONDS=600`).

What is neither features nor the client's fault is a find: an exception of
another kind, an input that takes longer than libFuzzer's -timeout, or more
memory than its -rss_limit_mb. So are features that change where columns are
read as numbers at once.
"""

import sys
from dataclasses import replace

import atheris

with atheris.instrument_imports(include=["serve", "sagetree"]):
    from sagetree import csv_text
    from sagetree.errors import RequestError, SagetreeError, SchemaError
    from sagetree.features.category import Category
    from sagetree.features.number import Number
    from sagetree.features.pipeline import FeaturePipeline
    from sagetree.schema import Column, Schema
    from serve.decoders import DECODERS
    from serve.messages import Body
    from serve.reading import Decoder, Reading

csv_text.BULK_BYTES = 64  # Arrow's reader is to see small inputs too

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


def fuzz(content_type: str) -> None:
    """Run atheris on the decoder; the arguments are libFuzzer's."""
    decoder = DECODERS[content_type]

    def one_input(data: bytes) -> None:
        if not data:
            return
        first, body = data[0], data[1:]
        parameters = PARAMETERS[first % len(PARAMETERS)]
        size = SLICES[first // len(PARAMETERS) % len(SLICES)]
        reading = Reading(
            SCHEMA, parameters, LIMIT, batch=first >= 128, slice_bytes=size, slice_values=size
        )
        found = _features(decoder, body, reading)
        if content_type == "text/csv":
            missing = FEATURES.missing.texts
            at_once = replace(reading, numbers=FEATURES.number_columns, missing=missing)
            assert _features(decoder, body, at_once) == found

    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


def _features(decoder: Decoder, body: Body, reading: Reading) -> list[bytes] | str:
    """Return the features of all slices, or the text of the client's fault."""
    try:
        return [
            FEATURES.transform(SCHEMA.arrange(table)).values.tobytes()
            for table in decoder(body, reading)
        ]
    except (RequestError, SchemaError) as error:
        _check(error)
        return str(error)


def _check(error: SagetreeError) -> None:
    """A message is one that a client can be sent: short, and text."""
    text = str(error)
    assert len(text) < 2000, len(text)
    text.encode()
