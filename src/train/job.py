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
from sagetree.bundle.bundle import ModelBundle, Origin
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
from sagetree.machine.cores import usable_cores
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG, check_writable
from sagetree.train.bias.measuring import CalledRows, job_bias, write_bias
from sagetree.train.bias.reweighing import measure_remedy
from sagetree.train.boosting.plan import BoostingPlan
from sagetree.train.boosting.results import TrainedModels, ValidationResult
from sagetree.train.calibration.choosing import calibrate
from sagetree.train.channels.ingest import Ingested
from sagetree.train.examples.examples import Examples
from sagetree.train.hosts.cluster import DEFAULT_CLUSTER, Cluster
from sagetree.train.hosts.opening import open_group
from sagetree.train.hosts.other_gpus import other_gpus
from sagetree.train.hosts.resource_config import Hosts
from sagetree.train.learning import Learnt, learn
from sagetree.train.results.column_baselines import measure_columns
from sagetree.train.results.deciding import called_out_of_part, decide, held_out_point
from sagetree.train.results.final_metrics import with_test_metrics
from sagetree.train.results.importance import measure_importance
from sagetree.train.results.predictions_file import PREDICTIONS_FILE, write_predictions
from sagetree.train.results.summary import summary, warn_of_nothing_learnt
from sagetree.train.settings.channel_settings import TEST, VALIDATION
from sagetree.train.settings.configuration import count_gpus, find_hosts, read_settings
from sagetree.train.termination import Termination

METRICS_FILE = "metrics.json"


def run(opt_ml: OptMl, overrides: Mapping[str, str], cluster: Cluster = DEFAULT_CLUSTER) -> int:
    """Train on `opt_ml`, write the bundle and metrics.json, and return 0.

    The hosts of a job walk together; `cluster` says where they meet. So do the GPUs of a
    machine, a process for each. Raises UserError for what the user gave, PlatformError for
    mounts that cannot be written and for hosts that are lost. No half-written model is left
    in any case.
    """
    gpus = count_gpus(opt_ml, overrides)
    if gpus > 1:
        return run_on_gpus(opt_ml, overrides, gpus, cluster)
    return walk(opt_ml, overrides, find_hosts(opt_ml), cluster)


def run_on_gpus(
    opt_ml: OptMl, overrides: Mapping[str, str], count: int, cluster: Cluster = DEFAULT_CLUSTER
) -> int:
    """Train with a process for each of `count` GPUs, as so many hosts that read the same files."""
    LOG.info("The %d GPUs of this machine train together, a process for each", count)
    here = cluster.on_this_machine()
    with other_gpus(opt_ml, overrides, count, here):
        return walk(opt_ml, overrides, Hosts.of_gpus(count), here)


def walk(opt_ml: OptMl, overrides: Mapping[str, str], hosts: Hosts, cluster: Cluster) -> int:
    """Walk as one of `hosts`, from the channels to the model. Returns and raises as `run`."""
    report = None if hosts.machine and hosts.rank else opt_ml.failure
    with open_group(hosts, cluster, report) as group:
        with group.settling():  # what only one host cannot do ends all
            for folder in (opt_ml.model, opt_ml.output_data):
                check_writable(folder)
            settings = read_settings(opt_ml, overrides, hosts if hosts.machine else None)
        termination = Termination(saves=settings.checkpointing.save_on_termination).install()
        learnt = learn(opt_ml, settings, termination, group)
        group.part()  # what follows is of the leader alone: XGBoost exchanges nothing any more
        if group.is_leader:
            _finish(opt_ml, learnt, is_stopped=termination.is_requested)
        else:
            LOG.info("Done: host %s writes the model", group.names[0])
    return 0


def _finish(opt_ml: OptMl, learnt: Learnt, *, is_stopped: bool) -> None:
    """Calibrate, judge and save the model, and write what is known of it."""
    plan, read = learnt.plan, learnt.read
    trained = calibrate(plan, learnt.trained, read.examples.get(VALIDATION))
    learnt = replace(learnt, trained=trained)
    judged = _judge(plan, trained, read)
    result, evaluation = judged.result, judged.evaluation
    _save(_bundle(learnt, judged, is_stopped=is_stopped), opt_ml.model)
    called = CalledRows(result, judged.threshold, judged.called)
    bias = job_bias(read, plan, called, measure_remedy(read, plan, result))
    validation = read.examples.get(VALIDATION)
    rows = learnt.sample if validation is None else plan.as_served(validation)
    importance = measure_importance(trained.models, plan.features, rows)
    point = held_out_point(result, judged.decision, judged.called)
    _write_results(opt_ml, _metrics(plan.objective, judged, importance, point, bias))
    write_bias(opt_ml, bias)
    _write_repeats(opt_ml, plan.objective, result, judged.threshold)
    LOG.info(summary(result, evaluation, judged.decision, read.schema.label, importance, opt_ml))
    for line in bias.lines() if bias else ():
        LOG.info("%s", line)
    warn_of_nothing_learnt(trained.models, result, evaluation)
    if read.settings.has_report:
        _write_report(opt_ml, plan, read, judged, point, bias)


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


def _bundle(learnt: Learnt, judged: _Judged, *, is_stopped: bool) -> ModelBundle:
    plan, read, result = learnt.plan, learnt.read, judged.result
    models, calibrator = learnt.trained.models, result.calibrator
    return ModelBundle(
        models=models,
        schema=read.schema,
        features=plan.features,
        decision=judged.decision,
        selfcheck=learnt.stored.check(learnt.stored_in, models, calibrator),
        hyperparameters=read.settings.given,
        data=learnt.data,
        metrics={**result.metrics, **_headline(judged.evaluation)},
        baseline=_baseline(plan, learnt.sample, result),
        origin=_origin(learnt, is_stopped=is_stopped),
        rows=learnt.known,
        curve=result.curve,
        calibration=calibrator,
        tuning=learnt.tuning,
        columns=measure_columns(
            read.features,
            learnt.own_sample,
            learnt.sample,
            Scorer.load(*models, calibration=calibrator),
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


def _baseline(plan: BoostingPlan, sample: Examples, result: ValidationResult) -> Baseline | None:
    if not result.is_measured:
        return None
    rows = sample.some(MOST_ROWS)
    return Baseline.measure(plan.features.in_own_units(rows), result.scores)


def _origin(learnt: Learnt, *, is_stopped: bool) -> Origin:
    chosen = dict(learnt.trained.chosen)
    depth = chosen.pop("max_depth", None)
    return Origin(
        seed=learnt.plan.settings.seed,
        threads=learnt.plan.threads,
        has_checkpoints=learnt.has_checkpoints,
        is_stopped=is_stopped,
        max_depth=None if depth is None else int(depth),
        chosen=chosen,
        hosts=learnt.plan.group.size,
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
    """Write the report on the held-out rows, or log why there is none."""
    result, evaluation = judged.result, judged.evaluation
    if evaluation is None:
        LOG.warning("Warning: no report is written: no rows were held out to report on")
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
    """Return the best round's metrics, the evaluation of the held-out rows, and the importance."""
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
