"""The strategy of _kfold: a model of each fold of each repeat, to be served as one."""

from sagetree.boosters.scoring import Scores
from sagetree.train.boosting.folds import rows_left_out
from sagetree.train.boosting.phases import (
    best_boosters,
    boost_until_best,
    fold_data,
    log_best,
    predict_folds,
)
from sagetree.train.boosting.plan import BoostingPlan
from sagetree.train.boosting.results import (
    BestBoosters,
    TrainedModels,
    ValidationResult,
    ensemble_scores,
    to_ubjson,
)
from sagetree.train.examples.examples import Examples, LeftOut


def fit_ensemble(plan: BoostingPlan, rows: Examples) -> TrainedModels:
    """Fit a model on each fold of each repeat; no row is scored by one that has seen it.

    Where the job is stopped, the repeats before that are the ensemble.
    """
    repeats: list[BestBoosters] = []
    scores: list[Scores] = []
    for repeat in range(plan.settings.kfold_repeats):
        folds = plan.splitter.split(rows, repeat=repeat)
        phase, data = f"folds-{repeat}", fold_data(plan, rows, folds)
        result = boost_until_best(plan, phase, data)
        if repeats and result.stopped:  # the repeats before it are whole
            plan.run.check_stopped(repeats[0].best)
            break
        repeats.append(best_boosters(plan, phase, data, result))
        scores.append(predict_folds(plan, repeats[-1], data, rows, folds))
    every = BestBoosters.joined(repeats)
    repeated = f", repeated {len(repeats)} times" if len(repeats) > 1 else ""
    validation = ValidationResult(
        best=tuple(repeat.best for repeat in repeats for _ in repeat.boosters),
        left_out=LeftOut.of(rows, rows_left_out(folds)),
        scores=ensemble_scores(scores, plan.objective),
        metrics=every.means(),
        deviations=every.deviations(),
        rows=f"the rows left out by {len(folds)}-fold cross-validation{repeated}",
        repeats=tuple(scores),
    )
    log_best(every.best, validation.metrics, validation.rows)
    return TrainedModels(to_ubjson(every.boosters), validation)
