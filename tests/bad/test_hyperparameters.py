"""Every fault of hyperparameters ends a job with exactly the text beside it (README.md)."""

from pathlib import Path

import pytest

from sagetree.train.cli import main as train
from sagetree.train.hyperparameters.parameters import BY_NAME
from sagetree.train.settings.settings import TrainSettings

CASES = sorted(path.parent for path in Path(__file__).parent.glob("hyperparameters/*/error.txt"))

# SageMaker shows this much of the failure file.
SHOWN = 1024


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_is_told_before_data_are_read(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "input" / "config"
    config.mkdir(parents=True)
    (tmp_path / "input" / "data" / "train").mkdir(parents=True)  # and nothing in it
    (config / "hyperparameters.json").write_bytes((case / "hyperparameters.json").read_bytes())
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    assert train([]) == 1
    failure = (tmp_path / "output" / "failure").read_text()
    assert failure == (case / "error.txt").read_text()
    # What is wrong (the hyperparameter by its name), and what to do about it.
    assert len(failure) < SHOWN
    assert ". Correct " in failure


def test_there_are_cases() -> None:
    assert len(CASES) > 60


ALLOWED = [
    {"objective": "multi:softprob", "num_class": "3", "eval_metric": "auc,f1,merror"},
    {"objective": "multi:softmax", "eval_metric": "accuracy,auc"},
    {"objective": "reg:logistic", "eval_metric": "rmse,logloss,error@0.3"},
    {"objective": "reg:quantileerror", "quantile_alpha": "0.5", "eval_metric": "quantile,mae"},
    {"objective": "rank:map", "eval_metric": "map@3-,auc", "lambdarank_unbiased": "true",
     "lambdarank_bias_norm": "2"},
    {"objective": "survival:aft", "label_lower_bound": "a", "label_upper_bound": "b",
     "aft_loss_distribution": "extreme", "eval_metric": "interval-regression-accuracy"},
    {"objective": "reg:tweedie", "tweedie_variance_power": "1.2"},
    {"booster": "gblinear", "updater": "coord_descent", "feature_selector": "greedy",
     "top_k": "2", "alpha": "0.1", "eta": "0.5"},
    {"booster": "dart", "rate_drop": "0.1", "max_depth": "3"},
    {"tree_method": "exact", "updater": "grow_colmaker,prune", "max_depth": "4"},
    {"updater": "grow_histmaker,sync,refresh,prune", "refresh_leaf": "0"},
    {"grow_policy": "lossguide", "max_leaves": "8", "max_depth": "0"},
    {"preset": "xgboost", "colsample_bynode": "0.5", "feature_weights": '{"amount": 2}'},
    {"objective": "multi:softprob", "base_score": "[0.2, 0.8]"},
    {"_kfold": "3", "_num_cv_round": "2", "_tuning_objective_metric": "validation:f1_binary"},
]  # fmt: skip


@pytest.mark.parametrize("texts", ALLOWED, ids=[" ".join(texts)[:60] for texts in ALLOWED])
def test_what_goes_together_is_taken(texts: dict[str, str]) -> None:
    TrainSettings.of(texts)


def test_the_value_that_holds_anyway_is_never_a_fault() -> None:
    """A client may send every default: SageMaker fills them in from algorithm.json."""
    defaults = {p.name: p.default for p in BY_NAME.values() if p.default}
    TrainSettings.of(defaults)
    TrainSettings.of(defaults | {"booster": "gblinear", "objective": "survival:cox"})
    TrainSettings.of(defaults | {"tree_method": "exact", "objective": "rank:ndcg"})
