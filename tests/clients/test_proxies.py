"""Proxies that share connections between clients: each client gets its own answer."""

import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.clients.conftest import Served
from tests.clients.proxies import haproxy, haproxys_view, nginx
from tests.needs import needs_haproxy, needs_nginx
from tests.serve.server_process import eventually

pytestmark = pytest.mark.long

ROUNDS = 20

CSV = {"Content-Type": "text/csv"}
# What clients say about protocols that are not spoken here.
OFFERS = (
    {},
    {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AA"},
    {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"},
)


@pytest.fixture(scope="module")
def nginx_port(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with nginx(served.server, tmp_path_factory.mktemp("nginx")) as port:
        yield port


@pytest.fixture(scope="module")
def haproxy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("haproxy")


@pytest.fixture(scope="module")
def haproxy_ports(served: Served, haproxy_folder: Path) -> Iterator[dict[str, int]]:
    with haproxy(served.server, haproxy_folder) as ports:
        yield ports


@needs_nginx
@pytest.mark.parametrize("way", ["default", "keepalive", "websocket", "unbuffered"])
def test_behind_nginx_each_client_gets_its_own_answer(way: str, served: Served, nginx_port: int):
    everyone_gets_his_own(served, nginx_port, f"/{way}/invocations")


@needs_haproxy
@pytest.mark.parametrize("way", ["bare", "uri"])
def test_behind_haproxy_each_client_gets_its_own_answer(
    way: str, served: Served, haproxy_ports: dict[str, int], haproxy_folder: Path
):
    everyone_gets_his_own(served, haproxy_ports[way], "/invocations")
    assert int(haproxys_view(haproxy_folder, way)["reuse"]) > 0


@needs_haproxy
@pytest.mark.parametrize("way", ["bare", "uri"])
def test_haproxys_check_finds_the_server_up(
    way: str, haproxy_ports: dict[str, int], haproxy_folder: Path
):
    eventually(lambda: not check(haproxy_folder, way).startswith("INI"))
    seen = haproxys_view(haproxy_folder, way)
    assert (seen["status"], check(haproxy_folder, way)) == ("UP", "L7OK"), seen["last_chk"]


def check(folder: Path, way: str) -> str:
    """How HAProxy's last check ended; its star says that the next one is under way."""
    return haproxys_view(folder, way)["check_status"].removeprefix("* ")


def everyone_gets_his_own(served: Served, port: int, path: str) -> None:
    """Ask with several clients at once, each for its own row again and again."""
    with ThreadPoolExecutor(len(served.lines)) as clients:
        asked = [
            clients.submit(answers, port, path, line, OFFERS[i % len(OFFERS)])
            for i, line in enumerate(served.lines)
        ]
        found = [client.result() for client in asked]
    assert found == [[(200, score)] * ROUNDS for score in served.scores]


def answers(port: int, path: str, line: str, offer: dict[str, str]) -> list[tuple[int, float]]:
    """Ask for one row by one client, which keeps its connection where it may."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    found = []
    try:
        for _ in range(ROUNDS):
            client.request("POST", path, line, CSV | offer)
            answer = client.getresponse()
            text = answer.read().decode()
            found.append((answer.status, score_of(text)))
    finally:
        client.close()
    return found


def score_of(text: str) -> float:
    """A score as the library has it, float32; nan for what is none."""
    try:
        return float(np.float32(text))
    except ValueError:
        return float("nan")
