"""Memory of large bodies: it is kept for the next one, and then goes back."""

from pathlib import Path

import pytest

from sagetree.machine.memory import resident_memory
from tests.serve.server_process import CSV, eventually, healthy, serving


@pytest.mark.long
def test_a_server_gives_back_what_large_bodies_took(base_dir: Path, tmp_path: Path):
    with serving(base_dir, tmp_path / "log", SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        eventually(lambda: healthy(server))
        (pid,) = server.workers()
        large = CSV * (12 * 2**20 // len(CSV))
        assert server.post(large[: 2**20].rpartition(b"\n")[0]).status == 200  # Arrow is loaded
        before = resident_memory(pid)
        assert server.post(large).status == 200
        eventually(lambda: resident_memory(pid) < before + 12e6)


@pytest.mark.long
def test_the_memory_of_a_large_body_serves_the_next_one(base_dir: Path, tmp_path: Path):
    def page_faults(pid: int) -> int:
        text = Path(f"/proc/{pid}/stat").read_text()
        return int(text.rpartition(")")[2].split()[7])

    with serving(base_dir, tmp_path / "log", SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        eventually(lambda: healthy(server))
        (pid,) = server.workers()
        body = CSV * (6 * 2**20 // len(CSV))
        counts: list[int] = []
        # A machine under load may answer so late that what lay free has gone back.
        while len(counts) < 8 or (min(counts[2:]) >= counts[0] / 2 and len(counts) < 24):
            before = page_faults(pid)
            assert server.post(body).status == 200
            counts.append(page_faults(pid) - before)
        assert min(counts[2:]) < counts[0] / 2, counts
