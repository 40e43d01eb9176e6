"""What a worker counts of its requests: one call per request, some microseconds."""

import contextlib
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path
from weakref import ref

from sagetree.serve.protocol.route_names import PREDICTING
from sagetree.serve.telemetry.counts import Counts
from sagetree.serve.telemetry.drift import Monitor
from sagetree.serve.telemetry.log_lines import write_line
from sagetree.serve.telemetry.monitored import MonitoredModel
from sagetree.serve.telemetry.observation import PHASES, Trace

# Upper bounds in seconds: from a tenth of a request's usual time to SageMaker's limit.
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)

FLUSH_SECONDS = 1.0

# Counting many columns takes long: flushes take a twentieth of a thread's time at most.
_PARTS = 20


class Tally:
    """The counters of one worker, by name and labels, with tabs between them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, str, int], int] = {}
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._phases = dict.fromkeys(PHASES, 0.0)
        self._seconds = 0.0
        self._rows = self._bytes_in = self._bytes_out = 0

    def add(self, seen: Trace) -> None:
        """Count one answered request."""
        key = (seen.method, seen.route, seen.status)
        with self._lock:
            self._requests[key] = self._requests.get(key, 0) + 1
            self._bytes_in += seen.bytes_in
            self._bytes_out += seen.bytes_out
            if seen.route not in PREDICTING:
                return
            seconds = seen.seconds
            self._buckets[bisect_left(BUCKETS, seconds)] += 1
            self._seconds += seconds
            self._rows += seen.rows
            phases = self._phases
            for phase, taken in seen.phase_seconds.items():
                phases[phase] += taken

    def values(self) -> dict[str, float]:
        """Return every counter by its name and labels."""
        with self._lock:
            return {
                "rows": self._rows,
                "bytes_in": self._bytes_in,
                "bytes_out": self._bytes_out,
                "seconds": self._seconds,
                **{f"bucket\t{place}": count for place, count in enumerate(self._buckets)},
                **{f"phase\t{name}": seconds for name, seconds in self._phases.items()},
                **{
                    f"requests\t{method}\t{route}\t{status}": count
                    for (method, route, status), count in self._requests.items()
                },
            }


class Observer:
    """Takes every request of a worker once it is answered: its line and its counts.

    `folder` is the one the workers share (None: there is one worker); `line`
    makes the log's line.
    """

    def __init__(
        self,
        folder: Path | None,
        line: Callable[[Trace], str],
        write: Callable[[str], None] = write_line,
    ) -> None:
        self._folder = folder
        self._tally = Tally()
        self._line = line
        self._write = write
        # A model that is gone takes its counts with it.
        self._monitors: dict[str, ref[Monitor]] = {}
        self._described: set[str] = set()
        self._flushing = threading.Lock()

    def record(self, seen: Trace) -> None:
        """Log and count one answered request."""
        self._tally.add(seen)
        monitor = seen.monitor
        if monitor is not None:
            known = self._monitors.get(monitor.key)
            if known is None or known() is not monitor:
                self._monitors[monitor.key] = ref(monitor)
        self._write(self._line(seen))

    def start(self, tell: Callable[[Counts], None] = lambda _: None) -> None:
        """Flush every second or less often, in a thread of its own; then call `tell`."""
        threading.Thread(target=self._run, args=(tell,), name="observer", daemon=True).start()

    def totals(self) -> Counts:
        """Return what all workers have counted: this one until now, others till they flushed."""
        counts = self.flush()
        return counts if self._folder is None else Counts.total(self._folder)

    def monitored(self, counts: Counts) -> dict[str, MonitoredModel]:
        """Return the models that were counted, by their keys."""
        own = {monitor.key: monitor.monitored for monitor in self._living()}
        if self._folder is None:
            return own
        keys = sorted(counts.monitors)
        return {key: own.get(key) or MonitoredModel.read(self._folder, key) for key in keys}

    def flush(self) -> Counts:
        """Write what this worker has counted to its file, and return it."""
        with self._flushing:  # /metrics asks for it too
            living = self._living()
            counts = Counts(self._tally.values(), {each.key: each.counts() for each in living})
            if self._folder is not None:
                for each in living:
                    if each.key not in self._described:
                        each.monitored.write(self._folder, each.key)
                        self._described.add(each.key)
                counts.write(self._folder, os.getpid())
            return counts

    def _living(self) -> list[Monitor]:
        found = [(key, known()) for key, known in list(self._monitors.items())]
        for key, monitor in found:
            if monitor is None and self._monitors[key]() is None:
                del self._monitors[key]
        return [monitor for _, monitor in found if monitor is not None]

    def _run(self, tell: Callable[[Counts], None]) -> None:
        taken = 0.0
        while True:
            time.sleep(max(FLUSH_SECONDS, _PARTS * taken))
            began = time.thread_time()
            with contextlib.suppress(OSError):  # a full disk; the next time may find it better
                tell(self.flush())
            taken = time.thread_time() - began
