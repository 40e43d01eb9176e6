"""The threshold of a job, on the rows that were left out."""

import numpy as np

from sagetree.boosters.objectives import Objective
from sagetree.decisions.decision import Decision
from sagetree.decisions.rules import F1, Rule
from sagetree.evaluate.verdict.operating_point import Flags, OperatingPoint, operating_point
from sagetree.evaluate.verdict.threshold import called_by_others, choose_threshold, doubts
from sagetree.machine.program import LOG
from sagetree.train.boosting.folds import part_numbers
from sagetree.train.boosting.judging import NO_CHANCE_ROWS
from sagetree.train.boosting.results import ValidationResult

# Parts of the rows, each called by what the others choose: fewer where labels are few.
_PARTS = (5, 2)


def decide(result: ValidationResult, objective: Objective, rule: Rule) -> Decision | None:
    """Return the threshold, None for scores that have none, and where no rows were held out.

    Logs why to distrust it.
    """
    if not (objective.has_threshold and result.is_measured):
        if rule != F1:
            LOG.warning(
                "Warning: decision %s has no effect: no rows were held out to choose on, and rows "
                "are called positive from 0.5 on",
                rule,
            )
        return None
    labels, roles = result.left_out.labels, result.left_out.roles
    decision = choose_threshold(
        labels,
        result.scores,
        rule=rule,
        weights=roles.weight,
        miss=roles.miss,
        alarm=roles.alarm,
        where=result.rows,
    )
    for doubt in doubts(decision, result.scores, roles.weight):
        LOG.warning("Warning: %s", doubt)
    return decision


def called_out_of_part(result: ValidationResult, decision: Decision | None) -> Flags | None:
    """Say which held-out rows are positive by the threshold that others of them choose.

    None where there is no threshold, where the rows are too few for that, or so many that
    it would say the same.
    """
    rows = result.left_out
    if decision is None or np.bincount(rows.labels == 1, minlength=2).min() >= NO_CHANCE_ROWS:
        return None
    found = (part_numbers(rows, count, by_label=True, seed=0) for count in _PARTS)
    parts = next((each for each in found if each is not None), None)
    if parts is None:
        return None
    return called_by_others(
        rows.labels,
        result.scores,
        result.judged,
        parts,
        rule=decision.parsed_rule,
        weights=rows.roles.weight,
        miss=rows.roles.miss,
        alarm=rows.roles.alarm,
    )


def held_out_point(
    result: ValidationResult, decision: Decision | None, called: Flags | None
) -> OperatingPoint | None:
    """Return what the threshold gives on the held-out rows; log that of a rule that was named.

    `called` is of `called_out_of_part`.
    """
    if decision is None:
        return None
    rule, roles = decision.parsed_rule, result.left_out.roles
    point = operating_point(
        result.left_out.labels,
        result.judged,
        decision.threshold,
        rule=rule,
        called=called,
        weights=roles.weight,
        miss=roles.miss,
        alarm=roles.alarm,
    )
    if rule != F1:
        LOG.info("\n".join(point.lines()))
    return point
