"""What a model is asked: missing values, unseen categories, and shares per bin.

A request only leaves its rows here (`Monitor.note`); a thread counts them every
second, so that counting costs the requests nothing. Requests of many rows
leave some of them.
"""

import threading
import time
from collections import Counter, deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.baseline import Baseline, Counts, Histogram, bin_counts, spread
from sagetree.features.category import OneHot
from sagetree.features.pipeline import FeatureMatrix, FeaturePipeline
from serve.counts import MonitorCounts

# So many rows of one request are kept for the count, and so many of one second
# put into bins: enough for shares, and of 45 columns less than 1 % of a second.
ROWS_PER_REQUEST = 64
ROWS_PER_DIGEST = 1024

# More requests than a worker answers in a second: only where its threads starve
# do rows go uncounted.
MOST_WAITING = 8192

# The index is of the rows of this hour and the last.
WINDOW_SECONDS = 3600


class _Rows(NamedTuple):
    """Rows that wait to be counted."""

    values: NDArray[np.float32]
    scores: NDArray[np.float32]
    count_missing: bool


class Monitor:
    """The counts of one model in one worker."""

    def __init__(self, key: str, features: FeaturePipeline, baseline: Baseline | None) -> None:
        self.key = key
        self.baseline = baseline
        self.columns = tuple(feature.column for feature in features.features)
        self.features = features.names
        self._slices = _slices(features)
        self._waiting: deque[_Rows] = deque(maxlen=MOST_WAITING)
        self._lock = threading.Lock()
        self._digesting = threading.Lock()
        self._unseen: Counter[int] = Counter()
        self._missing = np.zeros(len(self.columns), np.int64)
        histograms = (*baseline.features, *baseline.scores) if baseline else ()
        self._windows = [Window(histogram) for histogram in histograms]

    def note(self, matrix: FeatureMatrix, scores: NDArray[np.float32]) -> None:
        """Take note of scored rows: (n, m) features and (n) or (n, outputs) scores."""
        if matrix.unseen:
            self._note_unseen(matrix)
        values = matrix.values
        few = len(values) <= ROWS_PER_REQUEST
        if not few:
            self._add_missing(values)
            values, scores = spread(values, ROWS_PER_REQUEST), spread(scores, ROWS_PER_REQUEST)
        self._waiting.append(_Rows(values, scores, few))

    def digest(self) -> None:
        """Count the rows that wait."""
        with self._digesting:
            waiting = self._waiting
            taken = [waiting.popleft() for _ in range(len(waiting))]
        if not taken:
            return
        values = np.concatenate([rows.values for rows in taken])
        whole = [rows.values for rows in taken if rows.count_missing]
        if len(whole) == len(taken):  # the usual case
            self._add_missing(values)
        elif whole:
            self._add_missing(np.concatenate(whole))
        scores = np.concatenate([rows.scores for rows in taken])
        self._bin(spread(values, ROWS_PER_DIGEST), spread(scores, ROWS_PER_DIGEST))

    def counts(self) -> MonitorCounts:
        """Return all counts until now."""
        with self._lock:
            unseen = [self._unseen[column] for column in range(len(self.columns))]
            return MonitorCounts(
                # XGBoost is given unseen categories as missing
                missing=(self._missing - np.array(unseen, np.int64)).tolist(),
                unseen=unseen,
                bins=[window.counts().tolist() for window in self._windows],
            )

    def _note_unseen(self, matrix: FeatureMatrix) -> None:
        numbers = {name: number for number, name in enumerate(self.columns)}
        found = Counter(numbers[name] for _, name in matrix.unseen)
        with self._lock:
            self._unseen += found

    def _add_missing(self, values: NDArray[np.float32]) -> None:
        absent = np.isnan(values).sum(axis=0)
        found = np.array(
            [
                np.count_nonzero(~values[:, part].any(axis=1)) if one_hot else absent[part.start]
                for part, one_hot in self._slices
            ],
            np.int64,
        )
        with self._lock:
            self._missing += found

    def _bin(self, values: NDArray[np.float32], scores: NDArray[np.float32]) -> None:
        if not self._windows:
            return
        outputs = scores if scores.ndim > 1 else scores[:, None]
        now = time.time()
        with self._lock:
            columns = (*values.T, *outputs.T)
            for window, column in zip(self._windows, columns, strict=True):
                window.add(column, now)


class Window:
    """The counts of one feature over this hour and the last."""

    def __init__(self, histogram: Histogram) -> None:
        self._cuts = histogram.cuts
        self._hour = 0
        self._this = np.zeros(len(histogram.counts), np.int64)
        self._last = self._this

    def add(self, values: NDArray[np.float32], now: float) -> None:
        """Count values (n) at the time `now`, in seconds."""
        self._turn(int(now // WINDOW_SECONDS))
        self._this += bin_counts(self._cuts, values)

    def counts(self, now: float | None = None) -> Counts:
        """Return the counts of both hours."""
        self._turn(int((time.time() if now is None else now) // WINDOW_SECONDS))
        counts: Counts = self._this + self._last
        return counts

    def _turn(self, hour: int) -> None:
        if hour == self._hour:
            return
        empty = np.zeros_like(self._this)
        self._last = self._this if hour == self._hour + 1 else empty
        self._this, self._hour = empty.copy(), hour


def _slices(features: FeaturePipeline) -> list[tuple[slice, bool]]:
    """Return each column's features, and whether they are indicators of categories."""
    found, start = [], 0
    for feature in features.features:
        end = start + len(feature.names)
        found.append((slice(start, end), isinstance(feature, OneHot)))
        start = end
    return found
