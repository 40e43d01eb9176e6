"""The command line of `drift`, also as Model Monitor starts it."""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from sagetree.desk.next_steps import next_steps
from sagetree.desk.options import command_parser, parse_options
from sagetree.drift.monitor import SOURCE, is_monitored, monitor_settings
from sagetree.drift.settings import DriftSettings
from sagetree.errors import SettingsError
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG, describe, ended, fail, run_job, start_logging
from sagetree.machine.unused import left_out_unused

DEFAULT_OUT = Path("sagetree-drift")

# 1 is a failure, and 2 a command line that is wrong.
EXIT_CODES = (0, 3, 4)

DESCRIPTION = """\
Compare what a model is asked with the rows it was trained on: what has changed since then by more
than chance.

  sagetree drift --model model.tar.gz capture/
  sagetree drift --model sagetree-out january.csv --labels outcomes.csv

CAPTURED are files and folders: the lines of SageMaker's data capture (CSV, JSON, base64,
one row or several in each), or plain tables in any format that training reads. The model
holds what its training's rows were like, column by column.

FILE of --labels has the label's column and one that names each row: inferenceId or
eventId of a capture, or a column that the captured table has too; or it is ground
truth as Model Monitor takes it.

writes  statistics.json             what the columns and the scores are now
        constraints.json            what was demanded of them
        constraint_violations.json  what has changed
        report.html                 all of it, with pictures

ends with 0 without drift, 3 where it is moderate, 4 where it is serious; 1 is a failure.

Without CAPTURED it is Model Monitor's container: dataset_source, output_path, start_time,
end_time, publish_cloudwatch_metrics and the other variables say what to read and to
write, /opt/ml/output/message says what was found, and the exit code is 0. The model is
MODEL, which may lie on S3, else the one in /opt/ml/processing/model.
"""


def main(argv: Sequence[str]) -> int:
    """Look for drift and return the exit code."""
    options = _parsed(argv, os.environ)
    if not options.captured:
        opt_ml = OptMl.from_environ(os.environ)
        return run_job(lambda: _run_monitored(options, opt_ml), opt_ml.message)
    start_logging()
    return ended(lambda: _run(options), lambda error: fail(describe(error), None))


def _run(options: argparse.Namespace) -> int:
    _check_out(options.out)
    with left_out_unused():  # imports that take seconds, and may fail
        from sagetree.drift.job import REPORT, run

    drift = run(DriftSettings(options.model, tuple(options.captured), options.out, options.labels))
    LOG.info(next_steps({"report": options.out / REPORT}))
    return EXIT_CODES[drift.severity]


def _check_out(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise SettingsError("it is a file", where=f"--out {out}", hint="Name a folder")


def _run_monitored(options: argparse.Namespace, opt_ml: OptMl) -> int:
    settings = monitor_settings(os.environ, options.model, opt_ml, options.labels)
    with left_out_unused():
        from sagetree.drift.job import run
        from sagetree.drift.outputs.cloudwatch import publish

    publish(opt_ml, settings, run(settings))
    return 0


def report(argv: Sequence[str]) -> Path | None:
    """Return the file in which a job of Model Monitor says why it failed; None: the log alone."""
    options = _parsed(argv, os.environ)
    return None if options.captured else OptMl.from_environ(os.environ).message


def _parsed(argv: Sequence[str], environ: Mapping[str, str]) -> argparse.Namespace:
    parser = _parser()
    options = parse_options(parser, argv)
    if options.captured and options.model is None:
        parser.error("the following arguments are required: --model")
    if not options.captured and not is_monitored(environ):
        parser.error(f"name what was captured (Model Monitor sets {SOURCE})")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("sagetree drift", DESCRIPTION)
    parser.add_argument(
        "captured", nargs="*", type=Path, metavar="CAPTURED", help="files and folders to compare"
    )
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="model.tar.gz, here or on s3://, the folder of a model, or a folder with model in it",
    )
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="labels that came later, for some of the rows"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=DEFAULT_OUT,
        metavar="DIR",
        help=f"the folder to write to (default: {DEFAULT_OUT})",
    )
    return parser
