"""The command line of `evaluate`."""

import argparse
import math
import os
from collections.abc import Sequence
from typing import get_args

from sagetree.boosters.best_rounds import Rounds
from sagetree.evaluate.verdict.gate import Gate
from sagetree.machine.paths import OptMl
from sagetree.machine.program import run_job

DESCRIPTION = """\
Score a model on rows it has not seen, and say whether it is good enough.

reads   /opt/ml/processing/model/        model.tar.gz, or the files in it
        /opt/ml/processing/test/         CSV or Parquet files with the label
writes  /opt/ml/processing/evaluation/evaluation.json   SageMaker's metrics
        /opt/ml/processing/evaluation/decision.json     the metric, and the verdict
        /opt/ml/output/message                          the reason, if it fails

Rows that training had too, and columns with more missing cells or unseen
categories than it had, are a warning; a model is rejected where most of the
rows are rows of training.

SAGEMAKER_BASE_DIR names another folder than /opt/ml.
"""

DEFAULT_GATE = 0.7


def main(argv: Sequence[str]) -> int:
    """Run an evaluation and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="sagetree evaluate",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--threshold-auc",
        type=_share,
        default=DEFAULT_GATE,
        metavar="AUC",
        help="the gate: approve an AUC of at least this (default: 0.7)",
    )
    parser.add_argument(
        "--gate",
        type=_gate,
        metavar="METRIC>=VALUE",
        help="the gate by another metric of evaluation.json, such as 'rmse<=3.5'; without one "
        "a model that is not binary has to beat one that says the same of every row",
    )
    parser.add_argument(
        "--threshold",
        type=_number,
        metavar="SCORE",
        help="call rows positive from this score on (default: the one stored with the model)",
    )
    parser.add_argument(
        "--fail-below", action="store_true", help="end with exit code 1 if the model is rejected"
    )
    parser.add_argument(
        "--rounds",
        choices=get_args(Rounds),
        default="best",
        help="rounds of a model of XGBoost's own that predict: up to the best one of its early "
        "stopping (best, the default), or all; as SAGETREE_ROUNDS for serve",
    )
    options = parser.parse_args(argv)
    opt_ml = OptMl.from_environ(os.environ)

    def work() -> int:
        # its imports take seconds, and may fail
        from sagetree.evaluate.job import EvaluateSettings, run

        settings = EvaluateSettings(
            options.threshold_auc,
            options.threshold,
            options.fail_below,
            options.gate,
            options.rounds,
        )
        return run(opt_ml, settings)

    return run_job(work, opt_ml.message)


def _gate(text: str) -> Gate:
    try:
        return Gate.parse(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not METRIC>=VALUE or METRIC<=VALUE"
        ) from None


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return value


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1")
    return value
