"""The bias metrics of all facets, in the shape of Clarify's analysis.json."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.evaluate.bias.counts import Flags, MetricError, Parts
from sagetree.evaluate.bias.flip_test import Floats, flip_test, rows_of_test
from sagetree.evaluate.bias.posttraining import POST_TRAINING
from sagetree.evaluate.bias.pretraining import PRE_TRAINING
from sagetree.tables.facets import Facet, FacetRows

# Metrics of predictions that a remedy is judged by: shares, and who is found among the favourable.
COMPARED = ("DPPL", "RD")

_FLIP_TEST = "Flip Test (FT)"


@dataclass(frozen=True)
class BiasMetric:
    """A metric by Clarify's name; `value` is None where `error` says why there is none."""

    name: str
    description: str
    value: float | None
    error: str = ""

    def as_json(self) -> dict[str, object]:
        """Return it as Clarify writes it."""
        value: object = self.value
        if self.value is not None and math.isinf(self.value):
            value = "Infinity" if self.value > 0 else "-Infinity"
        found = {"name": self.name, "description": self.description, "value": value}
        return found | ({"error": self.error} if self.error else {})


@dataclass(frozen=True)
class PartCounts:
    """A facet's rows, or the others: how many, and those with a favourable label or prediction."""

    rows: int
    labelled: int
    predicted: int | None


@dataclass(frozen=True)
class FacetBias:
    """What was measured of a facet on some rows."""

    column: str
    value: str
    words: str
    inside: PartCounts
    outside: PartCounts
    metrics: tuple[BiasMetric, ...]

    def metric(self, name: str) -> BiasMetric:
        """Return a metric by its name."""
        return next(metric for metric in self.metrics if metric.name == name)


@dataclass(frozen=True)
class Remedy:
    """What weights by facets and label cost in a metric, and what they are for.

    The model `without` them has seen the same rows; `interval` is the 95 % interval of what
    weights change. `facets` are those of its predictions.
    """

    metric: str
    without: float
    value: float
    interval: tuple[float, float]
    facets: tuple[FacetBias, ...]

    def lines(self, after: Sequence[FacetBias]) -> Iterator[str]:
        """Yield what the log says about it; `after` are the facets of the model that is kept."""
        low, high = self.interval
        yield (
            f"reweigh=facet: {self.metric} {self.value:.4f}, without it {self.without:.4f}: "
            f"difference {self.value - self.without:+.4f} (95 % interval {low:+.4f} to {high:+.4f})"
        )
        for facet, before in zip(after, self.facets, strict=True):
            now, then = (one.metric("DPPL").value for one in (facet, before))
            if now is not None and then is not None:
                yield f"{facet.words}: DPPL {now:+.4f}, without it {then:+.4f}"

    def as_json(self, after: Sequence[FacetBias]) -> dict[str, object]:
        """Return it as metrics.json has it; `after` are the facets of the model that is kept."""
        return {
            self.metric: {
                "without": self.without, "with": self.value, "interval": self.interval
            },
            "facets": [
                {"column": facet.column, "value_or_threshold": facet.value}
                | {
                    name: {"without": before.metric(name).value, "with": facet.metric(name).value}
                    for name in COMPARED
                }
                for facet, before in zip(after, self.facets, strict=True)
            ],
        }  # fmt: skip


@dataclass(frozen=True)
class BiasAnalysis:
    """The facets before training, and after it where predictions are known.

    `favourable` is the label's value that is good for a person; `notes` say, in a sentence
    each, what to know of the facets; `remedy` is what was done about it.
    """

    label: str
    favourable: str
    before: tuple[FacetBias, ...]
    after: tuple[FacetBias, ...] = ()
    notes: tuple[str, ...] = ()
    remedy: Remedy | None = None

    def lines(self) -> Iterator[str]:
        """Yield the log's line about each facet: whom labels and predictions favour how often."""
        good = f"{self.label} = {self.favourable}"
        for number, facet in enumerate(self.before):
            line = (
                f"{facet.words} ({facet.inside.rows} of "
                f"{facet.inside.rows + facet.outside.rows} rows): {good} in "
                f"{_shares(facet.inside.labelled, facet.outside.labelled, facet)}"
            )
            after = self.after[number] if self.after else None
            if after and after.inside.predicted is not None and after.outside.predicted is not None:
                shares = _shares(after.inside.predicted, after.outside.predicted, after)
                line += f"; predicted in {shares}"
            yield line
        if self.remedy is not None:
            yield from self.remedy.lines(self.after)

    def as_json(self) -> dict[str, object]:
        """Return the content of Clarify's analysis.json."""
        parts = (
            ("post_training_bias_metrics", self.after),
            ("pre_training_bias_metrics", self.before),
        )
        return {"version": "1.0"} | {
            name: {
                "label": self.label,
                "facets": _by_column(facets),
                "label_value_or_threshold": self.favourable,
            }
            for name, facets in parts
            if facets
        }


@dataclass(frozen=True)
class FavourablePredictions:
    """Which rows (n) are predicted favourably.

    `places` gives what the flip test takes distances of, of all columns but the one that it
    is given, and of these rows.
    """

    favourable: Flags
    places: Callable[[str, NDArray[np.intp]], Floats]


def _shares(inside: int, outside: int, facet: FacetBias) -> str:
    shares = (
        f"{count / rows:.1%}" if rows else "no row"
        for count, rows in ((inside, facet.inside.rows), (outside, facet.outside.rows))
    )
    return "{}, in {} of the others".format(*shares)


def measure_labels(
    facets: Sequence[Facet], rows: FacetRows, favourable: Flags
) -> tuple[FacetBias, ...]:
    """Return the metrics before training, of rows whose labels are `favourable` (n)."""
    return tuple(
        _measured(facet, _parts(rows, number, favourable), PRE_TRAINING)
        for number, facet in enumerate(facets)
    )


def measure_predictions(
    facets: Sequence[Facet], rows: FacetRows, favourable: Flags, predicted: FavourablePredictions
) -> tuple[FacetBias, ...]:
    """Return the metrics after training, of rows whose labels are `favourable` (n)."""
    some = rows_of_test(len(favourable))
    found = []
    for number, facet in enumerate(facets):
        parts = _parts(rows, number, favourable, predicted.favourable)

        def flips(parts: Parts, column: str = facet.column) -> float:
            places = predicted.places(column, some)
            return flip_test(places, parts.inside[some], predicted.favourable[some])

        metrics = {**POST_TRAINING, "FT": (_FLIP_TEST, flips)}
        found.append(_measured(facet, parts, metrics))
    return tuple(found)


def _parts(
    rows: FacetRows, number: int, favourable: Flags, predictions: Flags | None = None
) -> Parts:
    groups = rows.groups[:, number]
    has_groups = bool((groups >= 0).any())
    return Parts(rows.inside[:, number], favourable, groups if has_groups else None, predictions)


def _measured(
    facet: Facet, parts: Parts, metrics: Mapping[str, tuple[str, Callable[[Parts], float]]]
) -> FacetBias:
    found = [_metric(name, *metrics[name], parts) for name in sorted(metrics)]
    inside, outside = (_counts(parts, part) for part in (parts.inside, ~parts.inside))
    value = facet.value_or_threshold
    return FacetBias(facet.column, value, facet.words, inside, outside, tuple(found))


def _metric(name: str, words: str, of_parts: Callable[[Parts], float], parts: Parts) -> BiasMetric:
    try:
        return BiasMetric(name, words, of_parts(parts))
    except MetricError as error:
        return BiasMetric(name, words, None, str(error))


def _counts(parts: Parts, part: Flags) -> PartCounts:
    predictions = parts.predictions
    return PartCounts(
        int(part.sum()),
        int(parts.labels[part].sum()),
        None if predictions is None else int(np.count_nonzero(predictions[part])),
    )


def _by_column(facets: Sequence[FacetBias]) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for facet in facets:
        metrics = [metric.as_json() for metric in facet.metrics]
        entry = {"value_or_threshold": facet.value, "metrics": metrics}
        found.setdefault(facet.column, []).append(entry)
    return found
