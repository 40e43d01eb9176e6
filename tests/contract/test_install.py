"""The package as a user installs it: one name on a site, and all four programs work."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sagetree.cloud.account.members import MEMBERS
from tests.programs import TIMEOUT
from tests.serve.server_process import ServerProcess, eventually, healthy
from tests.wheels import wheel

ROOT = Path(__file__).parents[2]
UV = str(Path(sys.executable).with_name("uv"))

# Packages that are fetched take their time.
INSTALL_SECONDS = 600

pytestmark = pytest.mark.long


def run(*command: object, seconds: int = TIMEOUT, **environ: str) -> str:
    """Run a command elsewhere than in the checkout and return what it says."""
    result = subprocess.run(
        [str(word) for word in command], cwd="/", env={**os.environ, **environ}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
    return result.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the source archive, and of the wheel that is made of it."""
    folder = tmp_path_factory.mktemp("dist")
    run(UV, "build", "--quiet", "--out-dir", folder, ROOT, seconds=INSTALL_SECONDS)
    return folder


@pytest.fixture(scope="module")
def site(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment into which the wheel alone was installed: `pip install sagetree`."""
    folder = tmp_path_factory.mktemp("site") / "venv"
    run(UV, "venv", "--quiet", "--python", sys.executable, folder)
    (packed,) = built.glob("*.whl")
    python = folder / "bin" / "python"
    run(UV, "pip", "install", "--quiet", "--python", python, packed, seconds=INSTALL_SECONDS)
    return folder


def test_nothing_but_sagetree_is_at_the_top(built: Path, tmp_path: Path) -> None:
    (packed,) = built.glob("*.whl")
    with zipfile.ZipFile(packed) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"sagetree"}
    for module in ("cli", "train/job", "serve/walk", "evaluate/job", "prepare/job"):
        assert f"sagetree/{module}.py" in names
    for member in MEMBERS:
        assert f"sagetree/cloud/templates/{member.template}" in names
    (source,) = built.glob("*.tar.gz")
    run(UV, "build", "--quiet", "--wheel", "--out-dir", tmp_path, source, seconds=INSTALL_SECONDS)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as again:
        assert sorted(again.namelist()) == sorted(names)


def sagetree(site: Path, root: Path, *arguments: str) -> str:
    """Run the installed program on a folder that stands for /opt/ml."""
    return run(site / "bin" / "sagetree", *arguments, SAGEMAKER_BASE_DIR=str(root))


@contextmanager
def served(site: Path, root: Path) -> Iterator[ServerProcess]:
    """Run the installed server on loopback."""
    log = root / "serve.log"
    command = [str(site / "bin" / "sagetree"), "serve", "--host", "127.0.0.1", "--port", "0"]
    environ = {**os.environ, "SAGEMAKER_BASE_DIR": str(root)}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd="/", env=environ, stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            eventually(lambda: b"serving http" in log.read_bytes())
            port = log.read_text().split("serving http://127.0.0.1:")[1].split()[0]
            yield ServerProcess(process, log, int(port))
        finally:
            process.terminate()


def test_a_plain_installation_prepares_trains_evaluates_and_serves(
    site: Path, tmp_path: Path
) -> None:
    inputs = tmp_path / "processing" / "input"
    inputs.mkdir(parents=True)
    rows = "".join(f"{i},{i * 7 % 11},{'ab'[i % 2]},{int(i % 11 > 5)}\n" for i in range(400))
    (inputs / "t.csv").write_text(f"key,n,word,y\n{rows}")
    (tmp_path / "all.sql").write_text("SELECT * FROM t")
    sql = str(tmp_path / "all.sql")
    sagetree(site, tmp_path, "prepare", "--sql", sql, "--key", "key", "--label", "y")
    parts = tmp_path / "processing" / "output"
    for channel in ("train", "validation"):
        shutil.copytree(parts / channel, tmp_path / "input" / "data" / channel)
    sagetree(site, tmp_path, "train", "--set", "target=y", "--set", "num_round=20")
    shutil.copytree(tmp_path / "model", tmp_path / "processing" / "model")
    shutil.copytree(parts / "test", tmp_path / "processing" / "test")
    sagetree(site, tmp_path, "evaluate")
    with served(site, tmp_path) as server:
        eventually(lambda: healthy(server))
        answer = server.post("n,word\n3,a\n", Accept="text/csv")
    assert (answer.status, 0 < float(answer.body) < 1) == (200, True)


def test_a_package_called_evaluate_disturbs_nothing(site: Path, tmp_path: Path) -> None:
    for name in ("evaluate", "train", "serve", "prepare"):
        wheel(tmp_path / "wheels", name, "0.4")
        packed = tmp_path / "wheels" / f"{name}-0.4-py3-none-any.whl"
        run(UV, "pip", "install", "--quiet", "--python", site / "bin" / "python", packed)
    assert run(site / "bin" / "python", "-c", "import evaluate; print(evaluate.__version__)") == (
        "0.4\n"
    )
    test_a_plain_installation_prepares_trains_evaluates_and_serves(site, tmp_path)


def test_what_a_plain_installation_lacks_names_its_extra(site: Path, tmp_path: Path) -> None:
    environ = {**os.environ, "SAGEMAKER_BASE_DIR": str(tmp_path), "SAGEMAKER_PROGRAM": "a.py"}
    command = [str(site / "bin" / "sagetree"), "train"]
    ended = subprocess.run(command, cwd="/", env=environ, capture_output=True, text=True)
    assert ended.returncode == 1
    assert (tmp_path / "output" / "failure").read_text().splitlines()[0] == (
        "sagemaker_program is 'a.py', but sagemaker-training is not installed. Install it, "
        "with a C compiler at hand: pip install 'sagetree[script]'"
    )
    assert "Traceback" not in ended.stdout + ended.stderr


def test_a_search_without_optuna_names_its_extra(site: Path, tmp_path: Path) -> None:
    environ = {**os.environ, "SAGEMAKER_BASE_DIR": str(tmp_path)}
    (tmp_path / "input" / "data" / "train").mkdir(parents=True)
    command = [str(site / "bin" / "sagetree"), "train", "--set", "tune=20"]
    ended = subprocess.run(command, cwd="/", env=environ, capture_output=True, text=True)
    assert ended.returncode == 1
    assert (tmp_path / "output" / "failure").read_text().splitlines()[0] == (
        "tune searches by Optuna, which is not installed: pip install 'sagetree[tune]'. Correct it"
    )
