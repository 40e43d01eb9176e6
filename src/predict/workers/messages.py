"""What the program and its workers say to each other, each a line of JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sagetree.boosters.best_rounds import Rounds
from sagetree.predict.settings import OutputFormat


class Setup(NamedTuple):
    """What a worker gets once; `output` is what an error names where nothing can be written."""

    model: str
    threads: int
    rounds: Rounds
    contributions: bool
    reasons: int
    format: OutputFormat
    output: str


class Order(NamedTuple):
    """A file to score, and the file that its part of the output goes to."""

    file: str
    part: str


class ScoredFile(NamedTuple):
    """What became of an order; the part's file holds all rows before `failed`, if that is not "".

    `repeated` and `is_empty` are as in a RowCount; `names` are the output's columns, and
    `identifiers` is None where there was no row; `said` are levels of logging and sentences.
    """

    rows: int = 0
    unseen: Mapping[str, int] = {}
    repeated: int = 0
    is_empty: bool = False
    names: Sequence[str] = ()
    identifiers: Sequence[str] | None = None
    said: Sequence[tuple[int, str]] = ()
    failed: str = ""


def line_of(message: Setup | Order | ScoredFile | int) -> bytes:
    """Return a message as a line; a number is of bytes that were read."""
    content = message if isinstance(message, int) else message._asdict()
    return json.dumps(content).encode() + b"\n"


def content_of(line: bytes) -> Any:  # noqa: ANN401 - a number, or the fields of a message
    """Return what `line_of` made a line of."""
    return json.loads(line)
