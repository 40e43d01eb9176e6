"""The console script `sagetree`: one command for each program."""

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType

from sagetree.machine.unused import left_out_unused
from sagetree.machine.watch import watched

PROGRAMS = {
    "prepare": "join raw tables and split them into train, validation and test",
    "profile": "show what is in a table before training on it",
    "train": "fit a model on tables and write it to a folder",
    "evaluate": "score a model on held-out rows and give a verdict",
    "compare": "compare two models on the same rows",
    "predict": "score the rows of files with a model, without a server",
    "drift": "compare what a model is asked with the rows it was trained on",
    "serve": "answer /ping and /invocations over HTTP",
    "convert": "save an old XGBoost model in the form that today's XGBoost reads",
    "cloud": "launch, use and remove the solution on AWS",
    "function": "answer AWS Lambda's events, as one of the solution's functions",
}

# Commands of a program, beside its own.
_COMMANDS = {"compare": "evaluate.compare", "profile": "train.profile", "function": "cloud.runtime"}

# What is not a job. gunicorn has a watcher of its own.
_NO_JOBS = frozenset({"serve", "predict", "convert", "profile", "cloud", "function"})

EPILOG = """\
Name files of your own:

  sagetree profile claims.csv --target fraud   writes profile.html
  sagetree train claims.csv --target fraud     writes the folder sagetree-out
  sagetree evaluate sagetree-out later.csv
  sagetree predict --model sagetree-out new.csv
  sagetree serve sagetree-out
  sagetree drift --model sagetree-out capture/

Or name none, as SageMaker does. Every program but profile, compare, predict, drift,
convert, cloud and function then works on SageMaker's folders: /opt/ml, or the folder named
by the environment variable SAGEMAKER_BASE_DIR. `sagetree PROGRAM --help` says what each one reads,
writes and accepts.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program named first; the rest of `argv` is its own.

    Without `argv` it is what the process is there for, so that a job is watched.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="sagetree",
        description="Train and serve XGBoost models by SageMaker's contracts.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="show program's version number and exit"
    )
    subparsers = parser.add_subparsers(
        title="programs", dest="program", required=True, metavar="PROGRAM"
    )
    for name, summary in PROGRAMS.items():
        subparsers.add_parser(name, help=summary, add_help=False)
    program = parser.parse_known_args(arguments[:1])[0].program
    work = partial(_run, program, arguments[1:])
    if argv is not None or program in _NO_JOBS:
        return work()
    return watched(work, partial(_report, program, arguments[1:]))


class _Version(argparse.Action):
    """argparse's own would look the version up, in 20 ms, for every call."""

    def __call__(self, parser: argparse.ArgumentParser, *_parsed: object) -> None:
        from importlib.metadata import version

        sys.stdout.write(f"{version('sagetree')}\n")
        parser.exit()


def _run(program: str, arguments: Sequence[str]) -> int:
    run: Callable[[Sequence[str]], int] = _module(program).main
    return run(arguments)


def _report(program: str, arguments: Sequence[str]) -> Path | None:
    """Return the file in which a job with these arguments says why it failed."""
    find: Callable[[Sequence[str]], Path | None] = _module(program).report
    return find(arguments)


def _module(program: str) -> ModuleType:
    # By name, so that this module depends on no program and serving loads none but itself.
    with left_out_unused():
        return importlib.import_module(f"sagetree.{_COMMANDS.get(program, f'{program}.cli')}")
