"""Models that crash, hang or fill the memory: what their trial says, and who hears it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xgboost

from sagetree.bundle.file_names import MODEL_FILE
from sagetree.errors import ArtifactError, SettingsError
from sagetree.serve.models.trials import Trials, TrialVerdict
from tests.serve.artifacts import settings_for

AGAIN = "Copy the artifact again, or train again"
MORE_MEMORY = (
    "If it is not damaged, use a machine with more memory; otherwise copy the artifact again, or "
    "train again"
)
ROOM = 2**30
SCORE = {"output": ("score",)}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def trials(shared: Path) -> Iterator[Trials]:
    """The process that tries models, once for all tests here."""
    started = Trials(shared, SCORE)
    yield started
    started.stop()


def refusal(trials: Trials, folder: Path, room: int = ROOM) -> str:
    with pytest.raises(ArtifactError) as caught:
        trials.weigh(folder, room)
    return str(caught.value)


def linear(folder: Path, features: int) -> Path:
    """A linear model that says it has this many features, and has 3."""
    folder.mkdir()
    matrix = np.random.default_rng(1).random((50, 3), np.float32)
    params = {"booster": "gblinear", "nthread": 1}
    text = xgboost.train(params, xgboost.DMatrix(matrix, matrix[:, 0]), 2).save_raw("json").decode()
    changed = text.replace('"num_feature":"3"', f'"num_feature":"{features}"')
    assert changed != text
    (folder / "model.json").write_text(changed)
    return folder


def test_a_model_that_crashes_the_library_is_refused_with_the_signal(
    trials: Trials, tmp_path: Path
):
    (tmp_path / MODEL_FILE).write_text('{"learner":' + "[" * 200_000 + "]" * 200_000 + "}")
    reason = (
        "XGBoost's library crashes on this model (SIGSEGV), with 1062 MB of memory available for it"
    )
    assert refusal(trials, tmp_path) == f"{tmp_path}: {reason}. {MORE_MEMORY}"


def test_a_model_that_takes_too_much_memory_is_refused(trials: Trials, tmp_path: Path):
    folder = linear(tmp_path / "model", 300_000_000)
    assert refusal(trials, folder, room=2**20) == (
        f"{folder}: loading the model takes more memory than the 67 MB available for it. "
        f"{MORE_MEMORY}"
    )


def test_a_good_model_without_the_memory_it_needs_is_not_called_damaged(
    trials: Trials, plain_dir: Path
):
    """The C library may end the process itself; which one fails first, the size decides."""
    told = [trials.ask(plain_dir, room * 2**20) for room in range(9)]
    refused = [answer for answer in told if "bytes" not in answer]
    assert refused
    for answer in refused:
        assert re.fullmatch(
            r"loading the model takes more memory than the \d MB available for it|"
            r"XGBoost's library (crashes on this model \(SIG\w+\)|ends its process on this model "
            r"\(exit code 127\)), with \d MB of memory available for it",
            str(answer["message"]),
        ), answer
        assert answer["hint"] == MORE_MEMORY


def test_a_model_that_takes_for_ever_is_refused(own_base_dir: Path):
    """Its file is a pipe into which nobody writes; the time is cut to one second."""
    code = (
        "import json, sys\n"
        "from sagetree.serve.models import trial, trials\n"
        "trial.TRIAL_SECONDS = 1\n"
        "asked = trial.Question(sys.argv[1], {'output': ['score']}, 2**30, False)\n"
        "print(json.dumps(trial.run_trial(trials.MODELS, asked, lambda: True)))\n"
    )
    folder = own_base_dir / "model"
    (folder / MODEL_FILE).unlink()
    os.mkfifo(folder / MODEL_FILE)
    told = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, check=True, timeout=30
    )
    assert json.loads(told.stdout)["message"] == (
        "loading the model and scoring some rows takes longer than 1 s"
    )


@pytest.mark.long  # a process of its own
def test_a_model_loaded_again_to_be_weighed_is_trusted(tmp_path: Path):
    """Checking its trees takes fifteen times as long as loading them."""
    code = (
        "import sys\n"
        "from sagetree.serve.models.trial import Candidate, Question, run_trial\n"
        "def load(question, distrust):\n"
        "    with open(sys.argv[1] + '/told', 'a') as told: told.write(f'{distrust} ')\n"
        "question = Question(sys.argv[1], {}, 2**30, True)\n"
        "assert 'bytes' in run_trial(Candidate(load, 'it'), question, lambda: True)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=30)
    assert (tmp_path / "told").read_text() == "True False "


def test_an_output_the_model_cannot_give_is_the_settings_fault(
    trials: Trials, shared: Path, plain_dir: Path
):
    """It is the settings of who asks, of whoever the process is."""
    assert trials.weigh(plain_dir, ROOM) > 0
    with pytest.raises(SettingsError, match="this model cannot give label"):
        Trials(shared, {"output": ("label",)}).weigh(plain_dir, ROOM)


def test_a_verdict_is_kept_until_the_model_changes(plain_dir: Path, tmp_path: Path):
    """Whoever asks again, in whichever process, starts no trial."""
    folder, shared = tmp_path / "model", tmp_path / "shared"
    folder.mkdir()
    shared.mkdir()
    (folder / MODEL_FILE).write_bytes(b"{}")
    verdict = TrialVerdict(shared, settings_for(folder))
    for _ in range(2):
        with pytest.raises(ArtifactError):
            verdict.check()
    kept = (shared / "verdict").stat()
    with pytest.raises(ArtifactError):
        TrialVerdict(shared, settings_for(folder)).check()
    assert (shared / "verdict").stat() == kept
    (folder / MODEL_FILE).write_bytes((plain_dir / MODEL_FILE).read_bytes())
    verdict.check()
    assert (shared / "verdict").stat() != kept


def test_a_trial_process_that_was_killed_is_started_again(trials: Trials, plain_dir: Path):
    assert trials.weigh(plain_dir, ROOM) > 0
    process = trials._process
    assert process is not None
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    assert trials.weigh(plain_dir, ROOM) > 0
