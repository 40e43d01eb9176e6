"""Files of any size: read and written in slices, watched on a terminal."""

import json
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from sagetree.files.header import looks_like_header
from sagetree.files.json_files import stream_json_lines
from sagetree.files.slices import Slicing, read_slices
from sagetree.files.sparse_files import Indices
from sagetree.formats.whole_rows import TEXT_BYTES
from sagetree.predict.progress import progress
from sagetree.tables.cells import MissingValues
from tests.predict.models import NAMES, make_model, matrix
from tests.programs import SAGETREE
from tests.serve import encoded

# Blocks of some text that JSON Lines are read in.
FILLER = "x" * 1000
LINES = TEXT_BYTES // 1000


def test_json_lines_come_block_by_block(tmp_path: Path) -> None:
    """A key that a later block lacks is missing there; a column may change its type."""
    path = tmp_path / "rows.jsonl"
    first = [{"a": 1, "b": n, "pad": FILLER} for n in range(LINES)]
    last = [{"a": "word", "pad": FILLER} for _ in range(LINES)]
    path.write_text("\n".join(map(json.dumps, first + last)))
    with path.open("rb") as file:
        tables = stream_json_lines(file, "rows.jsonl", {"a", "b"})
        begin = next(tables)
        assert file.tell() < path.stat().st_size
        rest = list(tables)
    assert [begin.names, rest[-1].names] == [("a", "b", "pad")] * 2
    assert [begin.column("a").type, rest[-1].column("a").type] == [pa.int64(), pa.string()]
    assert rest[-1].column("b").null_count == rest[-1].rows
    assert begin.rows + sum(table.rows for table in rest) == 2 * LINES
    assert rest[-1].locate(rest[-1].rows - 1) == f"rows.jsonl line {2 * LINES}"


def test_a_key_that_only_later_blocks_have_is_missing_before(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [{"a": n, "pad": FILLER} for n in range(2 * LINES)] + [{"a": 0, "b": 7}]
    path.write_text("\n".join(map(json.dumps, rows)))
    with path.open("rb") as file:
        tables = list(stream_json_lines(file, "rows.jsonl", {"a", "b"}))
    assert {table.names for table in tables} == {("a", "pad", "b")}
    assert tables[0].column("b").null_count == tables[0].rows


def test_it_tells_the_bytes_it_reads(tmp_path: Path) -> None:
    sizes = []
    (tmp_path / "1.csv").write_bytes(encoded.csv(matrix(500), header=NAMES))
    pq.write_table(pa.table(dict(zip(NAMES, matrix(500).T, strict=True))), tmp_path / "2.parquet")
    files = sorted(tmp_path.iterdir())
    slicing = Slicing(
        looks_like_header, lambda names, _named: [True] * len(names), MissingValues.of(()),
        frozenset(NAMES), frozenset(NAMES), Indices(0, 3), (),
    )  # fmt: skip
    assert sum(table.rows for table in read_slices(files, slicing, sizes.append)) == 1000
    assert sum(sizes) == sum(path.stat().st_size for path in files)


def test_a_terminal_sees_the_time_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rows.csv").write_bytes(bytes(1000))
    reader, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    os.set_blocking(reader, False)
    with os.fdopen(terminal, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        with progress([tmp_path / "rows.csv"]) as tell:
            tell(250)
        seen = os.read(reader, 10_000).decode()
    os.close(reader)
    assert "0.00/1.00k" in seen


def test_nobody_else_sees_a_bar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with progress([tmp_path / "nowhere.csv"]) as tell:
        tell(250)
    assert capsys.readouterr().err == ""


@pytest.mark.long
def test_parquet_goes_through_a_pipe_and_head_ends_it(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model", "reg:squarederror")
    (tmp_path / "rows.csv").write_bytes(encoded.csv(matrix(200_000), header=NAMES))
    command = f"{SAGETREE} predict --model {model} {tmp_path}/rows.csv"
    ended = subprocess.run(
        ["bash", "-c", f"{command} --format parquet | cat > {tmp_path}/piped.parquet"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "200000 rows scored: standard output\n")
    assert pq.read_table(tmp_path / "piped.parquet").num_rows == 200_000
    ended = subprocess.run(
        ["bash", "-c", f"{command} | head -1"], capture_output=True, text=True, timeout=120
    )
    assert (ended.stdout, ended.stderr) == ("score\n", "")


@pytest.mark.long
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_memory_does_not_grow_with_the_file(suffix: str, tmp_path: Path) -> None:
    model = make_model(tmp_path / "model", "reg:squarederror")
    peaks = []
    for rows in (200_000, 1_000_000):
        path = tmp_path / f"rows.{suffix}"
        values = dict(zip(NAMES, np.random.default_rng(1).random((3, rows)), strict=True))
        if suffix == "parquet":
            pq.write_table(pa.table(values), path, row_group_size=100_000)
        elif suffix == "csv":
            pa_csv.write_csv(pa.table(values), path)
        else:
            lines = zip(*(column.tolist() for column in values.values()), strict=True)
            with path.open("w") as file:
                file.writelines(f'{{"a":{a},"b":{b},"c":{c}}}\n' for a, b, c in lines)
        # getrusage would tell the peak of this process, if it is higher
        code = (
            "import sys; from pathlib import Path; from sagetree.predict.cli import main; "
            "code = main(sys.argv[1:]); "
            "told = Path('/proc/self/status').read_text().split(); "
            "print(code, told[told.index('VmHWM:') + 1])"
        )
        out = tmp_path / f"out.{suffix}"
        command = [sys.executable, "-c", code, "--model", model, path, "--output", out]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
        failed, peak = map(int, ended.stdout.split())
        assert not failed, ended.stderr
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 60 * 1024
