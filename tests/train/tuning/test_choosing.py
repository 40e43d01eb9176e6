"""Which of some trials is chosen, which are tried again, and what is proposed next."""

import pytest

from sagetree.bundle.learning_curve import Settings, Trial
from sagetree.train.hyperparameters.searching import TREE_RANGES
from sagetree.train.tuning.choosing import choose, finalists
from sagetree.train.tuning.proposals import Proposer

SETTINGS: Settings = {
    "max_depth": 4, "eta": 0.05, "min_child_weight": 2, "lambda": 10, "alpha": 0, "subsample": 0.8,
    "colsample_bytree": 0.5,
}  # fmt: skip


def trial(*groups: tuple[float, ...], pruned: bool = False) -> Trial:
    state = "pruned" if pruned else "complete"
    rounds = tuple(10 * (n + 1) for n in range(len(groups)))
    return Trial(settings=SETTINGS, state=state, values=groups, rounds=rounds)


DEFAULT = trial((0.60, 0.50), (0.40,))


@pytest.mark.parametrize(
    ("trials", "chosen"),
    [
        ([DEFAULT, trial((0.59, 0.49), (0.38,))], 1),  # better in every fold
        ([DEFAULT, trial((0.40, 0.60), (0.45,))], 0),  # better by one fold of three
        ([DEFAULT, trial((0.1, 0.1), pruned=True)], 0),
        ([trial((0.9, 0.9), (0.9,)), DEFAULT], 1),
        # what was tried on more folds alone counts
        ([trial((0.6,), (0.4,), (0.5,)), trial((0.1,), (0.1,)), trial((0.5,), (0.3,), (0.4,))], 2),
        ([trial(pruned=True), trial(pruned=True)], 0),
    ],
)
def test_another_trial_is_chosen_where_it_gains_more_than_noise(
    trials: list[Trial], chosen: int
) -> None:
    assert choose(trials, 1, maximize=False) == chosen


def test_the_greatest_is_chosen_of_what_is_to_be_great() -> None:
    trials = [DEFAULT, trial((0.61, 0.51), (0.41,)), trial((0.5, 0.4), (0.3,))]
    assert choose(trials, 1, maximize=True) == 1


def test_the_few_best_are_tried_again_beside_the_best_of_the_defaults() -> None:
    others = [trial((value,), (value,)) for value in (0.4, 0.9, 0.3, 0.2, 0.45)]
    trials = [trial((0.7,), (0.7,)), trial((0.6,), (0.6,)), *others]
    assert finalists(trials, 2, 2, maximize=False) == (1, 5, 4, 2)
    # by their first folds alone: a job that goes on tries the same
    again = trials[5].model_copy(update={"values": (*trials[5].values, (0.99,))})
    assert finalists([*trials[:5], again, *trials[6:]], 2, 2, maximize=False) == (1, 5, 4, 2)
    assert finalists(trials[:2], 2, 2, maximize=False) == ()


def test_best_rounds_count_by_the_folds_they_are_of() -> None:
    assert trial((0.5, 0.5), (0.5,)).best_round == 13


def test_a_proposal_depends_on_the_trials_and_the_seed_alone() -> None:
    def proposed(seed: int, trials: list[Trial]) -> Settings:
        return Proposer(TREE_RANGES, True, is_maximized=False, seed=seed).propose(trials)

    one = trial((0.5,)).model_copy(update={"settings": {**SETTINGS, "encoding": "native"}})
    trials = [one] * 12
    assert proposed(3, trials) == proposed(3, trials)
    assert proposed(3, trials) != proposed(4, trials)
    assert proposed(3, trials) != proposed(3, trials[:11])


def test_a_trial_is_poor_behind_more_than_half_of_the_whole_ones() -> None:
    proposer = Proposer(TREE_RANGES, False, is_maximized=False, seed=0)
    trials = [trial((value,), (value,)) for value in (0.1, 0.2, 0.3, 0.4, 0.5)]
    assert proposer.is_poor(trials, [0.35])
    assert not proposer.is_poor(trials, [0.25])
    assert not proposer.is_poor(trials[:3], [0.9])  # too few to be held to
