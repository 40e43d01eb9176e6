"""Jobs with a search: what they search, what judges them, and what they leave."""

import re

import numpy as np
import orjson
import pytest
from sklearn.metrics import log_loss

from sagetree.bundle.bundle import ModelBundle, read_manifest
from sagetree.bundle.file_names import MANIFEST_FILE
from sagetree.bundle.learning_curve import TuningHistory
from sagetree.files.header import looks_like_header
from sagetree.files.reading import read_table
from sagetree.machine.paths import OptMl
from tests.train.conftest import Job, lines
from tests.train.tasks import CASES

SETTINGS = {"tune": 4, "num_round": 8, "nfold": 2}
SEARCHED = {
    "max_depth", "eta", "min_child_weight", "lambda", "alpha", "subsample", "colsample_bytree",
    "encoding",
}  # fmt: skip


def history(opt_ml: OptMl) -> TuningHistory:
    found = read_manifest(opt_ml.model / MANIFEST_FILE).tuning
    assert found is not None
    return found


def test_rows_left_out_are_judged_by_searches_that_never_saw_them(job: Job, opt_ml: OptMl):
    ran = job({"train": lines()}, {**SETTINGS, "report": "true"})
    assert ran.code == 0, ran.log
    found = history(opt_ml)
    assert (len(found.trials), found.defaults, len(found.folds)) == (4, 3, 2)
    assert [trial.settings["max_depth"] for trial in found.trials[:3]] == [4, 2, 6]
    assert set(found.trials[3].settings) == SEARCHED
    for which in ("Fold 1 of 2", "Fold 2 of 2", "Model"):
        assert len(re.findall(rf"^{which}, trial \d: logloss ", ran.log, re.MULTILINE)) == 4
    rows = "the held-out rows of 2-fold nested cross-validation"
    assert f"Model of {found.trials[found.chosen].best_round} rounds. On {rows}: AUC " in ran.log
    metrics = orjson.loads((opt_ml.output_data / "metrics.json").read_bytes())
    assert metrics["validation_rows"] == rows
    # all of the page's parts: the chart, the best trials, and what each fold chose
    page = (opt_ml.output_data / "report.html").read_text()
    for words in ("What was tried", "The trials by logloss", "best so far", "the best others"):
        assert words in page
    assert "What the search of each fold chose" in page
    made = ModelBundle.load(opt_ml.model)
    assert made.tuning == found
    assert ran.model.self_check(made.selfcheck) == 0


@pytest.mark.parametrize(
    "channels",
    [pytest.param(("train",), marks=pytest.mark.long), ("train", "validation", "test")],
    ids=["nested", "held out"],
)
def test_the_same_seed_gives_the_same_model(
    job: Job, opt_ml: OptMl, channels: tuple[str, ...]
) -> None:
    tables = {channel: lines(seed=seed) for seed, channel in enumerate(channels)}
    assert job(tables, SETTINGS).code == 0
    first = {p.name: p.read_bytes() for p in opt_ml.model.rglob("*") if p.is_file()}
    assert job(tables, SETTINGS).code == 0
    assert first == {p.name: p.read_bytes() for p in opt_ml.model.rglob("*") if p.is_file()}
    assert job(tables, {**SETTINGS, "seed": 1}).code == 0
    assert first["xgboost-model"] != (opt_ml.model / "xgboost-model").read_bytes()


def test_a_validation_channel_judges_one_search_in_train(job: Job, opt_ml: OptMl) -> None:
    ran = job({"train": lines(), "validation": lines(seed=1)}, SETTINGS)
    assert ran.code == 0, ran.log
    assert len(re.findall(r"^Search, trial \d: ", ran.log, re.MULTILINE)) == 4
    assert "Fold 1" not in ran.log
    assert "On the validation channel: AUC " in ran.log
    assert history(opt_ml).folds == ()


def test_what_is_set_is_not_searched(job: Job, opt_ml: OptMl) -> None:
    given = {"max_depth": 3, "learning_rate": 0.3, "subsample": 1, "encoding": "onehot"}
    ran = job({"train": lines(), "validation": lines(seed=1)}, {**SETTINGS, **given})
    assert ran.code == 0, ran.log
    found = history(opt_ml)
    assert found.defaults == 1
    left = {"min_child_weight", "lambda", "alpha", "colsample_bytree"}
    assert {name for trial in found.trials for name in trial.settings} == left
    assert "onehot" in {feature.kind for feature in ran.model.features.features}


@pytest.mark.long
@pytest.mark.parametrize(
    ("booster", "searched"),
    [("dart", SEARCHED), ("gblinear", {"eta", "lambda", "alpha"})],
)
def test_every_booster_is_searched_in_its_own_ranges(
    job: Job, opt_ml: OptMl, booster: str, searched: set[str]
) -> None:
    ran = job({"train": lines()}, {**SETTINGS, "booster": booster})
    assert ran.code == 0, ran.log
    found = history(opt_ml)
    assert found.defaults == 1  # a depth is chosen by no other job of theirs
    assert set(found.trials[-1].settings) == searched


@pytest.mark.long
def test_the_preset_of_xgboost_is_where_a_search_begins(job: Job, opt_ml: OptMl) -> None:
    ran = job({"train": lines()}, {**SETTINGS, "preset": "xgboost"})
    assert ran.code == 0, ran.log
    assert history(opt_ml).trials[0].settings == {
        "max_depth": 6, "eta": 0.3, "min_child_weight": 1, "lambda": 1, "alpha": 0,
        "subsample": 1, "colsample_bytree": 1,
    }  # fmt: skip


@pytest.mark.long
def test_mean_labels_that_are_chosen_are_served(job: Job, opt_ml: OptMl) -> None:
    """Too many states for so few splits by one of them; the last row's is in no row of train."""
    states = [f"s{number}" for number in range(40)]
    rows = [f"{number % 2},{state},{i}" for i in range(10) for number, state in enumerate(states)]
    test = [*rows[:40], "1,unseen,3"]
    tables = {"train": "\n".join(["y,state,x", *rows]), "test": "\n".join(["y,state,x", *test])}
    fixed = {"max_depth": 2, "min_child_weight": 1, "eta": 0.3, "subsample": 1, "alpha": 0}
    settings = {"tune": 6, "num_round": 4, "nfold": 2, "target": "y", "calibration": "none"}
    ran = job(tables, {**settings, **fixed})
    assert ran.code == 0, ran.log
    found = history(opt_ml)
    assert {trial.settings["encoding"] for trial in found.trials} == {"native", "target"}
    assert found.trials[found.chosen].settings["encoding"] == "target"
    assert "encoding=target" in ran.log
    # what the job says about test is what a server says about its rows
    (logged,) = re.findall(r"test-logloss:([0-9.]+)", ran.log)
    read = read_table(opt_ml.data / "test", looks_like_header)
    labels = np.array(read.column("y").to_pylist(), float)
    scores = ran.model.score(ran.model.schema.arrange(read.without("y")))
    assert float(logged) == pytest.approx(log_loss(labels, scores), abs=1e-5)


def test_few_rows_are_an_error_and_no_search(job: Job) -> None:
    text = "y,x\n" + "".join(f"{int(i < 2)},{i}\n" for i in range(12))
    ran = job({"train": text}, {"tune": 2})
    assert ran.code == 1
    assert ran.failure == (
        "channel train: the rows are too few to search hyperparameters on: folds of folds cannot "
        "be made. Leave tune out, or add rows\n"
    )


def test_a_metric_that_is_no_number_in_any_trial_is_an_error(job: Job) -> None:
    text = "y,x\n" + "".join(f"{i % 5 or 1e-42},{i * 7 % 11}\n" for i in range(60))
    ran = job({"train": text}, {**SETTINGS, "objective": "reg:squarederror", "eval_metric": "mape"})
    assert "trial 4: mape no number, pruned" in ran.log
    assert ran.failure == (
        "the metric mape is not a number in any trial, and cannot choose one. Name another one "
        "last in eval_metric\n"
    )


def test_all_that_tune_does_not_go_with_is_one_error_before_the_data_are_read(job: Job) -> None:
    fixed = {
        "max_depth": 3, "eta": 0.1, "min_child_weight": 1, "lambda": 1, "alpha": 0, "subsample": 1,
        "colsample_bytree": 1, "encoding": "native",
    }  # fmt: skip
    ran = job({"train": "no table at all"}, {"tune": 5, "_kfold": 3, **fixed})
    assert ran.failure == (
        "tune gives one model, and _kfold gives one for each fold: leave one of them out; tune has "
        "nothing to search, since all of these are set: max_depth, eta, min_child_weight, lambda, "
        "alpha, subsample, colsample_bytree, encoding. Leave one out. Correct all 2\n"
    )
    ran = job({"train": "no table", "model": "no model"}, {"tune": "1", "num_round": "x"})
    assert ran.failure == (
        "num_round is 'x' and must be a whole number from 1; tune is '1' and must be a number of "
        "trials from 2, such as 30, or a time such as 90s, 20m or 2h. Correct all 2\n"
    )
    ran = job({"train": "no table", "model": "no model"}, {"tune": "30"})
    assert ran.failure == (
        "tune judges settings on rows that the trees of channel 'model' may have learnt from: "
        "leave one of them out. Correct it\n"
    )
    facet = '[{"column": "kind", "values": ["a"]}]'
    ran = job({"train": "no table"}, {"tune": 3, "reweigh": "facet", "facets": facet})
    assert ran.failure.startswith(
        "tune compares models of searches, and reweigh=facet compares with a model that was not "
        "searched: leave one of them out; tune judges settings"
    )
    ran = job({"train": "no table"}, {"tune": "2m", "process_type": "update", "updater": "refresh"})
    assert "tune grows trees, and process_type=update revises existing ones" in ran.failure


@pytest.mark.long
def test_a_time_is_shared_by_the_searches_and_each_makes_one_trial(job: Job, opt_ml: OptMl):
    tables = {"train": lines(), "validation": lines(seed=1)}
    ran = job(tables, {"tune": "1s", "num_round": 40})
    assert ran.code == 0, ran.log
    assert "its trials depend on the machine: the same job may give a different model" in ran.log
    assert len(history(opt_ml).trials) >= 1


@pytest.mark.long
def test_the_log_says_the_whole_seconds_that_each_search_has(job: Job):
    ran = job({"train": lines()}, {"tune": "7s", "num_round": 20})
    assert ": 1 s for the model, and as many for each of 5 folds that judge it; its" in ran.log


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_every_objective_is_searched(job: Job, opt_ml: OptMl, name: str) -> None:
    case = CASES[name]
    ran = job({"train": case.csv()}, {**case.hyperparameters, **SETTINGS})
    assert ran.code == 0, ran.log
    assert len(history(opt_ml).trials) == 4
