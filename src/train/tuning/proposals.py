"""What to try next, and what is not worth going on with: Optuna's answers, as functions.

Each asks a study made anew of all trials so far, with a sampler seeded by their number: a
job that was stopped and goes on from the trials that it stored gets the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sagetree.bundle.learning_curve import Settings, Trial
from sagetree.train.hyperparameters.searching import ENCODING, ENCODINGS, Range

# Drawn evenly before the sampler goes by what it has seen; trials that all others are held to.
_DRAWN, _KEPT = 10, 4


@dataclass(frozen=True)
class Proposer:
    """Optuna's sampler and pruner over some ranges."""

    ranges: tuple[Range, ...]
    has_encoding: bool
    is_maximized: bool
    seed: int

    def propose(self, trials: Sequence[Trial]) -> Settings:
        """Return the settings that come after these trials."""
        trial = self._study(trials).ask(self._distributions())
        return {name: trial.params[name] for name in self._distributions()}

    def is_poor(self, trials: Sequence[Trial], means: Sequence[float]) -> bool:
        """Say whether means over the folds so far are worse than half of the whole trials'."""
        trial = self._study(trials).ask()
        for step, mean in enumerate(means):
            trial.report(mean, step)
        return bool(trial.should_prune())

    def _study(self, trials: Sequence[Trial]) -> Any:  # noqa: ANN401 - Optuna may be absent
        import optuna  # of the extra `tune`, and 0.9 s that no other job is to wait for

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        seed = (self.seed + len(trials)) % 2**32
        study = optuna.create_study(
            direction="maximize" if self.is_maximized else "minimize",
            sampler=optuna.samplers.TPESampler(n_startup_trials=_DRAWN, seed=seed),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=_KEPT),
        )
        study.add_trials([self._frozen(trial) for trial in trials])
        return study

    def _frozen(self, trial: Trial) -> Any:  # noqa: ANN401
        import optuna

        whole = trial.state == "complete"
        return optuna.trial.create_trial(
            state=optuna.trial.TrialState.COMPLETE if whole else optuna.trial.TrialState.PRUNED,
            value=trial.value if whole else None,
            params=self._within(trial.settings),
            distributions=self._distributions(),
            intermediate_values=dict(enumerate(means_so_far(trial.values))),
        )

    def _within(self, settings: Settings) -> Settings:
        """Return settings as the sampler may know them: defaults may lie outside the ranges."""
        found = {each.name: each.nearest(float(settings[each.name])) for each in self.ranges}
        return {**found, ENCODING: settings[ENCODING]} if self.has_encoding else {**found}

    def _distributions(self) -> dict[str, Any]:
        import optuna.distributions as of

        found: dict[str, Any] = {
            each.name: of.IntDistribution(int(each.low), int(each.high))
            if each.is_whole
            else of.FloatDistribution(each.low, each.high, log=each.is_log)
            for each in self.ranges
        }
        return found | (
            {ENCODING: of.CategoricalDistribution(ENCODINGS)} if self.has_encoding else {}
        )


def means_so_far(groups: Sequence[Sequence[float]]) -> list[float]:
    """Return the mean over the folds of the first group, of the first two, ...

    >>> means_so_far([(1.0, 3.0), (5.0,)])
    [2.0, 3.0]
    """
    found, values = [], list[float]()
    for group in groups:
        values += group
        found.append(sum(values) / len(values))
    return found
