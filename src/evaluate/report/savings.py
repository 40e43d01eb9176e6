"""What checking the highest scores saves, where the decision says what mistakes cost."""

from dataclasses import dataclass

import numpy as np

from sagetree.decisions.curve import Floats, priced
from sagetree.decisions.rules import LeastCost, Rule, amounts_of
from sagetree.evaluate.metrics.interval import TWO_SIDED, Interval
from sagetree.evaluate.report.subject import JudgedRows


@dataclass(frozen=True)
class Saving:
    """What checking some rows is worth, by a rule's amounts.

    `found` is what the positive rows among them would have cost, missed, `share` how much of
    all that is; `saved` is it less the cost of the false alarms among them.
    """

    found: float
    share: float
    saved: float
    saved_interval: Interval


@dataclass(frozen=True)
class Savings:
    """What is found, and what is saved, down to each distinct score from the highest (n).

    `called` is the weight of the rows, `squares` the sum of the squares of what each saves.
    """

    rows: int
    called: Floats
    found: Floats
    saved: Floats
    squares: Floats

    @classmethod
    def of(cls, rows: JudgedRows, rule: Rule | None) -> "Savings | None":
        """Return those of rows of both labels; None where no rule says what mistakes cost."""
        roles, positive = rows.roles, rows.labels == 1
        known = {"miss": roles.miss, "alarm": roles.alarm}
        if not isinstance(rule, LeastCost) or any(known[part] is None for part in amounts_of(rule)):
            return None
        wide = np.ones(len(positive)) if rows.weights is None else rows.weights.astype(np.float64)
        missed = priced(rule.miss, wide, None if roles.miss is None else roles.miss * wide)
        alarms = priced(rule.alarm, wide, None if roles.alarm is None else roles.alarm * wide)
        found = missed * positive
        saved = found - alarms * ~positive
        order = np.argsort(-rows.scores)
        ordered = rows.scores[order]
        ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        totals = (np.cumsum(each[order])[ends] for each in (wide, found, saved, saved**2))
        return cls(len(positive), *totals)

    def at(self, reached: float) -> Saving:
        """Return what checking rows of this weight saves, on average over rows that tie.

        The interval is that of a sum over rows, where other ones are drawn.
        """
        called = np.append(0.0, self.called)
        found, saved, squares = (
            float(np.interp(reached, called, np.append(0.0, each)))
            for each in (self.found, self.saved, self.squares)
        )
        half = TWO_SIDED * max(0.0, squares - saved**2 / self.rows) ** 0.5
        whole = float(self.found[-1])
        share = found / whole if whole else 0.0
        return Saving(found, share, saved, (saved - half, saved + half))
