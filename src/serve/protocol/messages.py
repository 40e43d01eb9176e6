"""A request and its response as values: what every part of the server hands around.

They know nothing of sockets, gunicorn or Flask; `sagetree.serve.http.request_reader`
makes the one, and the connection takes the other.
"""

import mmap
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import orjson

from sagetree.formats.media_types import JSON

# A large body lies in a file; only the part in use is in memory.
Body: TypeAlias = bytes | mmap.mmap

# As SageMaker counts the sizes of bodies.
MEGABYTE = 2**20

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Request(NamedTuple):
    """One request, whole; `headers` by their names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Body = b""

    def __repr__(self) -> str:
        """Leave the body out, which must not get into a log."""
        return f"Request({self.method} {self.path})"

    def header(self, name: str) -> str:
        """Return the value of the header called `name`, in lower case; "" where there is none."""
        return self.headers.get(name, "")


class Response(NamedTuple):
    """One response; its length, date and connection are the adapter's matter."""

    status: int = 200
    body: Body = b""
    content_type: str = ""
    headers: Mapping[str, str] = NO_HEADERS


def json_response(value: object) -> Response:
    """Return a value as a response."""
    return Response(body=orjson.dumps(value), content_type=JSON)
