"""Training beside bare XGBoost and the official container's way of reading: time and memory.

    python -m bench.train [--rows 20000] [--rounds 20] [--repeats 3] [--external]

Rows are generated: 20 numbers, 8 columns of words, 2 % missing. Each way is a
process of its own; the ways run one after the other, round by round, and a
ratio is the median of the rounds' ratios.

    sagetree, Parquet / CSV     sagetree train, all of it: read, check, grow, evaluate, save, reload
    bare                        xgboost.train on a QuantileDMatrix that is ready: its own time alone
    sagetree on numbers         sagetree train on the same rows as 28 numbers, no header
    text reader                 xgboost.DMatrix("file?format=csv") of these 28 numbers, then the
                                rounds, printing metrics of train and validation, as the official
                                container does

sagetree gets a validation channel of a tenth of the rows, as the text reader does; the
bare one fits the same rows. With --external only `external_memory=true` is run beside
training in memory.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import xgboost

NUMBERS = 20
WORDS = (3, 4, 5, 8, 12, 20, 30, 50)
MISSING = 0.02

# Rows made and written at once.
STEP = 250_000


@dataclass(frozen=True)
class Figures:
    """What one process took: seconds of its whole life, and of its phases; its peak memory."""

    seconds: float
    megabytes: float
    phases: Mapping[str, float]
    auc: float


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.train", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--external", action="store_true", help="memory against disk, no rivals")
    options = parser.parse_args()
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, XGBoost "
        f"{xgboost.__version__}: {options.rows} rows, {options.rounds} rounds of depth 6\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        ways = _external_ways(root) if options.external else _ways(root)
        generate(root, options.rows)
        results: dict[str, list[Figures]] = {name: [] for name in ways}
        for _ in range(options.repeats):
            for name, command in ways.items():
                results[name].append(run(command(options.rounds)))
        report(results, options.rows)


Command = Callable[[int], list[str]]


def _ways(root: Path) -> dict[str, Command]:
    return {
        "sagetree, Parquet": _sagetree(root / "parquet"),
        "sagetree, CSV": _sagetree(root / "csv"),
        "bare": _rival("bare", root / "parquet"),
        "sagetree on numbers, Parquet": _sagetree(root / "numbers-parquet"),
        "sagetree on numbers, CSV": _sagetree(root / "numbers-csv"),
        "text reader": _rival("text-reader", root / "numbers-csv"),
    }


def _external_ways(root: Path) -> dict[str, Command]:
    return {
        "in memory": _sagetree(root / "parquet", "external_memory=false"),
        "from disk": _sagetree(root / "parquet", "external_memory=true"),
    }


def _sagetree(folder: Path, *more: str) -> Command:
    """Return the command of a whole training as a user runs it."""
    base = ["env", f"SAGEMAKER_BASE_DIR={folder}", "PYTHONUNBUFFERED=1"]
    settings = ("preset=xgboost", "max_depth=6", "eval_metric=auc", *more)
    program = [str(Path(sys.executable).with_name("sagetree")), "train"]

    def command(rounds: int) -> list[str]:
        words = [w for s in (*settings, f"num_round={rounds}") for w in ("--set", s)]
        return [*base, *program, *words]

    return command


def _rival(way: str, folder: Path) -> Command:
    return lambda rounds: [sys.executable, "-m", "bench.train_ways", way, str(folder), str(rounds)]


def generate(root: Path, rows: int) -> None:
    """Write the channels of each way: words and numbers, and the same as 28 numbers."""
    random = np.random.default_rng(1)
    for channel, count in (("train", rows), ("validation", rows // 10)):
        for part, begin in enumerate(range(0, count, STEP)):
            columns = _columns(random, min(STEP, count - begin))
            coded = {
                name: column.indices if pa.types.is_dictionary(column.type) else column
                for name, column in columns.items()
            }
            _write(root, "", channel, part, pa.table(columns), header=True)
            _write(root, "numbers-", channel, part, pa.table(coded), header=False)


def _columns(random: np.random.Generator, rows: int) -> dict[str, pa.Array]:
    numbers = random.normal(size=(rows, NUMBERS)).astype(np.float32).round(4)
    margin = numbers[:, 0] + numbers[:, 1] * numbers[:, 2] / 2 - 1
    columns: dict[str, pa.Array] = {
        f"x{i}": pa.array(numbers[:, i], mask=random.random(rows) < MISSING) for i in range(NUMBERS)
    }
    for place, count in enumerate(WORDS):
        codes = random.integers(0, count, rows)
        margin += 0.3 * np.sin(codes * 1.7 + place)
        words = [f"w{place}_{code}" for code in range(count)]
        indices = pa.array(codes.astype(np.int32), mask=random.random(rows) < MISSING)
        columns[f"c{place}"] = pa.DictionaryArray.from_arrays(indices, words)
    labels = (random.random(rows) < 1 / (1 + np.exp(-margin))).astype(np.int8)
    return {"y": pa.array(labels)} | columns


def _write(
    root: Path, prefix: str, channel: str, part: int, table: pa.Table, *, header: bool
) -> None:
    for kind in ("parquet", "csv"):
        folder = root / f"{prefix}{kind}" / "input" / "data" / channel
        folder.mkdir(parents=True, exist_ok=True)
        if kind == "parquet":
            pq.write_table(table, folder / f"{part}.parquet")
            continue
        plain = pa.table(
            {
                name: column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
                for name, column in zip(table.column_names, table.columns, strict=True)
            }
        )
        options = pa_csv.WriteOptions(include_header=header, quoting_style="none")
        pa_csv.write_csv(plain, folder / f"{part}.csv", options)


def run(command: Sequence[str]) -> Figures:
    """Run one process to its end and time it by its lines, or take the JSON it ends with."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    ends, output = {"start": begin}, []
    for line in process.stdout or ():
        output.append(line)
        for phase, pattern in MARKS.items():
            if phase not in ends and pattern.search(line):
                ends[phase] = time.perf_counter()
    _, status, usage = os.wait4(process.pid, 0)
    end = time.perf_counter()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{''.join(output)}")
    megabytes = usage.ru_maxrss / 1024
    if output[-1].startswith("{"):
        found = json.loads(output[-1])
        return Figures(end - begin, megabytes, found["phases"], found["auc"])
    times = sorted([*ends.items(), ("save", end)], key=lambda item: item[1])
    phases = {name: later - before for (_, before), (name, later) in pairwise(times)}
    auc = re.findall(r"validation-auc:([0-9.]+)", "".join(output))[-1]
    return Figures(end - begin, megabytes, phases, float(auc))


# The lines of a training's log at which its phases end.
MARKS = {
    "read": re.compile(r"^column +kind"),
    "encode": re.compile(r"^Quantiles of"),
    "quantise": re.compile(r"^\[0\]"),
    "boost": re.compile(r"^Best round"),
}


def report(results: Mapping[str, Sequence[Figures]], rows: int) -> None:
    """Print one line for each way, and the ratios that are asked for."""
    phases = [*MARKS, "save"]
    width = max(map(len, results))
    print(f"{'':<{width}}  {'s':>7}  {'MB':>6}  {'B/value':>7}  {'AUC':>6}", end="")
    print("".join(f"  {phase:>9}" for phase in phases))
    for name, runs in results.items():
        megabytes = median(run.megabytes for run in runs)
        per_value = megabytes * 2**20 / (rows * (NUMBERS + len(WORDS)))
        line = f"{name:<{width}}  {median(r.seconds for r in runs):7.2f}  {megabytes:6.0f}"
        line += f"  {per_value:7.1f}  {runs[0].auc:6.4f}"
        for phase in phases:
            line += f"  {median(r.phases.get(phase, 0) for r in runs):9.2f}"
        print(line)
    print()
    for label, mine, other in RATIOS:
        if mine in results:
            print(f"{label:<{width + 20}}  {_ratio(results[mine], results[other], label):5.2f}")


RATIOS = (
    ("Parquet / bare rounds", "sagetree, Parquet", "bare"),
    ("CSV / bare rounds", "sagetree, CSV", "bare"),
    ("numbers, Parquet / text reader", "sagetree on numbers, Parquet", "text reader"),
    ("numbers, CSV / text reader", "sagetree on numbers, CSV", "text reader"),
    ("memory, numbers, CSV / text reader", "sagetree on numbers, CSV", "text reader"),
    ("memory, numbers, Parquet / text reader", "sagetree on numbers, Parquet", "text reader"),
    ("memory, from disk / in memory", "from disk", "in memory"),
)


def _ratio(mine: Sequence[Figures], other: Sequence[Figures], label: str) -> float:
    if label.startswith("memory"):
        return median(a.megabytes / b.megabytes for a, b in zip(mine, other, strict=True))
    if label.endswith("bare rounds"):
        return median(a.seconds / b.phases["boost"] for a, b in zip(mine, other, strict=True))
    return median(a.seconds / b.seconds for a, b in zip(mine, other, strict=True))


if __name__ == "__main__":
    main()
