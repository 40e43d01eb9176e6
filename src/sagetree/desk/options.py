"""Command lines on which files stand before, between and behind options."""

import argparse
from collections.abc import Sequence


def parse_options(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """Return what `argv` says; an unknown option is an error that names its value too.

    Without that the value would be taken for a file, and the error would name
    half of what was typed.
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
