"""All that was captured, files of either sort, as scored rows."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sagetree.bundle.model import Model
from sagetree.drift.captured.batches import Batch, joined
from sagetree.drift.captured.records import is_capture
from sagetree.drift.captured.refusals import Refusals
from sagetree.drift.captured.requests import Requests
from sagetree.drift.captured.rows import CapturedRows, score_rows
from sagetree.drift.captured.tables import Tables
from sagetree.drift.settings import TimeWindow
from sagetree.errors import DataError
from sagetree.files.finding import listed
from sagetree.files.slices import files_of


@dataclass(frozen=True)
class Capture:
    """The rows, what was refused, and how many requests had no part in it.

    `requests` are those of capture files: all, those outside the window, and those with only the
    answer captured.
    """

    rows: CapturedRows
    refusals: Refusals
    requests: int
    outside: int
    without_input: int

    @property
    def offered(self) -> int:
        """How many rows there were, with those that could not be scored."""
        return self.rows.rows + self.refusals.rows


def read_capture(
    model: Model, paths: Sequence[Path], keys: Collection[str], window: TimeWindow | None
) -> Capture:
    """Read and score the rows of files and folders; `keys` may name rows of plain tables.

    Raises DataError where no row can be scored.
    """
    files = files_of(paths)
    captures = [path for path in files if is_capture(path)]
    plain = [path for path in files if path not in set(captures)]
    refusals = Refusals()
    requests = Requests(model, window, refusals)
    tables = Tables(model, keys, refusals)

    def batches() -> Iterator[Batch]:
        yield from chain.from_iterable(map(requests.read, captures))
        if plain:
            yield from tables.read(plain)

    rows = score_rows(model, joined(batches(), model.schema), refusals)
    if rows is None:
        raise _no_rows(files, requests, refusals)
    return Capture(rows, refusals, requests.seen, requests.outside, requests.without_input)


def _no_rows(files: Sequence[Path], requests: Requests, refusals: Refusals) -> DataError:
    where = listed(list(map(str, files)))
    if refusals.rows:
        first = next(iter(refusals.examples.values()))
        hint = "Check that they were captured from an endpoint of this model"
        return DataError(f"no row can be scored: {first}", where=where, hint=hint)
    if requests.without_input:
        problem = "the capture holds only answers"
        hint = "Let the endpoint capture its input too (CaptureMode Input)"
        return DataError(problem, where=where, hint=hint)
    if requests.outside:
        problem = f"none of {requests.outside} requests was made within the window"
        hint = "Check start_time and end_time"
        return DataError(problem, where=where, hint=hint)
    return DataError("there are no requests", where=where, hint="Name files that hold requests")
