"""XGBoost's own hyperparameters, with its aliases, ranges and defaults.

Source: "XGBoost Parameters" of its documentation and the configuration that a
booster of 3.2 and of 3.4 saves. The ranges worth searching are those of
SageMaker's built-in XGBoost.
"""

from sagetree.boosters.objectives import (
    DEFAULT_OBJECTIVE,
    NUMBERS_OBJECTIVE,
    OBJECTIVES,
    WORDS_OBJECTIVE,
)
from sagetree.train.hyperparameters.parameter import Hyperparameter, ValueType
from sagetree.train.hyperparameters.value_lists import (
    ColumnGroups,
    JsonObject,
    Monotone,
    NumberList,
    Words,
)
from sagetree.train.hyperparameters.value_types import Choice, Flag, Integer, Real

UPDATERS = (
    "grow_colmaker", "grow_histmaker", "grow_quantile_histmaker", "grow_gpu_hist",
    "grow_gpu_approx", "refresh", "prune", "sync", "shotgun", "coord_descent",
)  # fmt: skip

_SHARE = Real(0, 1, above=True)
_WITHIN = Real(0, 1, above=True, below=True)


def _is_weight(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e30


def _handed_on(
    name: str,
    kind: ValueType,
    text: str,
    default: str = "",
    *,
    alias: str = "",
    tuned: Integer | Real | None = None,
) -> Hyperparameter:
    return Hyperparameter(name, kind, text, default, (alias,) if alias else (), tuned, xgboost=True)


GENERAL = (
    _handed_on(
        "objective",
        Choice(tuple(OBJECTIVES)),
        f"what is learnt; default: {DEFAULT_OBJECTIVE} for a label of two values, "
        f"{NUMBERS_OBJECTIVE} for other numbers, {WORDS_OBJECTIVE} for up to 20 words",
    ),
    _handed_on(
        "booster",
        Choice(("gbtree", "dart", "gblinear")),
        "trees, trees with dropout, or a linear model",
        "gbtree",
    ),
    _handed_on("num_class", Integer(2), "multi:*: number of classes; default: the label's"),
    _handed_on(
        "base_score",
        NumberList("a number, or one for each output such as [0.2, 0.8]"),
        "score before the first tree; default: estimated",
    ),
    Hyperparameter(
        "seed",
        Integer(-(2**31) + 1, 2**31 - 1),
        "seed of folds and sampling",
        "0",
        aliases=("random_state",),
        xgboost=True,
    ),
    _handed_on("seed_per_iteration", Flag(), "seed anew in each round", "false"),
    _handed_on("nthread", Integer(1), "threads; default: usable cores", alias="n_jobs"),
    _handed_on("device", Choice(("cpu", "cuda", "gpu")), "where to train", "cpu"),
    _handed_on("verbosity", Integer(0, 3), "XGBoost's own messages: 0 none to 3 debug", "1"),
    _handed_on("validate_parameters", Flag(), "let XGBoost check names once more", "true"),
    _handed_on(
        "feature_weights",
        JsonObject("a JSON object: column -> weight", check=_is_weight),
        "how likely colsample_* draws a column; 1 for those not named",
    ),
)

TREES = (
    _handed_on(
        "eta", Real(0, 1), "step size of a round", alias="learning_rate", tuned=Real(0.1, 0.5)
    ),
    _handed_on(
        "gamma", Real(0), "least gain of a split", "0", alias="min_split_loss", tuned=Real(0, 5)
    ),
    _handed_on("max_depth", Integer(0), "deepest a tree grows", tuned=Integer(0, 10)),
    _handed_on("min_child_weight", Real(0), "least hessian weight in a leaf", tuned=Real(0, 120)),
    _handed_on(
        "max_delta_step",
        Real(0),
        "largest step of a leaf, 0 for any; default: 0, 0.7 for count:poisson",
        tuned=Real(0, 10),
    ),
    _handed_on("subsample", _SHARE, "share of rows for a tree", tuned=Real(0.5, 1)),
    _handed_on(
        "sampling_method", Choice(("uniform", "gradient_based")), "how rows are drawn", "uniform"
    ),
    _handed_on("colsample_bytree", _SHARE, "share of features for a tree", tuned=Real(0.5, 1)),
    _handed_on(
        "colsample_bylevel", _SHARE, "share of features for a level", "1", tuned=Real(0.1, 1)
    ),
    _handed_on(
        "colsample_bynode", _SHARE, "share of features for a split", "1", tuned=Real(0.1, 1)
    ),
    _handed_on("lambda", Real(0), "L2 penalty of leaves", alias="reg_lambda", tuned=Real(0, 1000)),
    _handed_on(
        "alpha", Real(0), "L1 penalty of leaves", "0", alias="reg_alpha", tuned=Real(0, 1000)
    ),
    _handed_on(
        "tree_method",
        Choice(("auto", "exact", "approx", "hist", "gpu_hist")),
        "how splits are found; gpu_hist is hist with device=cuda",
        "auto",
    ),
    _handed_on("scale_pos_weight", Real(0, above=True), "weight of positive rows", "1"),
    _handed_on(
        "grow_policy", Choice(("depthwise", "lossguide")), "which leaf splits next", "depthwise"
    ),
    _handed_on("max_leaves", Integer(0), "most leaves of a tree, 0 for any", "0"),
    _handed_on("max_bin", Integer(2), "histogram bins of a feature", "256"),
    _handed_on("num_parallel_tree", Integer(1), "trees of a round", "1"),
    _handed_on(
        "max_cat_to_onehot", Integer(1), "with fewer categories a split takes only one of them"
    ),
    _handed_on("max_cat_threshold", Integer(1), "most categories a split considers", "64"),
    _handed_on(
        "multi_strategy",
        Choice(("one_output_per_tree", "multi_output_tree")),
        "several outputs: a tree for each, or trees with a vector in each leaf",
        "one_output_per_tree",
    ),
    _handed_on(
        "max_cached_hist_node", Integer(1), "hist and approx: most histograms held; default: all"
    ),
    _handed_on(
        "monotone_constraints",
        Monotone(),
        "1: rising, -1: falling, 0: unconstrained; in order: of the columns after the label, in "
        "libsvm of the indices from 0",
    ),
    _handed_on(
        "interaction_constraints",
        ColumnGroups(),
        "groups of columns that may meet in a branch; a number is the place after the label, from "
        "0, in libsvm the index",
    ),
    _handed_on(
        "updater",
        Words(UPDATERS),
        "which algorithms build and change trees, or fit a linear model; default: by tree_method",
    ),
    _handed_on(
        "process_type",
        Choice(("default", "update")),
        "grow trees, or revise those of the model channel",
        "default",
    ),
    _handed_on("refresh_leaf", Flag(), "updater refresh: leaf values too", "true"),
)

DART = (
    _handed_on("sample_type", Choice(("uniform", "weighted")), "how trees are dropped", "uniform"),
    _handed_on("normalize_type", Choice(("tree", "forest")), "weight of new trees", "tree"),
    _handed_on("rate_drop", Real(0, 1), "share of trees dropped", "0"),
    _handed_on("one_drop", Flag(), "drop at least one tree", "false"),
    _handed_on("skip_drop", Real(0, 1), "probability of a round without dropping", "0"),
)

LINEAR = (
    _handed_on(
        "feature_selector",
        Choice(("cyclic", "shuffle", "random", "greedy", "thrifty")),
        "which weight is fitted next",
        "cyclic",
    ),
    _handed_on("top_k", Integer(0), "weights greedy and thrifty choose among, 0 for all", "0"),
    _handed_on("tolerance", Real(0), "stop where no weight changes by more", "0"),
)

BY_OBJECTIVE = (
    _handed_on(
        "tweedie_variance_power",
        Real(1, 2, above=True, below=True),
        "reg:tweedie: near 1 like Poisson, near 2 like gamma",
        "1.5",
    ),
    _handed_on(
        "huber_slope",
        Real(0, above=True),
        "reg:pseudohubererror: where the loss turns from quadratic to linear",
        "1",
    ),
    _handed_on(
        "quantile_alpha",
        NumberList("numbers above 0 and below 1 such as [0.1, 0.5, 0.9]", each=_WITHIN),
        "reg:quantileerror: which quantiles, one output for each",
    ),
    _handed_on(
        "expectile_alpha",
        _WITHIN,
        "reg:expectileerror: which expectile; XGBoost has it from 3.4 on",
    ),
    _handed_on(
        "aft_loss_distribution",
        Choice(("normal", "logistic", "extreme")),
        "survival:aft: distribution of the logarithm's error",
        "normal",
    ),
    _handed_on("aft_loss_distribution_scale", Real(0, above=True), "survival:aft: its scale", "1"),
    _handed_on(
        "lambdarank_pair_method",
        Choice(("topk", "mean")),
        "rank:*: pairs of the top rows, or drawn for each row",
        "topk",
    ),
    _handed_on(
        "lambdarank_num_pair_per_sample",
        Integer(1),
        "rank:*: top rows, or pairs for each row; default: 32 or 1, by the method",
    ),
    _handed_on(
        "lambdarank_normalization", Flag(), "rank:*: normalise by the group's gradients", "true"
    ),
    _handed_on(
        "lambdarank_score_normalization",
        Flag(),
        "rank:*: normalise by the difference of scores",
        "true",
    ),
    _handed_on("lambdarank_unbiased", Flag(), "rank:*: correct clicks for position", "false"),
    _handed_on("lambdarank_bias_norm", Real(0), "rank:*: norm of that correction", "1"),
    _handed_on("ndcg_exp_gain", Flag(), "rank:ndcg: 2^label - 1 as gain, else the label", "true"),
)

XGBOOST = (*GENERAL, *TREES, *DART, *LINEAR, *BY_OBJECTIVE)
