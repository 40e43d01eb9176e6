"""One search: trial after trial on folds of some rows, and the choice among them."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sagetree.bundle.learning_curve import Settings, Trial
from sagetree.errors import SettingsError
from sagetree.machine.program import LOG
from sagetree.train.boosting.folds import Fold
from sagetree.train.boosting.plan import BoostingPlan
from sagetree.train.examples.examples import Rows
from sagetree.train.hyperparameters.value_types import Budget
from sagetree.train.settings.tuning import Tuning
from sagetree.train.tuning.course import Course
from sagetree.train.tuning.encodings import NATIVE, Encoded
from sagetree.train.tuning.store import TrialStore
from sagetree.train.tuning.trying import Tried


@dataclass(frozen=True)
class SearchResult:
    """The trials of a search, how many of them are the defaults, and the place of the chosen one.

    `left` is what there is in memory of the chosen one, or of a trial that was stopped
    before any was whole; `folds` are the search's own.
    """

    trials: tuple[Trial, ...]
    defaults: int
    chosen: int
    left: Tried | None
    folds: Sequence[Fold]

    @property
    def trial(self) -> Trial:
        """The chosen trial."""
        return self.trials[self.chosen]


@dataclass(frozen=True)
class Search:
    """A search of `tuning` within `budget`; `words` say in the log what it is for."""

    tuning: Tuning
    encoded: Mapping[str, Encoded]
    budget: Budget
    words: str

    @property
    def plan(self) -> BoostingPlan:
        """The plan that holds without a search."""
        return self.encoded[NATIVE].plan

    def run(self, rows: Rows, store: TrialStore) -> SearchResult:
        """Search on some rows of train, from the trials in `store` on.

        Raises SettingsError where no trial's metric is a number.
        """
        started, stored = time.monotonic(), store.read()
        trials = stored.trials if stored else ()
        spent = stored.seconds if stored else 0.0
        course = Course(self.tuning, self.encoded, rows)

        def seconds() -> float:
            return spent + time.monotonic() - started

        left: Tried | None = None
        if not (stored and stored.is_over):
            trials, left = self._tried(course, trials, store, seconds)
            trials = self._tried_again(course, trials, store, seconds)
        stopped = self.plan.run.is_stopped()
        if not stopped:
            store.write(trials, seconds(), is_over=True)
        if not stopped and all(trial.state == "pruned" for trial in trials):
            raise SettingsError(
                f"the metric {self.plan.settings.stopping_metric} is not a number in any trial, "
                "and cannot choose one",
                hint="Name another one last in eval_metric",
            )
        defaults = min(len(course.defaults), len(trials))
        return SearchResult(trials, defaults, course.chosen(trials), left, course.folds.first)

    def _tried(
        self,
        course: Course,
        trials: tuple[Trial, ...],
        store: TrialStore,
        seconds: Callable[[], float],
    ) -> tuple[tuple[Trial, ...], Tried | None]:
        """Return these trials and those that the budget allows, and what is left of the best."""
        left: Tried | None = None
        while not self._is_over(trials, seconds()) and not self.plan.run.is_stopped():
            tried = self._next(course, trials, seconds)
            if tried.trial is None:
                return trials, left or tried
            trials = (*trials, tried.trial)
            best = course.chosen(trials)
            left = tried if best == len(trials) - 1 else left
            self._tell(trials, len(trials) - 1, best)
            store.write(trials, seconds(), is_over=False)
        return trials, left

    def _next(
        self, course: Course, trials: tuple[Trial, ...], seconds: Callable[[], float]
    ) -> Tried:
        return course.attempt(trials, lambda: self._is_late(trials, seconds()))

    def _tried_again(
        self,
        course: Course,
        trials: tuple[Trial, ...],
        store: TrialStore,
        seconds: Callable[[], float],
    ) -> tuple[Trial, ...]:
        """Return the trials; the best have values on other folds too."""
        if self.plan.run.is_stopped():
            return trials
        for place in course.finalists(trials):
            again = course.again(trials[place])
            if again is None:
                break
            trials = (*trials[:place], again, *trials[place + 1 :])
            self._tell(trials, place, course.chosen(trials), " on more folds")
            store.write(trials, seconds(), is_over=False)
        return trials

    def _is_over(self, trials: Sequence[Trial], seconds: float) -> bool:
        if self.budget.trials is not None:
            return len(trials) >= self.budget.trials
        return self._is_late(trials, seconds)

    def _is_late(self, trials: Iterable[Trial], seconds: float) -> bool:
        """Say whether the time is up; one whole trial is made in any case."""
        has_whole = any(trial.state == "complete" for trial in trials)
        return self.budget.seconds is not None and has_whole and seconds >= self.budget.seconds

    def _tell(self, trials: Sequence[Trial], place: int, best: int, more: str = "") -> None:
        metric, trial = self.plan.settings.stopping_metric, trials[place]
        value = "no number" if trial.value is None else f"{trial.value:.5g}"
        pruned = ", pruned" if trial.state == "pruned" else ""
        chosen = "" if trials[best].value is None else f", {trials[best].value:.5g} of {best + 1}"
        LOG.info(
            "%s, trial %d%s: %s %s%s (best%s): %s",
            self.words, place + 1, more, metric, value, pruned, chosen, in_words(trial.settings),
        )  # fmt: skip


def in_words(settings: Settings) -> str:
    """Return settings as they are set, in few digits."""
    return " ".join(
        f"{name}={value if isinstance(value, str) else f'{value:.4g}'}"
        for name, value in settings.items()
    )
