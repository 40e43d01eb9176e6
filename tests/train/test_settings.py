"""Every hyperparameter reaches its setting, by each of its names, as one of its values."""

import pytest

from train.parameters import BY_NAME, PARAMETERS
from train.settings import TrainSettings

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
    assert settings.boosting.metrics == ("auc",)
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
