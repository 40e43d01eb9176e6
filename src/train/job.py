"""The walk of a training job: /opt/ml/input to /opt/ml/model."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import orjson

from sagetree.boosters.objectives import Objective
from sagetree.bundle.baseline import MOST_ROWS, Baseline
from sagetree.bundle.bundle import Decision, ModelBundle, Origin
from sagetree.bundle.model import Model
from sagetree.evaluate.metrics.binary import Evaluation
from sagetree.evaluate.metrics.measured import Measured
from sagetree.evaluate.metrics.tasks import evaluate_task
from sagetree.evaluate.verdict.sagemaker import METRICS_KEYS, scalars_json
from sagetree.evaluate.verdict.threshold import choose_threshold
from sagetree.machine.memory import return_freed_memory
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG, check_writable
from sagetree.tables.label import ClassLabel, Label
from sagetree.train.boosting.checkpoints import Checkpoints
from sagetree.train.boosting.ensemble import write_predictions
from sagetree.train.boosting.final_test import with_test
from sagetree.train.boosting.fitted import Rounds
from sagetree.train.boosting.fitter import Fitter
from sagetree.train.boosting.termination import Termination
from sagetree.train.channels.ingest import Ingested, ingest
from sagetree.train.check import warn_of_leakage
from sagetree.train.settings.channel_settings import TEST
from sagetree.train.settings.settings import TRAIN, VALIDATION, TrainSettings
from sagetree.train.summary import summary

METRICS_FILE = "metrics.json"


def run(opt_ml: OptMl, overrides: Mapping[str, str]) -> int:
    """Train on `opt_ml`, write the bundle and metrics.json, and return 0.

    Raises UserError for what the user gave, PlatformError for mounts that
    cannot be written. No half-written model is left in any case.
    """
    for folder in (opt_ml.model, opt_ml.output_data):
        check_writable(folder)
    settings = TrainSettings.read(opt_ml, overrides)
    termination = Termination(saves=settings.checkpointing.save_on_termination).install()
    for note in settings.notes:
        LOG.warning(note)
    read = ingest(opt_ml, settings)
    warn_of_leakage(read, fails=settings.fail_on_leakage)
    data = read.fingerprints()
    return_freed_memory()  # of the tables, before the trees take theirs
    checkpoints = Checkpoints.of_job(opt_ml, settings, data)
    course = termination.course(checkpoints, read.first_model)
    objective = read.goal.objective
    fitter = Fitter(settings.boosting, read.features, objective, read.class_count, course)
    fitted = fitter.fit(read.examples[TRAIN], read.examples.get(VALIDATION))
    rounds = with_test(fitted, fitter, read.examples.get(TEST))
    decision = _decide(rounds) if objective.has_threshold else None
    evaluation = _evaluate(rounds, decision, read, settings)
    bundle = ModelBundle(
        models=fitted.models,
        schema=read.schema,
        features=read.features,
        decision=decision,
        selfcheck=read.stored.check(read.examples[TRAIN].matrix, fitted.models),
        hyperparameters=settings.given,
        data=data,
        metrics={**rounds.metrics, evaluation.headline: evaluation.scalars[evaluation.headline]},
        baseline=Baseline.measure(read.examples[TRAIN].some(MOST_ROWS), rounds.scores),
        origin=Origin(
            seed=settings.boosting.seed,
            threads=fitter.params["nthread"],
            has_checkpoints=checkpoints is not None,
            is_stopped=termination.is_requested,
        ),
    )
    _verify(bundle)
    bundle.save(opt_ml.model)
    _write_metrics(opt_ml, objective, rounds, evaluation)
    if rounds.repeats:
        threshold = decision.threshold if decision else None
        write_predictions(opt_ml.output_data, rounds, objective, threshold)
    LOG.info(summary(rounds, evaluation, decision, opt_ml))
    return 0


def _decide(rounds: Rounds) -> Decision:
    return choose_threshold(rounds.left_out.labels, rounds.scores, where=rounds.rows)


def _evaluate(
    rounds: Rounds, decision: Decision | None, read: Ingested, settings: TrainSettings
) -> Evaluation | Measured:
    label = read.schema.label
    return evaluate_task(
        read.goal.objective,
        rounds.left_out.labels,
        rounds.scores,
        threshold=decision.threshold if decision else None,
        classes=label.classes if isinstance(label, Label | ClassLabel) else (),
        quantiles=np.atleast_1d(settings.boosting.params.get("quantile_alpha", ())).tolist(),
        groups=rounds.left_out.roles.groups if read.goal.is_ranking else None,
        where=rounds.rows,
    )


def _verify(bundle: ModelBundle) -> None:
    """Write the bundle aside, load it as serving does, and compare scores bit for bit."""
    with tempfile.TemporaryDirectory() as folder:
        bundle.save(Path(folder))
        difference = Model.load(Path(folder)).self_check(bundle.selfcheck)
    if difference != 0:
        raise RuntimeError(f"the reloaded model scores its stored rows otherwise, by {difference}")


def _write_metrics(
    opt_ml: OptMl, objective: Objective, rounds: Rounds, evaluation: Evaluation | Measured
) -> None:
    """Write metrics.json: the best round's metrics, and the evaluation of the rows left out."""
    values = {
        name.replace("-", ":", 1): {
            "value": value,
            "standard_deviation": rounds.deviations.get(name, "NaN"),
        }
        for name, value in rounds.metrics.items()
    }
    content: dict[str, object] = {
        METRICS_KEYS[objective.task]: values | scalars_json(evaluation),
        "rounds": rounds.best[0] if len(rounds.best) == 1 else rounds.best,
        "validation_rows": rounds.rows,
    }
    if isinstance(evaluation, Evaluation):
        content["auc_interval"] = evaluation.auc_interval
    path = opt_ml.output_data / METRICS_FILE
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
