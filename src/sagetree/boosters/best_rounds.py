"""Which rounds of somebody's model predict: up to the best one, if early stopping found it.

XGBoost keeps the rounds after the best one in the file and leaves them out by
the file's attributes: its scikit-learn wrapper always does, and what `train`
returns is meant to.
"""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import xgboost

# Up to the best round, or all there are.
Rounds = Literal["best", "all"]


def best_rounds(
    attribute: Callable[[str], str | None], stored: int, trees_at_once: int
) -> int | None:
    """Return how many of the `stored` rounds come up to the best one; None: it is not known.

    `trees_at_once` is what the model knows of num_parallel_tree. XGBoost 1.3 to
    1.7 counts trees in best_ntree_limit, and its files up to 1.5 forget how many
    of them are a round: then each of them is one for whoever loads it.
    """
    limit, best = _number(attribute("best_ntree_limit")), _number(attribute("best_iteration"))
    if limit is not None and limit > 0:
        rounds = -(-limit // max(trees_at_once, 1))
    elif best is not None and best >= 0:
        rounds = best + 1
    else:
        return None
    return min(rounds, stored)


def trees_at_once(gradient_booster: Mapping[str, Any]) -> int | None:
    """Return num_parallel_tree of that part of XGBoost's configuration; None: it is linear."""
    if gradient_booster["name"] == "gblinear":  # all of its rounds are in its one line
        return None
    trees = gradient_booster.get("gbtree", gradient_booster)  # dart's, before XGBoost 3.4
    return int(trees["gbtree_model_param"]["num_parallel_tree"])


def best_part(booster: "xgboost.Booster") -> "xgboost.Booster":
    """Return the rounds up to the best one, if it is known; the categories' names are lost."""
    at_once = trees_at_once(json.loads(booster.save_config())["learner"]["gradient_booster"])
    if at_once is None:
        return booster
    stored = booster.num_boosted_rounds()
    best = best_rounds(booster.attr, stored, at_once)
    return booster if best in (None, stored) else booster[:best]


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:  # attributes are whatever a user sets
        return None
