"""Every hyperparameter reaches its setting, by each of its names, as one of its values."""

import re
import warnings

import numpy as np
import pytest
import xgboost

from sagetree.train.cli import main
from sagetree.train.hyperparameters.eval_metrics import METRICS
from sagetree.train.hyperparameters.parameters import BY_NAME, OWN, PARAMETERS
from sagetree.train.hyperparameters.xgboost_parameters import XGBOOST
from sagetree.train.settings.settings import TrainSettings

OFFICIAL = {
    "num_round": "10", "csv_weights": "1", "early_stopping_rounds": "5", "booster": "gbtree",
    "verbosity": "0", "nthread": "1", "eta": "0.1", "learning_rate": "0.1", "gamma": "1",
    "min_split_loss": "1", "max_depth": "0", "min_child_weight": "1", "max_delta_step": "1",
    "subsample": "1", "colsample_bytree": "1", "colsample_bylevel": "1", "colsample_bynode": "1",
    "lambda": "1", "reg_lambda": "1", "alpha": "1", "reg_alpha": "1", "tree_method": "gpu_hist",
    "sketch_eps": "0.1", "predictor": "cpu_predictor", "dsplit": "row", "lambda_bias": "0",
    "deterministic_histogram": "true", "prob_buffer_row": "1.5", "refresh_leaf": "0",
    "scale_pos_weight": "3", "updater": "grow_histmaker,prune", "process_type": "default",
    "grow_policy": "depthwise", "max_leaves": "0", "max_bin": "64",
    "monotone_constraints": "(1, 0)", "interaction_constraints": "[[1, 2], [3]]",
    "sample_type": "uniform", "normalize_type": "tree", "rate_drop": "0", "one_drop": "0",
    "skip_drop": "0", "tweedie_variance_power": "1.5", "num_class": "3", "base_score": "0.5",
    "seed": "-7", "num_parallel_tree": "1", "objective": "reg:linear",
    "aft_loss_distribution": "normal", "aft_loss_distribution_scale": "1",
    "sampling_method": "uniform", "eval_metric": "auc,error@0.4",
    "_tuning_objective_metric": "validation:auc", "_kfold": "5", "_num_cv_round": "3",
    "save_model_on_termination": "true", "use_dask_gpu_training": "false",
}  # fmt: skip


@pytest.mark.parametrize("name", OFFICIAL)
def test_the_official_containers_names_and_values_are_taken(name: str) -> None:
    BY_NAME[name].parse(OFFICIAL[name])


def test_names_are_told_apart_and_defaults_are_values() -> None:
    spellings = [spelling for p in PARAMETERS for spelling in (p.name, *p.aliases)]
    assert len(set(spellings)) == len(spellings)
    for parameter in PARAMETERS:
        assert not parameter.default or parameter.parse(parameter.default) is not None
        assert parameter.help


def test_without_any_hyperparameter_the_defaults_hold() -> None:
    settings = TrainSettings.of({})
    assert settings.boosting.objective == "binary:logistic"
    assert settings.boosting.metrics == ("auc", "logloss")
    assert settings.boosting.rounds == 2000
    assert settings.checkpointing.save_on_termination
    assert settings.notes == ()


def test_gpu_hist_is_hist_on_a_gpu() -> None:
    params = TrainSettings.of({"tree_method": "gpu_hist"}).boosting.params
    assert (params["tree_method"], params["device"]) == ("hist", "cuda")


def test_what_nothing_heeds_is_told() -> None:
    notes = TrainSettings.of({"sketch_eps": "0.1", "dsplit": "row"}).notes
    assert notes == (
        "sketch_eps has no effect: take max_bin",
        "dsplit has no effect: one machine trains",
    )


@pytest.mark.parametrize(("text", "character"), [("tab", "\t"), (";", ";"), ("space", " ")])
def test_a_delimiter_is_a_character(text: str, character: str) -> None:
    assert TrainSettings.of({"delimiter": text}).delimiter == character


TREES = {
    "eta": "0.2", "gamma": "0.1", "max_depth": "3", "min_child_weight": "2", "max_delta_step": "1",
    "subsample": "0.9", "sampling_method": "uniform", "colsample_bytree": "0.9",
    "colsample_bylevel": "0.9", "colsample_bynode": "0.9", "lambda": "2", "alpha": "0.1",
    "tree_method": "hist", "scale_pos_weight": "2", "grow_policy": "lossguide",
    "max_leaves": "4", "max_bin": "16", "num_parallel_tree": "2", "max_cat_to_onehot": "2",
    "max_cat_threshold": "8", "max_cached_hist_node": "4", "process_type": "default",
    "base_score": "0.4", "seed": "-3", "seed_per_iteration": "true", "nthread": "1",
    "device": "cpu", "verbosity": "1", "validate_parameters": "true", "booster": "gbtree",
}  # fmt: skip
COMBINATIONS = {
    "trees": TREES,
    "updaters": {"updater": "grow_histmaker,refresh", "refresh_leaf": "0"},
    "dart": {"booster": "dart", "sample_type": "weighted", "normalize_type": "forest",
             "rate_drop": "0.1", "one_drop": "1", "skip_drop": "0.1"},
    "linear": {"booster": "gblinear", "updater": "coord_descent", "feature_selector": "greedy",
               "top_k": "1", "tolerance": "0.1", "lambda": "1", "alpha": "1", "eta": "0.4"},
    "tweedie": {"objective": "reg:tweedie", "tweedie_variance_power": "1.2"},
    "huber": {"objective": "reg:pseudohubererror", "huber_slope": "2"},
    "quantiles": {"objective": "reg:quantileerror", "quantile_alpha": "0.1,0.9",
                  "multi_strategy": "multi_output_tree"},
    "one quantile": {"objective": "reg:quantileerror", "quantile_alpha": "0.3"},
    "classes": {"objective": "multi:softprob", "num_class": "2", "base_score": "[0.3, 0.7]"},
    "aft": {"objective": "survival:aft", "aft_loss_distribution": "logistic",
            "aft_loss_distribution_scale": "0.5"},
    "ranking": {"objective": "rank:ndcg", "lambdarank_pair_method": "topk",
                "lambdarank_num_pair_per_sample": "4", "lambdarank_normalization": "0",
                "lambdarank_score_normalization": "0", "lambdarank_unbiased": "1",
                "lambdarank_bias_norm": "2", "ndcg_exp_gain": "0"},
}  # fmt: skip

# What a booster's saved configuration names beside hyperparameters: its parts, and
# what XGBoost's documentation leaves to itself.
INTERNAL = {
    "learner", "generic_param", "gradient_booster", "gbtree_model_param", "gbtree_train_param",
    "tree_train_param", "hist_train_param", "dart_train_param", "gblinear_train_param",
    "linear_train_param", "coordinate_param", "colmaker_train_param", "learner_model_param",
    "learner_train_param",
    "reg_loss_param", "tweedie_regression_param", "pseudo_huber_param", "quantile_loss_param",
    "softmax_multiclass_param", "aft_loss_param", "lambdarank_param", "poisson_regression_param",
    "name", "gbtree", "metrics", "version", "specified_updater", "updater_seq", "num_trees",
    "num_feature", "num_target", "boost_from_average", "fail_on_invalid_gpu_id", "rng_state",
    "expectile_loss_param", "sparse_threshold", "debug_synchronize", "max_row_perbatch",
}  # fmt: skip


@pytest.mark.parametrize("texts", COMBINATIONS.values(), ids=COMBINATIONS)
def test_xgboost_takes_and_uses_every_one_of_its_own(texts: dict[str, str]) -> None:
    random = np.random.default_rng(0)
    labels = np.arange(40) % 2
    data = xgboost.DMatrix(
        random.normal(size=(40, 2)), labels, nthread=1, qid=np.arange(40) // 10,
        label_lower_bound=labels + 1, label_upper_bound=labels + 2,
    )  # fmt: skip
    params = TrainSettings.of({"preset": "xgboost", "nthread": "1", **texts}).boosting.params
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        configured = xgboost.train(dict(params), data, 1).save_config()
    assert set(re.findall(r'"(\w+)":', configured)) - set(BY_NAME) <= INTERNAL
    unused = [str(warning.message) for warning in told if "not used" in str(warning.message)]
    assert unused == []


def test_these_are_all_of_xgboosts() -> None:
    tried = {name for texts in COMBINATIONS.values() for name in texts}
    by_column = {"monotone_constraints", "interaction_constraints", "feature_weights"}
    newer = {"expectile_alpha"}  # since XGBoost 3.4
    assert {p.name for p in XGBOOST} == tried | by_column | newer


def test_values_that_hold_anyway_are_not_handed_on() -> None:
    """XGBoost would warn of those that the objective or booster has no use for."""
    defaults = {p.name: p.default for p in XGBOOST if p.default}
    params = TrainSettings.of({"preset": "xgboost", **defaults}).boosting.params
    # but one whose default another XGBoost may have changed
    assert params == {"objective": "binary:logistic", "seed": 0, "max_cat_to_onehot": 4}


def test_a_preset_is_of_the_objective_and_gives_way_to_what_is_set() -> None:
    binary = TrainSettings.of({"max_depth": "7"}).boosting.params
    assert (binary["max_depth"], binary["lambda"], binary["colsample_bytree"]) == (7, 10, 0.5)
    other = TrainSettings.of({"objective": "rank:ndcg"}).boosting.params
    assert (other["max_depth"], other.get("lambda"), other["colsample_bytree"]) == (4, None, 0.8)
    assert set(TrainSettings.of({"booster": "gblinear"}).boosting.params) == {
        "objective", "seed", "booster",
    }  # fmt: skip


def test_help_tells_every_hyperparameter_its_default_and_every_metric(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    for parameter in (*OWN, *XGBOOST):
        assert f"    {parameter.name:<31}{parameter.described}\n" in told
    assert (
        "    unknown_category               what serving makes of a category never seen in " in told
    )
    assert "training; default: missing\n" in told
    assert ", ".join(METRICS) in told
