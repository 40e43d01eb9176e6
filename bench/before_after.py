"""Compare this checkout with another one of the same project: what a change costs or wins.

    python -m bench.before_after OTHER [--repeats 7] [--seconds 2] [--rows 200000]

OTHER is a checkout with its own environment (`make install` in it). Both train the same
tables and serve what they trained; they are asked in turns, in an order that changes
from round to round, and a ratio (this one's by the other's) is the median of the
rounds' ratios, with the least and the greatest beside it.
"""

import argparse
import os
import platform
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

import orjson
import xgboost

from bench.serve.__main__ import CONTRIBUTIONS
from bench.serve.load import load
from bench.serve.models import models
from bench.serve.servers import BIN, Model, Running, Server, ours, running
from bench.train import generate, run

CONNECTIONS = 8
ROUNDS = 20

# What was measured of each side, by the name of the measure; a round's pair has one place.
Results = dict[str, dict[str, list[float]]]


def main() -> None:
    """Print a line for each measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.before_after", description=__doc__)
    parser.add_argument("other", type=Path, help="the other checkout")
    parser.add_argument("--repeats", type=int, default=7, help="rounds")
    parser.add_argument("--seconds", type=float, default=2, help="length of one load")
    parser.add_argument("--rows", type=int, default=200_000, help="rows to train on")
    options = parser.parse_args()
    sides = {"this": BIN / "sagetree", "other": options.other / ".venv" / "bin" / "sagetree"}
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, XGBoost "
        f"{xgboost.__version__}; medians of {options.repeats} rounds\n"
    )
    print(f"{'measure':<44} {'this':>9} {'other':>9}  ratio (least to greatest)")
    with tempfile.TemporaryDirectory() as folder:
        for model in models(Path(folder)):
            report(serving(sides, model, options.repeats, options.seconds))
        report(training(sides, Path(folder) / "train", options.repeats, options.rows))


def serving(sides: dict[str, Path], model: Model, repeats: int, seconds: float) -> Results:
    """Ask both servers for rows, records, contributions, and a model among many."""
    results: Results = defaultdict(lambda: defaultdict(list))
    with ExitStack() as stack:
        single, many = {}, {}
        for side, program in sides.items():
            trained = trained_by(program, model, side)
            single[side] = stack.enter_context(started(program, trained))
            many[side] = stack.enter_context(started(program, trained, many=True))
            results["seconds to the first 200"][side].append(single[side].seconds)
        asked = {
            f"{model.name}, CSV row": (single, model.row, "text/csv", ""),
            f"{model.name}, JSON record": (single, model.record, "application/json", ""),
            f"{model.name}, contributions": (single, model.row, "text/csv", CONTRIBUTIONS),
            f"{model.name}, one of many models": (many, model.row, "text/csv", ""),
        }
        for number in range(repeats + 1):
            for name, (servers, body, kind, headers) in asked.items():
                for side in sorted(servers, reverse=bool(number % 2)):
                    figures = load(servers[side], body, kind, CONNECTIONS, seconds, headers)
                    if number:  # the first round warms up
                        results[f"{name}: CPU us"][side].append(figures.cpu * 1e6)
                        results[f"{name}: requests/s"][side].append(figures.per_second)
        for side, server in single.items():
            sizes = server.worker_memory()
            results[f"{model.name}: MB a worker"][side].append(median(sizes))
    return results


def trained_by(program: Path, model: Model, side: str) -> Model:
    """Return the model as `program` trains it on the same table."""
    root = model.root / side
    shutil.copytree(model.root / "input", root / "input")
    run(["env", f"SAGEMAKER_BASE_DIR={root}", str(program), "train"])
    return replace(model, root=root)


@contextmanager
def started(program: Path, model: Model, *, many: bool = False) -> Iterator[Running]:
    """Run one side's server; with `many`, one that has loaded the model on request."""
    server = ours(model)
    command = (str(program), *server.command[1:])
    if not many:
        with running(replace(server, command=command), model.root / "serve.log") as one:
            yield one
        return
    environment = {**server.environment, "SAGEMAKER_MULTI_MODEL": "true"}
    several = Server("sagetree", command, environment, path="/models", ready="/ping")
    with running(several, model.root / "many.log") as one:
        body = {"model_name": "m", "url": str(model.root / "model")}
        one.ask(orjson.dumps(body), "application/json")
        yield replace(one, server=replace(several, path="/models/m/invoke"))


def training(sides: dict[str, Path], root: Path, repeats: int, rows: int) -> Results:
    """Train both on the same rows, as CSV and as Parquet."""
    results: Results = defaultdict(lambda: defaultdict(list))
    generate(root, rows)
    for number in range(repeats):
        for kind in ("csv", "parquet"):
            for side in sorted(sides, reverse=bool(number % 2)):
                base = root / kind
                shutil.rmtree(base / "model", ignore_errors=True)
                settings = ("preset=xgboost", f"num_round={ROUNDS}", "max_depth=6")
                words = [word for setting in settings for word in ("--set", setting)]
                command = ["env", f"SAGEMAKER_BASE_DIR={base}", str(sides[side]), "train"]
                figures = run([*command, *words])
                results[f"train, {kind}: seconds"][side].append(figures.seconds)
                results[f"train, {kind}: peak MB"][side].append(figures.megabytes)
    return results


def report(results: Results) -> None:
    """Print a line for each measure."""
    for name, found in results.items():
        this, other = found["this"], found["other"]
        ratios = [a / b for a, b in zip(this, other, strict=True)]
        print(
            f"{name:<44} {median(this):9.2f} {median(other):9.2f}  {median(ratios):5.3f} "
            f"({min(ratios):.3f} to {max(ratios):.3f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
