"""Jobs of any kind, read by hosts as one host reads them: labels, roles, columns and formats."""

import datetime
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.train.channels.test_sharing import Host, dealt, read, rows_in

pytestmark = pytest.mark.long

COUNT = 240
RANDOM = np.random.default_rng(1)
X = [f"{value:.3f}" for value in RANDOM.normal(size=COUNT)]
Y = RANDOM.integers(0, 3, COUNT).tolist()

# The head of a table, a row of it by its number, and settings.
Case = tuple[str, Callable[[int], str], Mapping[str, str]]
CASES: Mapping[str, Case] = {
    "events": (
        "t,e,a,b\n",
        lambda n: f"{1 + n % 17},{Y[n] % 2},{X[n]},k{n % 4}\n",
        {"objective": "survival:aft", "event_column": "e", "target": "t"},
    ),
    "intervals": (
        "low,high,a\n",
        lambda n: f"{n % 5 + 1},{n % 5 + 2 if n % 3 else ''},{X[n]}\n",
        {"objective": "survival:aft", "label_lower_bound": "low", "label_upper_bound": "high"},
    ),
    "margins": (
        "y,m,a\n",
        lambda n: f"{Y[n] % 2},{n % 7},{X[n]}\n",
        {"base_margin_column": "m"},
    ),
    "weights of rows without names": (
        "",
        lambda n: f"{Y[n] % 2},{1 + n % 3},{X[n]},{n % 5}\n",
        {"csv_weights": "1", "objective": "binary:logistic"},
    ),
    "commas": (
        "y;a;b\n",
        lambda n: f"{Y[n] % 2};{X[n]};{n % 7},5\n".replace(".", ","),
        {"decimal": "comma"},
    ),
    "words to learn": ("y,a\n", lambda n: f"{['cat', 'dog', 'cow'][Y[n]]},{X[n]}\n", {}),
    "classes": (
        "y,a,b\n",
        lambda n: f"{Y[n]},{X[n]},{n % 7}\n",
        {"objective": "multi:softprob", "num_class": "3"},
    ),
    "times": (
        "y,a,day\n",
        lambda n: f"{Y[n] % 2},{X[n]},2024-01-{1 + n % 28:02d}\n",
        {"time_column": "day"},
    ),
    "numbers, some of them missing": (
        "y,a,b\n",
        lambda n: f"{X[-n]},{X[n]},{'NA' if n % 5 == 0 else n % 7}\n",
        {"missing_values": "NA"},
    ),
    "costs": (
        "y,a,amount\n",
        lambda n: f"{Y[n] % 2},{X[n]},{n % 50}\n",
        {"decision": "cost:miss=amount,alarm=3"},
    ),
    "words in an order": (
        "y,a,size\n",
        lambda n: f"{Y[n] % 2},{X[n]},{['low', 'mid', 'high'][n % 3]}\n",
        {"ordinal_columns": '{"size": ["low", "mid", "high"]}'},
    ),
    "indicators": ("y,a,s\n", lambda n: f"{Y[n] % 2},{X[n]},k{n % 3}\n", {"encoding": "onehot"}),
}


def roles_of(host: Host) -> list[str]:
    roles = vars(host.read.examples["train"].roles)
    return [name for name, values in roles.items() if values is not None]


def check_alike(hosts: Sequence[Host], one: Host) -> None:
    for host in hosts:
        assert (host.read.schema, host.read.features) == (one.read.schema, one.read.features)
        assert (host.read.known, host.leakage) == (one.read.known, one.leakage)
        assert host.fingerprints == hosts[0].fingerprints
        assert roles_of(host) == roles_of(one)
    assert rows_in(hosts) == rows_in([one])


@pytest.mark.parametrize("name", CASES)
def test_hosts_read_a_job_as_one_does(name: str, tmp_path: Path) -> None:
    head, row_of, settings = CASES[name]
    rows = [*map(row_of, range(COUNT))]
    whole = head + "".join(rows)
    (one,) = read(tmp_path / "1", [{"train": whole, "validation": whole}], **settings)
    uneven = [head + "".join(rows[:5]), "", head + "".join(rows[5:])]
    for number, parts in enumerate((dealt(3, rows, head), uneven)):
        shards = [{"train": part, "validation": part} if part else {} for part in parts]
        check_alike(read(tmp_path / f"3-{number}", shards, **settings), one)


TYPED: Mapping[str, list[Any]] = {
    "y": [label % 2 for label in Y],
    "day": [datetime.date(2024, 1, 1 + n % 28) for n in range(COUNT)],
    "flag": [label > 1 for label in Y],
    "word": [f"s{n % 9}" for n in range(COUNT)],
    "x": [float(x) for x in X],
    "some": [None if n % 3 else n for n in range(COUNT)],
}


def parquet(columns: Mapping[str, list[Any]]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), buffer)
    return buffer.getvalue()


def jsonl(columns: Mapping[str, list[Any]]) -> bytes:
    rows = (dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True))
    return "".join(json.dumps(row, default=str) + "\n" for row in rows).encode()


@pytest.mark.parametrize(("suffix", "write"), [("parquet", parquet), ("jsonl", jsonl)])
def test_hosts_read_typed_cells_as_one_does(
    suffix: str, write: Callable[[Mapping[str, list[Any]]], bytes], tmp_path: Path
) -> None:
    def files(number: int, step: int) -> dict[str, dict[str, bytes]]:
        return {"train": {f"a.{suffix}": write({n: c[number::step] for n, c in TYPED.items()})}}

    (one,) = read(tmp_path / "1", [files(0, 1)])
    check_alike(read(tmp_path / "3", [files(number, 3) for number in range(3)]), one)
    check_alike(read(tmp_path / "same", [files(0, 1)] * 3, "FullyReplicated"), one)
