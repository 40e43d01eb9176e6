"""Slices of rows through a model to a writer, as one process does it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from sagetree.boosters.best_rounds import Rounds
from sagetree.bundle.model import Model
from sagetree.machine.program import LOG
from sagetree.predict.ahead import read_ahead
from sagetree.predict.inputs import Inputs, unseen_columns
from sagetree.predict.outputs import Outputs
from sagetree.tables.table import Table


def load(folder: Path, threads: int, rounds: Rounds) -> Model:
    """Load a model, and say what whoever asks it should know. Raises ArtifactError."""
    model = Model.load(folder, threads=threads, rounds=rounds, distrust=True)
    for note in model.notes:
        LOG.info("Model: %s", note)
    return model


def score_slices(
    slices: Iterator[Table], inputs: Inputs, outputs: Outputs, write: Callable[[pa.Table], None]
) -> tuple[int, Mapping[str, int]]:
    """Score the rows and write them, in their order; return their number, and what is new.

    That is how many cells of each column are of a category that training never saw.
    Raises UserError for rows that do not fit.
    """
    count = 0
    unseen: Counter[str] = Counter()
    for table in read_ahead(slices):
        rows = inputs.scored(table)
        write(outputs.table(rows))
        count += table.rows
        unseen.update(unseen_columns(rows))
    return count, unseen
