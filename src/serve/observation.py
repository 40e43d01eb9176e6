"""What is noted of one request while it is answered; nothing of it is a value of the request."""

import re
import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sagetree.features.pipeline import FeatureMatrix

if TYPE_CHECKING:
    from serve.drift import Monitor

PHASES = ("decode", "transform", "score", "encode")

TRACE_HEADER = "X-Amzn-Trace-Id"

# AWS X-Ray's form of it; anything else is the client's own text and stays out of the log.
_TRACE = re.compile(r"(?:(?:Root|Self|Parent|Sampled|Lineage)=[0-9a-fA-F:|-]{1,64};?){1,5}")


class Observation:
    """The facts of one request, filled in as they become known.

    Not a frozen record: a request that fails half way keeps what was known by
    then. `marks` holds `time.perf_counter_ns` at the end of each phase.
    """

    __slots__ = (
        "bytes_in", "bytes_out", "finished", "marks", "matrix", "method", "model",
        "monitor", "request_id", "route", "rows", "scores", "start", "status", "trace",
    )  # fmt: skip

    def __init__(self, request_id: str, method: str, route: str, trace: str = "") -> None:
        self.start = time.perf_counter_ns()
        self.finished = 0
        self.request_id = request_id
        self.method = method
        self.route = route
        self.trace = trace
        self.status = 0
        self.rows = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.model = ""
        self.marks: list[int] = []
        self.matrix: FeatureMatrix | None = None
        self.scores: NDArray[np.float32] | None = None
        self.monitor: Monitor | None = None

    def mark(self) -> None:
        """Note that the next of `PHASES` has ended."""
        self.marks.append(time.perf_counter_ns())

    def finish(self, status: int, bytes_out: int) -> None:
        """Note the answer."""
        self.finished = time.perf_counter_ns()
        self.status = status
        self.bytes_out = bytes_out

    def milliseconds(self) -> list[float]:
        """Return the time of each phase that has ended."""
        ends = self.marks
        return [(end - begin) / 1e6 for begin, end in zip([self.start, *ends], ends, strict=False)]

    @property
    def seconds(self) -> float:
        """The time from the request's coming to its answer."""
        return (self.finished - self.start) / 1e9


def trace_id(header: str) -> str:
    """Return the trace header as it may stand in a log; "" for one that is not X-Ray's.

    >>> trace_id("Root=1-67891233-abcdef012345678912345678;Sampled=1")
    'Root=1-67891233-abcdef012345678912345678;Sampled=1'
    >>> trace_id("name=Smith")
    ''
    """
    return header if _TRACE.fullmatch(header) else ""
