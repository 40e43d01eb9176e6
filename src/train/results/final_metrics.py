"""The channel `test`: rows that are only scored at the very end, and never chosen on."""

from dataclasses import replace

import numpy as np
import xgboost

from sagetree.machine.program import LOG
from sagetree.train.boosting.plan import BoostingPlan
from sagetree.train.boosting.progress import metric_line
from sagetree.train.boosting.results import TrainedModels, ValidationResult
from sagetree.train.boosting.rounds import evaluate_rows
from sagetree.train.examples.examples import Examples
from sagetree.train.settings.channel_settings import TEST


def with_test_metrics(
    plan: BoostingPlan, trained: TrainedModels, test: Examples | None, threshold: float | None
) -> ValidationResult:
    """Return a training's result with the metrics of `test` added, and log them.

    Of several models they are the mean, as for folds. Rows are called by the
    job's `threshold` where it has one.
    """
    if test is None:
        return trained.validation
    exact = replace(plan.matrices, max_bin=None)  # the values, not quantiles of them
    data = exact.build(plan.as_served(test))
    calibrator = trained.validation.calibrator
    if threshold is not None and calibrator is not None:  # XGBoost's scores are not calibrated
        threshold = float(calibrator.undone(np.array([threshold], np.float32))[0])
    metrics = plan.metrics if threshold is None else plan.metrics.at(threshold)
    of_models = [
        evaluate_rows(
            xgboost.Booster(dict(plan.params), [data], bytearray(model)),
            [(data, TEST)],
            0,
            metrics.custom_metric,
        )
        for model in trained.models
    ]
    values = {
        f"{rows}-{metric}": float(np.mean([found[rows, metric] for found in of_models]))
        for rows, metric in of_models[0]
    }
    LOG.info("Metrics of the test channel, which nothing was chosen on:")
    LOG.info(metric_line(max(trained.validation.best) - 1, values))
    return replace(trained.validation, metrics={**trained.validation.metrics, **values})
