import os
import subprocess
import sys

import pytest

from sagetree.serve.cli import main
from sagetree.serve.variables import VARIABLES

# What the master process imports before it listens.
MASTER_MODULES = (
    "sagetree.serve.cli",
    "sagetree.serve.server",
    "sagetree.serve.settings",
    "sagetree.machine.unused",
    "sagetree.serve.http.worker",
)


def test_help_says_what_it_does_and_what_it_reads(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "POST /invocations" in text
    assert all(variable.name in text for variable in VARIABLES)


def test_an_unknown_option_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["--prot", "80"])
    assert ended.value.code == 2
    assert "unrecognized arguments: --prot 80" in capsys.readouterr().err


def run_python(code: str) -> str:
    """Run code in a process whose environment is empty but for the loader's path."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", code], env=kept, check=True, capture_output=True, text=True
    ).stdout


def test_importing_does_nothing_and_the_master_holds_no_xgboost_before_it_listens():
    """OMP_NUM_THREADS and the absent libraries must be settled before these are loaded."""
    code = f"import {', '.join(MASTER_MODULES)}\nimport sys, threading, logging\n"
    code += "print([name for name in ('numpy', 'xgboost', 'flask') if name in sys.modules])\n"
    code += "import sagetree.serve.application\n"
    code += "print(threading.active_count(), logging.root.handlers)\n"
    # two fifths of the start, which plain requests do without
    code += "print([name for name in ('werkzeug', 'flask') if name in sys.modules])"
    assert run_python(code) == "[]\n1 []\n[]\n"
