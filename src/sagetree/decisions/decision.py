"""The threshold of a model as its bundle stores it, and what a caller sets in its place."""

from typing import NamedTuple

from pydantic import field_validator

from sagetree.decisions.choosing import choose
from sagetree.decisions.curve import Curve
from sagetree.decisions.rules import Rule, parse_decision, parse_rule
from sagetree.errors import quote
from sagetree.tables.stored_record import StoredRecord


class Decision(StoredRecord):
    """The score from which a row is called positive, and how well that does.

    `chosen` says in words how and on which rows; precision, recall and f1 are
    of those rows. `rule` is what chose it; `unreached` says why the threshold is
    only the nearest to it, "" where it is not. Bundles of before there were rules
    have no `curve`.
    """

    threshold: float
    chosen: str
    precision: float
    recall: float
    f1: float
    rule: str = "f1"
    unreached: str = ""
    curve: Curve | None = None

    @field_validator("rule")
    @classmethod
    def _is_rule(cls, text: str) -> str:
        parse_rule(text)
        return text

    @property
    def parsed_rule(self) -> Rule:
        """The rule as such."""
        return parse_rule(self.rule)


class Override(NamedTuple):
    """A threshold that stands in for the stored one; `unreached` says why its rule does not hold.

    That is "" where it does.
    """

    threshold: float
    unreached: str = ""


def override(text: str, decision: Decision | None) -> Override:
    """Return the threshold that a text sets, a rule's by the curve that is stored.

    Raises ValueError, which says what is wrong, where there is none.
    """
    asked = parse_decision(text)
    if isinstance(asked, float):
        return Override(asked)
    if decision is None or decision.curve is None:
        raise ValueError(
            f"{quote(asked)} needs the curve of training's held-out rows, which this model does "
            "not store: give a score from 0 to 1, or train again"
        )
    place, why = choose(asked, decision.curve.points(asked))
    unreached = why and f"{asked} is not reached on training's held-out rows: {why}"
    return Override(decision.curve.thresholds[place], unreached)
