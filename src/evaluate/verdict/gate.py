"""A metric to verdict: is the model good enough to deploy?"""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from sagetree.errors import SettingsError, quote
from sagetree.evaluate.metrics.interval import TWO_SIDED, Interval


@dataclass(frozen=True)
class Verdict:
    """What decision.json holds; `warning` is empty, or says why to distrust the verdict."""

    auc: float
    interval: Interval
    threshold_auc: float
    verdict: Literal["Approved", "Rejected"]  # words of SageMaker's ModelApprovalStatus
    reason: str

    @property
    def approved(self) -> bool:
        """Whether the model passes."""
        return self.verdict == "Approved"

    @property
    def uncertain(self) -> bool:
        """Whether the gate lies inside the AUC's interval."""
        low, high = self.interval
        return low <= self.threshold_auc <= high

    @property
    def warning(self) -> str:
        """What a log must say about an uncertain verdict; empty for a clear one."""
        if not self.uncertain:
            return ""
        low, high = self.interval
        return (
            f"The gate {self.threshold_auc} lies inside the AUC's 95 % interval "
            f"({low:.4f} to {high:.4f}): other test rows might turn the verdict. "
            "Evaluate on more rows, above all of the rarer label"
        )

    def as_json(self) -> dict[str, object]:
        """Return the content of decision.json."""
        return asdict(self)


def decide(auc: float, interval: Interval, threshold_auc: float) -> Verdict:
    """Return the verdict: an AUC of at least `threshold_auc` is approved, exactly equal too.

    The numbers are compared as given, and printed in as many digits as the
    comparison needs: in four digits 0.69999 would be below the gate and look like it.

    >>> decide(0.7, (0.6, 0.8), 0.7).verdict
    'Approved'
    """
    shown, required = _told_apart(auc, threshold_auc)
    if auc >= threshold_auc:
        reason = f"The AUC of {shown} reaches the required {required}"
        return Verdict(auc, interval, threshold_auc, "Approved", reason)
    reason = f"The AUC of {shown} is below the required {required}"
    return Verdict(auc, interval, threshold_auc, "Rejected", reason)


@dataclass(frozen=True)
class Gate:
    """What a metric must be for a model to pass: at least `value`, or at most it.

    Where the value itself is `excluded`, more or less than it.
    """

    metric: str
    at_least: bool
    value: float
    excluded: bool = False

    @classmethod
    def parse(cls, text: str) -> "Gate":
        """Return the gate in a text such as `rmse<=3.5`. Raises ValueError for another text."""
        match = _GATE.fullmatch(text.strip())
        if match is None:
            raise ValueError(text)
        return cls(match[1], match[2] == ">=", float(match[3]))

    def __str__(self) -> str:
        sign = ">" if self.at_least else "<"
        return f"{self.metric}{sign}{'' if self.excluded else '='}{self.value:g}"

    def passes(self, value: float) -> bool:
        """Whether a value is good enough; exactly equal is, unless it is excluded."""
        if self.excluded and value == self.value:
            return False
        return value >= self.value if self.at_least else value <= self.value


_NUMBER = r"[-+.0-9]+(?:e[-+]?[0-9]+)?"
_GATE = re.compile(rf"([a-z][a-z0-9_.@]*)\s*(>=|<=)\s*({_NUMBER})", re.IGNORECASE)

# The digits of a number in a sentence; a bound is shown as it was given, or nearly so.
_FEWEST, _OF_BOUND, _MOST = 4, 6, 17


@dataclass(frozen=True)
class MetricVerdict:
    """What decision.json holds where another metric than the AUC decides."""

    metric: str
    value: float
    standard_deviation: float | None
    gate: str
    verdict: Literal["Approved", "Rejected"]
    reason: str
    warning: str

    @property
    def approved(self) -> bool:
        """Whether the model passes."""
        return self.verdict == "Approved"

    def as_json(self) -> dict[str, object]:
        """Return the content of decision.json."""
        content = asdict(self)
        del content["warning"]
        return content


def decide_by(
    gate: Gate, scalars: Mapping[str, float], deviations: Mapping[str, float], *, why: str = ""
) -> MetricVerdict:
    """Return the verdict of a metric; `why` says where its gate comes from.

    Raises SettingsError for a metric that there is not, or that is not a number here.
    """
    value = scalars.get(gate.metric, math.nan)
    if math.isnan(value):
        raise SettingsError(
            f"--gate is {gate}, and metric {quote(gate.metric)} does not exist for these rows",
            hint=f"Use one of {', '.join(scalars)}",
        )
    passes = gate.passes(value)
    deviation = deviations.get(gate.metric)
    shown, bound = _told_apart(value, gate.value)
    near = deviation is not None and abs(value - gate.value) <= TWO_SIDED * deviation
    return MetricVerdict(
        metric=gate.metric,
        value=value,
        standard_deviation=deviation,
        gate=str(gate),
        verdict="Approved" if passes else "Rejected",
        reason=f"The {gate.metric} of {shown} {_compared(gate, passes)} {bound}{why}",
        warning=(
            f"The gate {gate} lies within two standard deviations ({deviation:.4g}) of the "
            f"{gate.metric} of {value:.4g}: other test rows might turn the verdict. Evaluate on "
            "more rows"
        )
        if near
        else "",
    )


def _compared(gate: Gate, passes: bool) -> str:
    if gate.excluded:
        return f"is {'' if passes else 'not '}{'above' if gate.at_least else 'below'}"
    bound = "reaches" if passes and gate.at_least else "is within" if passes else "misses"
    return f"{bound} the required"


def _told_apart(value: float, bound: float) -> tuple[str, str]:
    """Return both numbers in few digits, but enough to show which one is above the other.

    >>> _told_apart(0.8123456789, 0.7), _told_apart(0.69999, 0.7)
    (('0.8123', '0.7'), ('0.69999', '0.7'))
    """
    first = max(_FEWEST, min(len(f"{abs(value):.0f}"), _MOST))
    for digits in range(first, _MOST):
        shown, beside = _rounded(value, digits), _rounded(bound, max(digits, _OF_BOUND))
        if _order(value, bound) == _order(shown, beside):
            return str(shown), str(beside)
    return str(value), str(bound)


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def _order(one: float, other: float) -> int:
    return (one > other) - (one < other)
