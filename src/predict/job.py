"""The walk of a prediction: a model and files of rows to a file of scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sagetree.desk.model_folder import model_folder
from sagetree.errors import quote
from sagetree.files.slices import files_of, read_slices
from sagetree.machine.cores import usable_cores
from sagetree.machine.program import LOG
from sagetree.predict.progress import progress
from sagetree.predict.settings import PredictSettings
from sagetree.predict.workers.joining import score_by_workers
from sagetree.predict.writers import Destination


def run(settings: PredictSettings) -> int:
    """Score the rows of all files, in their order, and return 0.

    Raises UserError for a model, rows or an output that cannot be used.
    """
    destination = Destination(settings.output, settings.format)
    files = files_of(settings.files)
    destination.check(files)
    workers = min(settings.workers, len(files))
    if workers > 1:
        rows, unseen = score_by_workers(settings, files, destination, workers)
    else:
        rows, unseen = _score(settings, files, destination)
    for column, cells in unseen.items():
        LOG.warning(
            "WARNING: %d cells of column %s are of categories that training never saw",
            cells,
            quote(column),
        )
    where = settings.output or "standard output"
    LOG.info("%d %s scored: %s", rows, "row" if rows == 1 else "rows", where)
    return 0


def _score(
    settings: PredictSettings, files: Sequence[Path], destination: Destination
) -> tuple[int, Mapping[str, int]]:
    # who only starts workers need not wait for these
    from sagetree.predict.inputs import Inputs
    from sagetree.predict.outputs import Outputs
    from sagetree.predict.scoring import load, score_slices

    with model_folder(settings.model) as folder:
        model = load(folder, usable_cores(), settings.rounds)
    inputs = Inputs(model, keeps_text=settings.wanted.reasons > 0)
    outputs = Outputs(model, settings.wanted)
    with destination.opened() as writer, progress(files) as tell:
        return score_slices(read_slices(files, inputs.slicing, tell), inputs, outputs, writer.write)
