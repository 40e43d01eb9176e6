"""Texts cut into blocks that end where a row ends."""

from collections.abc import Iterator

# Of a text whose blocks of lines are parsed as a whole: libsvm's arrays take some 20 times as many.
TEXT_BYTES = 4 << 20


def blocks_of_lines(body: bytes) -> Iterator[bytes]:
    """Yield the text in blocks of whole lines."""
    start = 0
    while start < len(body):
        end = body.rfind(b"\n", start, start + TEXT_BYTES) + 1
        if end <= start:  # the last line, or one longer than a block
            end = body.find(b"\n", start + TEXT_BYTES) + 1 or len(body)
        if start + TEXT_BYTES >= len(body):
            end = len(body)
        yield body[start:end]
        start = end
