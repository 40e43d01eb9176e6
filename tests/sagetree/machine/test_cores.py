"""How many cores a container may use, by the kernel's files as they stand in one."""

import os
from pathlib import Path

import pytest

from sagetree.machine.cores import usable_cores

MACHINE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def v1(quota: str) -> dict[str, str]:
    return {"cpu/cpu.cfs_quota_us": f"{quota}\n", "cpu/cpu.cfs_period_us": "100000\n"}


UNLIMITED: dict[str, dict[str, str]] = {
    "no cgroup": {},
    "v2": {"cpu.max": "max 100000\n"},
    "v1": v1("-1"),
    "more than there are": {"cpu.max": "100000000 100000\n"},
    "v2 that is not a limit": {"cpu.max": "\n"},
}


@pytest.mark.parametrize("files", UNLIMITED.values(), ids=UNLIMITED)
def test_without_a_quota_all_cores_of_the_affinity(files: dict[str, str], tmp_path: Path) -> None:
    assert usable_cores(write(tmp_path, files)) == MACHINE


ONE: dict[str, dict[str, str]] = {
    "--cpus 1": {"cpu.max": "100000 100000\n"},
    "--cpus 1.5": {"cpu.max": "150000 100000\n"},
    "--cpus 0.25": {"cpu.max": "25000 100000\n"},
    "v1 --cpus 1": v1("100000"),
    "v1 --cpus 0.5": v1("50000"),
}


@pytest.mark.parametrize("files", ONE.values(), ids=ONE)
def test_a_quota_is_rounded_down_but_never_to_none(files: dict[str, str], tmp_path: Path) -> None:
    assert usable_cores(write(tmp_path, files)) == 1


def test_this_machine_has_a_core() -> None:
    assert 1 <= usable_cores() <= MACHINE


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_the_affinity_counts(tmp_path: Path) -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert usable_cores(tmp_path) == 1
    finally:
        os.sched_setaffinity(0, allowed)
