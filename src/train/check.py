"""`train --check`: what a job would meet, said in seconds and before it is paid for.

It reads the first megabytes of each channel, through the very steps of a job,
looks for leakage, and tries a few rounds to say what all of them will take.
"""

import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sagetree.files.csv_stream import SNIFFED_BYTES, find_delimiter
from sagetree.files.finding import data_files
from sagetree.formats.charsets import UTF_16
from sagetree.formats.whole_rows import end_of_rows
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG
from sagetree.train.boosting.folds import DEFAULT_FOLDS
from sagetree.train.boosting.plan import BoostingPlan
from sagetree.train.boosting.strategies import fit
from sagetree.train.channels.ingest import Ingested, ingest
from sagetree.train.columns.listing import COLUMNS_SHOWN, shortened
from sagetree.train.examples.leakage import useless_columns
from sagetree.train.examples.matrix import BYTES_PER_VALUE
from sagetree.train.settings.channel_settings import MODEL, TEST, TRAIN, VALIDATION
from sagetree.train.settings.configuration import read_settings
from sagetree.train.settings.settings import TrainSettings

# This much of a channel is read, of Parquet this many rows; its files share it, but
# each has at least the next two.
SAMPLE_BYTES = 16 * 2**20
PARQUET_ROWS = 100_000
LEAST_BYTES = 64 * 1024
LEAST_ROWS = 1000

# Rounds tried to see what one takes; the first also sorts the columns.
TRIED_ROUNDS = 10

# What a job needs beside its rows.
PROCESS_BYTES = 200 * 2**20

# Files that can be cut after any line.
_LINES = frozenset({".csv", ".txt", ".tsv", ".data", ".jsonl", ".json", ".libsvm", ".svm", ""})


def run(opt_ml: OptMl, overrides: Mapping[str, str]) -> int:
    """Look at a sample of the channels, tell what was found, and return 0.

    Raises what a job would raise, and DataError for leakage where
    fail_on_leakage is set.
    """
    settings = read_settings(opt_ml, overrides)
    with tempfile.TemporaryDirectory() as folder:
        sample = OptMl(Path(folder))
        shares = {
            name: _take_sample(
                opt_ml.data / name,
                sample.data / name,
                SAMPLE_BYTES,
                is_cut=settings.charsets.get(name) != UTF_16,
            )
            for name in (TRAIN, VALIDATION, TEST)
            if name in settings.formats
        }
        if MODEL in settings.formats:
            (sample.data / MODEL).symlink_to((opt_ml.data / MODEL).absolute())
        if settings.bias and shares[TRAIN] < 1:  # rows that are not read may be in a facet
            settings = replace(settings, bias=replace(settings.bias, strict=False))
        read = ingest(sample, settings)
    settings = read.settings
    LOG.info(_columns(read))
    found = read.leakage()
    for suspect in found.suspects or ("no sign of it",):
        LOG.info("leakage: %s", suspect)
    LOG.info(_forecast(read, settings, shares).told())
    found.check(fails=settings.fail_on_leakage)
    return 0


def _take_sample(channel: Path, target: Path, limit: int, *, is_cut: bool = True) -> float:
    """Copy the first rows of each of a channel's files; return the share of its bytes they are.

    Text whose line ends cannot be found by their bytes is not cut.
    """
    files = data_files(channel)
    whole = sum(path.stat().st_size for path in files)
    part = _Part(
        max(LEAST_BYTES, limit // max(1, len(files))),
        max(LEAST_ROWS, PARQUET_ROWS // max(1, len(files))),
        is_cut,
    )
    taken = 0
    for path in files:
        if taken >= limit:
            break
        name = path.name if channel.is_file() else str(path.relative_to(channel))
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        taken += part.copy(path, target / name)
    if taken < whole:
        LOG.info("%s: %.1f of %.1f MB read", channel.name, taken / 2**20, whole / 2**20)
    return taken / whole if whole else 1.0


@dataclass(frozen=True)
class _Part:
    """How much of each file is copied: bytes, of a Parquet file rows."""

    limit: int
    rows: int
    cuts_text: bool = True

    def copy(self, path: Path, target: Path) -> int:
        """Copy the first rows of a file, if it can be cut, and return the bytes they had."""
        size = path.stat().st_size
        if size > self.limit and path.suffix == ".parquet":
            return self._copy_rows(path, target, size)
        text = b""
        if self.cuts_text and size > self.limit and path.suffix in _LINES:
            with path.open("rb") as file:
                text = file.read(self.limit)
            # other lines than CSV's have no line ends inside either
            text = text[: end_of_rows(text, find_delimiter(text[:SNIFFED_BYTES]))[0]]
        if not text:
            shutil.copyfile(path, target)
            return size
        target.write_bytes(text)
        return len(text)

    def _copy_rows(self, path: Path, target: Path, size: int) -> int:
        """Copy the first rows of a Parquet file, and return their share of its bytes."""
        try:
            file = pq.ParquetFile(path)
            rows = next(file.iter_batches(batch_size=self.rows))
        except (pa.ArrowInvalid, OSError):
            shutil.copyfile(path, target)  # damaged: whoever reads it says how
            return size
        pq.write_table(pa.Table.from_batches([rows]), target)
        return int(size * rows.num_rows / file.metadata.num_rows)


def _columns(read: Ingested) -> str:
    """Return which columns are left out, and which might as well be."""
    left_out = [c.name for c in read.schema.columns if c.kind in ("identifier", "constant")]
    lines = [f"left out: {shortened(left_out) or 'no column'}"]
    useless = useless_columns(read.examples[TRAIN], read.features.names)
    lines += [f"worth dropping: {note}" for note in useless[:COLUMNS_SHOWN]]
    if len(useless) > COLUMNS_SHOWN:
        lines.append(f"worth dropping: {len(useless) - COLUMNS_SHOWN} more")
    return "\n".join(lines)


@dataclass(frozen=True)
class _Forecast:
    """What a job is going to need: rows (about), bytes, and seconds at most."""

    rows: int
    is_exact: bool
    memory: float
    seconds: float

    def told(self) -> str:
        """Return it in words."""
        about = "" if self.is_exact else "about "
        return (
            f"{about}{self.rows} rows of train; about {self.memory / 2**30:.1f} GiB of memory, "
            f"and at most about {_duration(self.seconds)} of boosting on this machine"
        )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _forecast(read: Ingested, settings: TrainSettings, shares: Mapping[str, float]) -> _Forecast:
    train = read.examples[TRAIN]
    rows = {name: read.examples[name].rows / share for name, share in shares.items()}
    values = sum(rows.values()) * train.width
    return _Forecast(
        rows=round(rows[TRAIN]),
        is_exact=shares[TRAIN] == 1,
        memory=PROCESS_BYTES + BYTES_PER_VALUE * values,
        seconds=_seconds(read, settings) * rows[TRAIN] / train.rows,
    )


def _seconds(read: Ingested, settings: TrainSettings) -> float:
    """Return the seconds of all rounds on the sample, should none of them stop early."""
    train = read.examples[TRAIN]
    watched = read.examples.get(VALIDATION, train)

    def time_of(rounds: int) -> float:
        boosting = replace(settings.boosting, rounds=rounds, patience=None)
        plan = BoostingPlan.of(
            boosting, read.schema, read.features, train, classes=read.class_count
        )
        started = time.monotonic()
        fit(plan, train, watched)
        return time.monotonic() - started

    LOG.setLevel("ERROR")  # nobody is to read of these rounds
    try:
        first = time_of(1)
        each = max(0.0, time_of(1 + TRIED_ROUNDS) - first) / TRIED_ROUNDS
    finally:
        LOG.setLevel("INFO")
    is_validated = VALIDATION in read.examples
    trainings = 1 if is_validated else settings.boosting.nfold or DEFAULT_FOLDS
    whole = first + each * settings.boosting.rounds
    models = 2 if settings.reweighs else 1
    searches = 1 if is_validated else trainings + 1
    return whole * trainings * models + _searching(settings, whole, searches)


def _searching(settings: TrainSettings, training: float, searches: int) -> float:
    """Return the seconds of all trials, should none of them be pruned or stop early."""
    budget = settings.tuning.budget if settings.tuning else None
    if budget is None:
        return 0.0
    trials = budget.trials or 0
    return searches * trials * DEFAULT_FOLDS * training + (budget.seconds or 0)
