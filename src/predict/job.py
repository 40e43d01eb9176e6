"""The walk of a prediction: a model and files of rows to a file of scores."""

from collections import Counter

from sagetree.bundle.model import Model
from sagetree.desk.model_folder import model_folder
from sagetree.errors import quote
from sagetree.files.slices import files_of, read_slices
from sagetree.machine.cores import usable_cores
from sagetree.machine.program import LOG
from sagetree.predict.ahead import read_ahead
from sagetree.predict.inputs import Inputs, unseen_columns
from sagetree.predict.outputs import Outputs
from sagetree.predict.progress import progress
from sagetree.predict.settings import PredictSettings
from sagetree.predict.writers import Destination


def run(settings: PredictSettings) -> int:
    """Score the rows of all files, in their order, and return 0.

    Raises UserError for a model, rows or an output that cannot be used.
    """
    destination = Destination(settings.output, settings.format)
    files = files_of(settings.files)
    destination.check(files)
    with model_folder(settings.model) as folder:
        model = Model.load(folder, threads=usable_cores(), rounds=settings.rounds, distrust=True)
    for note in model.notes:
        LOG.info("Model: %s", note)
    inputs = Inputs(model, keeps_text=settings.wanted.reasons > 0)
    outputs = Outputs(model, settings.wanted)
    count = 0
    unseen: Counter[str] = Counter()
    with destination.opened() as writer, progress(files) as tell:
        for table in read_ahead(read_slices(files, inputs.slicing, tell)):
            rows = inputs.scored(table)
            writer.write(outputs.table(rows))
            count += table.rows
            unseen.update(unseen_columns(rows))
    for column, cells in unseen.items():
        LOG.warning(
            "WARNING: %d cells of column %s are of categories that training never saw, and count "
            "as missing",
            cells,
            quote(column),
        )
    where = settings.output or "standard output"
    LOG.info("%d %s scored: %s", count, "row" if count == 1 else "rows", where)
    return 0
