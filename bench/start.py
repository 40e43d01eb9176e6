"""A small job by its phases: how long each takes of a training on 1000 rows and 20 columns.

    python -m bench.start [--rows 1000] [--columns 20] [--repeats 5] [--set NAME=VALUE ...]

Each run is a process of its own, as a job is; times are wall-clock seconds, the median
of the runs, and beside them stands the processor time of the whole.

    imports     from the process's start to the job's first line of code
    reading     settings and channels, to columns, features and examples
    choosing    the trials of max_depth; none where it is given
    fitting     cross-validation at that depth, and all rows
    evaluation  threshold, measures, intervals, the self-check's scores
    saving      the bundle, written twice and loaded once; metrics.json
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

PHASES = ("imports", "reading", "choosing", "fitting", "evaluation", "saving")

# What ends a phase in `sagetree.train.job`: a function's return, or its call.
_RETURNS, _CALLS = {"ingest": "reading", "fit": "fitting"}, {"_save": "evaluation"}


def main() -> None:
    """Print a line for each phase."""
    parser = argparse.ArgumentParser(prog="python -m bench.start", description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), options.rows, options.columns)
        runs = [run(Path(folder), options.set) for _ in range(options.repeats)]
    print(f"{options.rows} rows, {options.columns} columns; median of {options.repeats} runs")
    for name in (*PHASES, "all", "processor"):
        print(f"{name:<12} {median(found[name] for found in runs):6.2f} s")


def generate(root: Path, rows: int, columns: int) -> None:
    """Write a table of numbers, of which four say something of a label of two values."""
    random = np.random.default_rng(1)
    x = random.normal(size=(rows, columns)).round(4)
    margin = x[:, 0] + x[:, 1] + x[:, 2] * x[:, 3] - 1
    y = (random.random(rows) < 1 / (1 + np.exp(-margin))).astype(int)
    head = ",".join(["y", *(f"x{n}" for n in range(columns))])
    body = (",".join(map(str, [label, *row])) for label, row in zip(y, x, strict=True))
    folder = root / "input" / "data" / "train"
    folder.mkdir(parents=True)
    (folder / "data.csv").write_text("\n".join([head, *body]) + "\n")


def run(root: Path, settings: Sequence[str]) -> dict[str, float]:
    """Run one job and return the seconds of each phase, of all, and of the processor."""
    code = "import sys; from bench.start import job; job(float(sys.argv[1]), sys.argv[2:])"
    process = subprocess.run(
        [sys.executable, "-c", code, str(time.time()), *settings],
        env={**os.environ, "SAGEMAKER_BASE_DIR": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        sys.exit(f"the job failed:\n{process.stdout}{process.stderr}")
    found: dict[str, float] = json.loads(process.stdout.splitlines()[-1])
    return found


def job(started: float, settings: Sequence[str]) -> None:
    """Train in this process, which began at `started`, and print the seconds as JSON."""
    from sagetree.machine.program import LOG
    from sagetree.machine.unused import left_out_unused
    from sagetree.train.cli import main as train

    with left_out_unused():
        from sagetree.train import job as training
    ends = {"imports": time.time()}

    def watch(record: logging.LogRecord) -> bool:
        if record.getMessage().startswith("max_depth="):
            ends["choosing"] = time.time()
        return True

    LOG.addFilter(watch)
    for name, phase in (*_RETURNS.items(), *_CALLS.items()):
        setattr(training, name, _timed(getattr(training, name), phase, ends))
    code = train([word for setting in settings for word in ("--set", setting)])
    ends["saving"] = time.time()
    if code:
        sys.exit(code)
    seconds, before = {}, started
    for phase in PHASES:
        end = ends.get(phase, before)
        seconds[phase], before = end - before, end
    print(json.dumps({**seconds, "all": before - started, "processor": time.process_time()}))


def _timed(function: Callable[..., Any], phase: str, ends: dict[str, float]) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
        if function.__name__ in _CALLS:
            ends[phase] = time.time()
            return function(*arguments, **named)
        result = function(*arguments, **named)
        ends[phase] = time.time()
        return result

    return timed


if __name__ == "__main__":
    main()
