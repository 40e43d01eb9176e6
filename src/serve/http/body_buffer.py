"""The body of a request as it comes in: counted, bounded, and on disk where it is large."""

import io
import mmap
import tempfile
from typing import IO

from sagemaker_inference.parameters import MAX_REQUEST_SIZE

from sagetree.errors import DecodingError, PayloadTooLargeError, RequestError
from sagetree.serve.protocol.messages import MEGABYTE, Body

# From here on a body goes to a file: above what SageMaker sends in real time.
# Asynchronous inference sends up to 1 GB.
SPOOLED_BYTES = 32 * MEGABYTE


class BodyBuffer:
    """Takes a body in pieces and gives it out whole."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._piece = b""
        self._file: IO[bytes] | None = None
        self.length = 0

    def add(self, piece: bytes) -> None:
        """Take the next piece. Raises PayloadTooLargeError for one too many."""
        before = self.length
        self.length += len(piece)
        refuse_length(self.length, self._limit)
        if not before:  # often the only one
            self._piece = piece
            return
        if self._file is None:
            # grows where it is, and is given out without a copy: a list of pieces
            # and their joining take twice the memory and three times as long
            self._file = io.BytesIO()
            self._file.write(self._piece)
        if before <= SPOOLED_BYTES < self.length:
            self._spool()
        self._file.write(piece)

    def _spool(self) -> None:
        """Go on in a file."""
        file = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the mapping
        if isinstance(self._file, io.BytesIO):
            file.write(self._file.getbuffer())
        self._file = file

    def whole(self) -> Body:
        """Return the body."""
        if self._file is None:
            return self._piece
        if isinstance(self._file, io.BytesIO):
            return self._file.getvalue()
        self._file.flush()
        body = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        self.close()  # the mapping keeps what it needs
        return body

    def close(self) -> None:
        """Give up the file, if there is one."""
        if self._file is not None:
            self._file.close()


def refuse_length(length: int, limit: int | None) -> None:
    """Raise PayloadTooLargeError if a body of `length` bytes is above the limit."""
    if limit is not None and length > limit:
        raise too_large(limit)


def too_large(limit: int) -> PayloadTooLargeError:
    """Return the error of a body above the limit."""
    hint = f"Send fewer rows at once, or raise {MAX_REQUEST_SIZE}"
    return PayloadTooLargeError(
        f"it is larger than {limit / MEGABYTE:.3g} MB", where="the body", hint=hint
    )


def broken_off() -> RequestError:
    """Return the error of a body that ends before its end."""
    return DecodingError("it ends too early", where="the body", hint="Send it again")


def wrong_chunks(reason: Exception) -> RequestError:
    """Return the error of a body whose chunks cannot be read, with the parser's reason."""
    hint = "Send chunks as RFC 9112 says"
    return DecodingError(f"its chunks cannot be read: {reason}", where="the body", hint=hint)
