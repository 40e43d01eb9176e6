"""The counts of all workers as Prometheus reads them: GET /metrics."""

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from sagetree.baseline import Histogram, stability_index
from serve.counts import Counts, MonitorCounts
from serve.drift import Monitor
from serve.metrics import BUCKETS
from serve.observation import PHASES

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# With fewer rows the index shows chance, not drift: by chance alone it is about
# (bins - 1) / rows.
LEAST_ROWS = 200


def exposition(counts: Counts, monitor: Monitor | None) -> bytes:
    """Return the text of /metrics; `monitor` has the names and the baseline of the model."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families([*_requests(counts), *_model(counts, monitor)]))
    text: bytes = generate_latest(registry)
    return text


class _Families(Collector):
    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _requests(counts: Counts) -> Iterator[Metric]:
    values = counts.values
    requests = CounterMetricFamily(
        "sagetree_requests", "Requests answered", labels=("method", "route", "status")
    )
    for name, value in sorted(values.items()):
        if name.startswith("requests\t"):
            requests.add_metric(name.split("\t")[1:], value)
    yield requests
    for name, text in (
        ("rows", "Rows scored"),
        ("bytes_in", "Bytes of request bodies"),
        ("bytes_out", "Bytes of answers"),
    ):
        yield CounterMetricFamily(f"sagetree_{name}", text, value=values.get(name, 0))
    yield _times(counts)
    phases = CounterMetricFamily(
        "sagetree_phase_seconds", "Time of predictions by phase", labels=("phase",)
    )
    for phase in PHASES:
        phases.add_metric((phase,), values.get(f"phase\t{phase}", 0))
    yield phases


def _times(counts: Counts) -> Metric:
    total, buckets = 0.0, []
    for place, bound in enumerate((*map(str, BUCKETS), "+Inf")):
        total += counts.values.get(f"bucket\t{place}", 0)
        buckets.append((bound, total))
    text = "Time from a prediction's request to its answer"
    seconds = counts.values.get("seconds", 0)
    return HistogramMetricFamily("sagetree_request_seconds", text, buckets, seconds)


def _model(counts: Counts, monitor: Monitor | None) -> Iterator[Metric]:
    found = counts.monitors.get(monitor.key) if monitor else None
    if monitor is None or found is None:
        return
    for name, text, numbers in (
        ("missing_values", "Missing cells", found.missing),
        ("unseen_categories", "Cells with a category that training never saw", found.unseen),
    ):
        family = CounterMetricFamily(f"sagetree_{name}", text, labels=("column",))
        for column, number in zip(monitor.columns, numbers, strict=True):
            family.add_metric((column,), number)
        yield family
    if monitor.baseline is not None:
        yield from _drift(found, monitor)


def _drift(found: MonitorCounts, monitor: Monitor) -> Iterator[Metric]:
    baseline = monitor.baseline
    assert baseline is not None  # noqa: S101 - the caller looked
    features, outputs = len(baseline.features), len(baseline.scores)
    rows = sum(found.bins[features])  # of the first output
    text = "Rows of this hour and the last that are compared with training's"
    yield GaugeMetricFamily("sagetree_drift_rows", text, value=rows)
    for name, label, titles, histograms, bins in (
        ("feature", "feature", monitor.features, baseline.features, found.bins[:features]),
        ("score", "output", range(outputs), baseline.scores, found.bins[features:]),
    ):
        text = f"Population stability index of a {name} against training (0.25: a large shift)"
        index = GaugeMetricFamily(f"sagetree_{name}_psi", text, labels=(label,))
        shares = GaugeMetricFamily(
            f"sagetree_{name}_rows",
            f"Rows by bin of a {name}, of this hour and the last",
            labels=(label, "bin"),
        )
        for title, histogram, counts in zip(titles, histograms, bins, strict=True):
            if rows >= LEAST_ROWS:
                index.add_metric((str(title),), stability_index(histogram.counts, counts))
            for bound, count in zip(_bin_names(histogram), counts, strict=True):
                shares.add_metric((str(title), bound), count)
        yield index
        if name == "score":
            yield shares


def _bin_names(histogram: Histogram) -> Iterator[str]:
    """Name each bin by the value it ends below."""
    yield from (f"below {edge:g}" for edge in histogram.edges)
    yield "above"
    yield "missing"
