"""Prometheus scrapes /metrics, and its own linter finds nothing to say about them."""

import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Served
from tests.clients.running import free_port, listens, running, said
from tests.needs import needs_prometheus, needs_promtool
from tests.serve.server_process import eventually

pytestmark = pytest.mark.long

CONFIG = """
scrape_configs:
  - job_name: sagetree
    scrape_interval: 1s
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""


@pytest.fixture(scope="module")
def asked(served: Served) -> Served:
    """A server that has answered and refused."""
    assert served.server.post("\n".join(served.lines).encode()).status == 200
    assert served.server.post(b"1,2\n").status == 422
    return served


@needs_promtool
def test_promtool_has_nothing_to_say_of_the_metrics(asked: Served):
    metrics = asked.server.get("/metrics").body
    assert b"sagetree_requests_total" in metrics
    assert said("promtool", "check", "metrics", stdin=metrics) == ""


@needs_prometheus
def test_prometheus_scrapes_the_server(asked: Served, tmp_path: Path):
    config, port = tmp_path / "prometheus.yml", free_port()
    config.write_text(CONFIG.format(port=asked.server.port))
    options = {
        "config.file": config,
        "storage.tsdb.path": tmp_path / "data",
        "web.listen-address": f"127.0.0.1:{port}",
    }
    command = ("prometheus", *(f"--{name}={value}" for name, value in options.items()))
    with running(tmp_path / "log", *command):
        eventually(lambda: listens(port))
        eventually(lambda: target(port)["health"] != "unknown")
        assert (target(port)["health"], target(port)["lastError"]) == ("up", "")


def target(port: int) -> dict[str, Any]:
    """What Prometheus says about the one target that it has, once it is ready itself."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        client.request("GET", "/api/v1/targets")
        answer = client.getresponse()
        text = answer.read()
    finally:
        client.close()
    found = json.loads(text)["data"]["activeTargets"] if answer.status == 200 else []
    return found[0] if found else {"health": "unknown"}
