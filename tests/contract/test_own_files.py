"""The whole way on one's own files by the installed command: prepared, trained, judged, served."""

import subprocess
from pathlib import Path

import pytest

from tests.programs import SAGETREE, TIMEOUT, Outcome, environment
from tests.serve.server_process import eventually, healthy, serving
from tests.train.conftest import lines

pytestmark = pytest.mark.long


def sagetree(folder: Path, *arguments: str) -> Outcome:
    """Run the command in a folder, without SAGEMAKER_BASE_DIR."""
    environ = environment(folder)
    del environ["SAGEMAKER_BASE_DIR"]
    result = subprocess.run(
        [SAGETREE, *arguments],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
    )
    return Outcome(result.returncode, result.stdout)


def test_from_a_file_to_an_answer(tmp_path: Path):
    header, *rows = lines(400).splitlines()
    keyed = [f"P{number},{row}" for number, row in enumerate(rows)]
    (tmp_path / "claims.csv").write_text("\n".join([f"policy,{header}", *keyed, ""]))
    prepared = sagetree(tmp_path, "prepare", "claims.csv", "--key", "policy", "--label", "fraud")
    assert prepared.code == 0, prepared.log
    commands = [line.partition(":  sagetree ")[2] for line in prepared.log.splitlines()[-2:]]
    trained = sagetree(tmp_path, *commands[0].split(), "--set", "num_round=20")
    assert trained.code == 0, trained.log
    assert "To serve it:  sagetree serve sagetree-out\n" in trained.log
    judged = sagetree(tmp_path, *commands[1].split(), "--threshold-auc", "0.5")
    assert judged.code == 0, judged.log
    assert "Approved" in judged.log
    # /opt/ml in the environment, as in the image, is not another folder
    with serving(Path("/opt/ml"), tmp_path / "log", "sagetree-out", cwd=tmp_path) as server:
        eventually(lambda: healthy(server))
        answer = server.post(b"amount,kind,state\n1.5,a,CA\n")
    assert answer.status == 200
    assert 0 < float(answer.body) < 1
