"""The demo of the solution on AWS: its whole story, with real containers; stopped in the middle."""

import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local_test.cloud.demo.page import Page
from local_test.cloud.demo.person import ROOT
from local_test.cloud.demo.story import NAME, tell
from local_test.cloud.desk import stand
from local_test.cloud.pipeline.containers import LABEL, Docker
from tests.cloud import strict
from tests.cloud.least_privilege import unexplained
from tests.image.docker import docker, wait_for

pytestmark = pytest.mark.docker

POLICIES = 2500

STORY = """\
the pipeline failed, as it should: AUC 0\\.\\d+ is below 0\\.99
in the registry: version 1, Rejected
in the registry: version 2, PendingManualApproval
the deploy function: Refused: .* its status is PendingManualApproval, not Approved
the endpoint: in service with fraud-2-
without a signature: 403
written: 200 of 201 rows to fraud-customers
kept with its reason: customers\\.csv line 202: policy_id: it is missing
of a customer that nobody knows: 422: fraud-customers has no record of it
P-1: score 0\\.\\d{4}, called [01], because: .*odds
the API: 422: column 'incident_type' is missing
sent to the alert topic: fraud: a claim scores 0\\.\\d+: \\d+, score
a dead letter: the wrong claim, with the reason
scored: 150 rows, into scores/batch\\.csv\\.out
outcomes: 40 are kept
sent to the alert topic: fraud: drift: \\d+ findings
the endpoint: fraud-3-\\w+ instead of fraud-2-
the endpoint: still fraud-3-
rolled back: fraud-3-\\w+ is served again; fraud-4-\\w+ was wanted
API: median
left: 0
"""


def test_the_story_is_told_to_its_end(
    image: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    page, machine = io.StringIO(), Docker(image)
    try:
        with stand(machine, strict.hold) as desk:
            granted = tell(Page(page), desk, tmp_path, POLICIES)
            calls = list(desk.actors.calls)
        assert machine.left() == []
    finally:
        machine.close()
    text = page.getvalue()
    for line in STORY.splitlines():
        assert re.search(line, text), f"{line}\n{text}"
    logged = capfd.readouterr()
    assert NAME not in text + logged.out + logged.err
    for role in granted:
        assert role.missing(calls) == []
    jobs = {role.name: role for role in granted if role.name in ("JobRole", "PipelineRole")}
    for name, role in jobs.items():
        assert unexplained(name, role.unused(calls)) == set()
    (model,) = [role for role in granted if role.name == "ModelRole"]
    assert unexplained("ModelRole", model.unused(calls)) == set()


def test_ctrl_c_leaves_nothing(image: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local_test.cloud.demo", "--image", image, "--policies", "500"]
    demo = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    try:
        wait_for(lambda: _containers(tmp_path) or demo.poll() is not None, 120, "a job")
        demo.send_signal(signal.SIGINT)
        said, _ = demo.communicate(timeout=60)
    finally:
        demo.kill()
    assert demo.returncode == 130, said
    assert said.endswith("\nStopped. Servers, containers and files are removed.\n")
    assert "Traceback" not in said
    assert _containers(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def _containers(folder: Path) -> list[str]:
    """Return the desk's containers that have something of a folder."""
    names = docker("ps", "--all", "--quiet", "--filter", f"label={LABEL}").stdout.split()
    mounts = {
        name: docker("inspect", "--format", "{{json .Mounts}}", name, check=False).stdout
        for name in names
    }
    return [name for name, sources in mounts.items() if str(folder) in sources]
