"""Files scored by several processes at once, into the output that one would write."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from sagetree.desk.model_folder import model_folder
from sagetree.errors import SagetreeError, SettingsError
from sagetree.files.slices import RowCount, conclude
from sagetree.machine.cores import usable_cores
from sagetree.machine.program import LOG
from sagetree.predict.identifiers import SameIdentifiers
from sagetree.predict.progress import progress
from sagetree.predict.settings import PredictSettings
from sagetree.predict.workers.messages import ScoredFile, Setup
from sagetree.predict.workers.pool import WorkerPool
from sagetree.predict.writers import Destination, OutputWriter, tell_unwritable

# What means another thing in another process.
_OWN = ("/dev/stdin", "/dev/fd/", "/proc/")


def score_by_workers(
    settings: PredictSettings, files: Sequence[Path], destination: Destination, workers: int
) -> tuple[int, Mapping[str, int]]:
    """Score the files by this many processes; rows and errors are those of one, in its order.

    Returns the number of rows, and of cells of each column whose category training never saw.
    Raises UserError as one process does, SettingsError for a file that a worker cannot
    read, PlatformError where a worker is killed.
    """
    for path in files:
        is_special = path.exists() and not path.is_file()
        if is_special or str(path.absolute()).startswith(_OWN):
            reason = "it is a pipe or a device, and workers open files by name"
            hint = "Leave --workers out, or write it to a file"
            raise SettingsError(reason, where=str(path), hint=hint)
    output = destination.path
    beside = output.parent if output else Path(gettempdir())
    with model_folder(settings.model) as folder, progress(files) as tell:
        with tell_unwritable(output or beside):
            parts = TemporaryDirectory(
                prefix=f".{output.name if output else 'scores'}.", dir=beside
            )
        setup = Setup(
            model=str(folder),
            threads=max(1, usable_cores() // workers),
            rounds=settings.rounds,
            contributions=settings.wanted.contributions,
            reasons=settings.wanted.reasons,
            format=destination.format,
            output=str(output or beside),
        )
        with (
            parts,
            WorkerPool(workers, setup, tell) as pool,
            destination.opened() as writer,
        ):
            joined = _Joined(writer)
            for file, (part, path) in zip(files, pool.scored(files, Path(parts.name)), strict=True):
                joined.add(file, part, path)
            conclude(files, joined.tallies)
    return sum(tally.rows for tally in joined.tallies), joined.unseen


class _Joined:
    """The output so far, from part to part."""

    def __init__(self, writer: OutputWriter) -> None:
        self._writer = writer
        self._identifiers = SameIdentifiers()
        self._said: set[str] = set()
        self.tallies: list[RowCount] = []
        self.unseen: Counter[str] = Counter()

    def add(self, file: Path, part: ScoredFile, path: Path) -> None:
        """Add a file's part. Raises what came of the file, behind the rows before it."""
        for level, sentence in part.said:
            if sentence not in self._said:
                self._said.add(sentence)
                LOG.log(level, "%s", sentence)
        if part.identifiers is not None:
            self._identifiers.check(part.identifiers, str(file))
        if part.names:
            with path.open("rb") as content:
                self._writer.append(content, part.names)
        path.unlink(missing_ok=True)
        if part.failed:
            raise SagetreeError(part.failed)
        self.tallies.append(RowCount(part.rows, part.repeated, part.is_empty))
        self.unseen.update(part.unseen)
