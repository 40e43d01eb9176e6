"""Which hyperparameters and metrics go with which objective."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sagetree.boosters.objectives import FITTING_OBJECTIVES, OBJECTIVES, Objective, Task
from sagetree.errors import quote
from sagetree.train.hyperparameters.eval_metrics import (
    METRICS,
    OF_CALLS,
    Asked,
    default_metric,
    with_parameter,
)
from sagetree.train.hyperparameters.parameters import TUNING_METRIC, is_given

Values = Mapping[str, Any]

# Hyperparameters that say what is learnt, by some objectives only: the name of one, or
# what it begins with.
_ONLY_FOR: Mapping[str, tuple[str, ...]] = {
    "num_class": ("multi:",),
    "positive_label": ("binary:",),
    "decision": ("binary:logistic",),
    "quantile_alpha": ("reg:quantileerror",),
    "expectile_alpha": ("reg:expectileerror",),
    "label_lower_bound": ("survival:aft",),
    "label_upper_bound": ("survival:aft",),
    "event_column": ("survival:",),
    "event_value": ("survival:",),
}

# Those that change how others are learnt, and nothing of what: elsewhere they are idle.
_IDLE_BUT_FOR: Mapping[str, tuple[str, ...]] = {
    "scale_pos_weight": ("binary:logistic", "binary:logitraw", "reg:logistic"),
    "calibration": ("binary:logistic",),
    "tweedie_variance_power": ("reg:tweedie",),
    "huber_slope": ("reg:pseudohubererror",),
    "aft_loss_distribution": ("survival:aft",),
    "aft_loss_distribution_scale": ("survival:aft",),
    "lambdarank_pair_method": ("rank:",),
    "lambdarank_num_pair_per_sample": ("rank:",),
    "lambdarank_normalization": ("rank:",),
    "lambdarank_score_normalization": ("rank:",),
    "lambdarank_unbiased": ("rank:",),
    "lambdarank_bias_norm": ("rank:",),
    "ndcg_exp_gain": ("rank:ndcg",),
}

# Hyperparameters that an objective cannot do without.
_REQUIRED = {
    "reg:quantileerror": ("quantile_alpha", "[0.1, 0.5, 0.9]"),
    "reg:expectileerror": ("expectile_alpha", "0.8"),
}

# Metrics of a single objective among those of its task.
_METRIC_ONLY_FOR = {
    "aft-nloglik": "survival:aft",
    "interval-regression-accuracy": "survival:aft",
    "cox-nloglik": "survival:cox",
    "quantile": "reg:quantileerror",
    "expectile": "reg:expectileerror",
}

# Metrics of binary labels that reg:logistic has too: its labels are shares.
_OF_SHARES = ("logloss", "error")

# Metrics that XGBoost computes where they mean little, and official jobs name: of labels
# from 0 to 1 in regression, and of all rows as one query.
_COMPUTED: Mapping[Task, tuple[str, ...]] = {
    "binary": ("mse", "r2"),
    "regression": ("error", "logloss", "auc", "aucpr"),
}
_OF_ONE_QUERY = ("ndcg", "map", "pre")

# Metrics that need probabilities, which these objectives do not give.
_NEED_PROBABILITIES = {"binary:hinge": ("logloss",), "multi:softmax": ("aucpr",)}

# What decides the rounds in place of a metric that only says what rows are called.
_LOSSES = ("logloss", "mlogloss")

# Objectives whose base_score is a probability, or the exponential of a sum.
_PROBABILITY = ("binary:logistic", "reg:logistic")
_POSITIVE = ("count:poisson", "reg:gamma", "reg:tweedie")


def objective_faults(values: Values, failed: Collection[str]) -> Iterator[str]:
    """Return what does not go with the objective; nothing if that itself failed to be one."""
    if "objective" in failed:
        return
    names = [values["objective"]] if "objective" in values else FITTING_OBJECTIVES
    found = [list(_faults(values, failed, OBJECTIVES[name])) for name in names]
    if all(found):  # without a name, the label may yet decide for one that goes with all
        yield from found[0]


def _faults(values: Values, failed: Collection[str], objective: Objective) -> Iterator[str]:
    yield from _parameter_faults(values, objective)
    required, such = _REQUIRED.get(objective.name, ("objective", ""))
    if such and required not in values and required not in failed:
        yield f"objective {objective.name} needs {required}, such as {such}: set it"
    yield from _label_faults(values, objective)
    yield from _base_score_faults(values, objective)
    yield from _metric_faults(values, objective)


def outputs_of(values: Values) -> int | None:
    """Return how many values a model answers for a row; None where the label decides."""
    if values.get("objective", "").startswith("multi:"):
        count: int | None = values.get("num_class")
        return count
    return len(values.get("quantile_alpha", (0,)))


def idle_for_objective(values: Values) -> Iterator[tuple[str, str]]:
    """Return each hyperparameter that other objectives than this one heed, and why."""
    if not values.get("lambdarank_unbiased"):
        yield "lambdarank_bias_norm", "lambdarank_unbiased is false"
    if "objective" not in values:  # the label decides
        return
    objective = values["objective"]
    for name, objectives in _IDLE_BUT_FOR.items():
        if not objective.startswith(objectives):
            yield name, f"it is for objective {_listed(objectives)}, and objective is {objective}"


def _listed(objectives: tuple[str, ...]) -> str:
    return " or ".join(f"{o}*" if o.endswith(":") else o for o in objectives)


def metrics_of(values: Values, params: Mapping[str, Any]) -> tuple[list[str], str]:
    """Return the metrics of each round, and the one that decides when rounds stop.

    That is the last one named. Where it only says what rows are called, it is the
    log loss, or the objective's own metric; preset=xgboost goes by the one named.
    """
    asked = [with_parameter(m, params) for m in _named(values) or _unnamed(values, params)]
    deciding = asked[-1]
    if values.get("preset") != "xgboost" and Asked.of(deciding).metric.name in OF_CALLS:
        defined = defined_for(values, OBJECTIVES[params["objective"]])
        others = [m for m in (*_LOSSES, default_metric(params)) if m in defined]
        others = [m for m in others if m not in OF_CALLS]
        deciding = with_parameter(others[0], params) if others else deciding
    return list(dict.fromkeys([*asked, deciding])), deciding


def _unnamed(values: Values, params: Mapping[str, Any]) -> list[str]:
    """Return the metrics where none is named: of classes the log loss beside the objective's own.

    The order of rows is right long before their probabilities are: the log loss
    decides. By scale_pos_weight these are wrong on purpose, and it is the order that
    counts.
    """
    own, objective = default_metric(params), OBJECTIVES[params["objective"]]
    if values.get("preset") == "xgboost" or not objective.is_classification:
        return [own]
    losses = [loss for loss in _LOSSES if loss in defined_for(values, objective)]
    both = [*losses, own] if is_given(values, "scale_pos_weight") else [own, *losses]
    return list(dict.fromkeys(both))


def objective_notes(values: Values) -> Iterator[str]:
    """Return what is not a fault of metrics and yet other than named, for the log."""
    if "objective" not in values:  # the label decides
        return
    _, deciding = metrics_of(values, values)
    objective = OBJECTIVES[values["objective"]]
    for metric in _named(values):
        if not is_defined(Asked.of(metric), values, objective):
            yield f"{metric} is computed, and says little about objective {objective.name}"
    for metric in _named(values)[-1:]:
        if with_parameter(metric, values) != deciding:
            yield (
                f"{metric} only measures which class rows are assigned to: {deciding} decides the "
                "rounds"
            )


def _named(values: Values) -> list[str]:
    tuned = values.get(TUNING_METRIC)
    return [*values.get("eval_metric", ()), *([tuned] if tuned else [])]


def _parameter_faults(values: Values, objective: Objective) -> Iterator[str]:
    for name, objectives in _ONLY_FOR.items():
        if is_given(values, name) and not objective.name.startswith(objectives):
            yield (
                f"{name} is for objective {_listed(objectives)}, and objective is "
                f"{objective.name}: leave it out, or change objective"
            )
    if values.get("multi_strategy") == "multi_output_tree" and outputs_of(values) == 1:
        yield (
            "multi_strategy=multi_output_tree is for several outputs, and objective "
            f"{objective.name} has one: leave it out"
        )


def _label_faults(values: Values, objective: Objective) -> Iterator[str]:
    if "event_value" in values and "event_column" not in values:
        yield "event_value is set and event_column is not: set both"
    bounds = [name for name in ("label_lower_bound", "label_upper_bound") if name in values]
    if objective.name != "survival:aft" or not bounds:
        return
    if len(bounds) == 1:
        yield f"only {bounds[0]} is set, of label_lower_bound and label_upper_bound: set both"
    if "target" in values:
        yield (
            "target and the bounds label_lower_bound and label_upper_bound are all set: leave "
            "target out"
        )
    if "event_column" in values:
        yield (
            "event_column and the bounds label_lower_bound and label_upper_bound say the same: "
            "leave event_column out"
        )


def _base_score_faults(values: Values, objective: Objective) -> Iterator[str]:
    scores = values.get("base_score")
    if not scores:
        return
    outputs = outputs_of(values)
    if len(scores) > 1 and outputs is not None and len(scores) != outputs:
        yield f"base_score has {len(scores)} values for {outputs} outputs: give one for each"
    shown = ", ".join(f"{score:g}" for score in scores)
    if objective.name in _PROBABILITY and not all(0 < score < 1 for score in scores):
        yield (
            f"base_score is {shown}, and with objective {objective.name} it is a probability: set "
            "a number above 0 and below 1"
        )
    if objective.name in _POSITIVE and not all(score > 0 for score in scores):
        yield (
            f"base_score is {shown}, and with objective {objective.name} it must be above 0: set "
            "such a number"
        )


def _metric_faults(values: Values, objective: Objective) -> Iterator[str]:
    for setting in ("eval_metric", TUNING_METRIC):
        named = values.get(setting, ())
        for spelling in [named] if isinstance(named, str) else named:
            try:
                asked = Asked.of(spelling)
            except ValueError as error:
                yield f"{setting} {quote(spelling)} {error}"
                continue
            if not is_defined(asked, values, objective) and not is_computed(
                asked, values, objective
            ):
                yield (
                    f"{setting} {quote(spelling)} is not defined for objective "
                    f"{objective.name}: take {', '.join(defined_for(values, objective))}"
                )


def is_defined(asked: Asked, values: Values, objective: Objective) -> bool:
    """Say whether a metric means something for what the objective answers."""
    name = asked.metric.name
    if name in _NEED_PROBABILITIES.get(objective.name, ()):
        return False
    if objective.name == "reg:logistic" and name in _OF_SHARES:
        return True
    if _METRIC_ONLY_FOR.get(name, objective.name) != objective.name:
        return False
    if objective.task == "quantile" and name not in _METRIC_ONLY_FOR and outputs_of(values) != 1:
        return False
    return objective.task in asked.metric.tasks


def is_computed(asked: Asked, values: Values, objective: Objective) -> bool:
    """Say whether a metric that is not defined for an objective has a value all the same."""
    name = asked.metric.name
    weighted = "weight_column" in values or values.get("csv_weights")
    if name in _OF_ONE_QUERY:  # XGBoost takes no weights of rows for these
        return objective.task == "binary" and not weighted
    return name in _COMPUTED.get(objective.task, ())


def defined_for(values: Values, objective: Objective) -> list[str]:
    """Return the names of the metrics that an objective has."""
    return [
        name
        for name, metric in METRICS.items()
        if is_defined(Asked(name, metric, None), values, objective)
    ]
