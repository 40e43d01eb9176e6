"""A real server of two workers: its log as JSON, CloudWatch's lines, /metrics over all of them."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.file_names import MODEL_FILE
from tests.sagetree.models import write_plain
from tests.serve.artifacts import INPUTS
from tests.serve.server_process import CSV, ServerProcess, ask, complete, eventually, load, serving


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


@pytest.mark.long
def test_each_of_many_models_is_counted_whichever_worker_is_asked(
    bundle: ModelBundle, base_dir: Path, tmp_path: Path
):
    other = tmp_path / "other"
    bundle.save(other)
    write_plain(tmp_path / "plain" / MODEL_FILE)
    folders = {"one": base_dir / "model", "two": other, "plain": tmp_path / "plain"}

    def missing(name: str, column: str) -> float:
        text = server.get("/metrics").body.decode()
        head = f'sagetree_missing_values_total{{column="{column}",model="{name}",sha256="'
        found = re.findall(rf"^{re.escape(head)}[0-9a-f]{{12}}\"}} (\S+)$", text, re.MULTILINE)
        return float(found[0]) if found else -1.0

    with serving(tmp_path, tmp_path / "log", SAGEMAKER_MULTI_MODEL="true") as server:
        for name, folder in folders.items():
            assert load(server, name, folder) == 200
        for _ in range(12):
            row = f"{','.join([''] * len(INPUTS))}\n".encode()
            assert ask(server, "POST", "/models/one/invoke", row).status == 200
        assert ask(server, "POST", "/models/plain/invoke", b"0.5,,0.5\n").status == 200
        for _ in range(4):  # answered by either worker
            eventually(lambda: missing("one", "num_claims") == 12)
            eventually(lambda: missing("plain", "f1") == 1)
        assert missing("plain", "f0") == 0
        assert missing("two", "num_claims") == -1
        assert ask(server, "DELETE", "/models/one").status == 200
        eventually(lambda: missing("one", "num_claims") == -1)
        assert missing("plain", "f1") == 1
