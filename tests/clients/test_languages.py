"""HTTP clients of other languages, with the defaults that they come with."""

from pathlib import Path

import numpy as np
import pytest

from tests.clients.conftest import Served
from tests.clients.running import PROGRAMS, said, told
from tests.needs import needs_curl, needs_go, needs_java, needs_node

pytestmark = pytest.mark.long


def expected(served: Served, *ways: str) -> list[tuple[str, str, float]]:
    """What a client has to print: each way of asking, with each row."""
    return [(way, "200", score) for way in ways for score in served.scores]


def printed(output: str) -> list[tuple[str, str, float]]:
    """What it printed, but for the last line, which is that of /ping."""
    *lines, ping = output.splitlines()
    assert ping.split() == ["ping", "200"], output
    found = [line.split() for line in lines]
    return [(way, status, number(score)) for way, status, score in found]


def number(text: str) -> float:
    """A score as the library has it: float32."""
    return float(np.float32(text))


@needs_java
def test_javas_client_offers_http_2_and_is_answered(served: Served, tmp_path: Path):
    output = said("java", PROGRAMS / "Ask.java", served.url, served.file(tmp_path))
    assert printed(output) == expected(served, "text", "chunked", "continue", "together")


@needs_node
def test_nodes_fetch_and_its_kept_connections(served: Served, tmp_path: Path):
    output = said("node", PROGRAMS / "ask.mjs", served.url, served.file(tmp_path))
    assert printed(output) == expected(served, "text", "chunked", "together", "kept")


@needs_go
def test_gos_default_client(served: Served, tmp_path: Path):
    output = said("go", "run", PROGRAMS / "ask.go", served.url, served.file(tmp_path))
    assert printed(output) == expected(served, "text", "chunked", "together")


def test_pythons_clients(served: Served, tmp_path: Path):
    found = told("python_clients.py", served.url, served.file(tmp_path))
    scores = {client: list(map(number, answers)) for client, answers in found.items()}
    assert scores == dict.fromkeys(("requests", "httpx", "aiohttp"), served.scores)


@needs_curl
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--http1.0",),
        ("--http2",),  # offers it by "Upgrade: h2c"
        ("-H", "Expect: 100-continue"),
        ("-H", "Transfer-Encoding: chunked"),
        ("-H", "Transfer-Encoding: chunked", "--http2"),
        ("-H", "Connection: close"),
        ("--http1.0", "-H", "Connection: keep-alive"),
    ],
    ids=" ".join,
)
def test_curl(options: tuple[str, ...], served: Served, tmp_path: Path):
    url = f"{served.url}/invocations"
    body = ("-H", "Content-Type: text/csv", "--data-binary", f"@{served.file(tmp_path)}")
    output = said("curl", "-sS", *options, *body, url, url)  # on one connection if it is kept
    assert list(map(number, output.split())) == served.scores * 2
