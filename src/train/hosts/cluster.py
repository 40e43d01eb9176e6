"""Where the hosts of a job meet, and how long they wait for each other."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sagetree.errors import SettingsError, quote

PORT_VARIABLE = "SAGETREE_CLUSTER_PORT"
TIMEOUT_VARIABLE = "SAGETREE_CLUSTER_TIMEOUT"

# The official container's.
_PORT = 9099

# XGBoost's own, seconds: a host that reads a larger share is not to fail the job.
_TIMEOUT = 1800


@dataclass(frozen=True)
class Cluster:
    """The port of the leader at which all meet, and the seconds that a host is waited for."""

    port: int = _PORT
    timeout: int = _TIMEOUT

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Cluster":
        """Return what the variables say. Raises SettingsError for other values."""
        return cls(
            _number(environ, PORT_VARIABLE, _PORT, 65535),
            _number(environ, TIMEOUT_VARIABLE, _TIMEOUT, 7 * 24 * 3600),
        )

    def on_this_machine(self) -> "Cluster":
        """Return the same with a port at which nothing listens here."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            return replace(self, port=server.getsockname()[1])


DEFAULT_CLUSTER = Cluster()


def _number(environ: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= most):
        raise SettingsError(
            f"it is {quote(text)} and must be a whole number from 1 to {most}",
            where=name,
            hint="Correct the environment variable, or leave it out",
        )
    return int(text)
