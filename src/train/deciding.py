"""The threshold of a job, on the rows that were left out."""

from sagetree.boosters.objectives import Objective
from sagetree.decisions.decision import Decision
from sagetree.decisions.rules import F1, Rule
from sagetree.evaluate.verdict.operating_point import OperatingPoint, operating_point
from sagetree.evaluate.verdict.threshold import choose_threshold, doubts
from sagetree.machine.program import LOG
from sagetree.train.boosting.results import ValidationResult


def decide(result: ValidationResult, objective: Objective, rule: Rule) -> Decision | None:
    """Return the threshold, None for scores that have none, and where no rows were held out.

    Logs why to distrust it.
    """
    if not (objective.has_threshold and result.is_measured):
        if rule != F1:
            LOG.warning(
                "Warning: decision %s has no effect: no rows were left out to choose on, and rows "
                "are called from 0.5 on",
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


def held_out_point(result: ValidationResult, decision: Decision | None) -> OperatingPoint | None:
    """Return what the threshold gives on the rows left out; log that of a rule that was named."""
    if decision is None:
        return None
    rule, roles = decision.parsed_rule, result.left_out.roles
    point = operating_point(
        result.left_out.labels,
        result.scores,
        decision.threshold,
        rule=rule,
        weights=roles.weight,
        miss=roles.miss,
        alarm=roles.alarm,
    )
    if rule != F1:
        LOG.info("\n".join(point.lines()))
    return point
