"""Metrics for CloudWatch, as lines of the log: its embedded metric format.

CloudWatch Logs makes metrics of such lines, without an agent and without
permissions. Each worker tells what it counted since its last line; the sums
are CloudWatch's to make.
"""

import json
import time
from collections.abc import Callable, Mapping

from sagetree.serve.telemetry.counts import Counts
from sagetree.serve.telemetry.observation import PHASES

NAMESPACE = "sagetree"

# CloudWatch's names of units.
COUNT, BYTES, MILLISECONDS = "Count", "Bytes", "Milliseconds"


class EmfReport:
    """Writes a line of what was counted since the one before, every `interval` seconds."""

    def __init__(
        self, interval: int, write: Callable[[str], None], clock: Callable[[], float] = time.time
    ) -> None:
        self._interval = interval
        self._write = write
        self._clock = clock
        self._next = clock() + interval
        self._before: Mapping[str, float] = {}

    def tell(self, counts: Counts) -> None:
        """Write the line if it is time and there is something to tell."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + self._interval
        models = [key.rpartition("\t")[2] for key in counts.monitors]
        model = models[0] if len(models) == 1 else "-"
        line = emf_line(self._before, counts.values, model, int(now * 1000))
        self._before = counts.values
        if line:
            self._write(line)


def emf_line(
    before: Mapping[str, float], now: Mapping[str, float], model: str, timestamp: int
) -> str:
    """Return the line of what was counted between two moments; "" if no request came.

    `model` becomes the dimension, `timestamp` is in milliseconds since 1970.
    """
    grown = {name: value - before.get(name, 0) for name, value in now.items()}
    statuses = {0: 0.0, 4: 0.0, 5: 0.0}
    for name, value in grown.items():
        if name.startswith("requests\t"):
            kind = int(name.rsplit("\t", 1)[1]) // 100
            statuses[0] += value
            if kind in statuses:
                statuses[kind] += value
    if not statuses[0]:
        return ""
    metrics = {
        "Requests": (statuses[0], COUNT),
        "Errors4XX": (statuses[4], COUNT),
        "Errors5XX": (statuses[5], COUNT),
        "Rows": (grown["rows"], COUNT),
        "BytesIn": (grown["bytes_in"], BYTES),
        "BytesOut": (grown["bytes_out"], BYTES),
    }
    predictions = sum(value for name, value in grown.items() if name.startswith("bucket\t"))
    if predictions:
        metrics["Latency"] = (grown["seconds"] / predictions * 1000, MILLISECONDS)
        for phase in PHASES:
            mean = grown[f"phase\t{phase}"] / predictions * 1000
            metrics[f"{phase.capitalize()}Latency"] = (mean, MILLISECONDS)
    definitions = [{"Name": name, "Unit": unit} for name, (_, unit) in metrics.items()]
    metadata = {
        "Timestamp": timestamp,
        "CloudWatchMetrics": [
            {"Namespace": NAMESPACE, "Dimensions": [["Model"]], "Metrics": definitions},
        ],
    }
    values = {name: round(value, 3) for name, (value, _) in metrics.items()}
    return json.dumps({"_aws": metadata, "Model": model, **values})
