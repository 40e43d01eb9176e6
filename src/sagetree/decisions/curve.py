"""What each score would call positive, were it the threshold: all of them, or few to be stored."""

from typing import NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from sagetree.decisions.rules import Amount, LeastCost, Rule, amounts_of
from sagetree.errors import quote
from sagetree.tables.stored_record import StoredRecord

Floats: TypeAlias = NDArray[np.float64]

# Points that a bundle stores: a curve is then within a hundredth of what it was.
MOST_POINTS = 200

# Half of the points go along the curve, half by the number of rows that are called: of rare
# positives, what counts is what happens in the first few per cent.
_ALONG = 98


def priced(amount: Amount, counts: Floats, by_column: Floats | None) -> Floats:
    """Return what errors cost (n): their `counts` by an amount, or by a column what it holds."""
    if isinstance(amount, float):
        return np.asarray(amount * counts)
    assert by_column is not None  # noqa: S101 - read wherever a rule names a column
    return by_column


class Points(NamedTuple):
    """Thresholds from the highest down (n), and the weight of rows of each.

    The first one calls nobody. `true` (n) is the weight of the positives called, `called` (n)
    of all rows called; `positives` and `rows` of all. `missed` (n) is what the positives not
    called cost by a column, `alarms` (n) what the negatives called do; None without one.
    """

    thresholds: Floats
    true: Floats
    called: Floats
    positives: float
    rows: float
    missed: Floats | None = None
    alarms: Floats | None = None

    @property
    def precision(self) -> Floats:
        """The share of rows called that are positive; 0 where nobody is called."""
        return np.asarray(self.true / np.maximum(self.called, np.finfo(np.float64).tiny))

    @property
    def recall(self) -> Floats:
        """The share of positives that are called."""
        return np.asarray(self.true / self.positives)

    @property
    def alerts(self) -> Floats:
        """The share of rows that are called."""
        return np.asarray(self.called / self.rows)

    @property
    def f1(self) -> Floats:
        """The F1; a quotient of whole numbers, so that equal ones are equal to the bit."""
        return np.asarray(2 * self.true / (self.called + self.positives))

    def cost(self, rule: LeastCost) -> Floats:
        """Return what misses and false alarms cost together; the rule's columns are known."""
        of_misses = priced(rule.miss, self.positives - self.true, self.missed)
        return of_misses + priced(rule.alarm, self.called - self.true, self.alarms)


class Curve(StoredRecord):
    """Points as a bundle stores them; `miss` and `alarm` name the columns of the amounts."""

    thresholds: tuple[float, ...] = Field(min_length=1)
    true: tuple[float, ...]
    called: tuple[float, ...]
    positives: float = Field(gt=0)
    rows: float = Field(gt=0)
    miss: str | None = None
    missed: tuple[float, ...] | None = None
    alarm: str | None = None
    alarms: tuple[float, ...] | None = None

    @model_validator(mode="after")
    def _is_rectangular(self) -> Self:
        lists = (self.true, self.called, self.missed, self.alarms)
        if any(values is not None and len(values) != len(self.thresholds) for values in lists):
            raise ValueError("every threshold needs each value")
        return self

    @classmethod
    def of(cls, points: Points, chosen: int, rule: Rule) -> "Curve":
        """Return at most 200 of the points, among them number `chosen`, the first and last."""
        keep = _kept(points, chosen)
        columns = amounts_of(rule)

        def some(values: Floats | None) -> tuple[float, ...] | None:
            return None if values is None else tuple(values[keep].tolist())

        return cls(
            thresholds=tuple(points.thresholds[keep].tolist()),
            true=tuple(points.true[keep].tolist()),
            called=tuple(points.called[keep].tolist()),
            positives=points.positives,
            rows=points.rows,
            miss=columns.get("miss"),
            missed=some(points.missed),
            alarm=columns.get("alarm"),
            alarms=some(points.alarms),
        )

    def points(self, rule: Rule) -> Points:
        """Return the points. Raises ValueError for a column whose amounts are not stored."""
        columns = amounts_of(rule)
        for part, name in columns.items():
            if name != getattr(self, part):
                raise ValueError(
                    f"the model stores no amounts of {quote(name)} as {part}: give a number, or "
                    f"train with that rule"
                )
        return Points(
            np.array(self.thresholds),
            np.array(self.true),
            np.array(self.called),
            self.positives,
            self.rows,
            None if self.missed is None else np.array(self.missed),
            None if self.alarms is None else np.array(self.alarms),
        )


def _kept(points: Points, chosen: int) -> NDArray[np.intp]:
    """Return the places of the points that are stored."""
    count = len(points.thresholds)
    if count <= MOST_POINTS:
        return np.arange(count)
    length = np.append(0.0, np.cumsum(np.diff(points.recall) + np.diff(points.alerts)))
    along = np.searchsorted(length, np.linspace(0, length[-1], _ALONG))
    steps = np.geomspace(points.called[1], points.called[-1], _ALONG)
    by_rows = np.searchsorted(points.called, steps)
    kept = np.concatenate([[0, 1, chosen, count - 1], along, by_rows])
    return np.unique(np.minimum(kept, count - 1))
