"""AUC to verdict: is the model good enough to deploy?"""

from dataclasses import asdict, dataclass
from typing import Literal

from evaluate.interval import Interval


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
        """What a log must say of an uncertain verdict; empty for a clear one."""
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

    The numbers are compared, and printed, as given: rounded to four digits
    0.69999 would be below the gate and look like it.

    >>> decide(0.7, (0.6, 0.8), 0.7).verdict
    'Approved'
    """
    if auc >= threshold_auc:
        reason = f"The AUC of {auc} reaches the required {threshold_auc}"
        return Verdict(auc, interval, threshold_auc, "Approved", reason)
    reason = f"The AUC of {auc} is below the required {threshold_auc}"
    return Verdict(auc, interval, threshold_auc, "Rejected", reason)
