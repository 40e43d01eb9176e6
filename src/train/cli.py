"""The command line of `train`."""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from sagetree.desk.contract_folder import DEFAULT_OUT, is_marked
from sagetree.desk.options import command_parser, parse_options
from sagetree.errors import SagetreeError
from sagetree.machine.allocator import hold_apart, share_allocator
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG, refuse, run_job
from sagetree.machine.unused import left_out_unused
from sagetree.train.hosts.cluster import Cluster
from sagetree.train.hyperparameters.eval_metrics import METRICS
from sagetree.train.hyperparameters.parameters import BY_NAME, OWN
from sagetree.train.hyperparameters.presets import (
    SAGETREE,
    SAGETREE_DEPTHS,
    SAGETREE_OTHERS,
    SAGETREE_RIVAL_OF_CLASSES,
    SAGETREE_RIVAL_OF_NUMBERS,
    SAGETREE_YIELDING,
)
from sagetree.train.hyperparameters.xgboost_parameters import XGBOOST
from sagetree.train.own_files import add_options, add_settings, ending, find_fault, laid_out
from sagetree.train.script import Script
from sagetree.train.script import run as run_script

DESCRIPTION = """\
Fit an XGBoost model: on files of your own, or the way a SageMaker training job does.

With DATA it trains on the files and folders that the command names:

  sagetree train claims.csv --target fraud --validation later.csv

writes  sagetree-out/model/                         the model bundle
        sagetree-out/output/data/metrics.json       metrics of held-out rows
        sagetree-out/input/                         links to the files, and the settings

Without --target the label is the first column that is not an index. --out names
another folder; a model that is in it stays until the new one is whole.

Without DATA it works on SageMaker's folders:

  SAGEMAKER_BASE_DIR=folder sagetree train

reads   /opt/ml/input/config/hyperparameters.json   settings, see below
        /opt/ml/input/config/inputdataconfig.json   channels (optional)
        /opt/ml/input/config/resourceconfig.json    hosts that train together (optional)
        /opt/ml/input/data/train/                   CSV or Parquet files
        /opt/ml/input/data/validation/              the same (optional)
        /opt/ml/input/data/test/                    rows that are only scored (optional)
        /opt/ml/input/data/model/                   a model to train on from (optional)
        /opt/ml/checkpoints/                        if there is a checkpointconfig.json
writes  /opt/ml/model/                              the model bundle
        /opt/ml/output/data/metrics.json            metrics of held-out rows, importance of columns
        /opt/ml/output/failure                      the reason, if it fails

SAGEMAKER_BASE_DIR names another folder than /opt/ml. The exit code is 0 only
if a model was written and gave its own rows the same scores after reloading.
"""


def main(argv: Sequence[str]) -> int:
    """Run a training job and return its exit code."""
    arguments = _parsed(argv)
    if not arguments.data:
        opt_ml = OptMl.from_environ(os.environ)
        return run_job(lambda: _run(opt_ml, arguments), opt_ml.failure)
    try:
        with laid_out(arguments, os.environ) as opt_ml:
            return run_job(lambda: _run_on_own(opt_ml, arguments, argv), opt_ml.failure)
    except (SagetreeError, OSError) as error:
        return refuse(error)


def _run_on_own(opt_ml: OptMl, arguments: argparse.Namespace, argv: Sequence[str]) -> int:
    code = _run(opt_ml, arguments)
    if not code:
        LOG.info(ending(opt_ml, arguments, argv))
    return code


def report(argv: Sequence[str]) -> Path | None:
    """Return the file in which the job says why it failed, None where it has none yet."""
    arguments = _parsed(argv)
    if not arguments.data:
        return OptMl.from_environ(os.environ).failure
    return OptMl(arguments.out).failure if is_marked(arguments.out) else None


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = _parser()
    arguments = parse_options(parser, argv)
    fault = find_fault(arguments)
    if fault:
        parser.error(fault)
    arguments.out = arguments.out or DEFAULT_OUT
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("sagetree train", DESCRIPTION, _help_of_parameters())
    add_options(parser)
    add_settings(parser, "set a hyperparameter over hyperparameters.json; may be repeated")
    parser.add_argument(
        "--check",
        action="store_true",
        help=(
            "check the settings and a sample of the data, report what was found, and train nothing"
        ),
    )
    parser.add_argument(
        "--reproduce",
        metavar="MANIFEST",
        type=Path,
        help=(
            "train again as a model's sagetree/manifest.json says, in a folder of its own, and "
            "report whether the model is identical or what differs"
        ),
    )
    return parser


def _run(opt_ml: OptMl, arguments: argparse.Namespace) -> int:
    overrides = dict(arguments.set)
    script = Script.of(opt_ml, overrides, os.environ)
    if script is not None:
        return run_script(opt_ml, script, overrides)
    hold_apart()
    share_allocator()
    with left_out_unused():  # imports that take seconds, and may fail
        if arguments.check:
            from sagetree.train import check

            return check.run(opt_ml, overrides)
        if arguments.reproduce:
            from sagetree.train import reproduce

            return reproduce.run(opt_ml, arguments.reproduce)
        from sagetree.train import job

        return job.run(opt_ml, overrides, Cluster.from_environ(os.environ))


def _help_of_parameters() -> str:
    lines = ["hyperparameters:"]
    for title, group in (("sagetree's own", OWN), ("XGBoost's", XGBOOST)):
        lines.append(f"  {title}")
        lines += [f"    {p.name:<31}{p.described}" for p in group]
    binary, others = (
        _written({name: value for name, (value, _) in preset.items()})
        for preset in (SAGETREE, SAGETREE_OTHERS)
    )
    classes, numbers = map(_written, (SAGETREE_RIVAL_OF_CLASSES, SAGETREE_RIVAL_OF_NUMBERS))
    depths = ", ".join(map(str, sorted(SAGETREE_DEPTHS)))
    aliases = ", ".join(f"{s} = {p.name}" for s, p in BY_NAME.items() if s != p.name)
    lines.append(f"  metrics: {', '.join(METRICS)}")
    return "\n".join(
        [
            *lines,
            f"  preset sagetree, labels of two values: {binary}; "
            f"{' and '.join(SAGETREE_YIELDING)} less where rows of the rarer label are few",
            f"  preset sagetree, others: {others}",
            f"  preset sagetree, max_depth where rows can be left out: the job tries {depths}; "
            f"at the best, for several classes {classes}, for numbers {numbers}",
            f"  other names: {aliases}",
        ]
    )


def _written(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in values.items())
