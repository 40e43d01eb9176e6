"""What a training on each table costs, in processor time, beside another checkout's.

Machines are shared and wall-clock time is theirs too; the processor time of a process, user's and
system's, is nearly its own. Both checkouts train a table one after the other, the one that
begins changing from round to round, and what else the machine does meets both alike.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import geometric_mean, median
from typing import NamedTuple

from bench.quality.field import ONE_THREAD
from bench.quality.table import BINARY, OBJECTIVES, Table


class TrainingError(Exception):
    """A training has ended with an error; the text has its log."""


class Cost(NamedTuple):
    """Seconds of processor time of each round's trainings: this checkout's and the other's."""

    table: str
    this: tuple[float, ...]
    other: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times the other's time a training takes: the median of the rounds."""
        return median(one / two for one, two in zip(self.this, self.other, strict=True))


def measure(tables: Sequence[Table], this: Path, other: Path, rounds: int) -> Iterator[Cost]:
    """Yield what each table costs by the program `sagetree` of two environments.

    A table on which either fails is left out, and its log printed on standard error.
    """
    for table in tables:
        found: dict[Path, list[float]] = {this: [], other: []}
        try:
            for number in range(rounds):
                for program in sorted(found, reverse=bool(number % 2)):
                    found[program].append(train(program, table))
        except TrainingError as failed:
            print(failed, file=sys.stderr, flush=True)
        else:
            cost = Cost(table.name, tuple(found[this]), tuple(found[other]))
            print(f"{cost.table}: {cost.ratio:.2f}", file=sys.stderr, flush=True)
            yield cost


def train(program: Path, table: Table) -> float:
    """Train on all rows with nothing set but the label, and return the processor time.

    Raises TrainingError with the log where it fails.
    """
    given = {"nthread": "1", "objective": OBJECTIVES[table.task], "target": table.target}
    if table.task == BINARY:
        given["positive_label"] = str(table.positive)
    settings = {**given, **table.hyperparameters}
    words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        channel = Path(folder) / "input" / "data" / "train"
        channel.mkdir(parents=True)
        (channel / "data.csv").symlink_to(table.file.resolve())
        process = subprocess.Popen(
            [program, "train", *words],
            env={**os.environ, **ONE_THREAD, "SAGEMAKER_BASE_DIR": folder},
            stdout=log,
            stderr=log,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            raise TrainingError(f"{table.name} is left out: {program} failed:\n{log.read()}")
    return usage.ru_utime + usage.ru_stime


def report(costs: Sequence[Cost]) -> Iterator[str]:
    """Yield a line of Markdown for each table, and two for all of them."""
    yield "| table | this, s | other, s | ratio |"
    yield "|---|---|---|---|"
    for cost in costs:
        yield _line(cost.table, median(cost.this), median(cost.other), cost.ratio)
    this = sum(median(cost.this) for cost in costs)
    other = sum(median(cost.other) for cost in costs)
    yield _line("all", this, other, this / other)
    ratios = [cost.ratio for cost in costs]
    yield ""
    yield (
        f"Of {len(costs)} tables the ratio is {median(ratios):.2f} in the median, "
        f"{geometric_mean(ratios):.2f} in the geometric mean, and {max(ratios):.2f} at most."
    )


def _line(name: str, this: float, other: float, ratio: float) -> str:
    return f"| {name} | {this:.1f} | {other:.1f} | {ratio:.2f} |"
