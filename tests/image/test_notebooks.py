"""The notebooks that users copy, executed with SageMaker's SDKs in local mode."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from local_test.demo import make_channels

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def channels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example's tables and channels."""
    folder = tmp_path_factory.mktemp("notebooks")
    make_channels(folder, 3000, 1)
    return folder


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_a_notebook_goes_from_training_to_scores(
    version: str, image: str, channels: Path, tmp_path: Path
) -> None:
    notebook = f"../examples/sdk_{version}.ipynb"
    executed = tmp_path / "executed"
    ended = subprocess.run(
        [ROOT / "local_test" / "sdk" / "run.sh", version, notebook, f"--output={executed}"],
        env=os.environ | {"IMAGE": image, "DIR": str(channels)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stdout
    cells = json.loads(executed.with_suffix(".ipynb").read_text())["cells"]
    found = [
        "".join(output["data"]["text/plain"])
        for cell in cells
        for output in cell.get("outputs", ())
        if output["output_type"] == "execute_result"
    ]
    scores = json.loads(found[-1])
    rows = (ROOT / "local_test" / "payloads" / "claims.csv").read_text().splitlines()[1:]
    assert len(scores) == len(rows)
    assert all(0 < score < 1 for score in scores)


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_no_outputs_are_stored(version: str) -> None:
    cells = json.loads((ROOT / f"local_test/examples/sdk_{version}.ipynb").read_text())["cells"]
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in cells)
