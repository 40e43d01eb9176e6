"""`sagetree predict` beside pandas and pyarrow with XGBoost itself: from a file to scores.

    python -m bench.predict [--rows 1000000] [--rounds 200] [--repeats 3]

Rows are those of bench.train, as 28 numbers; the model is XGBoost's own. Each way is a
process of its own, from its start to its end; they run in turns, round by round, and a
ratio is the median of the rounds' ratios.

    sagetree           sagetree predict FILE --output scores.csv
    pandas, DMatrix    pandas.read_csv or read_parquet, Booster.predict of a DMatrix, to_csv
    pandas, in place   the same with Booster.inplace_predict
    pyarrow, in place  pyarrow's own reader and writer of CSV, Booster.inplace_predict
    pyarrow, alone     the last one less writing: reading and predicting only
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
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
    program = [str(Path(sys.executable).with_name("sagetree")), "predict"]
    ways = {"sagetree": [*program, "--model", str(model), str(file), "--output", str(out)]}
    for way in RIVALS:
        words = ["--rival", way, str(model / "model.ubj"), str(file), str(out)]
        ways[way] = [sys.executable, "-m", "bench.predict", *words]
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way, command in ways.items():
            seconds[way].append(timed(command))
    print(f"{file.suffix:<18}  {'s':>7}  sagetree's by this")
    for way, took in seconds.items():
        ratio = median(a / b for a, b in zip(seconds["sagetree"], took, strict=True))
        print(f"{way:<18}  {median(took):7.2f}  {ratio:18.2f}")
    print()


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
