"""report.html of a training, on the held-out rows, and the learning curve in its bundle."""

import re

import pytest

from sagetree.bundle.bundle import ModelBundle
from sagetree.machine.paths import OptMl
from tests.train.conftest import Job, lines


@pytest.mark.parametrize(
    ("channels", "named", "is_shuffled"),
    [
        (("train",), "120 rows: the held-out rows of 2-fold cross-validation", False),
        (("train", "validation"), "120 rows: the validation channel", True),
    ],
)
def test_it_is_on_the_rows_left_out(
    job: Job, channels: tuple[str, ...], named: str, is_shuffled: bool
):
    tables = {channel: lines(seed=seed) for seed, channel in enumerate(channels)}
    folds = {} if is_shuffled else {"nfold": 2}
    ran = job(tables, {"report": "true", "target": "fraud", **folds})
    assert ran.code == 0
    path = ran.opt_ml.output_data / "report.html"
    assert f"Report: {path}" in ran.log
    page = path.read_text()
    assert f"Measured on {named}" in page
    auc = re.search(r"AUC (0\.\d+) \(", ran.log)
    assert auc
    assert f"the area is {auc[1]}" in page
    # what shuffling costs is shown for rows that the model has not learnt from
    assert ("loss of AUC if shuffled" in page) == is_shuffled
    assert not (ran.opt_ml.output_data / "model_card.json").exists()


def test_there_is_none_unless_it_is_asked_for(job: Job, opt_ml: OptMl):
    opt_ml.output_data.mkdir(parents=True)
    (opt_ml.output_data / "report.html").write_text("of an earlier run")
    ran = job({"train": lines()}, {"nfold": 2})
    assert ran.code == 0
    assert not (ran.opt_ml.output_data / "report.html").exists()


def test_where_no_rows_were_left_out_the_log_says_so(job: Job):
    ran = job({"train": lines(3)}, {"report": "true"})
    assert ran.code == 0
    assert "Warning: no report is written: no rows were held out to report on" in ran.log


def test_the_bundle_has_the_curve_that_the_log_shows(job: Job):
    ran = job({"train": lines(), "validation": lines(seed=1)}, {"eval_metric": "auc"})
    curve = ModelBundle.load(ran.opt_ml.model).curve
    assert curve is not None
    for name, values in curve.values.items():
        shown = re.findall(rf"^\[\d+\].*{name}:([0-9.]+)", ran.log, re.MULTILINE)
        assert [f"{value:.5f}" for value in values] == shown
    assert curve.rounds == tuple(range(1, len(shown) + 1))
    assert f"Model of {curve.best} rounds" in ran.log


def test_of_many_rounds_the_curve_has_those_that_measured_all_rows(job: Job):
    given = {"eval_metric": "logloss", "num_round": "125", "early_stopping_rounds": "124"}
    ran = job({"train": lines(400)}, {**given, "eta": "0.001", "nfold": 2})
    shown = dict(re.findall(r"^\[(\d+)\]\ttrain-logloss:([0-9.]+)", ran.log, re.MULTILINE))
    assert list(map(int, shown)) == [*range(100), 100, 110, 120]
    assert len(re.findall(r"^\[\d+\].*\tvalidation-logloss:", ran.log, re.MULTILINE)) == 125
    curve = ModelBundle.load(ran.opt_ml.model).curve
    assert curve is not None
    values = dict(zip(curve.rounds, curve.values["train-logloss"], strict=True))
    assert {*values} == {int(number) + 1 for number in shown} | {curve.best}
    best = re.search(r"^Best round .*train-logloss:([0-9.]+)", ran.log, re.MULTILINE)
    assert best is not None
    assert f"{values[curve.best]:.5f}" == best[1]
