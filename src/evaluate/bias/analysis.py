"""The bias metrics of all facets, in the shape of Clarify's analysis.json."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sagetree.evaluate.bias.counts import Flags, MetricError, Parts
from sagetree.evaluate.bias.flip_test import Floats, flip_test
from sagetree.evaluate.bias.posttraining import POST_TRAINING
from sagetree.evaluate.bias.pretraining import PRE_TRAINING
from sagetree.tables.facets import Facet, FacetRows

BIAS_FILE = "bias_analysis.json"

_FLIP_TEST = "Flip Test (FT)"


@dataclass(frozen=True)
class Metric:
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
    inside: PartCounts
    outside: PartCounts
    metrics: tuple[Metric, ...]

    def metric(self, name: str) -> Metric:
        """Return a metric by its name."""
        return next(metric for metric in self.metrics if metric.name == name)


@dataclass(frozen=True)
class BiasAnalysis:
    """The facets before training, and after it where predictions are known.

    `favourable` is the label's value that is good for a person.
    """

    label: str
    favourable: str
    before: tuple[FacetBias, ...]
    after: tuple[FacetBias, ...] = ()

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
class Predicted:
    """Which rows (n) are predicted favourably.

    `places` gives what the flip test takes distances of, without the column that it is given.
    """

    favourable: Flags
    places: Callable[[str], Floats]


def measure_labels(
    facets: Sequence[Facet], rows: FacetRows, favourable: Flags
) -> tuple[FacetBias, ...]:
    """Return the metrics before training, of rows whose labels are `favourable` (n)."""
    return tuple(
        _measured(facet, _parts(rows, number, favourable), PRE_TRAINING)
        for number, facet in enumerate(facets)
    )


def measure_predictions(
    facets: Sequence[Facet], rows: FacetRows, favourable: Flags, predicted: Predicted
) -> tuple[FacetBias, ...]:
    """Return the metrics after training, of rows whose labels are `favourable` (n)."""
    found = []
    for number, facet in enumerate(facets):
        parts = _parts(rows, number, favourable, predicted.favourable)

        def flips(parts: Parts, column: str = facet.column) -> float:
            return flip_test(predicted.places(column), parts.inside, predicted.favourable)

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
    return FacetBias(facet.column, facet.value_or_threshold, inside, outside, tuple(found))


def _metric(name: str, words: str, of_parts: Callable[[Parts], float], parts: Parts) -> Metric:
    try:
        return Metric(name, words, of_parts(parts))
    except MetricError as error:
        return Metric(name, words, None, str(error))


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
