"""The channel `test`: rows that are only scored at the very end, and never chosen on."""

from dataclasses import replace

import numpy as np
import xgboost

from sagetree.machine.program import LOG
from sagetree.train.boosting.fitted import Fitted, Rounds
from sagetree.train.boosting.fitter import Fitter
from sagetree.train.boosting.progress import metric_line
from sagetree.train.boosting.rounds import evaluate_rows
from sagetree.train.examples.examples import Examples
from sagetree.train.settings.channel_settings import TEST


def with_test(fitted: Fitted, fitter: Fitter, test: Examples | None) -> Rounds:
    """Return a training's rounds with the metrics of `test` added, and tell them.

    Of several models they are the mean, as for folds.
    """
    if test is None:
        return fitted.rounds
    data = replace(fitter.layout, max_bin=None).data(test)  # the values, not quantiles of them
    of_models = [
        evaluate_rows(
            xgboost.Booster(fitter.params, [data], bytearray(model)),
            [(data, TEST)],
            0,
            fitter.metrics.custom_metric,
        )
        for model in fitted.models
    ]
    values = {
        f"{rows}-{metric}": float(np.mean([found[rows, metric] for found in of_models]))
        for rows, metric in of_models[0]
    }
    LOG.info("Metrics of the test channel, which nothing was chosen on:")
    LOG.info(metric_line(max(fitted.rounds.best) - 1, values))
    return replace(fitted.rounds, metrics={**fitted.rounds.metrics, **values})
