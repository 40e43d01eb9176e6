"""One decoder fed with bytes that atheris makes (`make fuzz SECONDS=600`).

What is neither a table nor the client's fault is a find: an exception of
another kind, an input that takes longer than libFuzzer's -timeout, or more
memory than its -rss_limit_mb.
"""

import sys

import atheris

with atheris.instrument_imports(include=["serve", "sagetree"]):
    from sagetree.errors import RequestError, SagetreeError, SchemaError
    from sagetree.schema import Column, Schema
    from serve.decoders import DECODERS
    from serve.reading import Reading

SCHEMA = Schema(
    columns=(
        Column(name="a", kind="number", missing=0, distinct=9),
        Column(name="b", kind="category", missing=0, distinct=2, categories=("x", "y")),
        Column(name="id", kind="identifier", missing=0, distinct=9),
    ),
    label=None,
    named=True,
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
        try:
            for table in decoder(body, reading):
                SCHEMA.arrange(table)
                table.locate(table.rows - 1)
        except (RequestError, SchemaError) as error:
            _check(error)

    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


def _check(error: SagetreeError) -> None:
    """A message is one that a client can be sent: short, and text."""
    text = str(error)
    assert len(text) < 2000, len(text)
    text.encode()
