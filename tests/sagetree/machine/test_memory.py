"""Memory: what a container may use."""

from pathlib import Path

import pytest

from sagetree.machine.memory import memory_limit

MEMINFO = "MemTotal:        1000 kB\nMemFree:   10 kB\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 1_024_000),
        ({"memory.max": "max\n"}, 1_024_000),
        ({"memory.max": "5000\n"}, 5000),
        ({"memory/memory.limit_in_bytes": "6000\n"}, 6000),
        ({"memory/memory.limit_in_bytes": "9223372036854771712\n"}, 1_024_000),
    ],
)
def test_the_least_of_machine_and_container_counts(
    files: dict[str, str], expected: int, tmp_path: Path
):
    (tmp_path / "meminfo").write_text(MEMINFO)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory_limit(tmp_path, tmp_path / "meminfo") == expected
