"""Requests per second, latency, processor time, memory and start of the server beside others.

    python -m bench.serve [--seconds 2] [--repeats 5] [--mlserver ENVIRONMENT]

The servers hold the same trees and run at the same time, each with two
workers; they are asked one after the other, round by round, and a ratio is
the median of the rounds' ratios. Needs wrk. MLServer and mlserver-xgboost are
taken from a virtual environment of their own, if it is named.
"""

import argparse
import os
import platform
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import orjson
import xgboost

from bench.serve.bodies import bulk_table
from bench.serve.load import Figures, load
from bench.serve.models import models, without_baseline
from bench.serve.servers import Model, Running, load_into, of_many, ours, rivals, running

CONNECTIONS = (1, 8, 32)

# A slow server still works off what the last load has left.
SETTLING_SECONDS = 1.0
ASKING = {"X-Amzn-SageMaker-Custom-Attributes": "inference_output=score,contributions"}
CONTRIBUTIONS = "".join(f'wrk.headers["{name}"] = "{value}"' for name, value in ASKING.items())

# Turns of each round: the differences are small, and the machine slower and faster by turns.
DRIFT_TURNS = 6

Results = dict[tuple[str, int], list[Figures]]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.serve", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2, help="length of one load")
    parser.add_argument("--repeats", type=int, default=5, help="rounds")
    parser.add_argument("--mlserver", type=Path, help="virtual environment with MLServer")
    options = parser.parse_args()
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, XGBoost "
        f"{xgboost.__version__}; wrk, keep-alive, two workers each\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        for model in models(Path(folder)):
            compare(model, options.seconds, options.repeats, options.mlserver)


def compare(model: Model, seconds: float, repeats: int, mlserver: Path | None) -> None:
    """Print what the servers do with one model."""
    results: Results = defaultdict(list)
    with ExitStack() as stack:
        servers = [
            stack.enter_context(running(server, model.root / f"{server.name}.log"))
            for server in (ours(model), *rivals(model, mlserver))
        ]
        plain = stack.enter_context(
            running(ours(without_baseline(model)), model.root / "plain.log")
        )
        many = stack.enter_context(running(of_many(model), model.root / "many.log"))
        load_into(many, model)
        for server in (*servers, plain, many):
            ask_once(server, model)
        for _ in range(repeats):
            extra(servers[0], (plain, many), model, seconds, results)
            for connections in CONNECTIONS:
                for server in servers:
                    body, kind = request_of(server, model)
                    figures = load(server, body, kind, connections, seconds)
                    results[server.server.name, connections].append(figures)
                    time.sleep(SETTLING_SECONDS)
        print_speed(model, servers, results)
        print_drift(results)
        print_many(results)
        print_rest(servers)
        bulk_table(servers[0], model, repeats)


def request_of(server: Running, model: Model) -> tuple[bytes, str]:
    """Return one row as the server takes it."""
    if server.server.name != "mlserver":
        return model.row, "text/csv"
    tensor = {
        "name": "x", "datatype": "FP32", "shape": [1, len(model.numbers)], "data": model.numbers,
    }  # fmt: skip
    return orjson.dumps({"inputs": [tensor]}), "application/json"


def ask_once(server: Running, model: Model) -> None:
    """Let every worker answer before it is measured."""
    for _ in range(20):
        server.ask(*request_of(server, model))
        if server.server.name == "sagetree":
            server.ask(model.row, "text/csv", **ASKING)


def extra(
    server: Running,
    others: tuple[Running, Running],
    model: Model,
    seconds: float,
    results: Results,
) -> None:
    """Measure our own other answers, at 8 connections.

    Of `others` the first has no histograms of training, the second is a multi-model endpoint.
    """
    names = ("with drift", "without drift", "many models")
    turns = list(zip(names, (server, *others), strict=True))
    for _ in range(DRIFT_TURNS):
        for name, asked in turns:
            results[name, 8].append(load(asked, model.row, "text/csv", 8, seconds))
        turns.reverse()
    results["json", 8].append(load(server, model.record, "application/json", 8, seconds))
    results["beside", 8].append(load(server, model.row, "text/csv", 8, seconds))
    results["contributions", 8].append(
        load(server, model.row, "text/csv", 8, seconds, CONTRIBUTIONS)
    )


def ratio(results: Results, one: tuple[str, int], other: tuple[str, int]) -> float:
    """Return the median over the rounds of one's requests per second by the other's."""
    return median(
        a.per_second / b.per_second for a, b in zip(results[one], results[other], strict=True)
    )


def print_speed(model: Model, servers: list[Running], results: Results) -> None:
    """Print requests per second, latency and processor time."""
    print(f"== one row of {model.name}, 200 trees of depth 6")
    print("server         connections  requests/s   p50 ms   p99 ms  p99/p50  CPU us  ours/this")
    for connections in CONNECTIONS:
        for server in servers:
            key = (server.server.name, connections)
            print_line(*key, results[key], ratio(results, ("sagetree", connections), key))
    for name in ("json", "contributions"):
        share = ratio(results, (name, 8), ("beside", 8))
        print_line(name, 8, results[name, 8], 1 / share)
        print(f"    {name}: {share:.2f} of the CSV row's requests per second")


def print_drift(results: Results) -> None:
    """Print what the comparison with the histograms of training costs a request."""
    pairs = zip(results["with drift", 8], results["without drift", 8], strict=True)
    more = median(one.cpu / other.cpu for one, other in pairs) - 1
    print(f"    drift: {more:+.1%} processor time a request")


def print_many(results: Results) -> None:
    """Print what a multi-model endpoint does, by the model's path, beside /invocations of one."""
    share = ratio(results, ("many models", 8), ("with drift", 8))
    print_line("many models", 8, results["many models", 8], 1 / share)
    print(f"    many models: {share:.2f} of the requests per second with one model")


def print_line(name: str, connections: int, figures: list[Figures], times: float) -> None:
    """Print the medians of one server's rounds."""
    p50, p99 = median(f.median for f in figures), median(f.p99 for f in figures)
    print(
        f"{name:15} {connections:10d} {median(f.per_second for f in figures):11.0f} "
        f"{p50 * 1e3:8.2f} {p99 * 1e3:8.2f} {median(f.p99 / f.median for f in figures):8.1f} "
        f"{median(f.cpu for f in figures) * 1e6:7.0f} {times:10.2f}"
    )


def print_rest(servers: list[Running]) -> None:
    """Print memory and start-up, after the load."""
    print("\nserver          MB a worker (PSS)   all MB   seconds to the first 200 (all at once)")
    for server in servers:
        sizes = server.worker_memory()
        print(
            f"{server.server.name:15} {median(sizes):17.0f} {sum(sizes):8.0f} {server.seconds:9.2f}"
        )
    print()


if __name__ == "__main__":
    main()
