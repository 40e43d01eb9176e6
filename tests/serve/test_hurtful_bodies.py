"""Bodies built to hurt: a real server refuses or answers each in time and within its memory."""

import gzip
import json
import os
import re
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sagetree.formats.recordio import MAGIC
from tests.serve.artifacts import INPUTS
from tests.serve.encoded import npy, parquet
from tests.serve.rows import csv_body, records
from tests.serve.server_process import ServerProcess, eventually, healthy, serving

MB = 2**20
SECONDS = 2.0
MEMORY = 300 * MB

CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"
LIBSVM, PARQUET = "text/libsvm", "application/x-parquet"
RECORDIO, NPY = "application/x-recordio-protobuf", "application/x-npy"

ROW = csv_body(INPUTS, records(1, seed=3), header=False)


def repeated(value: str, rows: int) -> pa.Array:
    return pa.array([value]).dictionary_encode().take(pa.array(np.zeros(rows, np.int32)))


def hurtful() -> Iterator[tuple[str, str, bytes, int]]:
    """A name, a content type, a body, and the status of its answer."""
    wide = b"1," * (3 * MB)
    yield "a cell of 6 MB", CSV, b"1," + b"x" * (6 * MB) + b",true,,large\n", 400
    yield "a quoted cell of 6 MB", CSV, b'1,"' + b"x" * (6 * MB) + b'",true,,large\n', 400
    yield "a number of 6 MB", JSON, b"[[" + b"9" * (6 * MB) + b",1,1,1,1]]", 400
    yield "a date of 6 MB", JSON, json.dumps([[1, "x", 1, "2" * 6 * MB, "x"]]).encode(), 422
    yield (
        "a text of 6 MB as a number",
        JSON,
        b'[["' + b"9" * (6 * MB) + b'",1,1,1,1]]',
        422,
    )
    yield "a category of 6 MB", JSON, json.dumps([[1, "0" * 6 * MB, 1, None, "x"]]).encode(), 200
    yield "3 million columns", CSV, wide, 422
    yield "3 million columns in the second line", CSV, ROW + wide, 400
    yield "a million columns in JSON", JSON, b"[[" + b"1," * MB + b"1]]", 422
    names = b",".join(b'"%d":1' % n for n in range(MB // 2))
    yield "500 000 names", JSON, b"{" + names + b"}", 422
    yield "3 million columns in a line", LINES, b"[" + b"1," * (3 * MB) + b"1]\n", 422
    yield "3 million columns of npy", NPY, npy(np.zeros((1, 3 * MB), np.int8)), 422
    yield "10 000 quotes", CSV, b'"' * 10_000, 422
    yield "10 000 quoted quotes", CSV, b'1,"' + b'""' * 5_000 + b'",true,,large\n', 200
    yield "10 000 open quotes", CSV, b'1,"x\n' * 10_000, 400
    yield "25 MB of quotes", CSV, b'"' * (25 * MB), 400
    yield "25 MB of open quotes", CSV, b',"x' * (8 * MB), 422
    yield "16 MB of lines in a quote", CSV, ROW + b'"' + b"x\n" * (8 * MB), 400
    yield "25 MB of line ends", CSV, b"\n" * (25 * MB), 400
    yield "25 MB of one row", CSV, b"x" * (25 * MB), 400
    yield "2 MB of uneven rows", CSV, b',x"y,,,\n' + b",,,,\n" * (2 * MB // 5) + b"1\n", 400
    yield "deep lists", JSON, b"[" * (2 * MB), 400
    yield "deep objects", JSON, b'{"a":' * (MB // 2), 400
    yield "8 million lists", JSON, b"[" + b"[]," * (8 * MB) + b"[]]", 422
    yield "3 million records", JSON, b"[" + b'{"a":1},' * (3 * MB) + b"{}]", 422
    named = b'{"signature_name":"x","instances":['  # of a shape that is not read in slices
    yield "3 million records and a name", JSON, named + b'{"a":1},' * (3 * MB) + b"{}]}", 413
    yield "a text of 24 MB of ends", JSON, b'[["' + b"},{" * (8 * MB) + b'",1,1,1,1]]', 400
    yield "deep lines", LINES, b"[" * (6 * MB), 400
    yield "8 million lines", LINES, b"[]\n" * (8 * MB), 400
    yield "a huge index", LIBSVM, b"0 2147483647:1\n", 422
    yield "a larger index", LIBSVM, b"0 2147483648:1\n", 400
    yield "an index without end", LIBSVM, b"0 " + b"9" * (6 * MB) + b":1\n", 400
    yield "3 million cells", LIBSVM, b"0" + b" 1:1" * (2 * MB) + b"\n", 400
    yield (
        "terabytes of npy",
        NPY,
        npy(np.zeros((1, 5))).replace(b"(1, 5), }" + b" " * 11, b"(999999999999, 5), }"),
        400,
    )
    yield "a header of npy without end", NPY, b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b"(" * MB, 400
    yield "a nested header", NPY, b"\x93NUMPY\x01\x00\x10\x27" + b"(" * 10_000, 400
    yield "a huge record", RECORDIO, struct.pack("<II", MAGIC, 2**29 - 1) + b"\0" * 100, 400
    yield "25 MB in a record", RECORDIO, struct.pack("<II", MAGIC, 24 * MB) + b"\0" * (24 * MB), 400
    yield "nested protobuf", RECORDIO, struct.pack("<II", MAGIC, 60_000) + b"\x0b" * 60_000, 400
    yield (
        "a length within protobuf",
        RECORDIO,
        (struct.pack("<II", MAGIC, 8) + b"\x0a\xff\xff\xff\xff\x07\0\0"),
        400,
    )
    yield (
        "zeros in Parquet",
        PARQUET,
        parquet({"num_claims": pa.array([0] * 30 * MB, pa.int8())}),
        413,
    )
    yield (
        "a text of 200 MB in Parquet",
        PARQUET,
        parquet({"a<b": ["x" * (200 * MB)]}, compression="zstd"),
        413,
    )
    yield "a text a million times", PARQUET, parquet({"a<b": repeated("x" * 5000, MB)}), 413
    yield "3000 columns of Parquet", PARQUET, parquet({str(n): [1] for n in range(3000)}), 422
    yield "20 000 columns of Parquet", PARQUET, parquet({str(n): [1] for n in range(20_000)}), 400
    yield "a bomb of gzip", CSV, gzip.compress(b"\0" * (200 * MB), 1), 400


@pytest.fixture(scope="module")
def server(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("hurtful") / "log"
    with serving(base_dir, log, SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        eventually(lambda: healthy(server))
        yield server


def peak(pid: int) -> int:
    """The most memory a process has ever had."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


def cpu_seconds(pid: int) -> float:
    """What a process has computed: other processes of the machine do not count."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.long
def test_bodies_built_to_hurt_do_not(server: ServerProcess):
    (worker,) = server.workers()
    faults = []
    for name, kind, body, status in hurtful():
        Path(f"/proc/{worker}/clear_refs").write_text("5")  # the peak begins anew
        begin = cpu_seconds(worker)
        answer = server.post(body, kind)
        seconds, memory = cpu_seconds(worker) - begin, peak(worker)
        if answer.status != status or seconds > SECONDS or memory > MEMORY:
            faults.append((name, answer.status, status, round(seconds, 1), memory // MB,
                           answer.body[:150]))  # fmt: skip
        assert len(answer.body) < 10_000, name
    assert faults == [], faults
    assert server.workers() == {worker}
    assert server.post(ROW).status == 200


@pytest.mark.long
def test_the_memory_for_a_large_body_does_not_grow_with_it(base_dir: Path, tmp_path: Path):
    """Asynchronous inference sends up to 1 GB."""
    lines = csv_body(INPUTS, records(2000, seed=4), header=False)
    variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "1024"}
    peaks = []
    with serving(base_dir, tmp_path / "log", **variables) as server:
        eventually(lambda: healthy(server))
        (worker,) = server.workers()
        for megabytes in (40, 40, 160):
            times = megabytes * MB // len(lines)
            Path(f"/proc/{worker}/clear_refs").write_text("5")
            with closing(server.connect()) as connection:
                connection.timeout = 300
                connection.request("POST", "/invocations", lines * times, {"Content-Type": CSV})
                answer = connection.getresponse()
                found = answer.read()
            peaks.append(peak(worker) - len(found))  # the answer lies in a file, and is mapped
            assert (answer.status, found.count(b"\n")) == (200, 2000 * times)
            assert found[: len(found) // times] * times == found
    assert peaks[2] < peaks[1] + 20 * MB, [number // MB for number in peaks]
    assert peaks[2] < MEMORY
