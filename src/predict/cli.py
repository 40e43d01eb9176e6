"""The command line of `predict`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sagetree.desk.options import add_rounds, command_parser, count_type
from sagetree.machine.allocator import hold_apart, share_allocator
from sagetree.machine.program import FAILED, LOG, describe, ended, start_logging
from sagetree.predict.settings import FORMATS, PredictSettings, Wanted

DESCRIPTION = """\
Score the rows of files with a model, without a server: the scores are those that
the server gives, bit for bit.

FILES are CSV, TSV, JSON Lines, Parquet, libsvm or recordio-protobuf files, packed
(.gz, .zst) or not, or folders of them. Columns are found by name, in any order; without names they
must be training's columns, in order. The label may be present, by name or as the first column; it
is ignored.

The output has a row for each row, in the same order, with these columns:

  the identifiers    the columns that training left out as such, as they were
  score              the score; score_CLASS for each class, score_0, score_1 ... for
                     each target or quantile
  predicted_label    the class, by the model's threshold if it has one
  reasons            with --reasons: sentences, the strongest first (a list; in CSV as
                     JSON)
  base_value, contribution_COLUMN
                     with --contributions: SHAP values, which add up to the margin

A file of any size takes some hundred megabytes of memory; libsvm and
recordio-protobuf are read whole, one file at a time, and so is JSON Lines whose
first 4 MB lack one of the model's columns. The file that --output names appears
when all rows are in it, in place of an older one. On standard output rows come
as they are scored: they are all rows only if the exit code is 0. Messages go to
standard error.

With --workers several files are scored at once, to the same output. Each worker
takes as much memory as one, and the output's rows lie beside it (those of standard
output in TMPDIR) until it is their turn.
"""

EXAMPLES = """\
examples:
  sagetree predict --model model.tar.gz claims.csv --output scores.csv
  sagetree predict --model model --reasons 3 january.parquet february.parquet \\
      --output scores.parquet
  sagetree predict --model model rows/ --format jsonl | head
  sagetree predict --model model rows/ --workers 8 --output scores.parquet
"""


def main(argv: Sequence[str]) -> int:
    """Score files and return the exit code."""
    options = _parser().parse_args(argv)
    start_logging(sys.stderr)

    def work() -> int:
        hold_apart()
        share_allocator()
        # its imports take a second, and may fail
        from sagetree.predict.job import run

        settings = PredictSettings(
            options.model,
            tuple(options.files),
            options.output,
            options.format,
            Wanted(options.contributions, options.reasons),
            options.rounds,
            options.workers,
        )
        return run(settings)

    return ended(work, _failed)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("sagetree predict", DESCRIPTION, EXAMPLES)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILES", help="the rows")
    parser.add_argument(
        "--model",
        type=Path,
        required=True,
        metavar="MODEL",
        help="model.tar.gz, the folder of a model, or a folder with model in it",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="where the scores go: .csv, .jsonl or .parquet (default: standard output)",
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="the output's format (default: by the suffix of FILE, else csv)",
    )
    parser.add_argument(
        "--reasons",
        type=count_type,
        default=0,
        metavar="N",
        help="up to N reasons for each row, in words and in the unit of its score",
    )
    parser.add_argument(
        "--contributions", action="store_true", help="the SHAP value of each column"
    )
    add_rounds(parser)
    parser.add_argument(
        "--workers",
        type=count_type,
        default=1,
        metavar="N",
        help="processes that score, each a file at a time (default: 1)",
    )
    return parser


def _failed(error: BaseException) -> int:
    if isinstance(error, BrokenPipeError):  # `| head` has what it wants
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    LOG.error("FAILED: %s", describe(error))
    return FAILED
