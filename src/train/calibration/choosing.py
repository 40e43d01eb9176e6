"""Which calibration the held-out rows call for, and what it does for rows it is not fitted on."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from sagetree.boosters.calibration import Calibration, Floats
from sagetree.boosters.scoring import Scores
from sagetree.evaluate.calibration import (
    GOOD_SLOPES,
    CalibrationResult,
    Figures,
    calibration_line,
)
from sagetree.evaluate.metrics.bootstrap import losses_of
from sagetree.evaluate.metrics.rows import counted_once, effective_rows, with_weight
from sagetree.machine.program import LOG
from sagetree.train.boosting.folds import stratified_numbers
from sagetree.train.boosting.plan import BoostingPlan
from sagetree.train.boosting.results import TrainedModels, ValidationResult
from sagetree.train.calibration.fitting import (
    Fit,
    ScoredLabels,
    fit_isotonic,
    fit_platt,
    of_prior,
)
from sagetree.train.examples.examples import Examples

# Rows below which an isotonic calibration learns noise: scikit-learn's guide says about 1000.
ISOTONIC_ROWS, ISOTONIC_RARER = 1000, 100

# Rows of the rarer label below which nothing but what is asked for is fitted.
LEAST_RARER = 20

FOLDS = 5

# The mean score may be off by this share of the positives' own.
_GOOD_MEAN = 0.1

# What a line of log-odds gains by chance, twice and in all rows, is above it once in a hundred
# cases: chi-squared of two degrees of freedom.
_BY_CHANCE = 9.21

# A difference counts from this many standard errors on.
_CLEAR = 2.0

FITS: Mapping[str, Fit] = MappingProxyType({"platt": fit_platt, "isotonic": fit_isotonic})


class _Held(NamedTuple):
    """Held-out rows: what a calibration is fitted on, and their scores as they are judged."""

    fitted: ScoredLabels
    judged: Scores

    @classmethod
    def of(cls, result: ValidationResult) -> "_Held":
        """Take the rows that count, copies once."""
        rows = result.left_out
        weights, copies = rows.roles.weight, rows.copies
        scores = np.column_stack([result.scores, result.judged])
        if copies is not None:
            copies = with_weight(weights, copies)[0]
        labels, scores = with_weight(weights, rows.labels, scores)
        if weights is not None:
            weights = weights[weights > 0]
        if copies is not None:
            labels, scores, weights = counted_once(labels, scores, weights, copies)
        wide = np.ones(len(labels)) if weights is None else weights.astype(np.float64)
        wide *= effective_rows(weights, len(labels)) / wide.sum()
        fitted = ScoredLabels(labels, np.ascontiguousarray(scores[:, 0]), wide)
        return cls(fitted, np.ascontiguousarray(scores[:, 1]))

    def losses(self, scores: Scores) -> Floats:
        """Return each row's log loss."""
        return losses_of(self.fitted.labels, scores)

    def mean(self, values: Floats) -> float:
        """Return the mean over the rows by their weight."""
        return float(np.average(values, weights=self.fitted.weights))

    def figures(self, scores: Scores) -> Figures:
        """Measure scores of the rows."""
        labels, _, weights = self.fitted
        return Figures.of(labels, scores, weights.astype(np.float32))

    def cross_fitted(self, fit: Fit) -> Scores | None:
        """Return the judged scores, calibrated by what other rows say; None where they do not."""
        folds = min(FOLDS, self.fitted.rarer)
        if folds < 2:
            return None
        number = stratified_numbers(self.fitted.labels.astype(np.intp), folds, 0)
        found = np.empty_like(self.judged)
        for fold in range(folds):
            calibration = fit(self.fitted.take(np.flatnonzero(number != fold)))
            if calibration is None:
                return None
            found[number == fold] = calibration(self.judged[number == fold])
        return found


def calibrate(
    plan: BoostingPlan, trained: TrainedModels, validation: Examples | None
) -> TrainedModels:
    """Return the models with the calibration of their scores, which those left out then have.

    Of a model whose rounds come first it is not known whether it has learnt from the held-out
    rows, unless these are the channel `validation`.
    """
    method, result = plan.settings.calibration, trained.validation
    if method == "none" or not plan.objective.has_threshold:
        return trained
    are_new = plan.run.initial_model is None or result.left_out is validation
    scale = float(plan.params.get("scale_pos_weight", 1))
    found = choose(result, method, scale, are_new=are_new)
    calibration = found.calibration
    if calibration is None:
        return replace(trained, validation=replace(result, calibration=found))
    rows = result.rows if calibration.method != "prior" else ""
    calibration = calibration.model_copy(update={"rows": rows, "chosen": found.why})
    _tell(calibration, found)
    calibrated = replace(
        result,
        scores=calibration(result.scores),
        judged=calibration(result.judged),
        repeats=tuple(map(calibration, result.repeats)),
        calibration=found._replace(calibration=calibration),
    )
    return replace(trained, validation=calibrated)


def choose(
    result: ValidationResult, method: str, scale: float, *, are_new: bool = True
) -> CalibrationResult:
    """Return the calibration that held-out rows call for, or the one that `method` names.

    `scale` is scale_pos_weight, `are_new` says that no earlier model knows the rows. Logs
    why not to trust one that was asked for, and that it cannot be had.
    """
    if not result.is_measured:
        return _unmeasured(method, scale)
    held = _Held.of(result)
    if method == "auto":
        return _auto(held, scale, are_new=are_new)
    return _asked(held, method, are_new=are_new)


def _unmeasured(method: str, scale: float) -> CalibrationResult:
    """Return what can be had without rows that were left out: the odds before the weight."""
    if method != "auto":
        LOG.warning("Warning: calibration=%s is not made: no rows were held out", method)
    elif scale != 1:
        return CalibrationResult(of_prior(scale), _weighted(scale))
    return CalibrationResult(None, "no rows were held out")


def _asked(held: _Held, method: str, *, are_new: bool) -> CalibrationResult:
    """Return the calibration that was asked for by name; none, with a warning, if it cannot be."""
    before = held.figures(held.judged)
    calibration = FITS[method](held.fitted)
    after = held.cross_fitted(FITS[method]) if calibration else None
    if calibration is None or after is None:
        why = "the held-out rows have no calibration slope above 0"
        LOG.warning("Warning: calibration=%s is not made: %s", method, why)
        return CalibrationResult(None, why, before, before)
    if method == "isotonic" and not _is_enough(held):
        LOG.warning(
            "Warning: calibration=isotonic learns noise from fewer than %d held-out rows, or %d "
            "of the rarer label: platt needs fewer",
            ISOTONIC_ROWS,
            ISOTONIC_RARER,
        )
    if not are_new:
        LOG.warning(
            "Warning: calibration=%s is fitted on rows that the earlier model has learnt from: "
            "give a validation channel it has not seen",
            method,
        )
    return CalibrationResult(
        calibration, f"calibration={method} asks for it", before, held.figures(after)
    )


def _auto(held: _Held, scale: float, *, are_new: bool) -> CalibrationResult:
    """Return the simplest calibration beyond which held-out rows show no gain."""
    before = held.figures(held.judged)
    if not are_new:
        why = "the earlier model has learnt from the held-out rows"
        return CalibrationResult(None, why, before, before)
    base = of_prior(scale) if scale != 1 else None
    started, judged = (base(s) if base else s for s in (held.fitted.scores, held.judged))
    is_needed, why = _need(held, started)
    if base:
        why = f"{_weighted(scale)}; then {why}"
    if is_needed:
        method, scores = _best(held, judged)
        if method:
            fitted = FITS[method](held.fitted)
            return CalibrationResult(fitted, why, before, held.figures(scores))
        why += ", and no calibration is better on rows it was not fitted on"
    return CalibrationResult(base, why, before, held.figures(judged))


def _need(held: _Held, scores: Scores) -> tuple[bool, str]:
    """Say whether scores are surely not what held-out rows show, and why."""
    labels, _, weights = held.fitted
    if held.fitted.rarer < LEAST_RARER:
        return False, f"fewer than {LEAST_RARER} rows of the rarer label say too little"
    line = calibration_line(labels, scores, weights.astype(np.float32))
    if line is None or line.slope <= 0:
        return False, "the held-out rows have no calibration slope above 0"
    share, mean = (held.mean(values.astype(np.float64)) for values in (labels, scores))
    why = (
        f"the calibration slope is {line.slope:.3g}, the mean score {mean:.4g}, and {share:.4g} "
        "of the rows are positive"
    )
    low, high = GOOD_SLOPES
    if low <= line.slope <= high and abs(mean / share - 1) <= _GOOD_MEAN:
        return False, why
    drawn = Calibration(
        method="platt", slope=line.slope, intercept=line.intercept, rows="", chosen=""
    )
    gain = held.mean(held.losses(scores) - held.losses(drawn(scores)))
    if 2 * gain * float(weights.sum()) < _BY_CHANCE:
        return False, f"{why}, which may be chance"
    return True, why


def _best(held: _Held, scores: Scores) -> tuple[str, Scores]:
    """Return the method that is best on rows it is not fitted on, and their scores by it.

    Platt's has to be better than `scores`, the isotonic one clearly better than that; ""
    where none is.
    """
    best = ""
    for method, least in (("platt", 0.0), ("isotonic", _CLEAR)):
        if method == "isotonic" and not _is_enough(held):
            continue
        found = held.cross_fitted(FITS[method])
        if found is None:
            continue
        gains = held.losses(scores) - held.losses(found)
        mean = held.mean(gains)
        error = np.sqrt(held.mean((gains - mean) ** 2) / held.fitted.weights.sum())
        if mean > least * error:
            best, scores = method, found
    return best, scores


def _is_enough(held: _Held) -> bool:
    """Say whether an isotonic calibration may be fitted."""
    rows = float(held.fitted.weights.sum())
    return rows >= ISOTONIC_ROWS and held.fitted.rarer >= ISOTONIC_RARER


def _weighted(scale: float) -> str:
    return f"scale_pos_weight={scale:g} multiplies the odds by as much"


def _tell(calibration: Calibration, found: CalibrationResult) -> None:
    LOG.info("Calibration: %s, since %s", calibration.method, found.why)
    if found.before and found.after:
        LOG.info(
            "Before and after it, each row calibrated by other rows: log loss %.5g and %.5g, "
            "Brier score %.5g and %.5g, calibration slope %s and %s",
            *(x for pair in zip(found.before[:2], found.after[:2], strict=True) for x in pair),
            *(f"{f.slope:.3g}" if f.slope else "unknown" for f in (found.before, found.after)),
        )
