"""Memory: what a container may use, what of it is free, and what comes back."""

from pathlib import Path

import numpy as np
import pytest

from sagetree.machine.allocator import return_freed_memory
from sagetree.machine.memory import free_memory, memory_limit, resident_memory

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
) -> None:
    (tmp_path / "meminfo").write_text(MEMINFO)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory_limit(tmp_path, tmp_path / "meminfo") == expected


GB = 1 << 30


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 8 * GB),
        ({"memory.max": "max\n"}, 8 * GB),
        (
            {
                "memory.max": f"{4 * GB}",
                "memory.current": f"{2 * GB}",
                "memory.stat": "anon 5\ninactive_file 0\n",
            },
            2 * GB,
        ),
        (
            {
                "memory.max": f"{4 * GB}",
                "memory.current": f"{3 * GB}",
                "memory.stat": f"inactive_file {GB}\n",
            },
            2 * GB,
        ),
        (
            {
                "memory/memory.limit_in_bytes": f"{3 * GB}",
                "memory/memory.usage_in_bytes": f"{GB}",
                "memory/memory.stat": "total_inactive_file 0\n",
            },
            2 * GB,
        ),
        (
            {
                "memory/memory.limit_in_bytes": f"{2**63 - 4096}",
                "memory/memory.usage_in_bytes": f"{GB}",
                "memory/memory.stat": "x 0\n",
            },
            8 * GB,
        ),
    ],
)
def test_free_memory(tmp_path: Path, files: dict[str, str], expected: int) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable:   {8 * GB >> 10} kB\n")
    (tmp_path / "memory").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert free_memory(tmp_path, tmp_path / "meminfo") == expected


def test_free_memory_of_a_machine_that_says_nothing(tmp_path: Path) -> None:
    assert free_memory(tmp_path, tmp_path / "none") > GB


def test_what_is_freed_goes_back() -> None:
    blocks = [np.ones(5000) for _ in range(2000)]  # of a size the allocator keeps
    full = resident_memory()
    del blocks
    return_freed_memory()
    assert full - resident_memory() > 60e6
