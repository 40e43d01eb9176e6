"""Workers that die, and models that would kill them: reported, and not in an endless rush."""

import json
import os
import signal
from pathlib import Path

import pytest

from sagetree.serve.master import LONGEST_WAIT, QUIET_SECONDS, Backoff
from tests.serve.server_process import complete, eventually, serving


@pytest.mark.long  # a server of its own; its trial is tested by itself
def test_a_model_that_crashes_the_library_is_503_with_the_reason(tmp_path: Path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "xgboost-model").write_text('{"learner":' + "[" * 200_000 + "]" * 200_000 + "}")
    with serving(tmp_path, tmp_path / "log") as server:
        eventually(lambda: server.log.read_text().count("/ping answers 503: ") == 2)
        workers = server.workers()
        answer = server.get("/ping")
        assert answer.status == 503
        told = json.loads(answer.body)
        assert (told["message"], told["where"], told["hint"]) == (
            "XGBoost's library crashes on this model (SIGSEGV), with 1062 MB of memory available "
            "for it",
            str(folder),
            "If it is not damaged, use a machine with more memory; otherwise copy the artifact "
            "again, or train again",
        )
        assert server.workers() == workers
        assert server.stop() == 0
    assert "ended by" not in server.log.read_text()


@pytest.mark.long
def test_workers_that_die_again_and_again_come_later_and_later(base_dir: Path, tmp_path: Path):
    with serving(base_dir, tmp_path / "log") as server:
        eventually(lambda: complete(server))
        for number in range(5):
            eventually(lambda: len(server.workers()) == 2)
            victim = min(server.workers())
            os.kill(victim, signal.SIGSEGV)
            told = f"worker {victim}: ended by SIGSEGV; another one starts"
            eventually(lambda told=told: told in server.log.read_text())
            late = [line for line in server.lines() if "die again and again" in line]
            assert len(late) == max(0, number - 1)
        waits = [float(line.split(" in ")[1].split(" s,")[0]) for line in late]
        assert waits == [0.2, 0.4, 0.8]
        eventually(lambda: len(server.workers()) == 2)
        assert server.stop() == 0


def test_the_wait_grows_has_a_bound_and_is_forgotten():
    backoff = Backoff(2)
    assert backoff.is_over(1000.0)
    waits = [backoff.note(1000.0 + number) for number in range(10)]
    assert waits == [0.0, 0.0, 0.2, 0.4, 0.8, 1.6, 3.2, LONGEST_WAIT, LONGEST_WAIT, LONGEST_WAIT]
    assert not backoff.is_over(1009.0 + LONGEST_WAIT - 0.1)
    assert backoff.is_over(1009.0 + LONGEST_WAIT)
    assert backoff.note(1009.1 + QUIET_SECONDS) == 0.0
