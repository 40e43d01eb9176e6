"""`sagetree train DATA...`: one's own files as the settings and channels of a job below --out."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sagetree.desk.contract_folder import (
    DEFAULT_OUT,
    claimed,
    place_links,
    refuse_base_dir,
    write_settings,
)
from sagetree.desk.given_files import channel_links, check_given
from sagetree.desk.next_steps import next_steps
from sagetree.errors import SettingsError, quote
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG, start_logging
from sagetree.train.settings.channel_settings import TEST, TRAIN, VALIDATION

TARGET = "target"

DATA_NAME = "DATA"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add DATA and what goes with it."""
    parser.add_argument(
        "data",
        nargs="*",
        type=Path,
        metavar=DATA_NAME,
        help="files and folders with the rows to learn from",
    )
    parser.add_argument(
        "--target",
        metavar="COLUMN",
        help="with DATA: the column to predict (default: the first that is not an index)",
    )
    for channel, what in (
        (VALIDATION, "rows that tell when to stop (default: parts of DATA in turn)"),
        (TEST, "rows that are only scored"),
    ):
        parser.add_argument(
            f"--{channel}",
            nargs="+",
            action="extend",
            default=[],
            type=Path,
            metavar="FILE",
            help=f"with DATA: {what}",
        )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help=f"with DATA: the folder to write to (default: {DEFAULT_OUT})",
    )


def add_settings(parser: argparse.ArgumentParser, what: str) -> None:
    """Add --set, which hands over hyperparameters one by one."""
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=_assignment,
        help=what,
    )


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def find_fault(arguments: argparse.Namespace) -> str:
    """Return what is wrong with options that do not go together, "" if nothing is."""
    if arguments.data:
        if arguments.reproduce:
            return (
                f"--reproduce is used without {DATA_NAME}: it reads the channels of the folder "
                "that "
                "SAGEMAKER_BASE_DIR names, such as one that --out named"
            )
        return ""
    named = [name for name in (TARGET, VALIDATION, TEST, "out") if getattr(arguments, name)]
    if not named:
        return ""
    listed = ", ".join(f"--{name}" for name in named)
    return f"{listed} without {DATA_NAME}: name the files to train on first, before any option"


@contextmanager
def laid_out(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Iterator[OptMl]:
    """Give the folder --out as a training job's, with the files as its channels.

    Raises SettingsError and DataError for what the user gave, PlatformError for a
    folder that cannot be written.
    """
    refuse_base_dir(environ, DATA_NAME)
    channels: Mapping[str, Sequence[Path]] = {
        TRAIN: arguments.data,
        VALIDATION: arguments.validation,
        TEST: arguments.test,
    }
    for channel, paths in channels.items():
        check_given(paths, DATA_NAME if channel == TRAIN else f"--{channel}", arguments.out)
    hyperparameters = given_hyperparameters(arguments)
    with claimed(arguments.out) as opt_ml:
        write_settings(opt_ml, hyperparameters)
        links: dict[Path, Path] = {}
        for channel, paths in channels.items():
            if paths:
                links |= channel_links(opt_ml.data / channel, paths)
        place_links(opt_ml, links, [opt_ml.data])
        if TARGET not in hyperparameters:
            start_logging()
            LOG.info("Without --target the label is the first column that is not an index")
        yield opt_ml


def given_hyperparameters(arguments: argparse.Namespace) -> dict[str, str]:
    """Return what --set and --target say.

    Raises SettingsError where they contradict each other.
    """
    given = dict(arguments.set)
    target = arguments.target
    if target is not None and given.setdefault(TARGET, target) != target:
        raise SettingsError(
            f"it is {quote(target)}, and --set names {quote(given[TARGET])}",
            where="--target",
            hint="Leave one of them out",
        )
    return given


def ending(opt_ml: OptMl, arguments: argparse.Namespace, argv: Sequence[str]) -> str:
    """Return what a job that has succeeded says about its results, and about what comes next."""
    if arguments.check:
        command = ["sagetree", "train", *(word for word in argv if word != "--check")]
        return next_steps({}, ("train", command))
    rows = arguments.test or ["TEST.csv"]
    return next_steps(
        {"model": opt_ml.model, "metrics": opt_ml.output_data / "metrics.json"},
        ("evaluate it on rows it has not seen", ["sagetree", "evaluate", opt_ml.root, *rows]),
        ("score files with it", ["sagetree", "predict", "--model", opt_ml.root, "FILE.csv"]),
        ("serve it", ["sagetree", "serve", opt_ml.root]),
    )
