"""500 models in a real server: loaded, asked, weighed, unloaded, and one worker killed."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import xgboost

from tests.serve.server_process import ServerProcess, ask, eventually, load, serving

MODELS = 500
MOST_BYTES = 1.5e9


def memory(server: ServerProcess) -> int:
    """Proportional bytes of the server and all that it has started."""
    pids, found = [server.process.pid], 0
    while pids:
        pid = pids.pop()
        pids += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                found += int(line.split()[1]) * 1024
    return found


def model_folders(base: Path, count: int) -> list[Path]:
    """Models of 200 rounds of depth 6; each scores in its own way."""
    source = np.random.default_rng(1)
    matrix = source.random((2000, 20), np.float32)
    folders = []
    for number in range(count):
        noise = source.random(2000)
        labels = matrix[:, number % 20] + matrix[:, (number + 1) % 20] + noise > 1.5
        params = {"objective": "binary:logistic", "max_depth": 6, "nthread": 1, "seed": number}
        booster = xgboost.train(params | {"subsample": 0.5}, xgboost.DMatrix(matrix, labels), 200)
        folder = base / f"m{number}"
        folder.mkdir(parents=True)
        (folder / "xgboost-model").write_bytes(booster.save_raw("ubj"))
        folders.append(folder)
    return folders


@pytest.mark.long
def test_500_models_in_one_server(tmp_path: Path):
    folders = model_folders(tmp_path / "models", 50)
    row = (",".join(["0.3"] * 20) + "\n").encode()
    with serving(tmp_path, tmp_path / "log", SAGEMAKER_MULTI_MODEL="true") as server:
        assert load(server, "first", folders[0]) == 200
        empty = memory(server)
        for number in range(MODELS):
            assert load(server, f"m{number}", folders[number % 50]) == 200
        answers: dict[str, set[bytes]] = {}
        for _ in range(4):  # so that both workers are asked for most of them
            for number in range(MODELS):
                answer = ask(server, "POST", f"/models/m{number}/invoke", row)
                assert answer.status == 200
                answers.setdefault(f"m{number}", set()).add(answer.body)
        assert all(len(found) == 1 for found in answers.values())
        full = memory(server)
        assert full < MOST_BYTES

        victim = sorted(server.workers())[0]
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: len(server.workers() - {victim}) >= 2)
        for name, expected in answers.items():
            assert ask(server, "POST", f"/models/{name}/invoke", row).body in expected

        for number in range(1, MODELS):
            assert ask(server, "DELETE", f"/models/m{number}").status == 200
        after = memory(server)
        assert after - empty < 0.2 * (full - empty)
        assert ask(server, "POST", "/models/m0/invoke", row).body in answers["m0"]
        assert ask(server, "POST", "/models/m1/invoke", row).status == 404
