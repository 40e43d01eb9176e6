"""The walk of an evaluation: a model and labelled rows to metrics and a verdict."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.best_rounds import Rounds
from sagetree.boosters.objectives import Objective
from sagetree.boosters.scoring import Scores
from sagetree.bundle.absent_cells import AbsentCells
from sagetree.bundle.archive import ARCHIVE, open_model
from sagetree.bundle.copies import distinct_count, find_copies
from sagetree.bundle.model import Model
from sagetree.bundle.training_rows import RowHashes, TrainingRows, row_hashes
from sagetree.errors import SettingsError
from sagetree.evaluate.bias.analysis import BiasAnalysis
from sagetree.evaluate.bias.asked import BIAS_FILE, asked_of_model
from sagetree.evaluate.cases import TrainingRecord, labelled_rows, read_rows
from sagetree.evaluate.comparison.answers import Alike, Answers, Contender, naming, without_others
from sagetree.evaluate.comparison.result import COMPARISON_FILE, Comparison, compare
from sagetree.evaluate.facets import split_facets
from sagetree.evaluate.metrics.binary import Evaluation
from sagetree.evaluate.metrics.curves import curves_json
from sagetree.evaluate.metrics.measured import Measured
from sagetree.evaluate.metrics.tasks import evaluate_task, even_threshold
from sagetree.evaluate.model_metrics.explainability import explainability_json
from sagetree.evaluate.model_metrics.quality import constraints_json, statistics_json
from sagetree.evaluate.report.subject import JudgedRows, Subject
from sagetree.evaluate.report.writing import CARD_FILE, FACTS_FILE, REPORT_FILE, write_report
from sagetree.evaluate.results import remove_results, write_results
from sagetree.evaluate.verdict.data import DataReport
from sagetree.evaluate.verdict.gate import Gate, MetricVerdict, Verdict, decide, decide_by
from sagetree.evaluate.verdict.learnt import why_nothing
from sagetree.evaluate.verdict.operating_point import OperatingPoint, operating_point
from sagetree.evaluate.verdict.sagemaker import evaluation_json
from sagetree.features.pipeline import FeatureMatrix
from sagetree.features.plan import LabelledRows
from sagetree.machine.cores import usable_cores
from sagetree.machine.paths import BASE_DIR_VARIABLE, OptMl
from sagetree.machine.processing import check_one_host
from sagetree.machine.program import LOG
from sagetree.tables.facets import Facet
from sagetree.tables.label import AnyLabel, Label
from sagetree.tables.table import Table

# What these metrics are of is logged once, as what the verdict's metric would be.
_CONSTANT = "_best_constant_classifier"

REJECTED = 1

# All that an evaluation leaves.
EVALUATION_FILES = (
    "evaluation.json", "decision.json", "statistics.json", "constraints.json",
    "explainability.json", COMPARISON_FILE, BIAS_FILE, REPORT_FILE, CARD_FILE, FACTS_FILE,
)  # fmt: skip


@dataclass(frozen=True)
class EvaluateSettings:
    """What the command line says; `threshold` None is the model's own, `gate` None the default.

    `facets` None are those that the model was trained with.
    """

    threshold_auc: float
    threshold: float | None
    fail_below: bool
    gate: Gate | None = None
    rounds: Rounds = "best"
    facets: tuple[Facet, ...] | None = None
    favourable: str | None = None


def run(opt_ml: OptMl, settings: EvaluateSettings) -> int:
    """Evaluate processing/model on processing/test and return the exit code.

    Writes evaluation.json, decision.json and the files of ModelMetrics to
    processing/evaluation, and comparison.json if there is a model in
    processing/champion. The code is 1 for a rejected model if `fail_below` is set,
    else 0. Raises UserError for a model or rows that cannot be used.
    """
    check_one_host(opt_ml, "each would judge the model by only the rows that it has itself")
    results = opt_ml.processing / "evaluation"
    remove_results(results, EVALUATION_FILES)
    _check_inputs(opt_ml)
    path = opt_ml.processing / "champion"
    champion = Contender.load(path, settings.rounds) if path.exists() else None
    with open_model(opt_ml.processing / "model") as folder:
        model = Model.load(folder, threads=usable_cores(), rounds=settings.rounds, distrust=True)
        training = TrainingRecord.of(folder)
    for note in model.notes:
        LOG.info("Model: %s", note)
    where = str(opt_ml.processing / "test")
    asked = asked_of_model(settings.facets, settings.favourable, training.hyperparameters)
    table = read_rows(opt_ml.processing / "test", model, asked.columns if asked else ())
    table, of_facets = split_facets(table, asked, model, champion.model if champion else model)
    own = without_others(table, model, champion.model) if champion else table
    plan, rows = labelled_rows(own, model)
    made = model.matrix(rows.inputs)
    scores = model.scorer.score(made.values, rows.roles.base_margin)
    hashes = row_hashes(made.values, rows.labels)
    copies = find_copies(hashes.features, rows.labels, lambda some: made.values[some])
    data = _compared(rows, made, model, training.rows, hashes, copies)
    evaluation = evaluate_task(
        model.objective,
        rows.labels,
        scores,
        threshold=_threshold(settings, model),
        classes=plan.label.classes,
        quantiles=model.scorer.quantiles,
        groups=rows.roles.groups,
        weights=rows.roles.weight,
        copies=copies,
        where=where,
    )
    answers = Answers.of(model, plan, rows, scores, Alike(hashes.features, copies is not None))
    comparison = _comparison(champion, table, answers, where)
    verdict = data.judged(_verdict(settings, evaluation))
    verdict = comparison.judged(verdict) if comparison else verdict
    point = _operating_point(evaluation, model, rows, scores)
    bias = of_facets.bias(made, answers, plan.label, evaluation) if of_facets else None
    contents = _measures(evaluation, answers, point, comparison, bias) | {
        "decision.json": verdict.as_json() | {"test_rows": data.as_json()},
        "explainability.json": explainability_json(model, made, rows.roles.base_margin),
    }
    write_results(results, contents)
    said = bias.lines() if bias else ()
    LOG.info(_summary(evaluation, verdict, _meant(plan.label, model.objective), point, said))
    warnings = _warnings(evaluation, verdict, data, comparison, bias)
    for warning in warnings:
        LOG.warning("WARNING: %s", warning)
    judged = JudgedRows(made.values, rows.labels, scores, rows.roles, "the test rows", are_new=True)
    unseen = data.absent.unseen
    subject = Subject(
        model, plan.label, training, judged, evaluation, verdict, unseen, warnings, point, bias
    )
    write_report(results, subject)
    return REJECTED if settings.fail_below and not verdict.approved else 0


def _measures(
    evaluation: Evaluation | Measured,
    answers: Answers,
    point: OperatingPoint | None,
    comparison: Comparison | None,
    bias: BiasAnalysis | None,
) -> dict[str, object]:
    """Return the metrics as SageMaker's files have them, and what else there is.

    These are the comparison with a champion, and the metrics of facets.
    """
    task = answers.model.objective.task
    is_binary = task == "binary"
    curves = curves_json(answers.labels, answers.scores, answers.weights) if is_binary else {}
    return {
        "evaluation.json": evaluation_json(evaluation, task, curves, point),
        "statistics.json": statistics_json(evaluation, task),
        "constraints.json": constraints_json(evaluation, task),
        **({COMPARISON_FILE: comparison.as_json()} if comparison else {}),
        **({BIAS_FILE: bias.as_json()} if bias else {}),
    }


def _warnings(
    evaluation: Evaluation | Measured,
    verdict: Verdict | MetricVerdict,
    data: DataReport,
    comparison: Comparison | None,
    bias: BiasAnalysis | None,
) -> tuple[str, ...]:
    """Return what the log warns of."""
    why = why_nothing(evaluation)
    nothing = why and f"the model has learnt nothing that the test rows show: {why}"
    told = comparison.warnings if comparison else ()
    notes = bias.notes if bias else ()
    found = filter(None, (nothing, verdict.warning, *data.warnings, *told, *notes))
    return tuple(dict.fromkeys(found))  # both may say the same of copies


def _comparison(
    champion: Contender | None, table: Table, answers: Answers, where: str
) -> Comparison | None:
    if champion is None:
        return None
    with naming("champion"):
        old = champion.answer(table, answers.model)
    return compare(old, answers, where)


def _check_inputs(opt_ml: OptMl) -> None:
    for folder, meant in (("model", ARCHIVE), ("test", "CSV or Parquet files with the label")):
        path = opt_ml.processing / folder
        if not path.exists():
            raise SettingsError(
                "the folder does not exist",
                where=str(path),
                hint=f"Put {meant} there, name another folder than {opt_ml.root} by "
                f"{BASE_DIR_VARIABLE}, or name your own (sagetree evaluate MODEL TEST.csv)",
            )


def _compared(
    rows: LabelledRows,
    made: FeatureMatrix,
    model: Model,
    known: TrainingRows | None,
    hashes: RowHashes,
    copies: NDArray[np.intp] | None,
) -> DataReport:
    """Return how the rows, and the features made of them, compare with training's."""
    return DataReport(
        model.schema,
        AbsentCells.count(rows.inputs, made, model.features),
        known.repeats(hashes.rows) if known else None,
        0 if copies is None else len(copies) - distinct_count(copies),
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
            "--threshold is for a binary label, and the model's objective is "
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
    why = ", which a constant prediction would give"
    return decide_by(gate, evaluation.scalars, evaluation.deviations, why=why)


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
    of_facets: Iterable[str],
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
            f"A constant prediction gives {evaluation.headline} {evaluation.baseline:.4g}"
        )
    lines = () if point is None else point.lines()
    return "\n".join([said, *lines, *of_facets, f"{verdict.verdict}: {verdict.reason}"])
