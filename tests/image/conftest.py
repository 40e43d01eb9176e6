"""The image under test, ways to run it, and one chain of inputs for all programs."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.image.cloud import clone, cloud
from tests.image.docker import Container, docker, remove

__all__ = ["clone", "cloud"]  # fixtures

ROOT = Path(__file__).parent.parent.parent
IMAGE_VARIABLE = "SAGETREE_IMAGE"
LABEL = "sagetree.test"

# Enough to learn from, and each program done in seconds.
POLICIES = 3000

# The arguments of the example's preparation; the query lies among the tables.
QUERY = "claims_customers.sql"
EXAMPLE = (
    "--sql", f"/opt/ml/processing/input/query/{QUERY}", "--key", "policy_id", "--label", "fraud"
)  # fmt: skip


@dataclass
class Runner:
    """Starts containers of the image, with a name and a label of their own, and removes them."""

    image: str
    session: str
    started: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def start(
        self,
        *command: str,
        mounts: Mapping[Path, str] | None = None,
        options: Sequence[str] = (),
    ) -> Container:
        """Run the image in the background; `mounts` says what of /opt/ml a folder is."""
        name = f"sagetree-test-{self.session}-{next(self._numbers)}"
        self.started.append(name)
        volumes = [f"--volume={path}:/opt/ml/{place}" for path, place in (mounts or {}).items()]
        label = f"--label={LABEL}={self.session}"
        docker("run", "--detach", "--name", name, label, *volumes, *options, self.image, *command)
        return Container(name)

    def inspect_image(self, field: str) -> Any:
        """Return one field of the image, such as .Config.Labels."""
        return json.loads(docker("inspect", "--format", f"{{{{json {field}}}}}", self.image).stdout)

    def say(self, *command: str, options: Sequence[str] = ()) -> str:
        """Return what a short command in a new container says on standard output."""
        label = f"--label={LABEL}={self.session}"
        return docker("run", "--rm", label, *options, self.image, *command).stdout


@pytest.fixture(scope="session")
def image() -> str:
    """The image that SAGETREE_IMAGE names. Fails, and never skips, where it cannot be run."""
    name = os.environ.get(IMAGE_VARIABLE, "sagetree")
    if not shutil.which("docker") or docker("info", check=False).returncode:
        pytest.fail("No Docker engine answers, so the image cannot be tested", pytrace=False)
    if docker("image", "inspect", name, check=False).returncode:
        pytest.fail(f"There is no image {name} to test: build it by `make image`", pytrace=False)
    return name


@pytest.fixture(scope="session")
def session_runner(image: str) -> Iterator[Runner]:
    """For what all tests share."""
    runner = Runner(image, uuid.uuid4().hex[:8])
    yield runner
    remove(runner.started)


@pytest.fixture
def runner(image: str) -> Iterator[Runner]:
    """For one test: its containers are removed after it."""
    runner = Runner(image, uuid.uuid4().hex[:8])
    yield runner
    remove(runner.started)


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's raw tables and its query."""
    folder = tmp_path_factory.mktemp("tables")
    command = [sys.executable, "-m", "local_test.generate", "--policies", str(POLICIES)]
    subprocess.run([*command, "--out", str(folder)], cwd=ROOT, check=True, capture_output=True)
    (folder / "query").mkdir()
    shutil.copy(ROOT / "local_test" / QUERY, folder / "query")
    return readable(folder)


@pytest.fixture(scope="session")
def prepared(
    session_runner: Runner, tables: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """What the image's prepare made of the tables."""
    folder = writable(tmp_path_factory.mktemp("prepared"))
    mounts = {tables: "processing/input:ro", folder: "processing/output"}
    container = session_runner.start("prepare", *EXAMPLE, mounts=mounts)
    assert container.wait() == 0, container.log
    return folder


@pytest.fixture(scope="session")
def inputs(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training job's input folder, as SageMaker lays it out."""
    folder = tmp_path_factory.mktemp("inputs")
    shutil.copytree(ROOT / "local_test" / "test_dir" / "input" / "config", folder / "config")
    for channel in ("train", "validation"):
        shutil.copytree(prepared / channel, folder / "data" / channel)
    return readable(folder)


@pytest.fixture(scope="session")
def model(session_runner: Runner, inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model folder that the image's train wrote."""
    folder = tmp_path_factory.mktemp("trained")
    mounts = {
        inputs: "input:ro",
        writable(folder / "model"): "model",
        writable(folder / "output"): "output",
    }
    container = session_runner.start("train", mounts=mounts)
    assert container.wait() == 0, container.log
    return folder / "model"


def readable(folder: Path) -> Path:
    """Return `folder` where any user may read: pytest's folders are for one user alone."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def writable(folder: Path) -> Path:
    """Return `folder`, made if need be, where any user may write."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)
    return folder
