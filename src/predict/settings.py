"""What the command line of `predict` says."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from sagetree.boosters.best_rounds import Rounds

OutputFormat = Literal["csv", "jsonl", "parquet"]

FORMATS: tuple[OutputFormat, ...] = get_args(OutputFormat)


@dataclass(frozen=True)
class Wanted:
    """What the output holds beside scores: `reasons` is the most of a row, 0 for none."""

    contributions: bool
    reasons: int


@dataclass(frozen=True)
class PredictSettings:
    """The model, the files, and where scores go; `output` None is standard output.

    `format` None is that of `output`'s suffix; `rounds` are those that predict of a
    model of XGBoost's own; `workers` is the most of processes that score.
    """

    model: Path
    files: tuple[Path, ...]
    output: Path | None
    format: OutputFormat | None
    wanted: Wanted
    rounds: Rounds
    workers: int
