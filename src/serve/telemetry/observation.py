"""What is noted of one request while it is answered; nothing of it is a value of the request."""

import re
from collections.abc import Container
from time import perf_counter
from typing import TYPE_CHECKING

# The master process has these names in its imports, and must not load numpy before it listens.
if TYPE_CHECKING:
    from sagetree.boosters.scoring import Scores
    from sagetree.features.pipeline import FeatureMatrix
    from sagetree.serve.telemetry.drift import Monitor

PHASES = ("decode", "transform", "score", "encode")

TRACE_HEADER = "x-amzn-trace-id"

# AWS X-Ray's form of it; anything else is the client's own text and stays out of the log.
_TRACE = re.compile(r"(?:(?:Root|Self|Parent|Sampled|Lineage)=[0-9a-fA-F:|-]{1,64};?){1,5}")


class Trace:
    """The facts of one request, noted as they become known.

    Not a frozen record: a request that fails half way keeps what was known by
    then. `phase_seconds` holds the time of each phase that has ended, `seconds`
    that from the request's coming to its answer; `route` is the rule, never the
    path; `error` and `reason` say why it was refused. `columns` are the names
    that are the model's own, not the request's.
    """

    __slots__ = (
        "bytes_in", "bytes_out", "columns", "error", "last", "method", "model", "monitor",
        "phase_seconds", "reason", "request_id", "route", "rows", "seconds", "start", "status",
        "trace_id",
    )  # fmt: skip

    def __init__(self, request_id: str, method: str, route: str, bytes_in: int) -> None:
        self.start = self.last = perf_counter()
        self.seconds = 0.0
        self.request_id = request_id
        self.method = method
        self.route = route
        self.bytes_in = bytes_in
        self.trace_id = ""
        self.status = 0
        self.rows = 0
        self.bytes_out = 0
        self.model = ""
        self.columns: Container[str] = ()
        self.error = self.reason = ""
        self.phase_seconds: dict[str, float] = {}
        self.monitor: Monitor | None = None

    def reached(self, phase: str) -> None:
        """Note that a phase of the walk (one of `PHASES`) has ended."""
        now = perf_counter()
        taken = self.phase_seconds
        # again and again, where rows come in slices
        taken[phase] = taken.get(phase, 0.0) + now - self.last
        self.last = now

    def scored(self, monitor: "Monitor", matrix: "FeatureMatrix", scores: "Scores") -> None:
        """Give scored rows to the counts of their model, each slice of a large body at once."""
        self.monitor = monitor
        self.model = self.model or monitor.hash  # a server of many has named it
        monitor.note(matrix, scores)

    def finish(self, status: int, bytes_out: int) -> None:
        """Note the answer."""
        self.seconds = perf_counter() - self.start
        self.status = status
        self.bytes_out = bytes_out


def trace_id(header: str) -> str:
    """Return the trace header as it may stand in a log; "" for one that is not X-Ray's.

    >>> trace_id("Root=1-67891233-abcdef012345678912345678;Sampled=1")
    'Root=1-67891233-abcdef012345678912345678;Sampled=1'
    >>> trace_id("name=Smith")
    ''
    """
    return header if header and _TRACE.fullmatch(header) else ""
