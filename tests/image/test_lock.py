"""What the Dockerfile installs, without a Docker engine: from the lock, for both architectures."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sagetree.bundle.learning_curve import Trial

ROOT = Path(__file__).parent.parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def test_every_locked_wheel_exists_for_both_architectures() -> None:
    script = ROOT / "container" / "check_wheels.py"
    result = subprocess.run([sys.executable, script], capture_output=True, text=True)

    assert result.returncode == 0, result.stdout + result.stderr
    found = re.findall(r"^(cpu|gpu) on (amd64|arm64): \d+ packages", result.stdout, re.MULTILINE)
    assert len(set(found)) == 4


def test_the_image_has_every_extra_but_spark_and_one_build_of_xgboost() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    # Spark comes with the cluster, or SageMaker's own container for it
    names = [name for name in project["optional-dependencies"] if name != "spark"]
    extras = [f"--extra {name}" for name in names]
    options = dict(re.findall(r'^ +(\w+)\) echo "(--.*)" ;;', DOCKERFILE, re.MULTILINE))

    assert options["cpu"] == " ".join(extras)
    for build, package in (("cpu", "xgboost-cpu"), ("gpu", "xgboost")):
        command = ["export", "--quiet", "--frozen", "--no-dev", "--no-hashes", "--no-emit-project"]
        locked = subprocess.run(
            [Path(sys.executable).with_name("uv"), *command, *options[build].split()],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert set(re.findall(r"^xgboost[a-z-]*", locked, re.MULTILINE)) == {package}


@pytest.mark.long
def test_a_search_needs_nothing_that_the_image_leaves_out_of_its_packages() -> None:
    """Optuna asks for a database's packages, and stores trials in memory without them."""
    (names,) = re.findall(r"for package in (.*); do", DOCKERFILE)
    trials = [Trial(settings={"eta": 0.1}, state="complete", values=((0.5,),), rounds=(3,))]
    program = f"""
import sys
for name in {names.split()}:
    sys.modules[name] = None  # an import of it is an error
from sagetree.bundle.learning_curve import Trial
from sagetree.train.hyperparameters.searching import Range
from sagetree.train.tuning.proposals import Proposer
trials = [Trial.model_validate_json({trials[0].model_dump_json()!r})] * 12
print(Proposer((Range("eta", 0.1, 0.3),), False, True, 1).propose(trials))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.stdout.startswith("{'eta': 0."), ran.stderr


def test_builder_and_developers_have_the_same_uv() -> None:
    """Another version may read the lock differently."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    pinned = (ROOT / "container" / "builder" / "requirements.txt").read_text("utf-8")

    (version,) = re.findall(r"^UV_VERSION := (.*)$", makefile, re.MULTILINE)
    assert f"uv=={version} " in pinned


def test_no_architecture_and_no_new_syntax_in_the_dockerfile() -> None:
    """Debian's engine 20.10 has a builder that knows none of these."""
    assert not re.search(
        r"amd64|arm64|x86_64|aarch64|# *syntax|<<|--mount|--link", code(DOCKERFILE)
    )


def code(dockerfile: str) -> str:
    """Return a Dockerfile without its comments, but for one that would be read."""
    lines = dockerfile.splitlines()
    return "\n".join(line for line in lines if not line.startswith("#") or "syntax=" in line)
