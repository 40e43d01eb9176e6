"""sagetree's own hyperparameters, those without effect, and all of them by name."""

from collections.abc import Mapping

from sagetree.train.hyperparameters.parameter import Hyperparameter
from sagetree.train.hyperparameters.value_lists import FacetList, JsonObject, Names
from sagetree.train.hyperparameters.value_types import (
    Choice,
    DecisionRule,
    Delimiter,
    Flag,
    Integer,
    Real,
    SearchBudget,
    Text,
    TuningMetric,
    Value,
)
from sagetree.train.hyperparameters.xgboost_parameters import XGBOOST

COLUMN_KINDS = (
    "number", "category", "boolean", "ordinal", "datetime", "identifier",
)  # fmt: skip

TUNING_METRIC = "_tuning_objective_metric"


def _is_text_list(value: object) -> bool:
    return isinstance(value, list) and bool(value) and len(set(map(str, value))) == len(value)


_COLUMN = Text("a column name")

OWN = (
    Hyperparameter("target", _COLUMN, "label column; default: the first that is not an index"),
    Hyperparameter(
        "positive_label",
        Text("one of the label's two values"),
        "label value that counts as 1; default: 1, true or yes (also Y, ja, oui and the like), "
        "else the rarer one; of two about equally frequent ones the second in order, with a "
        "warning",
    ),
    Hyperparameter(
        "decision",
        DecisionRule(),
        "binary:logistic: how the threshold, the score from which a row is called positive, is "
        "chosen on "
        "held-out rows: by the greatest F1, the most found with a precision or with a share of "
        "alerts, the fewest alerts with a recall, or the least cost of positives missed and false "
        "alarms, such as cost: miss=claim_amount alarm=35",
        default="f1",
    ),
    Hyperparameter(
        "calibration",
        Choice(("none", "platt", "isotonic", "auto")),
        "binary:logistic: what makes a score a probability, fitted on held-out rows, with ranks "
        "as they are; default: auto, which calibrates where the slope there is surely outside "
        ".9 to 1.1 or the mean score off, and takes back scale_pos_weight; none with preset "
        "xgboost",
    ),
    Hyperparameter(
        "facets",
        FacetList(),
        "parts of the rows, by values or a threshold of a column that need not be a feature, for "
        "which Clarify's bias metrics are measured; evaluate takes the same",
    ),
    Hyperparameter(
        "favourable",
        Text("one of the label's values"),
        "with facets: the label value that is good for a person; default: of two the negative one",
    ),
    Hyperparameter(
        "reweigh",
        Choice(("none", "facet")),
        "facet: learn from rows weighed so that label and facets are independent; the job trains "
        "without it too, and says what it costs",
        default="none",
    ),
    Hyperparameter("drop_columns", Names(), "columns to leave out"),
    Hyperparameter("categorical_columns", Names(), "columns to read as categories"),
    Hyperparameter(
        "ordinal_columns",
        JsonObject(
            'a JSON object: column -> ordered list, {"size": ["S", "M"]}', check=_is_text_list
        ),
        "columns whose categories have an order",
    ),
    Hyperparameter(
        "column_types",
        JsonObject(
            "a JSON object: column -> one of " + ", ".join(COLUMN_KINDS),
            check=lambda kind: kind in COLUMN_KINDS and kind != "ordinal",
        ),
        "kinds of columns that inference gets wrong",
    ),
    Hyperparameter(
        "missing_values", Names(), "texts that mean a missing value, beside empty cells"
    ),
    Hyperparameter(
        "decimal",
        Choice(("point", "comma")),
        "decimal mark of numbers written as text; default: the one that fits the whole column",
    ),
    Hyperparameter(
        "date_order",
        Choice(("day", "month")),
        "what comes first in 01/02/2020; default: the one that fits the whole column",
    ),
    Hyperparameter(
        "unknown_category",
        Choice(("missing", "error")),
        "what serving makes of a category never seen in training",
        default="missing",
    ),
    Hyperparameter(
        "encoding",
        Choice(("native", "onehot", "target")),
        "categories as XGBoost's categorical splits, as indicators, or as mean labels of other "
        "rows; default: target for more than 64 values, else native, or onehot where XGBoost has "
        "no such splits (tree_method=exact, booster=gblinear)",
    ),
    Hyperparameter(
        "weight_column",
        _COLUMN,
        "column with each row's weight; no feature; only the weights' ratio counts, but with "
        "preset xgboost",
    ),
    Hyperparameter(
        "csv_weights",
        Flag(),
        "whether the second column of CSV files is the weight, as in SageMaker's own XGBoost",
        default="false",
    ),
    Hyperparameter(
        "base_margin_column",
        Names(),
        "column with the margin each row starts from, one for each output; no feature; rows of a "
        "request without it start from 0",
    ),
    Hyperparameter(
        "group_column",
        _COLUMN,
        "column whose rows of one value belong together: a query of rank:*, else rows that "
        "folds keep together; no feature",
    ),
    Hyperparameter(
        "time_column", _COLUMN, "column that orders rows in time: folds test on later rows"
    ),
    Hyperparameter(
        "label_lower_bound",
        _COLUMN,
        "survival:aft: column with the label's lower end, in place of target",
    ),
    Hyperparameter(
        "label_upper_bound",
        _COLUMN,
        "survival:aft: column with the label's upper end, empty where the event is yet to come",
    ),
    Hyperparameter(
        "event_column",
        _COLUMN,
        "survival:*: column that says whether the label is the time of the event (1, true) or of "
        "the last look before it (0, false); no feature",
    ),
    Hyperparameter(
        "event_value",
        Names(),
        "values of event_column that mean that the event came; default: 1, true",
    ),
    Hyperparameter("header", Flag(), "whether CSV files have a header; default: detected"),
    Hyperparameter(
        "delimiter", Delimiter(), "what separates the cells of CSV files; default: detected"
    ),
    Hyperparameter(
        "preset", Choice(("sagetree", "xgboost")), "defaults of the rest", default="sagetree"
    ),
    Hyperparameter(
        "num_round",
        Integer(1),
        "most boosting rounds; default: 2000 with early stopping, 100 with preset xgboost",
        aliases=("num_boost_round", "n_estimators", "num_rounds"),
        tuned=Integer(1, 4000),
    ),
    Hyperparameter(
        "early_stopping_rounds",
        Integer(1),
        "stop after this many rounds without improvement; default: 50, none with preset xgboost",
    ),
    Hyperparameter(
        "nfold",
        Integer(2),
        "cross-validation folds that choose the rounds, where there is no validation channel; "
        "default: 5 up to 200000 rows",
    ),
    Hyperparameter(
        "stratified", Flag(), "whether each fold has the label's shares", default="true"
    ),
    Hyperparameter(
        "_kfold",
        Integer(2),
        "folds that each give a model; all are served as one, and every printed number is "
        "of held-out rows",
    ),
    Hyperparameter("_num_cv_round", Integer(1), "how often _kfold is repeated", default="1"),
    Hyperparameter(
        "eval_metric",
        Names(),
        "metrics of each round; the last one stops the rounds, but logloss or mlogloss for one "
        "that "
        "only says what rows are called (f1, accuracy, error); default: the objective's own, of "
        "two classes auc,logloss (logloss,auc with scale_pos_weight, auc with preset xgboost)",
    ),
    Hyperparameter(
        TUNING_METRIC,
        TuningMetric(),
        "metric a tuning job goes by; added to eval_metric as its last one",
    ),
    Hyperparameter(
        "tune",
        SearchBudget(),
        "trials, such as 30, or time, such as 20m, of a search of depth, step size, penalties, "
        "sampling and encoding inside this job; what is set is not searched; see tuning.md",
    ),
    Hyperparameter(
        "external_memory", Flag(), "train from disk; default: if the memory is too small"
    ),
    Hyperparameter(
        "fail_on_leakage",
        Flag(),
        "whether a column that gives the label away, or a row of train elsewhere, ends the job",
        default="false",
    ),
    Hyperparameter(
        "report",
        Flag(),
        "whether the job writes output/data/report.html, of the held-out rows",
        default="false",
    ),
    Hyperparameter(
        "save_model_on_termination",
        Flag(),
        "whether a job that is stopped leaves the best model so far",
        default="true",
    ),
    Hyperparameter(
        "checkpoint_interval",
        Integer(1),
        "rounds between checkpoints, where there is a checkpointconfig.json; default: see "
        "checkpoint_seconds",
    ),
    Hyperparameter("checkpoint_seconds", Integer(1), "seconds between checkpoints", default="60"),
    Hyperparameter("checkpoints_kept", Integer(1), "newest checkpoints that are kept", default="3"),
)

# What the official container or older releases of XGBoost take and nothing heeds any more.
UNUSED = (
    Hyperparameter("sketch_eps", Real(0, 1, above=True, below=True), "take max_bin"),
    Hyperparameter("predictor", Choice(("auto", "cpu_predictor", "gpu_predictor")), "take device"),
    Hyperparameter("dsplit", Choice(("row", "col")), "one machine trains"),
    Hyperparameter("lambda_bias", Real(0, 1), "XGBoost has no penalty of the bias any more"),
    Hyperparameter("deterministic_histogram", Flag(), "XGBoost's histograms always are"),
    Hyperparameter("prob_buffer_row", Real(1, above=True), "XGBoost has no such buffer any more"),
    Hyperparameter("single_precision_histogram", Flag(), "XGBoost has one precision"),
    Hyperparameter("enable_categorical", Flag(), "categories are always taken; see encoding"),
    Hyperparameter("disable_default_eval_metric", Flag(), "only eval_metric is printed anyway"),
    Hyperparameter("use_rmm", Flag(), "XGBoost is built without it"),
    Hyperparameter("use_dask_gpu_training", Flag(), "one machine trains; take device=cuda"),
)

PARAMETERS = (*OWN, *XGBOOST, *UNUSED)

# Every spelling a user may write -> the parameter.
BY_NAME = {
    spelling: parameter
    for parameter in PARAMETERS
    for spelling in (parameter.name, *parameter.aliases)
}


def is_given(values: Mapping[str, Value], name: str) -> bool:
    """Say whether a hyperparameter was set to something else than what holds anyway."""
    return name in values and not BY_NAME[name].is_default(values[name])
