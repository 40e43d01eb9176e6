"""The console script: it finds the program and hands it the rest."""

import subprocess
import sys
from importlib.metadata import entry_points, version

import pytest

from sagetree.cli import PROGRAMS, main
from tests.programs import SAGETREE

USAGE = "usage: sagetree [-h] [--version] PROGRAM ..."


def test_the_package_installs_it() -> None:
    (script,) = entry_points(group="console_scripts", name="sagetree")
    assert script.load() is main


def test_help_names_every_program(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(USAGE)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert all(f"{name} {summary}" in lines for name, summary in PROGRAMS.items())
    assert "SAGEMAKER_BASE_DIR" in text
    assert "sagetree train claims.csv --target fraud " in text


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_has_its_own_help(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([program, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: sagetree {program} ")


@pytest.mark.parametrize("program", ["train", "predict"])
def test_arrow_is_loaded_after_its_allocator_is_set(program: str) -> None:
    code = f"import sys, sagetree.{program}.cli; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"{version('sagetree')}\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "the following arguments are required: PROGRAM"),
        (
            ["trian"],
            "argument PROGRAM: invalid choice: 'trian' "
            "(choose from 'prepare', 'profile', 'train', 'evaluate', 'compare', 'predict', "
            "'drift', 'serve', 'convert', 'cloud', 'function')",
        ),
        (
            ["tra"],  # no abbreviations: a script that used one would break with a new program
            "argument PROGRAM: invalid choice: 'tra' "
            "(choose from 'prepare', 'profile', 'train', 'evaluate', 'compare', 'predict', "
            "'drift', 'serve', 'convert', 'cloud', 'function')",
        ),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    usage, error = capsys.readouterr().err.splitlines()
    assert usage == USAGE
    # Since Python 3.12 the choices stand without quotes.
    assert error.replace("'", "") == f"sagetree: error: {reason}".replace("'", "")


def test_only_the_named_program_is_loaded() -> None:
    code = (
        "import sys; from sagetree.cli import main\n"
        "try: main(['serve', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'train', 'evaluate', 'prepare', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.splitlines()[-1] == "[]"


def test_the_script_exits_with_the_code_of_the_program() -> None:
    result = subprocess.run([SAGETREE, "nothing"], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (2, "")
