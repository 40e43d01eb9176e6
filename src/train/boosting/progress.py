"""What a training job says while rounds are made.

SageMaker reads metrics from log lines with regular expressions; a tab shows as
#011 in CloudWatch. On a terminal there is a progress bar instead.
"""

import os
import sys
import time
from collections.abc import Mapping, Sequence

from tqdm import tqdm

from sagetree.machine.program import LOG
from sagetree.train.hyperparameters.eval_metrics import Metric

# Below it five decimals would be less than three digits.
SMALL = 0.001

# A line about the time left at most so often.
SECONDS_BETWEEN = 10.0

# Rows ("train", "validation") -> metric -> its value in each round.
History = Mapping[str, Mapping[str, Sequence[float]]]


def metric_line(round_number: int, values: Mapping[str, float]) -> str:
    r"""Return the line SageMaker's metric definitions match.

    >>> metric_line(12, {"train-auc": 0.812341, "validation-auc": 0.79012})
    '[12]\ttrain-auc:0.81234\tvalidation-auc:0.79012'
    """
    return "\t".join([f"[{round_number}]", *(f"{n}:{_shown(v)}" for n, v in values.items())])


def _shown(value: float) -> str:
    """Return a value with five decimals, but never fewer than five digits: tuning compares them."""
    return f"{value:.5g}" if 0 < abs(value) < SMALL else f"{value:.5f}"


def metric_pattern(metric: Metric) -> str:
    r"""Return the regular expression that finds a metric of validation rows in its line.

    >>> import re
    >>> line = metric_line(3, {"validation-auc": 0.79, "validation-error@0.2": 0.1})
    >>> from sagetree.train.hyperparameters.eval_metrics import Asked
    >>> pattern = metric_pattern(Asked.of("error").metric)
    >>> re.search(pattern, line.replace("\t", "#011")).group(1)
    '0.10000'
    """
    parameter = "(?:@[^:]+)?-?" if metric.parameter else ""
    return rf".*\[[0-9]+\].*(?:\s|#011)validation-{metric.name}{parameter}:([-+.0-9eE]+)"


def newest_values(history: History) -> dict[str, float]:
    """Return the newest value of each metric, by rows and name.

    >>> newest_values({"validation": {"auc": [0.7, 0.79]}})
    {'validation-auc': 0.79}
    """
    return {
        f"{rows}-{metric}": series[-1]
        for rows, metrics in history.items()
        for metric, series in metrics.items()
    }


def _is_watched() -> bool:
    """Say whether a person looks on.

    SageMaker's local mode gives containers a terminal nobody sees: there the
    program is process 1, and its lines are read by machines.
    """
    return sys.stdout.isatty() and os.getpid() != 1


class Progress:
    """One metric line a round, and now and then the time left.

    A training that goes on from a checkpoint begins at a later round than 0.
    """

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.first: int | None = None
        self.started = self.told = time.monotonic()
        self.bar = tqdm(total=rounds, unit="round") if _is_watched() else None

    def after_iteration(self, model: None, epoch: int, evals_log: History) -> None:  # noqa: ARG002
        """Tell of one round."""
        values = newest_values(evals_log)
        if self.bar is not None:
            self.bar.set_postfix({name: f"{value:.5f}" for name, value in values.items()})
            self.bar.update(epoch + 1 - self.bar.n)
            return
        LOG.info(metric_line(epoch, values))
        self.first = epoch if self.first is None else self.first
        now = time.monotonic()
        if now - self.told >= SECONDS_BETWEEN:
            self.told = now
            done = epoch + 1
            left = (now - self.started) / (done - self.first) * (self.rounds - done)
            LOG.info("round %d of at most %d, at most %.0f s left", done, self.rounds, left)

    def after_training(self, model: None) -> None:  # noqa: ARG002
        """Close the progress bar."""
        if self.bar is not None:
            self.bar.close()
