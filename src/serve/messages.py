"""A request and its response as values: what every part of the server hands around.

They know nothing of sockets, gunicorn or Flask; `serve.connection` and
`serve.app` make the one and take the other.
"""

import mmap
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

# A large body lies in a file, of which only the part at work is in memory.
Body: TypeAlias = bytes | mmap.mmap

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Request:
    """One request, whole; `headers` by their names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Body = field(default=b"", repr=False)

    def header(self, name: str) -> str:
        """Return a header's value, "" where there is none."""
        return self.headers.get(name.lower(), "")


@dataclass(frozen=True, slots=True)
class Response:
    """One response; its length, date and connection are the adapter's matter."""

    status: int = 200
    body: Body = field(default=b"", repr=False)
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
