"""The charsets that text may be in, by the names that content types give them."""

from types import MappingProxyType

UTF_8 = "utf-8"
UTF_16 = "utf-16"

# The charsets of web pages and spreadsheets, by their registered names. Not
# codecs.lookup(): it knows codecs that are not charsets, and never forgets a name.
CHARSETS = (UTF_8, "us-ascii", "iso-8859-1", "windows-1252", UTF_16)
_ALIASES = MappingProxyType({"utf8": UTF_8, "ascii": "us-ascii", "latin-1": "iso-8859-1"})


def find_charset(name: str) -> str | None:
    """Return the registered name of a charset, None for one that is not supported.

    >>> find_charset("Latin-1"), find_charset("klingon")
    ('iso-8859-1', None)
    """
    charset = _ALIASES.get(name.lower(), name.lower())
    return charset if charset in CHARSETS else None
