"""A real server of two workers: its log as JSON, CloudWatch's lines, /metrics over all of them."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from tests.serve.server_process import CSV, ServerProcess, complete, eventually, serving


def counted(server: ServerProcess, name: str) -> float:
    text = server.get("/metrics").body.decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


@pytest.mark.long
def test_all_workers_are_counted_also_one_that_is_killed(base_dir: Path, tmp_path: Path):
    answered = 'sagetree_requests_total{method="POST",route="/invocations",status="200"}'
    variables = {"SAGETREE_LOG_FORMAT": "json", "SAGETREE_EMF_SECONDS": "1"}
    with serving(base_dir, tmp_path / "log", **variables) as server:
        eventually(lambda: complete(server))
        for _ in range(40):
            assert server.post(CSV).status == 200
        eventually(lambda: counted(server, answered) == 40)
        os.kill(min(server.workers()), signal.SIGKILL)
        eventually(lambda: len(server.workers()) == 2)
        eventually(lambda: server.log.read_text().count("model ready") == 3)
        # what it had counted is not lost, and what its successor counts comes in addition
        eventually(lambda: counted(server, answered) == 40)
        for _ in range(10):
            assert server.post(CSV).status == 200
        eventually(lambda: counted(server, answered) == 50)
        assert counted(server, "sagetree_rows_total") == 50 * 5
        server.stop()
    lines = [json.loads(line) for line in server.lines() if line.startswith("{")]
    assert len(lines) == len([line for line in server.lines() if line.strip()])
    requests = [line for line in lines if line.get("route") == "/invocations"]
    assert len(requests) == 50
    assert all({"decode", "transform", "score", "encode"} <= set(line) for line in requests)
    told = [line for line in lines if "_aws" in line]
    assert sum(line["Rows"] for line in told) <= 50 * 5
