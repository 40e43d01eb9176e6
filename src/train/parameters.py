"""The hyperparameters `train` knows: sagetree's own and XGBoost's, with their aliases.

Source of XGBoost's names and ranges: "XGBoost Parameters" of its documentation
and the hyperparameter page of SageMaker's built-in XGBoost.
"""

from train.parameter import (
    Parameter,
    boolean,
    choice,
    integer,
    integers,
    json_object,
    names,
    real,
    text_value,
)

COLUMN_KINDS = (
    "number", "category", "boolean", "ordinal", "datetime", "identifier",
)  # fmt: skip

# Metrics that are defined for a binary label, as XGBoost names them.
METRICS = ("auc", "aucpr", "logloss", "error", "rmse", "mae")


def _is_text_list(value: object) -> bool:
    return isinstance(value, list) and bool(value) and len(set(map(str, value))) == len(value)


OWN = (
    Parameter("target", *text_value("a column name"), "label column; default: the first column"),
    Parameter(
        "positive_label",
        *text_value("one of the label's two values"),
        "label value that counts as 1; default: the greater one",
    ),
    Parameter("drop_columns", *names(), "columns to leave out"),
    Parameter("categorical_columns", *names(), "columns to read as categories"),
    Parameter(
        "ordinal_columns",
        *json_object('a JSON object: column -> ordered list, {"size": ["S", "M"]}', _is_text_list),
        "columns whose categories have an order",
    ),
    Parameter(
        "column_types",
        *json_object(
            "a JSON object: column -> one of " + ", ".join(COLUMN_KINDS),
            lambda kind: kind in COLUMN_KINDS and kind != "ordinal",
        ),
        "kinds of columns that inference gets wrong",
    ),
    Parameter("missing_values", *names(), "texts that mean a missing value, beside empty cells"),
    Parameter(
        "unknown_category",
        *choice("missing", "error"),
        "what a category never seen in training is at serving; default: missing",
    ),
    Parameter(
        "encoding",
        *choice("native", "onehot"),
        "categories as XGBoost's categorical splits, or as indicators; default: native",
    ),
    Parameter("header", *boolean(), "whether CSV files have a header; default: looked at"),
    Parameter("preset", *choice("sagetree", "xgboost"), "defaults of the rest; default: sagetree"),
    Parameter(
        "num_round",
        *integer(1),
        "most boosting rounds",
        aliases=("num_boost_round", "n_estimators", "num_rounds"),
    ),
    Parameter(
        "early_stopping_rounds", *integer(1), "stop after so many rounds without a better metric"
    ),
    Parameter("nfold", *integer(2), "cross-validation folds, where there is no validation channel"),
    Parameter("stratified", *boolean(), "whether each fold has the label's shares; default: true"),
    Parameter(
        "eval_metric",
        *names(),
        "metrics of each round: " + ", ".join(METRICS) + ", error@t; the last one stops",
    ),
    Parameter(
        "seed",
        *integer(0, 2**31 - 1),
        "seed of folds and sampling; default: 0",
        aliases=("random_state",),
    ),
)


def _handed_on(
    name: str, kind: tuple[object, str], text: str, aliases: tuple[str, ...] = ()
) -> Parameter:
    parse, allowed = kind
    return Parameter(name, parse, allowed, text, aliases, xgboost=True)  # type: ignore[arg-type]


XGBOOST = (
    _handed_on("objective", choice("binary:logistic"), "what is learnt"),
    _handed_on("booster", choice("gbtree", "dart"), "trees, or trees with dropout"),
    _handed_on("eta", real(0, 1), "step size of a round", ("learning_rate",)),
    _handed_on("gamma", real(0), "least gain of a split", ("min_split_loss",)),
    _handed_on("max_depth", integer(0), "deepest a tree grows"),
    _handed_on("min_child_weight", real(0), "least hessian weight in a leaf"),
    _handed_on("max_delta_step", real(0), "largest step of a leaf"),
    _handed_on("subsample", real(0, 1, above=True), "share of rows for a tree"),
    _handed_on("sampling_method", choice("uniform", "gradient_based"), "how rows are drawn"),
    _handed_on("colsample_bytree", real(0, 1, above=True), "share of features for a tree"),
    _handed_on("colsample_bylevel", real(0, 1, above=True), "share of features for a level"),
    _handed_on("colsample_bynode", real(0, 1, above=True), "share of features for a split"),
    _handed_on("lambda", real(0), "L2 penalty of leaves", ("reg_lambda",)),
    _handed_on("alpha", real(0), "L1 penalty of leaves", ("reg_alpha",)),
    _handed_on("tree_method", choice("auto", "exact", "approx", "hist"), "how splits are found"),
    _handed_on("scale_pos_weight", real(0, above=True), "weight of positive rows"),
    _handed_on("grow_policy", choice("depthwise", "lossguide"), "which leaf splits next"),
    _handed_on("max_leaves", integer(0), "most leaves of a tree"),
    _handed_on("max_bin", integer(2), "histogram bins of a feature"),
    _handed_on("num_parallel_tree", integer(1), "trees of a round"),
    _handed_on("max_cat_to_onehot", integer(1), "categories up to which a split takes only one"),
    _handed_on("max_cat_threshold", integer(1), "most categories a split considers"),
    _handed_on("monotone_constraints", integers(), "-1, 0 or 1 for each feature, in their order"),
    _handed_on(
        "base_score", real(0, 1, above=True), "score before the first tree; default: estimated"
    ),
    _handed_on("sample_type", choice("uniform", "weighted"), "dart: how trees are dropped"),
    _handed_on("normalize_type", choice("tree", "forest"), "dart: weight of new trees"),
    _handed_on("rate_drop", real(0, 1), "dart: share of trees dropped"),
    _handed_on("one_drop", boolean(), "dart: drop at least one"),
    _handed_on("skip_drop", real(0, 1), "dart: probability of no dropout"),
    _handed_on("nthread", integer(1), "threads; default: usable cores", ("n_jobs",)),
    _handed_on("device", choice("cpu", "cuda", "gpu"), "where to train"),
    _handed_on("verbosity", integer(0, 3), "XGBoost's own messages: 0 none to 3 debug"),
)

PARAMETERS = (*OWN, *XGBOOST)

# Every spelling a user may write -> the parameter.
BY_NAME = {
    spelling: parameter
    for parameter in PARAMETERS
    for spelling in (parameter.name, *parameter.aliases)
}
