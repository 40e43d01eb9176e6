"""`sagetree profile FILES`: what is in a table, before anything is trained on it."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from sagetree.desk.given_files import check_given
from sagetree.desk.next_steps import next_steps
from sagetree.desk.options import add_facets, command_parser, parse_options
from sagetree.errors import SettingsError, quote
from sagetree.evaluate.bias.asked import BIAS_FILE, FACETS, FAVOURABLE, facets_text
from sagetree.machine.program import LOG, describe, ended, fail, start_logging
from sagetree.machine.unused import left_out_unused
from sagetree.train.own_files import add_settings, given_hyperparameters

DEFAULT_OUT = Path("profile.html")

DESCRIPTION = """\
Look at a table before training on it: one page with what training would take each
column for and why, how values are spread and how they go with the label, which
columns go together, missing cells, top values, outliers, duplicate rows, rows that
contradict each other, and columns that give the label away.

  sagetree profile claims.csv --target fraud

writes  profile.html          one file that needs no network
        bias_analysis.json    with --facets: Clarify's bias metrics of the labels

All files are one table, in any format that training reads. Without --target, files
whose columns have names are shown without a label; in others it is the first column.
"""


def main(argv: Sequence[str]) -> int:
    """Write a profile and return the exit code."""
    options = _parsed(argv)
    start_logging()

    def work() -> int:
        _check(options)
        hyperparameters = given_hyperparameters(options) | _asked(options)
        with left_out_unused():  # imports that take seconds, and may fail
            from sagetree.train.profiling.walk import run

            written = run(options.data, hyperparameters, options.out)
        settings = [word for pair in options.set for word in ("--set", "=".join(pair))]
        named = options.target or ("" if written.is_labelled else "COLUMN")
        target = ["--target", named] if named else []
        train = ["sagetree", "train", *options.data, *target, *settings]
        files = {"profile": options.out} | ({"bias": written.bias} if written.bias else {})
        LOG.info(next_steps(files, ("train on it", train)))
        return 0

    return ended(work, lambda error: fail(describe(error), None))


def _asked(options: argparse.Namespace) -> dict[str, str]:
    """Return what is asked of facets as hyperparameters."""
    found = {}
    if options.facets is not None:
        found[FACETS] = facets_text(options.facets)
    if options.favourable is not None:
        found[FAVOURABLE] = options.favourable
    return found


def _check(options: argparse.Namespace) -> None:
    out = options.out
    check_given(options.data, "DATA", out)
    if out.is_dir():
        raise SettingsError("it is a folder", where=f"--out {out}", hint="Name a file")
    if not out.parent.is_dir():
        raise SettingsError(
            f"the folder {quote(str(out.parent))} does not exist",
            where=f"--out {out}",
            hint="Create it, or name a file in another folder",
        )
    beside = out.with_name(BIAS_FILE)
    if options.facets is not None and options.facets.resolve() == beside.resolve():
        raise SettingsError(
            f"what is measured of facets is written to {quote(str(beside))}, and would replace it",
            where=f"--{FACETS} {options.facets}",
            hint="Give the file another name",
        )
    for path in options.data:
        if path.resolve() == out.resolve():
            raise SettingsError(
                f"it is {quote(str(path))}, whose rows the page would replace",
                where=f"--out {out}",
                hint="Name another file",
            )


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    parser = command_parser("sagetree profile", DESCRIPTION)
    parser.add_argument(
        "data", nargs="+", type=Path, metavar="DATA", help="files and folders with the rows"
    )
    parser.add_argument(
        "--target", metavar="COLUMN", help="the column to predict, by which others are shown"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=DEFAULT_OUT,
        metavar="FILE",
        help=f"the page to write (default: {DEFAULT_OUT})",
    )
    add_facets(parser, "default: facets are not compared")
    add_settings(
        parser, "a hyperparameter of training that says how files are read; may be repeated"
    )
    return parse_options(parser, argv)
