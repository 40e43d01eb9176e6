"""Which trial is the best: of all at first, and of a few once they were tried on other folds.

The best of many trials on few rows is partly the luckiest. So the few best of them, and the
best of the defaults, are tried again on folds that chose none of them.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from sagetree.bundle.learning_curve import Trial

# More of them would hardly be chosen any more.
_FINALISTS = 3


def choose(trials: Sequence[Trial], defaults: int, *, maximize: bool) -> int:
    """Return the place of the best trial; the best of the defaults where it gains less than noise.

    Only those count that were tried on most folds. Noise is the standard error of the gain
    over the folds, which both were tried on.
    """
    whole = [place for place, trial in enumerate(trials) if trial.state == "complete"]
    if not whole:
        return 0
    most = max(len(trials[place].values) for place in whole)
    whole = [place for place in whole if len(trials[place].values) == most]
    best = _best(trials, whole, maximize=maximize)
    usual = [place for place in whole if place < defaults]
    if best < defaults or not usual:
        return best
    standard = _best(trials, usual, maximize=maximize)
    one, other = (np.concatenate(trials[place].values) for place in (best, standard))
    gains = (one - other) * (1 if maximize else -1)
    if len(gains) > 1 and gains.mean() <= gains.std(ddof=1) / np.sqrt(len(gains)):
        return standard
    return best


def finalists(
    trials: Sequence[Trial], defaults: int, groups: int, *, maximize: bool
) -> tuple[int, ...]:
    """Return the places of those to be tried again, by their first groups of folds.

    They are the best of the defaults and the few that are better; none where none is.
    """
    first = [trial.model_copy(update={"values": trial.values[:groups]}) for trial in trials]
    whole = [place for place, trial in enumerate(first) if trial.state == "complete"]
    usual = [place for place in whole if place < defaults]
    if not usual:
        return ()
    standard = _best(first, usual, maximize=maximize)
    order = ranked(first, whole, maximize=maximize)
    better = [place for place in order[: order.index(standard)] if place >= defaults]
    return (standard, *better[:_FINALISTS]) if better else ()


def ranked(trials: Sequence[Trial], places: Iterable[int], *, maximize: bool) -> list[int]:
    """Return the places of whole trials, the best first; of equal ones the first first."""
    sign = -1 if maximize else 1
    return sorted(places, key=lambda place: sign * float(np.mean(_values(trials[place]))))


def _best(trials: Sequence[Trial], places: Iterable[int], *, maximize: bool) -> int:
    return ranked(trials, places, maximize=maximize)[0]


def _values(trial: Trial) -> list[float]:
    return [value for group in trial.values for value in group]
