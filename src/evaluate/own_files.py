"""`sagetree evaluate MODEL TEST...`: one's own model and rows as a job's inputs below --out."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sagetree.desk.contract_folder import (
    DEFAULT_OUT,
    claimed,
    is_marked,
    place_links,
    refuse_base_dir,
)
from sagetree.desk.given_files import channel_links, check_given
from sagetree.desk.model_folder import find_model
from sagetree.desk.next_steps import next_steps
from sagetree.desk.options import add_model
from sagetree.evaluate.bias.asked import BIAS_FILE
from sagetree.machine.paths import OptMl


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add MODEL, TEST and what goes with them."""
    add_model(parser)
    parser.add_argument(
        "test",
        nargs="*",
        type=Path,
        metavar="TEST",
        help="files and folders with rows and their labels",
    )
    parser.add_argument(
        "--champion",
        metavar="MODEL",
        type=Path,
        help="the model in use: one that is shown to be worse than it on TEST is rejected; "
        "without MODEL it is the one in processing/champion",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="with MODEL: the folder to write to (default: the one that training wrote to, "
        f"else {DEFAULT_OUT})",
    )


def find_fault(options: argparse.Namespace) -> str:
    """Return what is wrong with options that do not go together, "" if nothing is."""
    if options.model is None and options.champion:
        return "--champion without MODEL: name the model to compare it with, and TEST"
    if options.model is None:
        return "--out without MODEL: name a model and rows to test it on" if options.out else ""
    return "" if options.test else "MODEL without TEST: name files with rows to test it on"


def default_out(model: Path) -> Path:
    """Return where results go without --out."""
    return model if is_marked(model) else DEFAULT_OUT


@contextmanager
def laid_out(options: argparse.Namespace, environ: Mapping[str, str]) -> Iterator[OptMl]:
    """Give the folder --out, with the model and the rows as an evaluation's inputs.

    Raises UserError for what the user gave, PlatformError for a folder that
    cannot be written.
    """
    refuse_base_dir(environ, "MODEL")
    model = find_model(options.model)
    champion = options.champion and find_model(options.champion)
    check_given(options.test, "TEST", options.out)
    with claimed(options.out) as opt_ml:
        inputs = tuple(opt_ml.processing / name for name in ("model", "test", "champion"))
        links = {inputs[0]: model, **channel_links(inputs[1], options.test)}
        place_links(opt_ml, links | ({inputs[2]: champion} if champion else {}), inputs)
        yield opt_ml


def ending(opt_ml: OptMl, options: argparse.Namespace) -> str:
    """Return what an evaluation says about its results, and about what comes next."""
    folder = opt_ml.processing / "evaluation"
    bias = folder / BIAS_FILE
    return next_steps(
        {
            "metrics": folder / "evaluation.json",
            "verdict": folder / "decision.json",
            "report": folder / "report.html",
            "card": folder / "model_card.md",
            **({"bias": bias} if bias.exists() else {}),
        },
        ("serve the model", ["sagetree", "serve", options.model]),
    )
