"""Requirements of a script: installed apart, nothing of ours replaced."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy
import pytest

from sagetree.errors import PlatformError, UserError
from sagetree.scripts.packages import Packages, install
from tests.wheels import requirements, wheel

LOOK = """
import evaluate, numpy, sagetree, xgboost
print(evaluate.__version__, numpy.__version__, xgboost.__version__)
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder of a script, with wheels of `evaluate` and an old numpy."""
    folder = tmp_path / "code"
    folder.mkdir()
    wheel(folder / "wheels", "evaluate", "0.4", needs=["numpy"])
    wheel(folder / "wheels", "numpy", "1.0")
    return folder


def look(packages: Packages, script: str) -> list[str]:
    """Return the words that a script prints in a process of its own."""
    command = [packages.python, "-c", script]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_a_process_of_the_script_finds_its_own_versions_and_else_ours(
    code: Path, tmp_path: Path
) -> None:
    requirements(code, "evaluate", "numpy==1.0")
    packages = install(code, tmp_path / "packages")
    assert packages is not None
    script = LOOK.replace("xgboost", "orjson")  # xgboost itself cannot do with this numpy
    assert look(packages, script) == ["0.4", "1.0", version("orjson")]
    assert packages.conflicts() == [f"numpy 1.0 (here {numpy.__version__})"]
    assert version("numpy") == numpy.__version__  # what is installed here is what was


@pytest.mark.long
def test_what_is_installed_here_is_not_installed_again(code: Path, tmp_path: Path) -> None:
    requirements(code, "evaluate", "numpy>=2", "xgboost-cpu")  # no wheel of the last one there
    packages = install(code, tmp_path / "packages")
    assert packages is not None
    assert look(packages, LOOK) == ["0.4", numpy.__version__, version("xgboost-cpu")]
    assert [path.name for path in packages.site.glob("*.dist-info")] == ["evaluate-0.4.dist-info"]
    assert packages.conflicts() == []


def test_commands_of_the_packages_come_first(tmp_path: Path) -> None:
    found = Packages(tmp_path).variables({"PATH": "/usr/bin", "A": "1"})
    assert found == {"PATH": f"{tmp_path}/bin:/usr/bin", "A": "1", "VIRTUAL_ENV": str(tmp_path)}


def test_without_requirements_nothing_is_made(tmp_path: Path) -> None:
    assert install(tmp_path, tmp_path / "packages") is None
    assert not (tmp_path / "packages").exists()


def test_pips_reason_comes_first(code: Path, tmp_path: Path) -> None:
    requirements(code, "numpy==0.0.1")
    with pytest.raises(UserError) as caught:
        install(code, tmp_path / "packages")
    assert str(caught.value).splitlines()[0] == (
        "requirements.txt: No matching distribution found for numpy==0.0.1. Correct it; without a "
        "network it can only name what is installed already"
    )


def test_without_pip_it_says_what_to_install(code: Path, tmp_path: Path) -> None:
    """In a process in which pip cannot be found, as in an environment that uv has made."""
    requirements(code, "evaluate")
    script = (
        "import sys; from pathlib import Path; sys.modules['pip'] = None\n"
        "from sagetree.scripts import packages\n"
        "packages.install(Path(sys.argv[1]), Path(sys.argv[1], 'packages'))"
    )
    ended = subprocess.run([sys.executable, "-c", script, code], capture_output=True, text=True)
    assert ended.stderr.splitlines()[-1] == (
        f"{PlatformError.__module__}.PlatformError: requirements.txt: pip is not installed, and "
        "it is needed to install what a script asks for. Install it: uv pip install pip"
    )
