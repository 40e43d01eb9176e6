"""Text bodies to UTF-8, from the charset that their content type names."""

from types import MappingProxyType

from sagetree.errors import DecodingError, UnsupportedMediaTypeError, quote
from sagetree.serve.bodies.hints import Hints

# The charsets of web pages and spreadsheets, by their registered names. Not
# codecs.lookup(): it knows codecs that are no charsets, and never forgets a name.
CHARSETS = ("utf-8", "us-ascii", "iso-8859-1", "windows-1252", "utf-16")
ALIASES = MappingProxyType({"utf8": "utf-8", "ascii": "us-ascii", "latin-1": "iso-8859-1"})


def charset_of(hints: Hints) -> str:
    """Return the charset that the content type names. Raises UnsupportedMediaTypeError."""
    name = hints.parameters.get("charset", "utf-8")
    charset = ALIASES.get(name.lower(), name.lower())
    if charset not in CHARSETS:
        hint = f"Send one of {', '.join(CHARSETS)}"
        problem = f"the charset {quote(name)} is not read here"
        raise UnsupportedMediaTypeError(problem, where="Content-Type", hint=hint)
    return charset


def as_utf8(body: bytes, hints: Hints) -> bytes:
    """Return text in UTF-8. Raises DecodingError for what is not of its charset."""
    charset = charset_of(hints) if "charset" in hints.parameters else "utf-8"
    if charset == "utf-8":
        return body
    try:
        return body.decode(charset).encode()
    except UnicodeError as error:
        hint = "Correct the charset, or send UTF-8"
        raise DecodingError(f"the text is not {charset}", where="the body", hint=hint) from error
