"""Which hyperparameters go with which booster, tree method and updater."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sagetree.train.hyperparameters.parameters import is_given
from sagetree.train.hyperparameters.xgboost_parameters import DART, LINEAR, TREES

Values = Mapping[str, Any]

MODEL = "model"

# The updaters that grow trees, and the tree_method that stands for each.
_GROWERS = {
    "grow_colmaker": "exact",
    "grow_histmaker": "approx",
    "grow_quantile_histmaker": "hist",
    "grow_gpu_hist": "hist",
    "grow_gpu_approx": "approx",
}
_REVISERS = ("refresh", "prune")
_LINEAR_UPDATERS = ("shotgun", "coord_descent")

# What a linear model takes of the tree booster's hyperparameters.
_ALSO_LINEAR = ("eta", "lambda", "alpha", "scale_pos_weight", "updater")

# What a linear model would break its word by, or cannot be made with.
_NOT_LINEAR = ("monotone_constraints", "process_type", "multi_strategy")

# What XGBoost ignores where trees are grown exactly, without histograms.
_NOT_EXACT = ("max_bin", "max_leaves", "grow_policy", "max_cached_hist_node")
_CATEGORY_SPLITS = ("max_cat_to_onehot", "max_cat_threshold")
_COLUMN_SAMPLING = ("colsample_bytree", "colsample_bylevel", "colsample_bynode")


def booster_faults(values: Values, channels: Collection[str] | None) -> Iterator[str]:
    """Return what does not go with the booster, or with how it grows trees."""
    booster = values.get("booster", "gbtree")
    if booster == "gblinear":
        yield from _linear_faults(values)
    else:
        yield from _updater_faults(values)
        yield from _exact_faults(values)
        yield from _gpu_faults(values)
        yield from _vector_faults(values)
    yield from _update_faults(values, channels)


def idle_for_booster(values: Values) -> Iterator[tuple[str, str]]:
    """Return each hyperparameter that XGBoost heeds in other jobs than this one, and why."""
    booster = values.get("booster", "gbtree")
    if booster == "gblinear":
        idle = [p.name for p in (*TREES, *DART) if p.name not in (*_ALSO_LINEAR, *_NOT_LINEAR)]
        idle.append("feature_weights")
        yield from ((name, "it is for trees, and booster is gblinear") for name in idle)
        if values.get("feature_selector", "cyclic") not in ("greedy", "thrifty"):
            yield "top_k", "it is for feature_selector greedy or thrifty"
        return
    yield from ((p.name, f"it is for booster gblinear, and booster is {booster}") for p in LINEAR)
    if booster == "gbtree":
        yield from ((p.name, "it is for booster dart, and booster is gbtree") for p in DART)
    exact = grows_exactly(values)
    if exact:
        yield from ((name, "tree_method is exact") for name in _NOT_EXACT)
    encoding = values.get("encoding")
    if exact or encoding in ("onehot", "target"):
        reason = "tree_method is exact" if exact else f"encoding is {encoding}"
        yield from ((name, reason) for name in _CATEGORY_SPLITS)
    if "refresh" not in values.get("updater", ()):
        yield "refresh_leaf", "it is for updater refresh"
    own = values.get("preset", "sagetree") == "sagetree" and "colsample_bytree" not in values
    if not own and all(values.get(name, 1) == 1 for name in _COLUMN_SAMPLING):
        yield "feature_weights", "colsample_bytree, _bylevel and _bynode are 1"


def grows_exactly(values: Values) -> bool:
    """Say whether trees are grown without histograms, and so without category splits."""
    return values.get("tree_method") == "exact" or "grow_colmaker" in values.get("updater", ())


def trains_on_gpu(values: Values) -> bool:
    """Say whether a GPU is asked for, in the new way or the old one."""
    return values.get("device", "cpu") != "cpu" or values.get("tree_method") == "gpu_hist"


def usual_encoding(values: Values) -> str:
    """Return how categories are given to a booster that may have no splits of its own for them."""
    without = values.get("booster") == "gblinear" or grows_exactly(values)
    return "onehot" if without else "native"


def encodes_many(values: Values) -> bool:
    """Say whether categories of many values may be statistics of the label, nobody saying no."""
    is_linear = values.get("booster") == "gblinear"  # which takes a missing number as 0
    return "encoding" not in values and values["preset"] == "sagetree" and not is_linear


def leaves_depth_open(values: Values) -> bool:
    """Say whether a job may choose max_depth: nobody has, and it grows trees that all stay."""
    grows = values.get("booster", "gbtree") == "gbtree" and values.get("process_type") != "update"
    return grows and "max_depth" not in values


def _linear_faults(values: Values) -> Iterator[str]:
    for name in _NOT_LINEAR:
        if is_given(values, name):
            yield f"{name} is for trees, and booster is gblinear: leave it out"
    if values.get("encoding") == "native":
        yield "encoding=native is for trees, and booster is gblinear: leave it out"
    if values.get("external_memory"):
        yield "external_memory is for trees, and booster is gblinear: leave it out"
    updaters = values.get("updater", ("shotgun",))
    if len(updaters) != 1 or updaters[0] not in _LINEAR_UPDATERS:
        yield (
            f"updater is {','.join(updaters)}, and booster is gblinear: use shotgun or "
            "coord_descent"
        )
        return
    selector = values.get("feature_selector", "cyclic")
    if updaters == ("shotgun",) and selector not in ("cyclic", "shuffle"):
        yield f"feature_selector={selector} needs updater=coord_descent: set it"


def _updater_faults(values: Values) -> Iterator[str]:
    updaters = values.get("updater")
    if updaters is None:
        return
    linear = [updater for updater in updaters if updater in _LINEAR_UPDATERS]
    if linear:
        yield f"updater {linear[0]} is for booster gblinear: set it, or use another updater"
        return
    growers = [updater for updater in updaters if updater in _GROWERS]
    if values.get("process_type") == "update":
        return
    if len(growers) != 1:
        yield (
            f"updater is {','.join(updaters)}: exactly one updater that grows trees is needed: "
            f"{', '.join(_GROWERS)}"
        )
        return
    method = values.get("tree_method", "auto").removeprefix("gpu_")
    if "refresh" in updaters and "monotone_constraints" in values:
        yield "monotone_constraints does not work with updater refresh: leave one of them out"
    if method not in ("auto", _GROWERS[growers[0]]):
        yield (
            f"updater {growers[0]} is tree_method {_GROWERS[growers[0]]}, and tree_method is "
            f"{values['tree_method']}: set one of them"
        )
    if growers[0].startswith("grow_gpu") and values.get("device", "cpu") == "cpu":
        yield f"updater {growers[0]} needs device=cuda: set it"


def _gpu_faults(values: Values) -> Iterator[str]:
    """Yield what XGBoost's CUDA build refuses of blocks that the CPU has read."""
    if trains_on_gpu(values) and values.get("external_memory"):
        yield "external_memory does not work on a GPU: use device=cpu, or external_memory=false"


def _exact_faults(values: Values) -> Iterator[str]:
    if not grows_exactly(values):
        return
    if values.get("max_depth") == 0:
        yield (
            "max_depth=0 (any depth) does not work with tree_method=exact: set a depth, or use hist"
        )
    if values.get("device", "cpu") != "cpu":
        yield "tree_method=exact does not work on a GPU: use hist, or device=cpu"
    if values.get("external_memory"):
        yield "tree_method=exact needs all rows in memory: use hist, or external_memory=false"
    if values.get("colsample_bynode", 1) < 1:
        yield (
            "colsample_bynode does not work with tree_method=exact: use hist, or colsample_bylevel"
        )
    if values.get("sampling_method") == "gradient_based":
        yield "sampling_method=gradient_based needs tree_method=hist: set it"


def _vector_faults(values: Values) -> Iterator[str]:
    """Return what trees with a vector in each leaf cannot be grown by."""
    if values.get("multi_strategy") != "multi_output_tree":
        return
    growers = {_GROWERS.get(updater, "hist") for updater in values.get("updater", ())}
    methods = {values.get("tree_method", "hist").removeprefix("gpu_"), *growers}
    if not methods <= {"auto", "hist"}:
        yield "multi_strategy=multi_output_tree needs tree_method=hist: set it"


def _update_faults(values: Values, channels: Collection[str] | None) -> Iterator[str]:
    """Return what is wrong with revising the trees of an earlier model."""
    if values.get("process_type") != "update":
        return
    updaters = values.get("updater", ())
    if not updaters or not set(updaters) <= set(_REVISERS):
        yield (
            "process_type=update needs updater refresh, prune or both, and updater is "
            f"{','.join(updaters) or 'not given'}: give it"
        )
    if channels is not None and MODEL not in channels:
        yield (
            "process_type=update revises the trees of an earlier model, and channel 'model' is "
            "missing: add it"
        )
