"""The counts of all workers as Prometheus reads them: GET /metrics."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from sagetree.bundle.baseline import Histogram, stability_index
from sagetree.serve.telemetry.counts import Counts, MonitorCounts
from sagetree.serve.telemetry.metrics import BUCKETS
from sagetree.serve.telemetry.monitored import MonitoredModel
from sagetree.serve.telemetry.observation import PHASES

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# With fewer rows the index shows chance, not drift: by chance alone it is about
# (bins - 1) / rows.
LEAST_ROWS = 200


# A model's labels: what it is called, and the beginning of its hash.
MODEL_LABELS = ("model", "sha256")


class _Counted(NamedTuple):
    """A model: its labels, what it has, what it was asked."""

    labels: list[str]
    model: MonitoredModel
    counts: MonitorCounts


def exposition(counts: Counts, models: Mapping[str, MonitoredModel]) -> bytes:
    """Return the text of /metrics; `models` are those that were counted, by their keys."""
    counted = [
        _Counted(key.rsplit("\t", 1), model, counts.monitors[key]) for key, model in models.items()
    ]
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families([*_requests(counts), *_cells(counted), *_drift(counted)]))
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


def _cells(counted: Sequence[_Counted]) -> Iterator[Metric]:
    labels = (*MODEL_LABELS, "column")
    missing = CounterMetricFamily("sagetree_missing_values", "Missing cells", labels=labels)
    text = "Cells with a category that training never saw"
    unseen = CounterMetricFamily("sagetree_unseen_categories", text, labels=labels)
    for each in counted:
        for family, numbers in ((missing, each.counts.missing), (unseen, each.counts.unseen)):
            for column, number in zip(each.model.columns, numbers, strict=True):
                family.add_metric((*each.labels, column), number)
    yield missing
    yield unseen


def _drift(counted: Sequence[_Counted]) -> Iterator[Metric]:
    text = "Rows of this hour and the last that are compared with training's"
    compared = GaugeMetricFamily("sagetree_drift_rows", text, labels=MODEL_LABELS)
    index = {
        kind: GaugeMetricFamily(
            f"sagetree_{kind}_psi",
            f"Population stability index of a {kind} against training (0.25: a large shift)",
            labels=(*MODEL_LABELS, label),
        )
        for kind, label in (("feature", "feature"), ("score", "output"))
    }
    shares = GaugeMetricFamily(
        "sagetree_score_rows",
        "Rows by bin of a score, of this hour and the last",
        labels=(*MODEL_LABELS, "output", "bin"),
    )
    for labels, model, counts in counted:
        if model.baseline is None:
            continue
        features = len(model.features)
        outputs = tuple(map(str, range(len(model.baseline.scores))))
        rows = sum(counts.bins[features])  # of the first output
        compared.add_metric(labels, rows)
        scores = list(zip(outputs, model.baseline.scores, counts.bins[features:], strict=True))
        for output, histogram, bins in scores:
            for bound, count in zip(_bin_names(histogram), bins, strict=True):
                shares.add_metric((*labels, output, bound), count)
        if rows < LEAST_ROWS:
            continue
        trained = zip(model.features, model.baseline.features, counts.bins[:features], strict=True)
        for kind, found in (("feature", trained), ("score", scores)):
            for title, histogram, bins in found:
                value = stability_index(histogram.counts, bins)
                index[kind].add_metric((*labels, title), value)
    yield from (compared, *index.values(), shares)


def _bin_names(histogram: Histogram) -> Iterator[str]:
    """Name each bin by the value it ends below."""
    yield from (f"below {edge:g}" for edge in histogram.edges)
    yield "above"
    yield "missing"
