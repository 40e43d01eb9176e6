"""NAME=VALUE on the command line of `cloud`."""

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence

from sagetree.errors import UserError, quote


def add_parameters(parser: ArgumentParser, what: str) -> None:
    """Add --parameter NAME=VALUE, which may be repeated."""
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"{what}; may be repeated",
    )


def pairs_of(arguments: Sequence[str]) -> Mapping[str, str]:
    """Return names with their values. Raises UserError for what is not a pair, or named twice."""
    pairs: dict[str, str] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or not name:
            raise UserError(
                f"--parameter is {quote(argument)}", hint="Write --parameter NAME=VALUE"
            )
        if name in pairs:
            raise UserError(f"--parameter {name} is given twice", hint="Give it once")
        pairs[name] = value
    return pairs
