"""What a training job says while rounds are made.

SageMaker reads metrics from log lines with regular expressions; a tab shows as
#011 in CloudWatch. On a terminal there is a progress bar instead.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Protocol

import numpy as np

from sagetree.machine.program import LOG, is_watched
from sagetree.train.hyperparameters.eval_metrics import Metric
from sagetree.train.settings.channel_settings import VALIDATION

# Below it five decimals would be less than three digits.
SMALL = 0.001

# A line about the time left at most so often.
SECONDS_BETWEEN = 10.0

# It fits into 80 columns; a longer line is cut at the terminal's edge.
_BAR = "{n_fmt}/{total_fmt} |{bar:8}| <{remaining} left{postfix}"

# Rows ("train", "validation") -> metric -> its values in each round, of each booster.
History = Mapping[str, Mapping[str, Sequence[Sequence[float]]]]


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
    """Return the mean over the boosters of each metric that the last round measured.

    >>> newest_values({"validation": {"auc": [[0.7, 0.7], [0.75, 0.85]]}})
    {'validation-auc': 0.8}
    """
    return {
        f"{rows}-{metric}": float(np.mean(series[-1]))
        for rows, metrics in history.items()
        for metric, series in metrics.items()
        if series[-1]
    }


class Progress(Protocol):
    """Tells of the rounds of one training, which may go on from a checkpoint's round."""

    def after_round(self, number: int, history: History, best: int | None) -> None:
        """Tell of a round; it and the best one, if one is sought, are counted from 0."""

    def after_training(self) -> None:
        """Tell that no round follows."""


def progress_of(rounds: int, metric: str, *, is_measured: bool) -> Progress | None:
    """Return what tells of at most this many rounds, which `metric` decides if they are measured.

    On a terminal that is a bar, elsewhere lines; there is nothing to tell in lines
    where nothing is measured.
    """
    if is_watched(sys.stdout):
        return Bar(rounds, metric if is_measured else None)
    return Lines(rounds) if is_measured else None


class Lines:
    """One metric line a round, and now and then the time left."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.first: int | None = None
        self.started = self.told = time.monotonic()

    def after_round(self, number: int, history: History, best: int | None) -> None:  # noqa: ARG002
        """Log the metrics of a round."""
        LOG.info(metric_line(number, newest_values(history)))
        self.first = number if self.first is None else self.first
        now = time.monotonic()
        if now - self.told >= SECONDS_BETWEEN:
            self.told = now
            done = number + 1
            left = (now - self.started) / (done - self.first) * (self.rounds - done)
            LOG.info("round %d of at most %d, at most %.0f s left", done, self.rounds, left)

    def after_training(self) -> None:
        """Say nothing: the best round has a line of its own."""


class Bar:
    """A line of the terminal that is written anew: rounds, time left, and the metric that decides.

    The rounds are as many as there may be, so that the time left is the most it may be. What
    is logged meanwhile stands above it.
    """

    def __init__(self, rounds: int, metric: str | None) -> None:
        from tqdm import tqdm  # jobs without a terminal need not load it
        from tqdm.contrib.logging import logging_redirect_tqdm

        self._metric = metric
        self._bar = tqdm(total=rounds, file=sys.stdout, bar_format=_BAR, dynamic_ncols=True)
        self._lines_above = ExitStack()
        self._lines_above.enter_context(logging_redirect_tqdm([LOG]))

    def after_round(self, number: int, history: History, best: int | None) -> None:
        """Show a round."""
        if self._bar.n == 0 < number:  # it goes on from a checkpoint, whose rounds took no time
            self._bar.initial = self._bar.n = number
        if self._metric is not None:
            told = f"{VALIDATION}-{self._metric} {self._mean(history, number)}"
            told += "" if best is None else f", best {self._mean(history, best)} [{best}]"
            self._bar.set_postfix_str(told, refresh=False)
        self._bar.update(number + 1 - self._bar.n)

    def after_training(self) -> None:
        """Leave the bar as it is, and begin a line of its own."""
        self._bar.refresh()
        self._lines_above.close()
        self._bar.close()

    def _mean(self, history: History, number: int) -> str:
        return _shown(float(np.mean(history[VALIDATION][str(self._metric)][number])))
