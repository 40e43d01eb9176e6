"""What a bundle keeps of training's columns, and of the finished model's scores of their rows."""

import numpy as np

from sagetree.boosters.scoring import Scorer
from sagetree.bundle.baseline import Histogram
from sagetree.bundle.column_baseline import BINS, MOST_ROWS, ColumnBaselines
from sagetree.features.pipeline import FeaturePipeline
from sagetree.train.examples.examples import Examples

# This many rows, times a model's trees, are scored: some hundredths of a second.
MOST_WORK = 5_000_000
LEAST_SCORED, MOST_SCORED = 500, 5000


def measure_columns(
    features: FeaturePipeline, rows: Examples, served: Examples, scorer: Scorer
) -> ColumnBaselines:
    """Return the baselines of the columns that `rows` were made of by `features`.

    `served` are the same rows as the model of `scorer` is given them.
    """
    trees = max(1, sum(scorer.rounds) * scorer.outputs)
    count = min(served.rows, int(np.clip(MOST_WORK // trees, LEAST_SCORED, MOST_SCORED)))
    chosen = served.take(np.linspace(0, served.rows - 1, count).astype(np.intp))
    scores = scorer.score(chosen.matrix, chosen.roles.base_margin).reshape(count, -1)
    found = ColumnBaselines.measure(features, rows.some(MOST_ROWS))
    own = tuple(Histogram.measure(output, BINS) for output in scores.T)
    return found.model_copy(update={"scores": own})
