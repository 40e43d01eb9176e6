"""Parts of columns in files: the same values, bytes that are not in memory, files that vanish."""

import gc
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from sagetree.errors import PlatformError
from sagetree.files.shrink import ShrinkingColumn
from sagetree.files.spill import FILE_BYTES, Spill, drop_spilled
from sagetree.machine.program import LOG
from sagetree.tables.cells import MissingValues

WORDS = pa.array(["a", "b", None, "a"])


def files_open() -> int:
    """How many files without a name this process has mapped."""
    return Path("/proc/self/maps").read_text().count("(deleted)")


@pytest.mark.parametrize(
    ("part", "is_put"),
    [
        (pa.array([1, None, 3], pa.int8()), True),
        (pa.array([0.5, float("inf"), None], pa.float32()), True),
        (pa.array(range(100_000), pa.int64()), True),
        (pa.array(range(FILE_BYTES // 8 + 9), pa.int64()), True),
        (WORDS.dictionary_encode(), True),
        (pa.array([], pa.float64()), True),
        (pa.nulls(3), False),
        (WORDS, False),
        (pa.array([1, 2, 3], pa.int8())[1:], False),
    ],
    ids=lambda part: f"{part.type}-{len(part)}" if isinstance(part, pa.Array) else "",
)
def test_what_is_put_into_a_file_is_the_same(part: pa.Array, is_put: bool) -> None:
    spill, before = Spill(0), files_open()
    found = [spill.put(part) for _ in range(3)]
    drop_spilled()
    for each in found:
        assert each.equals(part)
        assert each.null_count == part.null_count
        each.validate(full=True)
    assert (files_open() > before) == (is_put and len(part) > 0)
    del spill, found, each
    gc.collect()
    assert files_open() == before


def test_the_first_bytes_stay_in_memory() -> None:
    spill, before = Spill(1000), files_open()
    spill.put(pa.array(range(125), pa.int64()))
    assert files_open() == before
    spill.put(pa.array([1], pa.int8()))
    assert files_open() > before


def test_a_job_in_memory_has_no_files_and_one_from_disk_only_files() -> None:
    assert Spill.of(external=False) is None
    of_disk, of_any = Spill.of(external=True), Spill.of(external=None)
    assert of_disk is not None
    assert of_any is not None
    before = files_open()
    small = pa.array([1, 2], pa.int8())
    of_any.put(small)
    assert files_open() == before
    of_disk.put(small)
    assert files_open() > before


@pytest.mark.parametrize(
    "parts",
    [
        [[1.0, 2.0], [None, 300.0], [0.5]],
        [["x", "y"], ["z", None]],
        [[None, None], [7.0]],
    ],
    ids=str,
)
def test_a_column_of_files_is_the_column(parts: list[list[object]]) -> None:
    columns = [ShrinkingColumn(MissingValues.of(()), False, spill) for spill in (None, Spill(0))]
    for column in columns:
        for part in parts:
            column.add(pa.chunked_array([pa.array(part)]))
    in_memory, of_files = (column.finish() for column in columns)
    assert of_files.type == in_memory.type
    assert of_files.to_pylist() == in_memory.to_pylist()


@pytest.fixture
def full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files in which none may be as long as they would be."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES // 2, limits[1]))
    yield tmp_path
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_is_an_error_where_rows_must_be_on_it(full_disk: Path) -> None:
    with pytest.raises(PlatformError) as caught:
        Spill(0).put(pa.array([1], pa.int8()))
    assert str(caught.value) == (
        f"{full_disk}: the disk has no room for the rows. Give the instance a larger volume, or "
        "set TMPDIR to a folder on a larger one"
    )


def test_where_rows_need_not_be_on_a_full_disk_they_stay_in_memory(
    full_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spill, part, before = Spill(0, must=False), pa.array([1], pa.int8()), files_open()
    with caplog.at_level("WARNING", logger=LOG.name):
        assert [spill.put(part), spill.put(part)] == [part, part]
    assert files_open() == before
    assert caplog.messages == [f"{full_disk} has no room for the rows: they stay in memory"]


GROWING = """
import sys
import numpy as np
import pyarrow as pa
from sagetree.files.spill import Spill
from sagetree.machine.memory import resident_memory
spill, parts, before = Spill(int(sys.argv[1])), [], resident_memory()
for number in range(300):
    parts.append(spill.put(pa.array(np.full(250_000, number, np.float32))))
print(resident_memory() - before, sum(part[7].as_py() for part in parts))
"""


@pytest.mark.parametrize(("least", "most"), [(0, 100e6), (2**40, 1e9)])
def test_what_is_in_files_takes_no_memory(least: int, most: float) -> None:
    """300 MB of numbers."""
    command = [sys.executable, "-c", GROWING, str(least)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ})
    grown, total = ran.stdout.split()
    assert float(total) == sum(range(300))
    assert (float(grown) < 100e6) == (most == 100e6)
