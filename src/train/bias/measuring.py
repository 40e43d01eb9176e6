"""What labels and predictions of a job say about its facets, on the held-out rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import orjson

from sagetree.evaluate.bias.analysis import BiasAnalysis, FacetBias, Remedy
from sagetree.evaluate.bias.asked import BIAS_FILE
from sagetree.evaluate.bias.favourable import favourable_predictions
from sagetree.evaluate.bias.measuring import PredictedRows, labels_before, predictions_after
from sagetree.evaluate.metrics.tasks import even_threshold
from sagetree.evaluate.verdict.operating_point import Flags
from sagetree.machine.paths import OptMl
from sagetree.train.boosting.plan import BoostingPlan
from sagetree.train.boosting.results import ValidationResult
from sagetree.train.channels.ingest import Ingested
from sagetree.train.settings.channel_settings import TRAIN


@dataclass(frozen=True)
class CalledRows:
    """The held-out rows, and how they are called: by the job's threshold, None without one.

    `called` says which are positive by what others of them chose, None where the threshold
    is to say it.
    """

    result: ValidationResult
    threshold: float | None
    called: Flags | None = None


def job_bias(
    read: Ingested, plan: BoostingPlan, rows: CalledRows, remedy: Remedy | None
) -> BiasAnalysis | None:
    """Return what train's labels say about the facets, and predictions of held-out rows.

    None where no facets are named. `remedy` is what was done about it.
    """
    facets, label = read.facets, read.schema.label
    if facets is None or label is None:
        return None
    train = read.examples[TRAIN]
    return BiasAnalysis(
        label.name,
        label.classes[facets.favourable],
        labels_before(
            facets.members_of(train.roles), train.labels, facets.favourable, train.roles.weight
        ),
        after_training(read, plan, rows),
        facets.members.notes,
        remedy,
    )


def after_training(read: Ingested, plan: BoostingPlan, rows: CalledRows) -> tuple[FacetBias, ...]:
    """Return the metrics of predictions of held-out rows, none where there are no such rows."""
    facets, left_out = read.facets, rows.result.left_out
    if facets is None or not rows.result.is_measured:
        return ()
    if rows.called is None:
        even = even_threshold(plan.objective)
        threshold = even if rows.threshold is None else rows.threshold
        good = favourable_predictions(
            plan.objective, rows.result.judged, threshold, facets.favourable
        )
    else:
        good = np.asarray(rows.called == bool(facets.favourable))
    predicted = PredictedRows(
        left_out.labels,
        good,
        plan.features,
        lambda some: plan.as_served(left_out.take(some)).matrix,
        left_out.roles.weight,
    )
    return predictions_after(facets.members_of(left_out.roles), predicted, facets.favourable)


def write_bias(opt_ml: OptMl, bias: BiasAnalysis | None) -> None:
    """Write bias_analysis.json, or remove that of an earlier run."""
    path = opt_ml.output_data / BIAS_FILE
    path.unlink(missing_ok=True)
    if bias is not None:
        content: Mapping[str, object] = bias.as_json()
        path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
