"""Run the real programs as processes on a folder that stands for /opt/ml."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
SAGETREE = str(BIN / "sagetree")

# No program of this suite needs longer; one that hangs must not hang the suite.
TIMEOUT = 120


@dataclass(frozen=True)
class Outcome:
    """What a process left: exit code and its whole output."""

    code: int
    log: str


def environment(root: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a small environment in which `root` is /opt/ml."""
    return {
        "PATH": f"{BIN}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "SAGEMAKER_BASE_DIR": str(root),
        **(extra or {}),
    }


def run_sagetree(root: Path, *arguments: str, extra: Mapping[str, str] | None = None) -> Outcome:
    """Run `sagetree ARGUMENTS` on `root`, with `extra` variables; return how it ended."""
    result = subprocess.run(
        [SAGETREE, *arguments],
        env=environment(root, extra),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
    )
    return Outcome(result.returncode, result.stdout)
