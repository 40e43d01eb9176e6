"""The score function's first answer after a cold start, under Lambda's own emulator in the image.

    python -m bench.cold_start [--image sagetree] [--repeats 5]

Each start is a new container as Lambda makes it: 512 MB, not root, a root that nobody may write
to. The time is wall-clock, from the first event to its answer; an event is what starts the
function. In turns with it: a handler that does nothing, by the same loop, which is what Python and
the emulator take alone. Needs Docker, the image, and `make sdk`.

    nothing     the loop alone, with a handler that returns the event
    serverless  the function in front of an endpoint
    lambda      the function that holds the model itself: from S3, loaded, and checked
"""

import argparse
import subprocess
import time
from collections.abc import Mapping
from statistics import median

from tests.cloud.scoring.conftest import BUNDLE, CLAIM, event
from tests.cloud.stack_server import stack_server
from tests.image.lambda_emulator import call, command, free_port, options, wait_until_it_listens

RIVAL = "nothing"
LOOP = """
import os
from sagetree.cloud.lambda_api import LambdaApi
from sagetree.cloud.runtime import run
run(LambdaApi(os.environ["AWS_LAMBDA_RUNTIME_API"]), lambda: lambda event, deadline: event)
"""
COMMANDS = {
    RIVAL: ("python3", "-c", LOOP),
    "serverless": ("sagetree", "function", "score"),
    "lambda": ("sagetree", "function", "score"),
}


def main() -> None:
    """Print a line for each function."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.cold_start",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--image", default="sagetree")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with stack_server(BUNDLE) as server:
        for number in range(options.repeats):
            for name in sorted(COMMANDS, reverse=bool(number % 2)):
                kind = "lambda" if name == "lambda" else "serverless"
                environ = {**server.environ, "SAGETREE_ENDPOINT_KIND": kind}
                found[name].append(first_answer(options.image, COMMANDS[name], environ))
    print(f"median of {options.repeats} cold starts; ratio to {RIVAL}, of each round")
    for name, seconds in found.items():
        ratios = [one / two for one, two in zip(seconds, found[RIVAL], strict=True)]
        spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
        print(f"{name:<10} {median(seconds):5.2f} s ({spread})  {median(ratios):.2f}")


def first_answer(image: str, function: tuple[str, ...], environ: Mapping[str, str]) -> float:
    """Return the seconds from the first event to its answer."""
    port = free_port()
    container = docker("run", "--detach", *options(environ), image, *command(port, *function))
    try:
        wait_until_it_listens(port, lambda: docker("logs", container))
        begun = time.perf_counter()
        call(port, event([CLAIM]))
        return time.perf_counter() - begun
    finally:
        docker("rm", "--force", container)


def docker(*arguments: str) -> str:
    """Run Docker's client and return what it prints."""
    done = subprocess.run(["docker", *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
