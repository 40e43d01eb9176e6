"""prepare, train and evaluate in real containers: what they leave, whoever runs them and how."""

import json
import re
import shutil
import tarfile
import time
from pathlib import Path

import pytest

from tests.image.conftest import EXAMPLE, Runner, readable, writable
from tests.image.docker import Container, docker, wait_for
from tests.image.modes import MODES, NO_NETWORK, OTHER_USER, READ_ONLY, written_elsewhere
from tests.wheels import requirements, wheel

pytestmark = pytest.mark.docker

# SageMaker waits 120 s between SIGTERM and SIGKILL; ours needs the end of a round.
STOP_SECONDS = 10

modes = pytest.mark.parametrize("options", MODES.values(), ids=MODES)


def ended_well(container: Container) -> bool:
    """Whether it ended with 0 and wrote nothing where it should not."""
    code = container.wait()
    assert code == 0, container.log
    assert written_elsewhere(container.changes()) == []
    return True


@modes
def test_prepare_writes_the_same_parts(
    runner: Runner, tables: Path, prepared: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    output = writable(tmp_path / "output")
    mounts = {tables: "processing/input:ro", output: "processing/output"}

    assert ended_well(runner.start("prepare", *EXAMPLE, mounts=mounts, options=options))

    for part in ("train", "validation", "test"):
        ours, theirs = (sorted((root / part).iterdir()) for root in (output, prepared))
        assert [path.name for path in ours] == [path.name for path in theirs]
        assert [path.read_bytes() for path in ours] == [path.read_bytes() for path in theirs]


@modes
def test_train_writes_the_same_model(
    runner: Runner, inputs: Path, model: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    job = Job(runner, inputs, tmp_path, options)

    assert ended_well(job.container)

    assert not job.failure.exists()
    booster = "xgboost-model"
    assert (job.model / booster).read_bytes() == (model / booster).read_bytes()
    assert (job.model / "sagetree" / "manifest.json").is_file()


@modes
def test_evaluate_reads_a_packed_model(
    runner: Runner, prepared: Path, model: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    packed = tmp_path / "packed"
    packed.mkdir()
    with tarfile.open(packed / "model.tar.gz", "w:gz") as archive:
        archive.add(model, ".")
    readable(packed)
    result = writable(tmp_path / "evaluation")
    mounts = {
        packed: "processing/model:ro",
        prepared / "test": "processing/test:ro",
        result: "processing/evaluation",
    }

    assert ended_well(runner.start("evaluate", mounts=mounts, options=options))

    metrics = json.loads((result / "evaluation.json").read_bytes())
    assert 0.5 < metrics["binary_classification_metrics"]["auc"]["value"] <= 1


@pytest.mark.parametrize("options", [(), (*OTHER_USER, *READ_ONLY)], ids=["root", "other user"])
def test_a_job_without_inputs_fails_with_a_reason(
    runner: Runner, tmp_path: Path, options: tuple[str, ...]
) -> None:
    volume = writable(tmp_path / "ml")

    container = runner.start("train", mounts={volume: ""}, options=options)

    assert container.wait() == 1
    reason = (volume / "output" / "failure").read_text("utf-8")
    assert "channel 'train'" in reason.splitlines()[0], reason
    assert reason.strip() in container.log


SCRIPT = """
import evaluate, numpy, os
with open(os.environ["SM_MODEL_DIR"] + "/seen", "w") as file:
    print(evaluate.__version__, numpy.__version__, file=file)
"""


@pytest.mark.parametrize(
    "options", [(), (*OTHER_USER, *READ_ONLY, *NO_NETWORK)], ids=["root", "all at once"]
)
def test_a_script_has_packages_of_its_own(
    runner: Runner, tmp_path: Path, options: tuple[str, ...]
) -> None:
    volume = writable(tmp_path / "ml")
    for name in ("model", "output", "code", "code/wheels"):
        writable(volume / name)
    wheel(volume / "code" / "wheels", "evaluate", "0.4")
    wheel(volume / "code" / "wheels", "numpy", "1.0")
    requirements(volume / "code", "evaluate", "numpy==1.0")
    (volume / "code" / "train.py").write_text(SCRIPT)

    program = "--env=SAGEMAKER_PROGRAM=train.py"
    container = runner.start("train", mounts={volume: ""}, options=[program, *options])

    assert container.wait() == 0, container.log
    assert (volume / "model" / "seen").read_text() == "0.4 1.0\n"


def test_without_a_gpu_nothing_trains_on_one(runner: Runner, inputs: Path, tmp_path: Path) -> None:
    """With CUDA's build of XGBoost as with the other one."""
    job = Job(runner, inputs, tmp_path, (), "--set=device=cuda")

    assert job.container.wait() == 1, job.container.log
    assert job.failure.read_text("utf-8").splitlines()[0] in {
        "device is cuda, and this is XGBoost's CPU build: use the image that "
        "./build_and_push.sh --gpu builds, or device=cpu. Correct it",
        "device is cuda, and no GPU is visible here: use an instance that has one "
        "(with docker run: --gpus all), or device=cpu. Correct it",
    }


def test_no_command_means_train(runner: Runner, tmp_path: Path) -> None:
    """SageMaker's SDK, version 3, starts a training job without naming a command."""
    volume = writable(tmp_path / "ml")

    container = runner.start(mounts={volume: ""})

    assert container.wait() == 1
    assert (volume / "output" / "failure").is_file()


def test_a_mount_that_cannot_be_written_is_no_success(
    runner: Runner, inputs: Path, tmp_path: Path
) -> None:
    """A folder of root's and another user: sagemaker-training would end with 0 and no model."""
    job = Job(runner, inputs, tmp_path, OTHER_USER)
    assert job.container.wait() == 0
    shutil.rmtree(job.model)
    job.model.mkdir(mode=0o755)

    container = runner.start("train", mounts=job.mounts, options=OTHER_USER)

    assert container.wait() == 1
    assert "/opt/ml/model" in job.failure.read_text("utf-8").splitlines()[0]


def test_a_job_that_runs_out_of_memory_says_so(
    runner: Runner, inputs: Path, tmp_path: Path
) -> None:
    if docker("info", "--format", "{{.MemoryLimit}}").stdout.strip() != "true":
        pytest.skip("this engine bounds no memory")
    job = Job(runner, inputs, tmp_path, ("--memory=40m", "--memory-swap=40m"))

    assert job.container.wait() == 1, job.container.log

    reason = job.failure.read_text("utf-8")
    killed = "The job was killed by SIGKILL, as the system does when memory runs out"
    assert reason.startswith(f"{killed}; it had taken up to "), reason
    assert not list(job.model.iterdir())


def test_sigterm_stops_a_training_job_which_leaves_its_best_model(
    runner: Runner, inputs: Path, tmp_path: Path
) -> None:
    endless = ("--set=num_round=1000000", "--set=early_stopping_rounds=1000000")
    job = Job(runner, inputs, tmp_path, (), *endless)
    wait_for(lambda: re.search(r"^\[\d+\]", job.container.log, re.MULTILINE), 30, "a round")
    assert process_one(job.container).startswith("/opt/venv/bin/python ")
    assert job.container.exec("healthcheck") == ""  # a job has no server whose health one could ask

    start = time.monotonic()
    job.container.signal("TERM")
    code = job.container.wait()

    assert code == 0, job.container.log
    assert time.monotonic() - start < STOP_SECONDS
    assert not job.failure.exists()
    assert (job.model / "sagetree" / "manifest.json").is_file()
    assert written_elsewhere(job.container.changes()) == []


class Job:
    """A training job on `inputs` that leaves its results below `folder`."""

    def __init__(
        self, runner: Runner, inputs: Path, folder: Path, options: tuple[str, ...], *words: str
    ) -> None:
        self.model = writable(folder / "model")
        output = writable(folder / "output")
        self.failure = output / "failure"
        self.mounts = {inputs: "input:ro", self.model: "model", output: "output"}
        self.container = runner.start("train", *words, mounts=self.mounts, options=options)


def process_one(container: Container) -> str:
    """Return the command line of a container's process 1."""
    return container.exec("cat", "/proc/1/cmdline").replace("\0", " ")
