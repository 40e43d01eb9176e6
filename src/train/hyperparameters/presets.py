"""Defaults of the XGBoost parameters, and why they are what they are."""

from collections.abc import Mapping
from types import MappingProxyType

from sagetree.boosters.objectives import objective_of

# Hyperparameter -> (value, reason).
Preset = Mapping[str, tuple[object, str]]

# Categories of more values are numbers: statistics of the label. Up to here a split takes
# one of them, and needs no order of theirs; XGBoost compares with one more.
FEW_CATEGORIES = 64

_MAX_CAT_TO_ONEHOT = (FEW_CATEGORIES + 1, "a split takes one of few categories; see below")

# For a label of two values; docs/guide/defaults.md shows them, bench/quality.py measures them.
SAGETREE: Preset = MappingProxyType(
    {
        "max_depth": (2, "with few positives deeper trees learn single rows; see below"),
        "eta": (0.05, "small steps let early stopping find the best round"),
        "min_child_weight": (2.0, "no leaf on fewer than some 70 rows at 3 % positives; see below"),
        "lambda": (10.0, "leaves with little evidence stay near zero; see below"),
        "subsample": (0.8, "trees that see different rows agree less by chance"),
        "colsample_bytree": (0.5, "one strong column does not hide the others"),
        "max_cat_to_onehot": _MAX_CAT_TO_ONEHOT,
    }
)

# For other labels, in which every row says something.
SAGETREE_OTHERS: Preset = MappingProxyType(
    {
        "max_depth": (4, "room for some interactions"),
        "eta": SAGETREE["eta"],
        "subsample": SAGETREE["subsample"],
        "colsample_bytree": (0.8, SAGETREE["colsample_bytree"][1]),
        "max_cat_to_onehot": _MAX_CAT_TO_ONEHOT,
    }
)

# What yields where all rows together have little hessian, n p (1 - p) for a share p of
# positives: at the values above, a few rows of each label could not be told apart, nor be
# called surely this or that. Then a leaf needs a twentieth of it, and lambda is a fifth of
# it, which is what they are of some 50 positives; but lambda no less than XGBoost's own.
SAGETREE_YIELDING = ("min_child_weight", "lambda")
LEAF_SHARE, LAMBDA_SHARE, XGBOOST_LAMBDA = 0.05, 0.2, 1.0

# A table of more features than this is wide, and of few rows where each of XGBoost's bins would
# hold fewer of them than this: a round takes time for bins. On 12 made tables (150 rows, 800
# features) the AUC is .0025 lower so, give or take .0023, and .0075 lower with 8 rows a bin.
WIDE_FEATURES, ROWS_A_BIN, LEAST_BINS, XGBOOST_BINS = 500, 4, 32, 256

# What a job chooses among where no max_depth is given (those above hold where no rows
# can be left out to choose on): the one tried first, the shallower one, and the one
# tried where more depth than the first might help.
SAGETREE_DEPTHS = (4, 2, 6)

# What is tried against the preset at the depth that is best. Of several classes: the hessian of
# a class, 2 p (1 - p), vanishes as rows get sure, and a leaf that needs 1 of it stops them far
# from 0 and 1. And of many columns that say much the same, a tree of half of them is another
# tree. But where few columns tell only together, each tree needs all, and a leaf of few rows
# learns them by heart.
SAGETREE_RIVAL_OF_CLASSES: Mapping[str, float] = MappingProxyType(
    {"min_child_weight": 0.1, "colsample_bytree": 0.5}
)

# Rounds: an upper bound that small steps need, and the patience noise needs.
SAGETREE_ROUNDS = 2000
SAGETREE_PATIENCE = 50

# XGBoost's own: no parameter is set but this one, whose default changes with XGBoost's
# version, and its documentation's usual 100 rounds.
XGBOOST_ROUNDS = 100
XGBOOST_MAX_CAT_TO_ONEHOT = 4

# Of numbers the rival is XGBoost's own: a split parts the categories of a column in two by their
# means. Where each has many rows, one split says what takes many that take one of them each;
# the means of few rows are chance.
SAGETREE_RIVAL_OF_NUMBERS: Mapping[str, float] = MappingProxyType(
    {"max_cat_to_onehot": XGBOOST_MAX_CAT_TO_ONEHOT}
)


def at_most_of(hessian: float) -> dict[str, float]:
    """Return the most that each of SAGETREE_YIELDING is, of rows with this hessian together."""
    return {
        "min_child_weight": LEAF_SHARE * hessian,
        "lambda": max(XGBOOST_LAMBDA, LAMBDA_SHARE * hessian),
    }


def preset_of(objective: str) -> Preset:
    """Return what holds for an objective where the user says nothing."""
    return SAGETREE if objective_of(objective).task == "binary" else SAGETREE_OTHERS


def rival_of(objective: str) -> Mapping[str, float]:
    """Return what a job tries against the preset of an objective, if anything."""
    rivals = {"multiclass": SAGETREE_RIVAL_OF_CLASSES, "regression": SAGETREE_RIVAL_OF_NUMBERS}
    return rivals.get(objective_of(objective).task, {})
