"""NaN and Infinity in JSON, which are none of its values but which Python writes all the same."""

import re
from typing import Any

import orjson

# A string, in which such a word is text, or the word.
_CONSTANT = re.compile(
    rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|(?<![\w.+-])(?:NaN|(-?Infinity))\b', re.DOTALL
)


def has_constants(text: bytes) -> bool:
    """Say whether one of the words stands in a text, even inside a string."""
    return b"NaN" in text or b"Infinity" in text


def without_constants(text: bytes) -> bytes:
    r"""Return the text with null for NaN, and Infinity as a string, which no number column takes.

    >>> without_constants(b'[NaN, "NaN", -Infinity]')
    b'[null, "NaN", "-Infinity"]'
    """
    return _CONSTANT.sub(_replaced, text)


def _replaced(found: re.Match[bytes]) -> bytes:
    if found[0].startswith(b'"'):
        return found[0]
    return b'"%b"' % found[1] if found[1] else b"null"


def loads(text: bytes | memoryview) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Return the value of JSON in which NaN is null. Raises orjson.JSONDecodeError."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        data = bytes(text)
        if not has_constants(data):
            raise
        return orjson.loads(without_constants(data))
