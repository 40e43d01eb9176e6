"""SageMaker's own SDKs drive the image in local mode, by the scripts users copy."""

import re
import subprocess
from pathlib import Path

import pytest

from local_test.demo import make_channels

ROOT = Path(__file__).parents[2]
RUN = ROOT / "local_test" / "sdk" / "run.sh"

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def channels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example's tables and channels."""
    folder = tmp_path_factory.mktemp("sdk")
    make_channels(folder, 8000, 1)
    return folder


def sdk(version: str, script: str, image: str, folder: Path, *arguments: str) -> tuple[int, str]:
    """Run a script of local_test/sdk and return its exit code and log."""
    command = [str(RUN), version, script, "--image", image, "--dir", str(folder), *arguments]
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
    )
    return result.returncode, result.stdout


def test_v2_jobs_of_which_two_hosts_train(image: str, channels: Path) -> None:
    code, log = sdk("v2", "v2_jobs.py", image, channels, "--hosts", "2")
    assert code == 0, log
    assert re.search(r"Host algo-2\S* is 2 of 2", log), log
    assert "all jobs done: verdict, CSV, JSON and batch scores agree" in log


@pytest.mark.parametrize(
    ("minimum", "gate", "status"),
    [
        ("0.6", r"CreateModel-CreateModel +Succeeded", "Succeeded "),
        (
            "0.999",
            r"AucTooLow +Failed",
            "Failed Step 'AucTooLow' failed with message: AUC is below 0.999",
        ),
    ],
)
def test_v2_pipeline(image: str, channels: Path, minimum: str, gate: str, status: str) -> None:
    code, log = sdk("v2", "v2_pipeline.py", image, channels, "--auc-min", minimum)
    assert code == 0, log
    for step in ("Prepare", "Train", "Evaluate", "Gate"):
        assert re.search(rf"^{step} +Succeeded$", log, re.MULTILINE), log
    assert re.search(rf"^{gate}$", log, re.MULTILINE), log
    assert log.splitlines()[-1] == status


def test_v2_pipeline_is_stored_with_a_register_step(image: str, channels: Path) -> None:
    code, log = sdk("v2", "v2_pipeline.py", image, channels, "--upsert", "fraud")
    assert code == 0, log
    assert log.splitlines()[-1].startswith("stored arn:aws:sagemaker:us-east-1:")


def test_v3_jobs(image: str, channels: Path) -> None:
    code, log = sdk("v3", "v3_jobs.py", image, channels)
    assert code == 0, log
    assert "all jobs done: 5 scores for 5 rows: [0." in log


def test_v3_trainer_with_two_hosts(image: str, channels: Path) -> None:
    code, log = sdk("v3", "v3_trainer.py", image, channels, "--hosts", "2")
    assert code == 0, log
    assert re.search(r"Host algo-2\S* is 2 of 2", log), log
    assert "sagetree/manifest.json" in log.splitlines()[-1]
    assert "xgboost-model" in log.splitlines()[-1]
