"""What stays out of a process that serves: see sagetree.machine.unused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.long
def test_a_process_without_the_unused_runs_no_plugin_of_another_library(tmp_path: Path) -> None:
    installed = tmp_path / "plugged-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[pydantic]\ntold = plugged:plugin\n")
    (tmp_path / "plugged.py").write_text(
        "print('the plugin is loaded')\n"
        "class plugin:\n"
        "    new_schema_validator = staticmethod(lambda *a, **k: (None, None, None))\n"
    )
    assert "the plugin is loaded" in _said_by_records(tmp_path, "")
    assert _said_by_records(tmp_path, "unused.leave_out_unused(); ") == ""
    inside = "; ".join(
        ["import os", "os.environ.pop('PYDANTIC_DISABLE_PLUGINS', None)",
         "left = unused.left_out_unused()", "left.__enter__()", ""]
    )  # fmt: skip
    assert _said_by_records(tmp_path, inside) == ""


FORTRAN = """
import os, sys
from sagetree.machine.unused import left_out_unused
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "mine"
with left_out_unused():
    import xgboost
    assert os.environ["PYDANTIC_DISABLE_PLUGINS"] == "__all__"
    assert not hasattr(sys.modules["numpy.f2py"], "run_main")
assert os.environ["PYDANTIC_DISABLE_PLUGINS"] == "mine"
assert not any(name.startswith("numpy.f2py.") for name in sys.modules)
import numpy, numpy.f2py
assert hasattr(numpy.f2py, "run_main")
"""


def test_what_scipy_does_not_use_of_numpy_is_left_out_and_is_there_afterwards() -> None:
    subprocess.run([sys.executable, "-c", FORTRAN], check=True, timeout=60)


def _said_by_records(folder: Path, first: str) -> str:
    code = f"from sagetree.machine import unused; {first}import sagetree.tables.schema"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout
