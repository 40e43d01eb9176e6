"""What a model is asked: missing values, unseen categories, and shares per bin.

A request only leaves its rows here (`Monitor.note`); a thread counts them every
second, of thousands of columns less often, so that counting costs the requests next to
nothing. Requests of many rows leave some of them.
"""

import threading
import time
from collections import Counter, deque
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sagetree.bundle.baseline import Baseline, Counts, Histogram, bin_counts, spread
from sagetree.features.base import Feature
from sagetree.features.pipeline import FeatureMatrix, FeaturePipeline
from sagetree.serve.telemetry.counts import MonitorCounts
from sagetree.serve.telemetry.monitored import MonitoredModel

# This many rows of one request are kept for the count, and this many of one second
# put into bins: enough for shares, and of 45 columns less than 1 % of a second.
ROWS_PER_REQUEST = 64
ROWS_PER_DIGEST = 1024

# More than a worker is asked in a second: only where its threads starve, or columns are many,
# do rows go uncounted.
MOST_BYTES = 16 * 2**20
MOST_LARGE, MOST_BYTES_OF_LARGE = 1024, 32 * 2**20

# The index is of the rows of this hour and the last.
WINDOW_SECONDS = 3600


Rows: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32]]


class _Waiting:
    """Rows that wait to be counted: those of small requests, and some of large ones.

    A request's numbers are added to those before as bytes: an array for each
    would cost it more than all else here.
    """

    def __init__(self, features: int) -> None:
        self.values = bytearray()
        self.scores = bytearray()
        most = MOST_BYTES_OF_LARGE // (ROWS_PER_REQUEST * features * 4)
        self.of_large: deque[Rows] = deque(maxlen=max(1, min(MOST_LARGE, most)))


class Monitor:
    """The counts of one model in one worker; its `key` is name, tab and hash."""

    def __init__(
        self, name: str, sha256: str, features: FeaturePipeline, baseline: Baseline | None
    ) -> None:
        self.hash = sha256[:12]  # of this many digits in logs and counts
        self.key = f"{name}\t{self.hash}"
        columns = tuple(feature.column for feature in features.features)
        self.monitored = MonitoredModel(columns=columns, features=features.names, baseline=baseline)
        self._columns = {column: number for number, column in enumerate(columns)}
        self._features = len(features.names)
        self._first = [part.start for part in features.parts]
        self._of_several = _of_several(features)
        # where XGBoost is given unseen categories as missing
        self._misses_unseen = np.array([name in features.misses_unseen for name in columns])
        self._in_own_units = features.in_own_units
        self._waiting = _Waiting(self._features)
        self._lock = threading.Lock()
        self._unseen: Counter[int] = Counter()
        self._missing = np.zeros(len(columns), np.int64)
        histograms = (*baseline.features, *baseline.scores) if baseline else ()
        self._windows = [Window(histogram) for histogram in histograms]
        self._counted: MonitorCounts | None = None
        self._hour = 0

    def note(self, matrix: FeatureMatrix, scores: NDArray[np.float32]) -> None:
        """Take note of scored rows: (n, m) features and (n) or (n, outputs) scores."""
        if matrix.unseen:
            self._note_unseen(matrix)
        values = matrix.values
        if len(values) > ROWS_PER_REQUEST:
            self._add_missing(values)
            some = spread(values, ROWS_PER_REQUEST), spread(scores, ROWS_PER_REQUEST)
            with self._lock:
                self._waiting.of_large.append(some)
            return
        with self._lock:
            if len(self._waiting.values) < MOST_BYTES:
                self._waiting.values += values.tobytes()
                self._waiting.scores += scores.tobytes()

    def counts(self) -> MonitorCounts:
        """Count the rows that wait, and return all counts; one thread at a time may ask."""
        hour = _hour(time.time())
        if self._digest() or self._counted is None or hour != self._hour:
            self._counted, self._hour = self._count(), hour
        return self._counted

    def _digest(self) -> bool:
        """Count the rows that wait; say whether there were any."""
        with self._lock:
            taken, self._waiting = self._waiting, _Waiting(self._features)
        found = list(taken.of_large)
        if taken.values:
            values = np.frombuffer(taken.values, np.float32).reshape(-1, self._features)
            scores = np.frombuffer(taken.scores, np.float32).reshape(len(values), -1)
            self._add_missing(values)
            found.append((values, scores))
        if found and self._windows:
            self._bin(*(np.concatenate(parts) for parts in zip(*map(_tall, found), strict=True)))
        return bool(found)

    def _count(self) -> MonitorCounts:
        with self._lock:
            unseen = [self._unseen[column] for column in range(len(self._columns))]
            counted = np.where(self._misses_unseen, np.array(unseen, np.int64), 0)
            return MonitorCounts(
                missing=(self._missing - counted).tolist(),
                unseen=unseen,
                bins=[window.counts().tolist() for window in self._windows],
            )

    def _note_unseen(self, matrix: FeatureMatrix) -> None:
        found = Counter(self._columns[name] for _, name in matrix.unseen)
        with self._lock:
            self._unseen += found

    def _add_missing(self, values: NDArray[np.float32]) -> None:
        found = np.isnan(values).sum(axis=0, dtype=np.int64)[self._first]
        for column, feature, part in self._of_several:
            found[column] = np.count_nonzero(feature.is_absent(values[:, part]))
        with self._lock:
            self._missing += found

    def _bin(self, values: NDArray[np.float32], scores: NDArray[np.float32]) -> None:
        now = time.time()
        some = self._in_own_units(spread(values, ROWS_PER_DIGEST))
        columns = (*some.T, *spread(scores, ROWS_PER_DIGEST).T)
        with self._lock:
            for window, column in zip(self._windows, columns, strict=True):
                window.add(column, now)


def _tall(rows: Rows) -> Rows:
    """Return rows whose scores have a second axis."""
    values, scores = rows
    return values, scores if scores.ndim > 1 else scores[:, None]


class Window:
    """The counts of one feature over this hour and the last."""

    def __init__(self, histogram: Histogram) -> None:
        self._cuts = histogram.cuts
        self._hour = 0
        self._this = np.zeros(len(histogram.counts), np.int64)
        self._last = self._this

    def add(self, values: NDArray[np.floating], now: float) -> None:
        """Count values (n) at the time `now`, in seconds."""
        self._turn(_hour(now))
        self._this += bin_counts(self._cuts, values)

    def counts(self, now: float | None = None) -> Counts:
        """Return the counts of both hours."""
        self._turn(_hour(time.time() if now is None else now))
        counts: Counts = self._this + self._last
        return counts

    def _turn(self, hour: int) -> None:
        if hour == self._hour:
            return
        empty = np.zeros_like(self._this)
        self._last = self._this if hour == self._hour + 1 else empty
        self._this, self._hour = empty.copy(), hour


def _hour(now: float) -> int:
    return int(now // WINDOW_SECONDS)


def _of_several(features: FeaturePipeline) -> list[tuple[int, Feature, slice]]:
    """Return the columns whose first feature alone does not say whether they are missing."""
    parts = zip(features.features, features.parts, strict=True)
    return [
        (column, feature, part)
        for column, (feature, part) in enumerate(parts)
        if type(feature).is_absent is not Feature.is_absent
    ]
