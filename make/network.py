"""The way to the package index: the settings of pip and uv, for both of them.

A user sets an index, a certificate or a proxy for the one or for the other, and each reads its
own settings only.
"""

import ast
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

# Where uv looks for its own settings, the user's first.
UV_SETTINGS = (Path("~/.config/uv/uv.toml").expanduser(), Path("/etc/uv/uv.toml"))


@dataclass(frozen=True)
class Network:
    """An index (PyPI if ""), more of them, a file of certificates, a proxy, and hosts to trust."""

    index: str
    more: str
    certificates: str
    proxy: str
    trusted: str

    @classmethod
    def read(cls, environ: Mapping[str, str], pip_config: str | None) -> "Network":
        """Return what holds: variables first, then what `pip config list` said, then uv.toml."""
        pip = of_pip(pip_config or "")

        def first(*names: str, pips: str) -> str:
            given = (environ.get(name, "") for name in names)
            return next(filter(None, (*given, pip.get(pips, ""))), "")

        index = first("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL", pips="index-url")
        index = index or of_uv()
        more = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL")
        proxies = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "PIP_PROXY")
        return cls(
            index,
            # PyPI alone has all that the lock names.
            first(*more, pips="extra-index-url") if index else "",
            first("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", pips="cert"),
            first(*proxies, pips="proxy"),
            first("UV_INSECURE_HOST", "PIP_TRUSTED_HOST", pips="trusted-host"),
        )

    @property
    def index_name(self) -> str:
        """The index as a message calls it, without a password."""
        return f"The index {host(self.index)}" if self.index else "PyPI"

    def environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that give pip and uv the same settings.

        What is already set for one of them stays.
        """
        given = {
            "PIP_INDEX_URL": self.index,
            "PIP_EXTRA_INDEX_URL": self.more,
            "UV_DEFAULT_INDEX": "" if environ.get("UV_INDEX_URL") else self.index,
            "UV_INDEX": "" if environ.get("UV_EXTRA_INDEX_URL") else self.more,
            "PIP_CERT": self.certificates,
            "SSL_CERT_FILE": self.certificates,
            "HTTPS_PROXY": self.proxy,
            "HTTP_PROXY": self.proxy,
            "PIP_TRUSTED_HOST": self.trusted,
            "UV_INSECURE_HOST": self.trusted,
            # The certificates of the system, as pip takes them.
            "UV_SYSTEM_CERTS": "" if self.certificates else "1",
            # As pip looks through its indexes; the lock's hashes say what may come from them. With
            # one index uv's own way says more: that it was refused an answer.
            "UV_INDEX_STRATEGY": "unsafe-best-match" if self.more else "",
            "PIP_RETRIES": "1",
            "UV_HTTP_RETRIES": "1",
        }
        return {name: value for name, value in given.items() if value} | dict(environ)


def of_pip(listed: str) -> dict[str, str]:
    """Return pip's settings by name from `pip config list`: lines such as global.cert='a'."""
    found: dict[str, str] = {}
    for section in ("global", "install", ":env:"):  # the later ones win
        for line in listed.splitlines():
            setting = re.fullmatch(re.escape(section) + r"\.([a-z-]+)=('.*'|\".*\")", line)
            if setting:
                found[setting[1]] = " ".join(str(ast.literal_eval(setting[2])).split())
    return found


def of_uv() -> str:
    """Return the address of the index that uv.toml names instead of PyPI; "" if there is none."""
    named = os.environ.get("UV_CONFIG_FILE")
    for path in (Path(named),) if named else UV_SETTINGS:
        try:
            settings = tomllib.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        tables = [index for index in settings.get("index", []) if index.get("default")]
        of_pip = settings.get("pip", {}).get("index-url", "")
        found = of_pip or settings.get("index-url", "") or (tables[0]["url"] if tables else "")
        if found:
            return str(found)
    return ""


def host(address: str) -> str:
    """Return host and port of an address, without user and password.

    >>> host("https://ada:secret@packages.example:8443/simple")
    'packages.example:8443'
    """
    return urlsplit(address).netloc.rpartition("@")[2] or address
