"""What the command lines of several programs share."""

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from sagetree.boosters.best_rounds import Rounds


def command_parser(command: str, description: str, epilog: str = "") -> argparse.ArgumentParser:
    """Return the parser of a command whose help keeps its lines."""
    return argparse.ArgumentParser(
        prog=command,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the argument MODEL, which may be absent."""
    parser.add_argument(
        "model",
        nargs="?",
        type=Path,
        metavar="MODEL",
        help="a folder that training wrote to, a model's own folder, or a model.tar.gz",
    )


def add_rounds(parser: argparse.ArgumentParser) -> None:
    """Add the option --rounds, of models of XGBoost's own."""
    parser.add_argument(
        "--rounds",
        choices=get_args(Rounds),
        default="best",
        help=(
            "which rounds of a plain XGBoost model predict: those up to the best one of its early "
            "stopping (best, the default), or all; serve has SAGETREE_ROUNDS for it"
        ),
    )


def count_type(text: str) -> int:
    """Return the value of an option that is a whole number from 1."""
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def add_facets(parser: argparse.ArgumentParser, which: str) -> None:
    """Add --facets and --favourable; `which` says what holds without them."""
    parser.add_argument(
        "--facets",
        type=Path,
        metavar="FILE",
        help="measure bias: the facets to compare, as JSON such as "
        '[{"column": "gender", "values": ["F"]}, {"column": "age", "threshold": 40}] '
        f"({which})",
    )
    parser.add_argument(
        "--favourable",
        metavar="VALUE",
        help="the label that is good for a person (default: the negative one of two)",
    )


def number_type(
    meant: str, low: float = -math.inf, high: float = math.inf
) -> Callable[[str], float]:
    """Return the type of an option that is a finite number; errors say that it is `meant`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and low <= value <= high):
            raise argparse.ArgumentTypeError(f"{text!r} is {meant}")
        return value

    return parse


def parse_options(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """Return what `argv` says; files may stand before, between and behind options.

    The error of an unknown option names its value too: else that would be taken
    for a file, and the error would name half of what was typed.
    """
    options, unknown = parser.parse_known_intermixed_args(argv)
    if unknown:
        words = [
            word
            for before, word in zip(("", *argv), argv, strict=False)
            if word in unknown
            or (before in unknown and "=" not in before and not word.startswith("-"))
        ]
        parser.error(f"unrecognized arguments: {' '.join(words)}")
    return options
