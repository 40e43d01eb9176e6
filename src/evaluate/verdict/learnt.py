"""Whether the rows measured show that a model has learnt anything at all."""

from sagetree.evaluate.metrics.binary import Evaluation
from sagetree.evaluate.metrics.interval import TWO_SIDED
from sagetree.evaluate.metrics.measured import Measured

CHANCE_AUC = 0.5


def why_nothing(evaluation: Evaluation | Measured) -> str:
    """Return why it may be that a model has learnt nothing; empty where it surely has learnt.

    A metric of a model that says the same of every row is then inside the 95 % interval. The
    accuracy of classes, in which a model of rare ones hardly differs, says nothing of it.
    """
    if isinstance(evaluation, Evaluation):
        low, high = evaluation.auc_interval
        if low > CHANCE_AUC:
            return ""
        return (
            f"the 95 % interval of the AUC, {low:.4f} to {high:.4f}, does not lie above "
            f"{CHANCE_AUC}"
        )
    name = evaluation.headline
    value, baseline = evaluation.scalars[name], evaluation.baseline
    better = baseline - value if evaluation.falling else value - baseline
    if name == "accuracy" or better > TWO_SIDED * evaluation.deviations.get(name, 0.0):
        return ""
    return (
        f"{name} {value:.4g} is not surely better than {baseline:.4g}, which saying the same of "
        "every row gives"
    )
