"""`sagetree predict` beside pandas and pyarrow with XGBoost itself: from a file to scores.

    python -m bench.predict [--rows 1000000] [--rounds 200] [--repeats 3] [--workers N]

Rows are those of bench.train, as 28 numbers; the model is XGBoost's own. Each way is a
process of its own, from its start to its end; they run in turns, round by round, and a
ratio is the median of the rounds' ratios.

    sagetree           sagetree predict FILE --output scores.csv
    pandas, DMatrix    pandas.read_csv or read_parquet, Booster.predict of a DMatrix, to_csv
    pandas, in place   the same with Booster.inplace_predict
    pyarrow, in place  pyarrow's own reader and writer of CSV, Booster.inplace_predict
    pyarrow, alone     the last one less writing: reading and predicting only

With --workers the rows are four files for each of N workers instead, and sagetree's ways are

    one core           sagetree predict FOLDER on one core
    one worker         on all cores
    N workers          with --workers N; efficiency: one core's seconds by N times these
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import xgboost

from bench.train import generate

RIVALS = ("pandas-dmatrix", "pandas-in-place", "pyarrow-in-place", "pyarrow-alone")


def main() -> None:
    """Print the table, or be one of the rivals."""
    parser = argparse.ArgumentParser(prog="python -m bench.predict", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--rival", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rival:
        way, *paths = options.rival
        rival(way, *map(Path, paths))
        return
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, XGBoost "
        f"{xgboost.__version__}: {options.rows} rows of 28 numbers, {options.rounds} rounds\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        model, files = prepared(Path(folder), options.rows, options.rounds)
        for file in files:
            if options.workers:
                scale(model, divided(file, 4 * options.workers), options.workers, options.repeats)
            else:
                compare(model, file, options.repeats)


def prepared(root: Path, rows: int, rounds: int) -> tuple[Path, list[Path]]:
    """Return a model's folder, and the rows without their label as CSV and Parquet."""
    generate(root, rows)
    table = pq.read_table(root / "numbers-parquet" / "input" / "data" / "train")
    inputs = table.drop_columns(["y"])
    files = [root / "rows.csv", root / "rows.parquet"]
    pa_csv.write_csv(inputs, files[0])
    pq.write_table(inputs, files[1])
    few = inputs.slice(0, 50_000).to_pandas().astype(np.float32)
    data = xgboost.DMatrix(few, table["y"].slice(0, 50_000).to_numpy())
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 6}, data, rounds)
    (root / "model").mkdir()
    booster.save_model(root / "model" / "model.ubj")
    return root / "model", files


def compare(model: Path, file: Path, repeats: int) -> None:
    """Print the seconds of each way on one file, and sagetree's ratio to it."""
    out = file.with_name("scores.csv")
    ways = {"sagetree": program(model, file, out)}
    for way in RIVALS:
        words = ["--rival", way, str(model / "model.ubj"), str(file), str(out)]
        ways[way] = [sys.executable, "-m", "bench.predict", *words]
    seconds = in_turns(ways, repeats)
    print(f"{file.suffix:<18}  {'s':>7}  sagetree's by this")
    for way, took in seconds.items():
        ratio = median(a / b for a, b in zip(seconds["sagetree"], took, strict=True))
        print(f"{way:<18}  {median(took):7.2f}  {ratio:18.2f}")
    print()


def divided(file: Path, count: int) -> Path:
    """Return a folder with the rows of a file in this many files."""
    folder = file.with_name(f"{file.suffix[1:]}-files")
    folder.mkdir()
    table = pa_csv.read_csv(file) if file.suffix == ".csv" else pq.read_table(file)
    rows = -(-table.num_rows // count)
    write = pa_csv.write_csv if file.suffix == ".csv" else pq.write_table
    for number in range(count):
        write(table.slice(number * rows, rows), folder / f"{number:04}{file.suffix}")
    return folder


def scale(model: Path, folder: Path, workers: int, repeats: int) -> None:
    """Print the seconds of one core, of one worker and of several, and how well they scale."""
    command = program(model, folder, folder.with_name("scores.csv"))
    several = f"{workers} workers"
    ways = {
        "one core": ["taskset", "-c", "0", *command],
        "one worker": command,
        several: [*command, "--workers", str(workers)],
    }
    seconds = in_turns(ways, repeats)
    print(f"{folder.name:<18}  {'s':>7}  one core's by this")
    for way, took in seconds.items():
        ratio = median(a / b for a, b in zip(seconds["one core"], took, strict=True))
        print(f"{way:<18}  {median(took):7.2f}  {ratio:18.2f}")
    pairs = zip(seconds["one core"], seconds[several], strict=True)
    print(f"efficiency {median(a / (workers * b) for a, b in pairs):.2f}\n")


def program(model: Path, rows: Path, out: Path) -> list[str]:
    """Return sagetree's command line."""
    sagetree = str(Path(sys.executable).with_name("sagetree"))
    return [sagetree, "predict", "--model", str(model), str(rows), "--output", str(out)]


def in_turns(ways: Mapping[str, Sequence[str]], repeats: int) -> dict[str, list[float]]:
    """Run each way so often, round by round; return their seconds."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way, command in ways.items():
            seconds[way].append(timed(command))
    return seconds


def timed(command: Sequence[str]) -> float:
    """Run a process to its end; return its seconds."""
    begin = time.perf_counter()
    ended = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    took = time.perf_counter() - begin
    if ended.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{ended.stderr}")
    return took


def rival(way: str, model: Path, file: Path, out: Path) -> None:
    """Read, predict and write as one would by hand."""
    booster = xgboost.Booster(model_file=model)
    if way.startswith("pandas"):
        import pandas as pd

        frame = pd.read_csv(file) if file.suffix == ".csv" else pd.read_parquet(file)
        if way == "pandas-dmatrix":
            scores = booster.predict(xgboost.DMatrix(frame))
        else:
            scores = booster.inplace_predict(frame.to_numpy(np.float32))
        pd.DataFrame({"score": scores}).to_csv(out, index=False)
        return
    table = pa_csv.read_csv(file) if file.suffix == ".csv" else pq.read_table(file)
    columns = [c.to_numpy().astype(np.float32) for c in table.columns]
    scores = booster.inplace_predict(np.stack(columns, axis=1))
    if way == "pyarrow-in-place":
        pa_csv.write_csv(pa.table({"score": scores}), out)


if __name__ == "__main__":
    main()
