"""Text bodies to UTF-8, from the charset that their content type names."""

from sagetree.errors import DecodingError, UnsupportedMediaTypeError, quote
from sagetree.formats.charsets import CHARSETS, UTF_8, find_charset
from sagetree.serve.bodies.hints import Hints


def charset_of(hints: Hints) -> str:
    """Return the charset that the content type names. Raises UnsupportedMediaTypeError."""
    name = hints.parameters.get("charset", UTF_8)
    charset = find_charset(name)
    if charset is None:
        hint = f"Send one of {', '.join(CHARSETS)}"
        problem = f"the charset {quote(name)} is not supported"
        raise UnsupportedMediaTypeError(problem, where="Content-Type", hint=hint)
    return charset


def as_utf8(body: bytes, hints: Hints) -> bytes:
    """Return text in UTF-8. Raises DecodingError for what is not of its charset."""
    charset = charset_of(hints) if "charset" in hints.parameters else UTF_8
    if charset == UTF_8:
        return body
    try:
        return body.decode(charset).encode()
    except UnicodeError as error:
        hint = "Correct the charset, or send UTF-8"
        raise DecodingError(f"the text is not {charset}", where="the body", hint=hint) from error
