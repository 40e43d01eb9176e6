"""The Makefile's first words: the list of targets, and a Python that is not there."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def make(*arguments: str, cwd: Path = ROOT) -> tuple[int, list[str]]:
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    ended = subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=cwd, env=environ, timeout=60,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    return ended.returncode, ended.stdout.splitlines()


def test_make_alone_lists_every_target_in_one_line_each() -> None:
    text = (ROOT / "Makefile").read_text().replace("\\\n", "")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.M)
    code, lines = make()
    assert code == 0
    listed = [re.fullmatch(r"make ([a-z-]+) +\S.*", line) for line in lines]
    assert [found[1] for found in listed if found] == phony.split()
    assert all(len(line) <= 100 for line in lines)


def test_a_python_that_is_not_there_is_one_sentence() -> None:
    code, lines = make("install", "PYTHON=/nonexistent/python3")
    assert code == 2
    assert [line for line in lines if not line.startswith("make:")] == [
        "sagetree needs Python 3.11 or newer: /nonexistent/python3 is absent. "
        "Name another with make PYTHON=python3.12"
    ]


@pytest.mark.skipif(os.getuid() == 0, reason="needs a user who is not root")
def test_a_clone_of_somebody_else_is_one_sentence(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "uv.lock"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    shutil.copytree(ROOT / "make", tmp_path / "make")
    tmp_path.chmod(0o555)
    code, lines = make("install", cwd=tmp_path)
    tmp_path.chmod(0o755)
    assert code == 2
    assert f"{tmp_path} is not yours to write: clone the repository as this user" in lines
