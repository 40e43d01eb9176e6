"""All facts of a report in one record; both page and model card are made from it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass

import numpy as np

from sagetree.bundle.bundle import DataFingerprint
from sagetree.bundle.learning_curve import LearningCurve, TuningHistory
from sagetree.bundle.model import Model
from sagetree.evaluate.bias.analysis import BiasAnalysis
from sagetree.evaluate.metrics.binary import Evaluation
from sagetree.evaluate.metrics.interval import TWO_SIDED
from sagetree.evaluate.metrics.measured import Confusion, Measured
from sagetree.evaluate.report.binary import BinaryFacts, measure_binary
from sagetree.evaluate.report.columns import columns_of
from sagetree.evaluate.report.drivers import DriverFacts, Explained, measure_drivers
from sagetree.evaluate.report.profile import ProfileFacts, profile
from sagetree.evaluate.report.slices import SliceFacts, measure_slices
from sagetree.evaluate.report.subject import JudgedRows, Subject
from sagetree.evaluate.report.tasks import TaskFacts, measure_task
from sagetree.evaluate.verdict.operating_point import OperatingPoint
from sagetree.tables.label import Label

# Slices and profiles of more rows would say the same, and take longer.
MOST_ROWS = 100_000


@dataclass(frozen=True)
class MetricEstimate:
    """A metric's value and its 95 % interval; NaN bounds where that is not known."""

    name: str
    value: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Say whether the interval is known."""
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True)
class Target:
    """What is predicted: the label's name, the value that counts as positive, the score's words."""

    label: str
    positive: str
    score: str


@dataclass(frozen=True)
class Judgement:
    """The verdict, "" where nothing was decided, why, and what makes it doubtful."""

    verdict: str
    reason: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Making:
    """What the model is and where it comes from; empty where it is not known."""

    objective: str
    rounds: tuple[int, ...]
    columns: int
    features: int
    sha256: str
    hyperparameters: Mapping[str, str]
    versions: Mapping[str, str]
    data: Mapping[str, DataFingerprint]


@dataclass(frozen=True)
class ReportFacts:
    """What a report says; arrays in it are what pictures are drawn from, and no facts."""

    target: Target
    rows_name: str
    rows: int
    positives: int | None
    are_weighted: bool
    judgement: Judgement
    metrics: tuple[MetricEstimate, ...]
    headline: str
    baseline: float | None
    threshold: float | None
    chosen: str
    point: OperatingPoint | None
    confusion: Confusion | None
    outcome: BinaryFacts | TaskFacts
    curve: LearningCurve | None
    tuning: TuningHistory | None
    drivers: DriverFacts
    slices: SliceFacts | None
    bias: BiasAnalysis | None
    profile: ProfileFacts
    making: Making

    @classmethod
    def of(cls, subject: Subject) -> "ReportFacts":
        """Measure all that a report says about its subject."""
        model, evaluation = subject.model, subject.evaluation
        rows = subject.rows.counting()
        some = rows.some(MOST_ROWS)
        columns = columns_of(model.features, some.values)
        drivers = measure_drivers(model, rows)
        by_name = {column.name: column for column in columns}
        by_importance = [by_name[driver.column] for driver in drivers.columns]
        unseen = {n: c / len(subject.rows.labels) for n, c in subject.unseen.items()}
        return cls(
            target=_target(subject),
            rows_name=rows.name,
            rows=evaluation.rows,
            positives=evaluation.positives if isinstance(evaluation, Evaluation) else None,
            are_weighted=rows.weights is not None,
            judgement=_judgement(subject),
            metrics=_metrics(evaluation),
            headline=evaluation.headline,
            baseline=None if isinstance(evaluation, Evaluation) else evaluation.baseline,
            threshold=evaluation.threshold if isinstance(evaluation, Evaluation) else None,
            chosen=_chosen(subject),
            point=subject.point,
            confusion=evaluation.confusion,
            outcome=_outcome(rows, model, evaluation),
            curve=subject.training.curve,
            tuning=subject.training.tuning,
            drivers=drivers,
            slices=measure_slices(some, by_importance, model.objective),
            bias=subject.bias,
            profile=profile(model, columns, some.values, unseen),
            making=_making(subject),
        )

    def metric(self, name: str) -> MetricEstimate:
        """Return a metric by its name."""
        return next(metric for metric in self.metrics if metric.name == name)

    def as_json(self) -> object:
        """Return all facts as JSON has them; what is not finite is null."""
        return _plain(self)


def _outcome(
    rows: JudgedRows, model: Model, evaluation: Evaluation | Measured
) -> BinaryFacts | TaskFacts:
    if isinstance(evaluation, Measured):
        return measure_task(rows, model.objective, evaluation)
    are_probabilities = model.objective.score == "probability"
    calibration = model.scorer.calibration
    return measure_binary(
        rows,
        are_probabilities=are_probabilities,
        calibration=calibration,
        rule=model.decision.parsed_rule if model.decision else None,
    )


def _target(subject: Subject) -> Target:
    label, objective = subject.label, subject.model.objective
    name = label.name if label else ""
    if not isinstance(label, Label):
        return Target(name, "", "score")
    is_probability = objective.score == "probability"
    return Target(name, label.positive, label.probability if is_probability else "score")


def _judgement(subject: Subject) -> Judgement:
    verdict = subject.verdict
    if verdict is None:
        return Judgement("", "", subject.warnings)
    return Judgement(verdict.verdict, verdict.reason, subject.warnings)


def _metrics(evaluation: Evaluation | Measured) -> tuple[MetricEstimate, ...]:
    found = []
    for name, value in evaluation.scalars.items():
        # draws that are all alike say nothing of the spread
        half = TWO_SIDED * evaluation.deviations.get(name, math.nan) or math.nan
        low, high = value - half, value + half
        if isinstance(evaluation, Evaluation):
            most = math.inf if name == "logloss" else 1.0
            low, high = (
                min(max(bound, 0.0), most) if math.isfinite(bound) else bound
                for bound in (low, high)
            )
            low, high = evaluation.auc_interval if name == "auc" else (low, high)
        found.append(MetricEstimate(name, value, low, high))
    return tuple(found)


def _chosen(subject: Subject) -> str:
    """Return how the threshold came about that the rows were called by."""
    evaluation, decision = subject.evaluation, subject.model.decision
    if not isinstance(evaluation, Evaluation):
        return ""
    if decision is not None and decision.threshold == evaluation.threshold:
        return decision.chosen
    return "not the model's own"


def _making(subject: Subject) -> Making:
    model, manifest = subject.model, subject.training.manifest
    return Making(
        objective=model.objective.name,
        rounds=model.scorer.rounds,
        columns=len(model.features.features),
        features=len(model.features.names),
        sha256=model.sha256,
        hyperparameters=manifest.hyperparameters if manifest else {},
        versions=manifest.versions if manifest else {},
        data=manifest.data if manifest else {},
    )


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, LearningCurve | DataFingerprint | TuningHistory):
        return _plain(value.model_dump())
    if is_dataclass(value) and not isinstance(value, type):
        named = {field.name: getattr(value, field.name) for field in fields(value)}
        return {n: _plain(v) for n, v in named.items() if not _is_for_pictures(v)}
    return value


def _is_for_pictures(value: object) -> bool:
    is_explained = isinstance(value, tuple) and any(isinstance(v, Explained) for v in value)
    return isinstance(value, np.ndarray) or is_explained
