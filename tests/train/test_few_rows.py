"""Rows too few to leave some out are fitted for fixed rounds, and no measure is made up."""

import json

import numpy as np
import pytest
import xgboost

from sagetree.boosters.library import NativeBooster
from sagetree.bundle.bundle import ModelBundle
from sagetree.machine.paths import OptMl
from sagetree.train.cli import main as train
from tests.sagetree.models import table_of
from tests.train.conftest import Job

WARNING = (
    "Warning: the rows of train are too few to hold some out: {} rounds are made, and nothing "
    "shows how "
    "good the model is. Add rows, or give a validation channel\n"
)
FIVE = "y,x\n0,1.5\n0,2.5\n1,8.5\n0,0.5\n0,3.5\n"
XS = [1.5, 2.5, 8.5, 0.5, 3.5]
SPLITTING = {"min_child_weight": 0, "preset": "xgboost"}


def test_the_model_of_five_rows_is_xgboosts_of_all_of_them(job: Job) -> None:
    ran = job({"train": FIVE}, {**SPLITTING, "num_round": 7})
    assert ran.code == 0, ran.log
    assert WARNING.format(7) in ran.log
    assert "Model of 7 rounds.\n" in ran.log
    assert "AUC" not in ran.log
    data = xgboost.DMatrix(np.array(XS)[:, None], [0, 0, 1, 0, 0])
    alone = xgboost.train({"objective": "binary:logistic", "min_child_weight": 0}, data, 7)
    scores = ran.model.score(table_of({"x": XS}))
    np.testing.assert_allclose(scores, alone.predict(data), rtol=1e-6)
    bundle = ModelBundle.load(ran.opt_ml.model)
    assert (bundle.decision, bundle.baseline, dict(bundle.metrics)) == (None, None, {})
    metrics = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())
    assert metrics == {
        "binary_classification_metrics": {},
        "rounds": 7,
        "validation_rows": "no row",
        "importance": {"x": {"mean_abs_shap": 1.0, "gain": 1.0}},
    }


@pytest.mark.parametrize("preset", ["sagetree", "xgboost"])
def test_without_num_round_the_rounds_are_xgboosts_own(opt_ml: OptMl, preset: str) -> None:
    (opt_ml.data / "train").mkdir(parents=True)
    (opt_ml.data / "train" / "data.csv").write_text(FIVE)
    assert train(["--set", f"preset={preset}"]) == 0
    assert NativeBooster(ModelBundle.load(opt_ml.model).models[0]).rounds == 100


def test_a_test_channel_is_still_measured(job: Job) -> None:
    ran = job({"train": FIVE, "test": FIVE}, {**SPLITTING, "num_round": 7})
    assert ran.code == 0
    assert "[6]\ttest-auc:1.00000\n" in ran.log
    assert ModelBundle.load(ran.opt_ml.model).metrics["test-auc"] == 1


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("y,x,q\n0,1,a\n1,2,a\n2,3,a\n", {"objective": "rank:ndcg", "group_column": "q"}),
        ("y,x,t\n1,1,1\n2,2,1\n3,3,2\n", {"objective": "reg:squarederror", "time_column": "t"}),
        ("y,x,g\n0,1,a\n0,2,a\n1,3,b\n1,4,b\n", {"group_column": "g"}),
    ],
)
def test_one_group_or_two_moments_are_too_few_as_well(
    job: Job, text: str, settings: dict[str, str]
) -> None:
    ran = job({"train": text}, settings)
    assert ran.code == 0, ran.log
    assert WARNING.format(5) in ran.log


def test_folds_that_were_asked_for_are_not_left_out(job: Job) -> None:
    ran = job({"train": FIVE}, {"nfold": 2})
    assert ran.code == 1
    assert ran.failure == (
        "channel train: the rarer label has 1 row, too few for 2 folds. Add rows of it, set "
        "neither nfold nor _kfold, or give a validation channel\n"
    )
