"""The walk of a training job: /opt/ml/input to /opt/ml/model."""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import orjson

from sagetree.boosters.objectives import Objective
from sagetree.boosters.scoring import Scorer
from sagetree.bundle.baseline import MOST_ROWS, Baseline
from sagetree.bundle.bundle import DataFingerprint, ModelBundle, Origin
from sagetree.bundle.model import Model
from sagetree.decisions.decision import Decision
from sagetree.evaluate.bias.analysis import BiasAnalysis
from sagetree.evaluate.cases import TrainingRecord
from sagetree.evaluate.importance import Importance
from sagetree.evaluate.metrics.binary import Evaluation
from sagetree.evaluate.metrics.measured import Measured
from sagetree.evaluate.metrics.tasks import evaluate_task
from sagetree.evaluate.report.subject import JudgedRows, Subject
from sagetree.evaluate.report.writing import REPORT_FILE, write_report
from sagetree.evaluate.verdict.learnt import why_nothing
from sagetree.evaluate.verdict.operating_point import Flags, OperatingPoint
from sagetree.evaluate.verdict.sagemaker import METRICS_KEYS, scalars_json
from sagetree.machine.allocator import return_freed_memory
from sagetree.machine.cores import usable_cores
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG, check_writable
from sagetree.train.bias import CalledRows, job_bias, write_bias
from sagetree.train.boosting.checkpoints import Checkpoints
from sagetree.train.boosting.plan import BoostingPlan, RunOptions
from sagetree.train.boosting.results import TrainedModels, ValidationResult
from sagetree.train.boosting.scale import tell_scale, tell_splits, tell_yielding
from sagetree.train.boosting.strategies import fit
from sagetree.train.boosting.termination import Termination
from sagetree.train.calibration.choosing import calibrate
from sagetree.train.channels.ingest import Ingested, ingest
from sagetree.train.column_baselines import measure_columns
from sagetree.train.deciding import called_out_of_part, decide, held_out_point
from sagetree.train.examples.examples import Examples
from sagetree.train.final_metrics import with_test_metrics
from sagetree.train.importance import measure_importance
from sagetree.train.predictions_file import PREDICTIONS_FILE, write_predictions
from sagetree.train.reweighing import measure_remedy
from sagetree.train.settings.channel_settings import TEST, TRAIN, VALIDATION
from sagetree.train.settings.configuration import read_settings
from sagetree.train.summary import summary, warn_of_nothing_learnt
from sagetree.train.tuning.tuned import Tuned, fit_tuned

METRICS_FILE = "metrics.json"


def run(opt_ml: OptMl, overrides: Mapping[str, str]) -> int:
    """Train on `opt_ml`, write the bundle and metrics.json, and return 0.

    Raises UserError for what the user gave, PlatformError for mounts that
    cannot be written. No half-written model is left in any case.
    """
    for folder in (opt_ml.model, opt_ml.output_data):
        check_writable(folder)
    settings = read_settings(opt_ml, overrides)
    termination = Termination(saves=settings.checkpointing.save_on_termination).install()
    read = ingest(opt_ml, settings)
    settings = read.settings
    read.leakage().tell(fails=settings.fail_on_leakage)
    data = read.fingerprints()
    return_freed_memory()  # of the tables, before the trees take theirs
    checkpoints = Checkpoints.of_job(settings, data)
    options = termination.begin(checkpoints, read.first_model)
    read, plan, fitted, tuning = _fit(read, options, checkpoints)
    train = read.examples[TRAIN]
    trained = calibrate(plan, fitted, read.examples.get(VALIDATION))
    tell_splits(plan, train, trained.models)
    judged = _judge(plan, trained, read)
    result, evaluation = judged.result, judged.evaluation
    origin = _origin(plan, trained, is_stopped=termination.is_requested, checkpoints=checkpoints)
    bundle = _bundle(plan, trained, judged, read, data, origin)
    _save(replace(bundle, tuning=tuning), opt_ml.model)
    called = CalledRows(result, judged.threshold, judged.called)
    bias = job_bias(read, plan, called, measure_remedy(read, plan, result))
    rows = plan.as_served(read.examples.get(VALIDATION, train))
    importance = measure_importance(trained.models, plan.features, rows)
    point = held_out_point(result, judged.decision, judged.called)
    _write_results(opt_ml, _metrics(plan.objective, judged, importance, point, bias))
    write_bias(opt_ml, bias)
    _write_repeats(opt_ml, plan.objective, result, judged.threshold)
    LOG.info(summary(result, evaluation, judged.decision, read.schema.label, importance, opt_ml))
    for line in bias.lines() if bias else ():
        LOG.info("%s", line)
    warn_of_nothing_learnt(trained.models, result, evaluation)
    if settings.has_report:
        _write_report(opt_ml, plan, read, judged, point, bias)
    return 0


def _fit(read: Ingested, options: RunOptions, checkpoints: Checkpoints | None) -> Tuned:
    """Fit the models, by what the settings say or by what a search finds."""
    settings, train, classes = read.settings, read.examples[TRAIN], read.class_count
    plan = BoostingPlan.of(
        settings.boosting, read.schema, read.features, train, classes=classes, run=options
    )
    tell_scale(plan, train)
    tell_yielding(plan)
    if settings.tuning is not None:
        return fit_tuned(read, settings.tuning, options, checkpoints)
    return Tuned(read, plan, fit(plan, train, read.examples.get(VALIDATION)), None)


@dataclass(frozen=True)
class _Judged:
    """The threshold, None where scores have none, and what is known of the held-out rows.

    `called` says which of these are positive by what others of them chose.
    """

    decision: Decision | None
    called: Flags | None
    result: ValidationResult
    evaluation: Evaluation | Measured | None

    @property
    def threshold(self) -> float | None:
        """The score from which rows are called positive."""
        return self.decision.threshold if self.decision else None


def _judge(plan: BoostingPlan, trained: TrainedModels, read: Ingested) -> _Judged:
    decision = decide(trained.validation, plan.objective, read.settings.decision)
    threshold = decision.threshold if decision else None
    called = called_out_of_part(trained.validation, decision)
    result = with_test_metrics(plan, trained, read.examples.get(TEST), threshold)
    return _Judged(decision, called, result, _evaluate(result, threshold, called, read))


def _bundle(
    plan: BoostingPlan,
    trained: TrainedModels,
    judged: _Judged,
    read: Ingested,
    data: Mapping[str, DataFingerprint],
    origin: Origin,
) -> ModelBundle:
    served, result = plan.as_served(read.examples[TRAIN]), judged.result
    return ModelBundle(
        models=trained.models,
        schema=read.schema,
        features=plan.features,
        decision=judged.decision,
        selfcheck=read.stored.check(served, trained.models, result.calibrator),
        hyperparameters=read.settings.given,
        data=data,
        metrics={**result.metrics, **_headline(judged.evaluation)},
        baseline=_baseline(plan, served, result),
        origin=origin,
        rows=read.known_as(served),
        curve=result.curve,
        calibration=result.calibrator,
        # of the categories themselves, not of what stands for them
        columns=measure_columns(
            read.features,
            read.examples[TRAIN],
            served,
            Scorer.load(*trained.models, calibration=result.calibrator),
        ),
    )


def _evaluate(
    result: ValidationResult, threshold: float | None, called: Flags | None, read: Ingested
) -> Evaluation | Measured | None:
    """Return the measures of the held-out rows, None where there are none."""
    if not result.is_measured:
        return None
    label = read.schema.label
    evaluation = evaluate_task(
        read.goal.objective,
        result.left_out.labels,
        result.judged,
        threshold=threshold,
        called=called,
        classes=label.classes if label else (),
        quantiles=np.atleast_1d(read.settings.boosting.params.get("quantile_alpha", ())).tolist(),
        groups=result.left_out.roles.groups if read.goal.is_ranking else None,
        weights=result.left_out.roles.weight,
        copies=result.left_out.copies,
        of_folds=result.is_of_folds,
        where=result.rows,
    )
    found = result.calibration
    if isinstance(evaluation, Evaluation) and found and found.calibration and found.after:
        # that of these rows would be too good: the calibration is fitted on them
        scalars = {**evaluation.scalars, "logloss": found.after.logloss}
        return replace(evaluation, scalars=scalars)
    return evaluation


def _baseline(plan: BoostingPlan, served: Examples, result: ValidationResult) -> Baseline | None:
    if not result.is_measured:
        return None
    rows = served.some(MOST_ROWS)
    return Baseline.measure(plan.features.in_own_units(rows), result.scores)


def _origin(
    plan: BoostingPlan,
    trained: TrainedModels,
    *,
    is_stopped: bool,
    checkpoints: Checkpoints | None,
) -> Origin:
    return Origin(
        seed=plan.settings.seed,
        threads=plan.threads,
        has_checkpoints=checkpoints is not None,
        is_stopped=is_stopped,
        max_depth=trained.depth,
    )


def _headline(evaluation: Evaluation | Measured | None) -> dict[str, float]:
    if evaluation is None:
        return {}
    return {evaluation.headline: evaluation.scalars[evaluation.headline]}


def _save(bundle: ModelBundle, folder: Path) -> None:
    """Write the bundle, once one aside, loaded as serving does, has the same scores to the bit."""
    with tempfile.TemporaryDirectory() as aside:
        bundle.save(Path(aside))
        difference = Model.load(Path(aside)).self_check(bundle.selfcheck)
    if difference != 0:
        raise RuntimeError(f"the reloaded model scores its stored rows differently: {difference}")
    bundle.save(folder)


def _write_results(opt_ml: OptMl, metrics: Mapping[str, object]) -> None:
    """Write metrics.json; the report of an earlier run is on another model."""
    (opt_ml.output_data / REPORT_FILE).unlink(missing_ok=True)
    path = opt_ml.output_data / METRICS_FILE
    path.write_bytes(orjson.dumps(metrics, option=orjson.OPT_INDENT_2))


def _write_report(
    opt_ml: OptMl,
    plan: BoostingPlan,
    read: Ingested,
    judged: _Judged,
    point: OperatingPoint | None,
    bias: BiasAnalysis | None,
) -> None:
    """Write the report on the rows left out, or log why there is none."""
    result, evaluation = judged.result, judged.evaluation
    if evaluation is None:
        LOG.warning("Warning: no report is written: no rows were left out to report on")
        return
    left_out = result.left_out
    # what chose the rounds is not new to the job, but no tree has learnt from it
    are_new = left_out is read.examples.get(VALIDATION)
    matrix = plan.as_served(left_out).matrix
    rows = JudgedRows(matrix, left_out.labels, result.judged, left_out.roles, result.rows, are_new)
    model = Model.load(opt_ml.model, threads=usable_cores())
    why = why_nothing(evaluation)
    warnings = (f"the model has learnt nothing that these rows show: {why}",) if why else ()
    training = TrainingRecord.of(opt_ml.model)
    subject = Subject(
        model,
        read.schema.label,
        training,
        rows,
        evaluation,
        warnings=warnings,
        point=point,
        bias=bias,
    )
    write_report(opt_ml.output_data, subject, with_card=False)
    LOG.info("Report: %s", opt_ml.output_data / REPORT_FILE)


def _write_repeats(
    opt_ml: OptMl, objective: Objective, result: ValidationResult, threshold: float | None
) -> None:
    """Write what repeated cross-validation predicted of each row; remove that of an earlier run."""
    (opt_ml.output_data / PREDICTIONS_FILE).unlink(missing_ok=True)
    if result.repeats:
        write_predictions(opt_ml.output_data, result, objective, threshold)


def _metrics(
    objective: Objective,
    judged: _Judged,
    importance: Mapping[str, Importance],
    point: OperatingPoint | None,
    bias: BiasAnalysis | None,
) -> dict[str, object]:
    """Return the best round's metrics, the evaluation of the rows left out, and the importance."""
    result, evaluation = judged.result, judged.evaluation
    values = {
        name.replace("-", ":", 1): {
            "value": value,
            "standard_deviation": result.deviations.get(name, "NaN"),
        }
        for name, value in result.metrics.items()
    }
    content: dict[str, object] = {
        METRICS_KEYS[objective.task]: values | (scalars_json(evaluation) if evaluation else {}),
        "rounds": result.best[0] if len(result.best) == 1 else result.best,
        "validation_rows": result.rows,
        "importance": {name: found.measured() for name, found in importance.items()},
    }
    if isinstance(evaluation, Evaluation):
        content["auc_interval"] = evaluation.auc_interval
    if result.calibration is not None:
        content["calibration"] = result.calibration.as_json()
    if point is not None:
        content["operating_point"] = asdict(point)
    if bias is not None and bias.remedy is not None:
        content["reweighing"] = bias.remedy.as_json(bias.after)
    return content
