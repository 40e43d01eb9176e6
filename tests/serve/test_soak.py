"""A minute at full load with wrong requests, killed workers and replaced models."""

import subprocess
import sys

import pytest


@pytest.mark.long
def test_a_minute_of_trouble_gives_no_wrong_answer():
    result = subprocess.run(
        [sys.executable, "-m", "bench.soak", "--seconds", "60"],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.endswith("good\n")
