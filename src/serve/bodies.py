"""The body of the request at hand: taken in whole, or thrown away."""

from flask import request
from gunicorn.http.errors import ParseException

from sagetree.errors import DecodingError, PayloadTooLargeError
from serve.settings import MEGABYTE, PAYLOAD

# Of a body that is refused, this much is read all the same: a client that
# sends everything first would otherwise meet a closed connection instead of
# the answer. SageMaker's largest mini-batch is 100 MB.
DISCARDED_BYTES = 100 * 2**20
PIECE = 64 * 1024


def read_body(limit: int | None) -> bytes:
    """Return the whole body, of at most `limit` bytes (None: of any length).

    Flask's own MAX_CONTENT_LENGTH is not used: werkzeug 3.1 cuts a chunked body
    at the limit without an error. Raises PayloadTooLargeError, and
    DecodingError for a body that is empty or breaks off.
    """
    length = request.content_length
    if limit is not None and (length or 0) > limit:
        raise _too_large(limit)
    try:
        body: bytes = request.stream.read() if limit is None else request.stream.read(limit + 1)
    except (ParseException, OSError) as error:
        raise DecodingError("the body breaks off", hint="Send it again") from error
    if limit is not None and len(body) > limit:
        raise _too_large(limit)
    # gunicorn takes the end of the connection for the end of the body
    if length not in (None, len(body)):
        raise DecodingError("the body breaks off", hint="Send it again")
    if not body:
        raise DecodingError("the body is empty", hint="Send at least one row")
    return body


def _too_large(limit: int) -> PayloadTooLargeError:
    hint = f"Send fewer rows at once, or raise {PAYLOAD.name}"
    return PayloadTooLargeError(f"the body is larger than {limit // MEGABYTE} MB", hint=hint)


def discard_body() -> None:
    """Read what is left of a refused request's body, up to a bound."""
    stream, left = request.environ["wsgi.input"], DISCARDED_BYTES
    try:
        while left > 0 and (piece := stream.read(PIECE)):
            left -= len(piece)
    except (ParseException, OSError):  # it is not worth more
        return
