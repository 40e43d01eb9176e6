"""The walk of an evaluation: a model and labelled rows to metrics and a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from sagetree.boosters.best_rounds import Rounds
from sagetree.boosters.objectives import Objective
from sagetree.boosters.scoring import Scores
from sagetree.bundle.absent_cells import AbsentCells
from sagetree.bundle.archive import ARCHIVE, open_model
from sagetree.bundle.model import Model
from sagetree.bundle.training_rows import TrainingRows, row_hashes
from sagetree.errors import DataError, SettingsError
from sagetree.evaluate.cases import labelled_rows, training_rows
from sagetree.evaluate.metrics.binary import Evaluation
from sagetree.evaluate.metrics.curves import curves_json
from sagetree.evaluate.metrics.measured import Measured
from sagetree.evaluate.metrics.tasks import evaluate_task, even_threshold
from sagetree.evaluate.verdict.data import DataReport
from sagetree.evaluate.verdict.gate import Gate, MetricVerdict, Verdict, decide, decide_by
from sagetree.evaluate.verdict.learnt import why_nothing
from sagetree.evaluate.verdict.operating_point import OperatingPoint, operating_point
from sagetree.evaluate.verdict.sagemaker import evaluation_json
from sagetree.features.pipeline import FeatureMatrix
from sagetree.features.plan import LabelledRows
from sagetree.files.header import header_rule
from sagetree.files.reading import read_table
from sagetree.machine.cores import usable_cores
from sagetree.machine.paths import BASE_DIR_VARIABLE, OptMl
from sagetree.machine.program import LOG
from sagetree.tables.label import AnyLabel, Label
from sagetree.tables.table import Table

# What these metrics are of is said once, as what the verdict's metric would be.
_CONSTANT = "_best_constant_classifier"

REJECTED = 1


@dataclass(frozen=True)
class EvaluateSettings:
    """What the command line says; `threshold` None is the model's own, `gate` None the default."""

    threshold_auc: float
    threshold: float | None
    fail_below: bool
    gate: Gate | None = None
    rounds: Rounds = "best"


def run(opt_ml: OptMl, settings: EvaluateSettings) -> int:
    """Evaluate processing/model on processing/test and return the exit code.

    Writes evaluation.json and decision.json to processing/evaluation. The code
    is 1 for a rejected model if `fail_below` is set, else 0. Raises UserError
    for a model or rows that cannot be used.
    """
    _check_inputs(opt_ml)
    with open_model(opt_ml.processing / "model") as folder:
        model = Model.load(folder, threads=usable_cores(), rounds=settings.rounds, distrust=True)
        known = training_rows(folder)
    for note in model.notes:
        LOG.info("Model: %s", note)
    where = str(opt_ml.processing / "test")
    plan, rows = labelled_rows(_read(opt_ml.processing / "test", model), model)
    made = model.matrix(rows.inputs)
    scores = model.scorer.score(made.values, rows.roles.base_margin)
    data = _compared(rows, made, model, known)
    evaluation = evaluate_task(
        model.objective,
        rows.labels,
        scores,
        threshold=_threshold(settings, model),
        classes=plan.label.classes,
        quantiles=model.scorer.quantiles,
        groups=rows.roles.groups,
        weights=rows.roles.weight,
        where=where,
    )
    verdict = data.judged(_verdict(settings, evaluation))
    is_binary = model.objective.task == "binary"
    curves = curves_json(rows.labels, scores, rows.roles.weight) if is_binary else {}
    point = _operating_point(evaluation, model, rows, scores)
    contents = {
        "evaluation.json": evaluation_json(evaluation, model.objective.task, curves, point),
        "decision.json": verdict.as_json() | {"test_rows": data.as_json()},
    }
    _write(opt_ml.processing / "evaluation", contents)
    LOG.info(_summary(evaluation, verdict, _meant(plan.label, model.objective), point))
    why = why_nothing(evaluation)
    nothing = why and f"the model has learnt nothing that the test rows show: {why}"
    for warning in filter(None, (nothing, verdict.warning, *data.warnings)):
        LOG.warning("WARNING: %s", warning)
    return REJECTED if settings.fail_below and not verdict.approved else 0


def _check_inputs(opt_ml: OptMl) -> None:
    for folder, meant in (("model", ARCHIVE), ("test", "CSV or Parquet files with the label")):
        path = opt_ml.processing / folder
        if not path.exists():
            raise SettingsError(
                "there is no such folder",
                where=str(path),
                hint=f"Put {meant} there, name another folder than {opt_ml.root} by "
                f"{BASE_DIR_VARIABLE}, or name your own (sagetree evaluate MODEL TEST.csv)",
            )


def _read(folder: Path, model: Model) -> Table:
    """Return the labelled rows; a header is known by the trained names, or by its looks."""

    def tell(sentence: str) -> None:
        LOG.warning("%s: %s. If it is not, name the columns as in training", folder.name, sentence)

    table = read_table(folder, header_rule((), model.schema.is_header, tell))
    if len(table.names) < 2:
        raise DataError(
            "there is one column, where label and features are needed",
            where=table.locate(0),
            hint="Separate the cells by commas",
        )
    known = {*model.schema.all_names, *(model.schema.label.columns if model.schema.label else ())}
    if table.named and not model.schema.named and known.isdisjoint(table.names):
        LOG.info("The model knows no names of columns: they are taken in their order")
        return table._replace(named=False)
    return table


def _compared(
    rows: LabelledRows, made: FeatureMatrix, model: Model, known: TrainingRows | None
) -> DataReport:
    """Return how the rows, and the features made of them, compare with training's."""
    return DataReport(
        model.schema,
        AbsentCells.count(rows.inputs, made, model.features),
        known.repeats(row_hashes(made.values, rows.labels)) if known else None,
    )


def _operating_point(
    evaluation: Evaluation | Measured, model: Model, rows: LabelledRows, scores: Scores
) -> OperatingPoint | None:
    """Return what the threshold gives beside others, None of a model that is not binary."""
    if not isinstance(evaluation, Evaluation):
        return None
    return operating_point(
        rows.labels,
        scores,
        evaluation.threshold,
        rule=model.decision.parsed_rule if model.decision else None,
        even=even_threshold(model.objective),
        weights=rows.roles.weight,
        miss=rows.roles.miss,
        alarm=rows.roles.alarm,
    )


def _threshold(settings: EvaluateSettings, model: Model) -> float | None:
    """Return the score from which rows are called positive, None where odds are even."""
    if settings.threshold is None:
        return model.threshold
    if model.objective.task != "binary":
        raise SettingsError(
            f"--threshold is of a binary label, and the model's objective is "
            f"{model.objective.name}",
            hint="Leave it out",
        )
    if model.objective.score != "margin" and not 0 <= settings.threshold <= 1:
        raise SettingsError(
            f"--threshold is {settings.threshold:g}, and the model's scores are from 0 to 1",
            hint="Give a share, such as 0.5 for 50 %",
        )
    return settings.threshold


def _verdict(
    settings: EvaluateSettings, evaluation: Evaluation | Measured
) -> Verdict | MetricVerdict:
    """Judge by the gate that was given; without one a binary model by its AUC.

    Any other then has to do better than one that says the same of every row.
    """
    if settings.gate is not None:
        return decide_by(settings.gate, evaluation.scalars, evaluation.deviations)
    if isinstance(evaluation, Evaluation):
        return decide(evaluation.auc, evaluation.auc_interval, settings.threshold_auc)
    gate = Gate(evaluation.headline, not evaluation.falling, evaluation.baseline, excluded=True)
    why = ", which saying the same of every row would give"
    return decide_by(gate, evaluation.scalars, evaluation.deviations, why=why)


def _write(folder: Path, contents: Mapping[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))


def _meant(label: AnyLabel, objective: Objective) -> str:
    """Return which rows are positive, and what a score is the probability of."""
    if not isinstance(label, Label):
        return ""
    if objective.score == "probability":
        return f"scores are {label.probability}"
    return f"{label.name} = {label.positive}"


def _summary(
    evaluation: Evaluation | Measured,
    verdict: Verdict | MetricVerdict,
    meant: str,
    point: OperatingPoint | None,
) -> str:
    values = evaluation.scalars
    if isinstance(evaluation, Evaluation):
        low, high = evaluation.auc_interval
        said = (
            f"{evaluation.rows} rows, {evaluation.positives} positive: {meant}\n"
            f"AUC {evaluation.auc:.4f} (95 % interval {low:.4f} to {high:.4f})\n"
            f"At the threshold {evaluation.threshold:.4g}: precision {values['precision']:.1%}, "
            f"recall {values['recall']:.1%}, accuracy {values['accuracy']:.1%}"
        )
    else:
        listed = ", ".join(
            f"{name} {value:.4g}" for name, value in values.items() if not name.endswith(_CONSTANT)
        )
        said = (
            f"{evaluation.rows} rows: {listed}\n"
            f"Saying the same of every row gives {evaluation.headline} {evaluation.baseline:.4g}"
        )
    lines = () if point is None else point.lines()
    return "\n".join([said, *lines, f"{verdict.verdict}: {verdict.reason}"])
