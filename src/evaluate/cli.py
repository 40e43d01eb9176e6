"""The command line of `evaluate`."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from sagetree.desk.contract_folder import is_marked
from sagetree.desk.options import (
    add_facets,
    add_rounds,
    command_parser,
    number_type,
    parse_options,
)
from sagetree.errors import SagetreeError
from sagetree.evaluate.own_files import add_options, default_out, ending, find_fault, laid_out
from sagetree.evaluate.verdict.gate import Gate
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG, refuse, run_job
from sagetree.machine.unused import left_out_unused

DESCRIPTION = """\
Score a model on rows it has not seen, and say whether it is good enough.

With MODEL and TEST it takes a model and labelled rows of your own:

  sagetree evaluate sagetree-out later.csv

MODEL is a folder that sagetree train wrote to, a folder with a model's files, or
a model.tar.gz. TEST are files and folders. It writes processing/evaluation/ in
the folder that training wrote to, else in sagetree-out; --out names another one.

Without them it works on SageMaker's folders:

  SAGEMAKER_BASE_DIR=folder sagetree evaluate

reads   /opt/ml/processing/model/        model.tar.gz, or the files in it
        /opt/ml/processing/test/         CSV or Parquet files with the label
        /opt/ml/processing/champion/     the model in use, if there is one
writes  /opt/ml/processing/evaluation/evaluation.json   SageMaker's metrics
        /opt/ml/processing/evaluation/decision.json     the metric, and the verdict
        /opt/ml/processing/evaluation/report.html       what people act on, in one page
        /opt/ml/processing/evaluation/model_card.md, .json   the same as text and as data
        /opt/ml/processing/evaluation/comparison.json   the champion against the model
        /opt/ml/processing/evaluation/statistics.json, constraints.json,
                                      explainability.json   RegisterModel's ModelMetrics
        /opt/ml/processing/evaluation/bias_analysis.json   with facets: Clarify's bias metrics
        /opt/ml/output/message                          the reason, if it fails

Rows that training had too, and columns with more missing cells or unseen
categories than it had, are a warning; a model is rejected where most of the
rows are rows of training. So is a model that is shown to be worse than the champion: if the 95 %
interval of the difference includes 0, nothing is shown.

SAGEMAKER_BASE_DIR names another folder than /opt/ml.
"""

DEFAULT_GATE = 0.7


def main(argv: Sequence[str]) -> int:
    """Run an evaluation and return its exit code."""
    options = _parsed(argv)
    if options.model is None:
        opt_ml = OptMl.from_environ(os.environ)
        return run_job(lambda: _run(opt_ml, options), opt_ml.message)
    try:
        with laid_out(options, os.environ) as opt_ml:
            return run_job(lambda: _run_on_own(opt_ml, options), opt_ml.message)
    except (SagetreeError, OSError) as error:
        return refuse(error)


def _run_on_own(opt_ml: OptMl, options: argparse.Namespace) -> int:
    code = _run(opt_ml, options)
    LOG.info(ending(opt_ml, options))
    return code


def report(argv: Sequence[str]) -> Path | None:
    """Return the file in which the job says why it failed, None where it has none yet."""
    options = _parsed(argv)
    if options.model is None:
        return OptMl.from_environ(os.environ).message
    return OptMl(options.out).message if is_marked(options.out) else None


def _run(opt_ml: OptMl, options: argparse.Namespace) -> int:
    with left_out_unused():  # imports that take seconds, and may fail
        from sagetree.evaluate.bias.asked import read_facets
        from sagetree.evaluate.job import EvaluateSettings, run

    settings = EvaluateSettings(
        options.threshold_auc,
        options.threshold,
        options.fail_below,
        options.gate,
        options.rounds,
        read_facets(options.facets) if options.facets else None,
        options.favourable,
    )
    return run(opt_ml, settings)


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = _parser()
    options = parse_options(parser, argv)
    fault = find_fault(options)
    if fault:
        parser.error(fault)
    if options.model is not None:
        options.out = options.out or default_out(options.model)
    return options


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("sagetree evaluate", DESCRIPTION)
    add_options(parser)
    parser.add_argument(
        "--threshold-auc",
        type=number_type("not a number from 0 to 1", 0, 1),
        default=DEFAULT_GATE,
        metavar="AUC",
        help="the gate: approve an AUC of at least this (default: 0.7)",
    )
    parser.add_argument(
        "--gate",
        type=_gate,
        metavar="METRIC>=VALUE",
        help=(
            "the gate by another metric of evaluation.json, such as 'rmse<=3.5'; without one a "
            "model that is not binary must beat a constant prediction"
        ),
    )
    parser.add_argument(
        "--threshold",
        type=number_type("not a number"),
        metavar="SCORE",
        help="call rows positive from this score on (default: the model's stored threshold)",
    )
    parser.add_argument(
        "--fail-below", action="store_true", help="end with exit code 1 if the model is rejected"
    )
    add_facets(parser, "default: those that the model was trained with")
    add_rounds(parser)
    return parser


def _gate(text: str) -> Gate:
    try:
        return Gate.parse(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not METRIC>=VALUE or METRIC<=VALUE"
        ) from None
