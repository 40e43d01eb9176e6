"""The phases of a small job, beside those of another checkout: here the same one."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ["imports", "reading", "choosing", "fitting", "evaluation", "saving", "all", "processor"]


@pytest.mark.long
@pytest.mark.skipif(
    not (ROOT / ".venv" / "bin" / "python").is_file(), reason="needs .venv (make install)"
)
def test_each_phase_takes_its_time_in_both():
    found = subprocess.run(
        [sys.executable, "-m", "bench.start", ROOT, "--repeats", "1"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    head, titles, *lines = found.stdout.splitlines()
    assert head == "1000 rows, 20 columns; median of 1 runs"
    assert titles.split() == ["this", "other", "ratio"]
    assert [line.split()[0] for line in lines] == NAMES
    seconds = {line.split()[0]: float(line.split()[1]) for line in lines}
    assert all(seconds[name] > 0 for name in NAMES)
    phases = sum(seconds[name] for name in NAMES[:-2])
    assert phases == pytest.approx(seconds["all"], abs=0.1)
    for line in lines:
        _, one, _, two, _, ratio = line.split()
        assert float(ratio) == pytest.approx(float(one) / float(two), abs=0.2, rel=0.2)
