"""A small job by its phases: how long each takes of a training on 1000 rows and 20 columns.

    python -m bench.start [OTHER] [--rows 1000] [--columns 20] [--repeats 5] [--set NAME=VALUE ...]

Each run is a process of its own, as a job is; times are wall-clock seconds, the median
of the runs, and below them stands the processor time of the whole. OTHER is another
checkout of the project with its own environment (`make install` in it): both train the
same table, in turns, and a ratio (this one's by the other's) is the median of the
rounds' ratios.

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

# What ends a phase in `sagetree.train.job` and `learning`: a function's return, or its call.
_RETURNS, _CALLS = {"ingest": "reading", "fit": "fitting"}, {"_save": "evaluation"}


def main() -> None:
    """Print a line for each phase."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.start",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("other", type=Path, nargs="?", help="the other checkout")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    pythons = {"this": Path(sys.executable)}
    if options.other:
        pythons["other"] = options.other.absolute() / ".venv" / "bin" / "python"
    found: dict[str, list[dict[str, float]]] = {name: [] for name in pythons}
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), options.rows, options.columns)
        for number in range(options.repeats):
            # Who comes second finds warmer caches: each is second in turn.
            for name in sorted(pythons, reverse=bool(number % 2)):
                found[name].append(run(pythons[name], Path(folder), options.set))
    print(f"{options.rows} rows, {options.columns} columns; median of {options.repeats} runs")
    report(found["this"], found.get("other"))


def report(runs: Sequence[dict[str, float]], others: Sequence[dict[str, float]] | None) -> None:
    """Print the seconds of each phase, and beside them another checkout's and the ratio."""
    if others:
        print(f"{'':<12} {'this':>8} {'other':>8}  ratio")
    for name in (*PHASES, "all", "processor"):
        line = f"{name:<12} {median(found[name] for found in runs):6.2f} s"
        if others:
            line += f" {median(found[name] for found in others):6.2f} s"
            pairs = ((one[name], two[name]) for one, two in zip(runs, others, strict=True))
            ratios = [one / two for one, two in pairs if two]
            line += f"  {median(ratios):.2f}" if ratios else "  -"
        print(line)


def generate(root: Path, rows: int, columns: int) -> None:
    """Write a table of numbers; four of its columns predict a label of two values."""
    random = np.random.default_rng(1)
    x = random.normal(size=(rows, columns)).round(4)
    margin = x[:, 0] + x[:, 1] + x[:, 2] * x[:, 3] - 1
    y = (random.random(rows) < 1 / (1 + np.exp(-margin))).astype(int)
    head = ",".join(["y", *(f"x{n}" for n in range(columns))])
    body = (",".join(map(str, [label, *row])) for label, row in zip(y, x, strict=True))
    folder = root / "input" / "data" / "train"
    folder.mkdir(parents=True)
    (folder / "data.csv").write_text("\n".join([head, *body]) + "\n")


def run(python: Path, root: Path, settings: Sequence[str]) -> dict[str, float]:
    """Run one job of a checkout's Python and return the seconds of each phase and of all.

    This module is this checkout's in either case, `sagetree` that of the Python.
    """
    code = "import sys; from bench.start import job; job(float(sys.argv[1]), sys.argv[2:])"
    process = subprocess.run(
        [python, "-c", code, str(time.time()), *settings],
        cwd=Path(__file__).parents[1],
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
    # an older checkout has all of it in the first one
    for module in filter(None, (training, sys.modules.get("sagetree.train.learning"))):
        for name, phase in (*_RETURNS.items(), *_CALLS.items()):
            if function := getattr(module, name, None):
                setattr(module, name, _timed(function, phase, ends))
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
