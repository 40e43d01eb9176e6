"""statistics.json: what the captured columns and scores are, and how far from training's.

Its shape is of the developer guide, "Schema for Statistics"; `drift_statistics` is ours, where the
schema leaves room for more. The sketch of KLL that may stand beside the buckets is not written:
the buckets are counted over all rows.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sagetree.drift.measures.columns import ColumnDrift
from sagetree.drift.measures.decay import Decay
from sagetree.drift.measures.distribution import Distribution
from sagetree.drift.measures.drift import Drift
from sagetree.drift.measures.scores import ScoreDrift
from sagetree.drift.outputs.kinds import number_type, observed_type
from sagetree.evaluate.report.columns import iso_date

# As Model Monitor has them.
BUCKETS = 10
MOST_CATEGORIES = 100

Json = Mapping[str, object]


def statistics_json(drift: Drift) -> Json:
    """Return the content of statistics.json."""
    capture = drift.capture
    found: dict[str, object] = {
        "version": 0.0,
        "dataset": {"item_count": capture.rows.rows},
        "features": [*map(_column, drift.columns), *map(_score, drift.scores)],
        "drift_statistics": {
            "severity": drift.severity.word,
            "requests": capture.requests,
            "requests_outside_window": capture.outside,
            "requests_without_input": capture.without_input,
            "rows_not_scored": capture.refusals.rows,
            "unknown_columns": dict(capture.refusals.extra),
            "chance_of_each_check": drift.chance,
        },
    }
    if drift.decay is not None:
        found["model_quality"] = _decay(drift.decay)
    return found


def _column(column: ColumnDrift) -> Json:
    cells, rows = column.cells, column.rows
    kind = observed_type(column)
    common = {"num_present": rows - cells.missing, "num_missing": cells.missing}
    found: dict[str, object] = {"name": column.known.name, "inferred_type": kind}
    if kind == "String":
        found["string_statistics"] = _words(column, common)
    elif cells.numbers is not None:
        found["numerical_statistics"] = _numbers(cells.numbers, common)
    return found | {
        "drift_statistics": {
            "severity": column.severity.word,
            "missing_in_training": column.known.missing,
            "unseen": column.unseen,
            **_spread(column.shown),
            **({"not_measured": column.unmeasured} if column.unmeasured else {}),
        }
    }


def _spread(found: Distribution | None) -> Json:
    if found is None:
        return {"stability_index": None, "distance": None}
    return {
        "stability_index": found.index,
        "distance": found.distance,
        "chance": min(found.chance_of_groups, found.chance_of_distance),
    }


def _words(column: ColumnDrift, common: Json) -> Json:
    cells = column.cells
    counts: dict[str, int] = {}
    if cells.codes is not None:
        counts = {**dict(zip(cells.words, cells.counts, strict=True)), **cells.unseen}
    if cells.numbers is not None:
        there = cells.numbers[~np.isnan(cells.numbers)]
        if column.known.is_moment:
            there = np.floor(there)
        values, found = np.unique(there, return_counts=True)
        text = iso_date if column.known.is_moment else "{:.12g}".format
        counts |= {text(v): int(n) for v, n in zip(values.tolist(), found.tolist(), strict=True)}
    there_are = {name: count for name, count in counts.items() if count}
    listed = sorted(there_are, key=lambda name: -there_are[name])[:MOST_CATEGORIES]
    buckets = [{"value": name, "count": there_are[name]} for name in listed]
    return {
        "common": common,
        "distinct_count": len(there_are),
        "distribution": {"categorical": {"buckets": buckets}},
    }


def _numbers(values: NDArray[np.float64], common: Json) -> Json:
    there = values[np.isfinite(values)]
    found: dict[str, object] = {"common": common}
    if not len(there):
        return found
    counts, edges = np.histogram(there, _edges(there))
    return found | {
        "mean": float(there.mean()),
        "sum": float(there.sum()),
        "std_dev": float(there.std()),
        "min": float(there.min()),
        "max": float(there.max()),
        "distribution": {"kll": {"buckets": _buckets(edges.tolist(), counts.tolist())}},
    }


def _edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the edges of buckets of one width; of numbers that are all alike the width is 1."""
    low, high = float(values.min()), float(values.max())
    return np.linspace(low, high if high > low else low + 1.0, BUCKETS + 1)


def _buckets(edges: Sequence[float], counts: Sequence[int]) -> list[Json]:
    return [
        {"lower_bound": low, "upper_bound": high, "count": count}
        for low, high, count in zip(edges, edges[1:], counts, strict=False)
    ]


def _score(score: ScoreDrift) -> Json:
    there = int(np.count_nonzero(~np.isnan(score.values)))
    common = {"num_present": there, "num_missing": len(score.values) - there}
    return {
        "name": score.name,
        "inferred_type": number_type(score.values),
        "numerical_statistics": _numbers(score.values, common),
        "drift_statistics": {"severity": score.severity.word, **_spread(score.spread)},
    }


def _decay(decay: Decay) -> Json:
    return {
        "rows": len(decay.labels.labels),
        "rows_without_label": decay.labels.unmatched,
        "joined_by": decay.labels.key,
        "metric": decay.metric,
        "value": decay.value,
        "in_training": decay.before,
        "standard_deviation_of_difference": decay.deviation,
        "lost": decay.lost,
        **({"not_measured": decay.unmeasured} if decay.unmeasured else {}),
    }
