"""Signs that the answer is among the questions, detected before anything is learnt.

Three of them: one column alone that predicts the label; rows of train that are
rows of another channel too; columns that are good for nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sagetree.boosters.objectives import Task
from sagetree.bundle.training_rows import RowHashes, TrainingRows, row_hashes
from sagetree.errors import DataError, quote
from sagetree.features.pipeline import FeaturePipeline
from sagetree.machine.program import LOG
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.telltales import sample_of, telltales
from sagetree.train.hosts.group import ONE, Group

# A column with fewer values present than this share says next to nothing.
LEAST_PRESENT = 0.01

_REMEDY = "list such columns in drop_columns, and split by key (sagetree prepare does)"


@dataclass(frozen=True)
class Leakage:
    """What looks like leakage, each in a sentence."""

    suspects: tuple[str, ...]

    def check(self, *, fails: bool) -> None:
        """Raise DataError naming the suspects if `fails` (the setting fail_on_leakage)."""
        if fails and self.suspects:
            raise DataError(
                "; ".join(self.suspects),
                where="channel train",
                hint=f"{_REMEDY[0].upper()}{_REMEDY[1:]}; "
                "or set fail_on_leakage=false if all of it is known before the label is",
            )

    def tell(self, *, fails: bool) -> None:
        """Log the suspects, a line each, and what to do; raises as `check`."""
        self.check(fails=fails)
        for suspect in self.suspects:
            LOG.warning("Leakage? %s", suspect)
        if self.suspects:
            LOG.warning("Unless all of it is known before the label is: %s", _REMEDY)


def find_leakage(
    train: Examples,
    others: Mapping[str, Examples],
    known: TrainingRows,
    features: FeaturePipeline,
    task: Task,
    group: Group = ONE,
) -> Leakage:
    """Look for leakage in train, whose rows are `known`, and in the channels beside it.

    Of several hosts each has some rows of each channel; `known` are those of all.
    """
    sample = sample_of(train, group)
    suspects = [
        f"column {quote(name)} alone predicts the label ({how_well})"
        for name, how_well in telltales(sample, features, task)
    ]
    for channel, examples in others.items():
        own = known.repeats(hashes_of(examples).rows)
        repeated, compared = group.total(np.array([own.repeated, own.compared])).tolist()
        repeats = replace(own, repeated=repeated, compared=compared)
        if repeats.is_suspect:
            suspects.append(
                f"{repeats.repeated} of {repeats.compared} rows of {channel} are rows of train too"
            )
    return Leakage(tuple(suspects))


def useless_columns(train: Examples, names: Sequence[str]) -> list[str]:
    """Return, in a sentence each, features that are all but empty or repeat another."""
    matrix = sample_of(train).matrix
    notes, seen = [], dict[bytes, str]()
    for index, name in enumerate(names):
        values = np.ascontiguousarray(matrix[:, index])
        present, rows = int(np.count_nonzero(~np.isnan(values))), len(values)
        if present < LEAST_PRESENT * rows:
            notes.append(f"column {quote(name)} has a value in {present} of {rows} rows")
        other = seen.setdefault(values.tobytes(), name)
        if other != name:
            notes.append(f"column {quote(name)} holds the same as {quote(other)}")
    return notes


def hashes_of(examples: Examples) -> RowHashes:
    """Return the hashes of rows."""
    blocks = (row_hashes(matrix, examples.labels[rows]) for rows, matrix in examples.blocks())
    return RowHashes(*map(np.concatenate, zip(*blocks, strict=True)))
