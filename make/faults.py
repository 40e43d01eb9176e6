"""What pip or uv say when an install fails, as one true sentence with what to do."""

import re

from network import Network, host


class InstallError(Exception):
    """An install that cannot go on; the text is for the user."""


FULL = "The disk is full: .venv and the cache in ~/.cache need some 2 GB."
NO_ROOM = ("No space left on device", "os error 28", "Disk quota exceeded")
UNTRUSTED = ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed", "invalid peer certificate")
PROXY = (
    "Cannot connect to proxy", "Unable to connect to proxy", "Tunnel connection failed",
    "tunnel error", "unsuccessful tunnel", "proxy connect", "ProxyError",
    "proxy authorization required",
)  # fmt: skip
REFUSED = ("401 Unauthorized", "403 Forbidden", "401 Client Error", "403 Client Error")
UNREACHABLE = (
    "Connection refused", "dns error", "name resolution", "Name or service not known",
    "Network is unreachable", "No route to host", "timed out", "timeout", "Could not connect",
    "error sending request", "NewConnectionError", "network was disabled", "ConnectTimeout",
)  # fmt: skip
ABSENT = re.compile(
    r"No matching distribution found for (\S+)"
    r"|Because (\S+) (?:was not found|has no)"
    r"|there is no version of (\S+)"
)
UNBUILT = re.compile(r"Failed to build `?([\w.=-]+)")
HASHES = re.compile(r"(?:Hash mismatch for `|hashes.*?from )([\w.=-]+)")
NO_CACHE = "Failed to initialize cache"
PLAIN = "is not a trusted or secure host"


def explain(said: str, network: Network) -> str:
    """Return the sentence for what pip or uv said before it failed."""
    index = network.index_name
    if holds(said, NO_ROOM):
        return FULL
    if NO_CACHE in said:
        return (
            "uv cannot write its cache in this home folder: name another one with 'export "
            "UV_CACHE_DIR=/tmp/uv', then try again."
        )
    if holds(said, UNTRUSTED):
        return (
            f"{index} shows a certificate that this machine does not trust: name your authority's "
            "file with 'export SSL_CERT_FILE=/path/to/ca.pem', then try again."
        )
    if network.proxy and holds(said, (*PROXY, *UNREACHABLE)):
        return (
            f"The proxy {host(network.proxy)} does not lead to {lower(index)}: correct it with "
            "'export HTTPS_PROXY=http://HOST:PORT', then try again."
        )
    if holds(said, REFUSED):
        return (
            f"{index} refuses to answer: does it want a user and a password? Put them into "
            "~/.netrc, then try again."
        )
    if holds(said, UNREACHABLE):
        return (
            f"{index} cannot be reached: check the network; behind a proxy 'export "
            "HTTPS_PROXY=http://HOST:PORT', with an index of your own 'export "
            "PIP_INDEX_URL=https://HOST/simple', then try again."
        )
    return explain_package(said, index)


def explain_package(said: str, index: str) -> str:
    """Return the sentence for what went wrong with one package, or the last line of all."""
    if PLAIN in said:
        return (
            f"{index} is not https, and pip was not set to trust it: 'export "
            "PIP_TRUSTED_HOST=HOST' does, then try again."
        )
    if found := HASHES.search(said):
        return f"{index} has another {found[1]} than uv.lock: take one that copies PyPI's files."
    if found := ABSENT.search(said):
        return (
            f"{index} has no {next(filter(None, found.groups()))} for this Python and machine: "
            "name another Python with make PYTHON=python3.12, or another index with 'export "
            "PIP_INDEX_URL=https://HOST/simple'."
        )
    if found := UNBUILT.search(said):
        return (
            f"{found[1]} has to be compiled here, and that fails: name another Python with "
            "make PYTHON=python3.12."
        )
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "nothing")
    return f"The packages cannot be installed, and the last that was said is: {last}."


def holds(said: str, words: tuple[str, ...]) -> bool:
    """Say whether one of the words was said."""
    return any(word in said for word in words)


def lower(index: str) -> str:
    """Return the name of an index as it stands within a sentence."""
    return index[0].lower() + index[1:] if index.startswith("The ") else index
