"""`sagetree compare A B --test FILES`: which of two models is better on the same rows."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from sagetree.desk.contract_folder import DEFAULT_OUT, is_marked
from sagetree.desk.next_steps import next_steps
from sagetree.desk.options import add_rounds, command_parser, number_type, parse_options
from sagetree.errors import SagetreeError
from sagetree.evaluate.own_files import default_out, laid_out
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG, refuse, run_job
from sagetree.machine.unused import left_out_unused

DESCRIPTION = """\
Compare two models on the same labelled rows, which neither was trained on.

  sagetree compare sagetree-out new-out --test later.csv

A is the champion, the model in use, and B the challenger. Each is a folder that
sagetree train wrote to, a folder with a model's files, or a model.tar.gz. The
models may differ in columns; a column that only one has is left out for the other.

Each metric is printed for both, with the difference B - A, its 95 % interval, and
a word: better, worse, or no difference shown, where the interval holds 0. The first
metric decides: the mean cost of a row, where --miss and --alarm say what mistakes cost,
or the decision of B, or that of A; else the AUC of two classes, the log loss of several,
the RMSE of numbers, the pinball loss of quantiles, the ndcg of ranks, the concordance
index of times. The same is in processing/evaluation/comparison.json below --out.

The exit code is 0 whichever model is better; `sagetree evaluate B TEST
--champion A --fail-below` makes a gate of it.
"""


def main(argv: Sequence[str]) -> int:
    """Compare two models and return the exit code."""
    options = _parsed(argv)
    try:
        with laid_out(options, os.environ) as opt_ml:
            return run_job(lambda: _run(opt_ml, options), opt_ml.message)
    except (SagetreeError, OSError) as error:
        return refuse(error)


def _run(opt_ml: OptMl, options: argparse.Namespace) -> int:
    with left_out_unused():  # imports that take seconds, and may fail
        from sagetree.decisions.rules import LeastCost
        from sagetree.evaluate.comparison.walk import CompareSettings, run

    costs = None if options.miss is None else LeastCost(options.miss, options.alarm)
    path = run(opt_ml, CompareSettings(costs, options.rounds))
    step = (
        "judge the challenger",
        ["sagetree", "evaluate", options.model, *options.test, "--champion", options.champion],
    )
    LOG.info(next_steps({"comparison": path}, step))
    return 0


def report(argv: Sequence[str]) -> Path | None:
    """Return the file in which the command says why it failed, None where it has none yet."""
    options = _parsed(argv)
    return OptMl(options.out).message if is_marked(options.out) else None


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = _parser()
    options = parse_options(parser, argv)
    if (options.miss is None) != (options.alarm is None):
        parser.error(
            "--miss and --alarm must be given together: what each of the two mistakes costs"
        )
    options.out = options.out or default_out(options.model)
    return options


def _parser() -> argparse.ArgumentParser:
    cost = number_type("not a cost: a number from 0 on", 0)
    parser = command_parser("sagetree compare", DESCRIPTION)
    parser.add_argument("champion", type=Path, metavar="A", help="the model in use")
    parser.add_argument("model", type=Path, metavar="B", help="the model that may replace it")
    parser.add_argument(
        "--test",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="files and folders with rows and their labels",
    )
    parser.add_argument(
        "--miss",
        type=cost,
        metavar="COST",
        help="the cost of a positive row that is not called positive, at the model's own threshold",
    )
    parser.add_argument(
        "--alarm",
        type=cost,
        metavar="COST",
        help="the cost of a negative row that is called positive",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="the folder to write to (default: the one that the training of B wrote to, "
        f"else {DEFAULT_OUT})",
    )
    add_rounds(parser)
    return parser
