"""Bodies that are large."""

import mmap

from sagetree.serve.http.body_buffer import SPOOLED_BYTES, BodyBuffer


def test_a_large_body_lies_in_a_file() -> None:
    buffer = BodyBuffer(None)
    piece = bytes(range(256)) * 4096
    for _ in range(SPOOLED_BYTES // len(piece)):
        buffer.add(piece)
    assert isinstance(buffer.whole(), bytes)
    buffer.add(b"the end")
    buffer.add(b".")
    body = buffer.whole()
    assert isinstance(body, mmap.mmap)
    assert len(body) == SPOOLED_BYTES + 8
    assert body[-9:] == b"\xffthe end."
    assert body[:: len(piece)] == b"\x00" * 32 + b"t"
