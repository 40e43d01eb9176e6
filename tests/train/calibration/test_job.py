"""Jobs that calibrate: when, on which rows, and what then says so."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sagetree.boosters.calibration import log_odds
from sagetree.boosters.scoring import Scorer
from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.model import Model
from sagetree.errors import ArtifactError
from sagetree.files.header import looks_like_header
from sagetree.files.reading import read_table
from sagetree.train.settings.settings import TrainSettings
from tests.train.conftest import Job, Ran, lines

SLOPE = "the calibration slope is {}, the mean score {}, and {} of the rows are positive"


def table(rows: int, seed: int) -> str:
    """A table with one positive row in eight, whose columns say something of it."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 3))
    labels = random.random(rows) < 1 / (1 + np.exp(2.5 - x @ [1.0, 0.8, 0.5]))
    body = (f"{int(y)},{a:.3f},{b:.3f},{c:.3f}" for y, (a, b, c) in zip(labels, x, strict=True))
    return "\n".join(["y,a,b,c", *body]) + "\n"


TABLES = {"train": table(600, 0), "validation": table(600, 1)}


def told(ran: Ran) -> dict[str, object]:
    metrics = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())
    found = metrics["calibration"]
    if found["after"] and found["method"] != "none":
        logloss = metrics["binary_classification_metrics"]["logloss"]["value"]
        assert logloss == found["after"]["logloss"]
    return found


def validation(ran: Ran, model: Model) -> tuple[np.ndarray, np.ndarray]:
    rows = read_table(ran.opt_ml.data / "validation", looks_like_header)
    labels = np.array(rows.column("y").to_pylist(), float)
    return labels, model.score(model.schema.arrange(rows.without("y")))


def test_scores_too_near_the_mean_are_calibrated_and_ranked_as_before(job: Job):
    ran = job(TABLES, {"num_round": 10, "report": "true"})
    assert ran.code == 0, ran.log
    found = told(ran)
    why = re.escape(SLOPE).replace(re.escape("{}"), r"[\d.]+")
    assert found["method"] == "platt"
    assert re.fullmatch(why, found["why"])
    assert f"Calibration: platt, since {found['why']}\n" in ran.log
    before, after = found["before"], found["after"]
    assert before["slope"] > 2
    assert after["slope"] == pytest.approx(1, abs=0.15)
    assert after["logloss"] < before["logloss"]
    assert after["brier"] < before["brier"]
    assert (
        "Before and after it, each row calibrated by other rows: log loss "
        f"{before['logloss']:.5g} and {after['logloss']:.5g}, Brier score {before['brier']:.5g} "
        f"and {after['brier']:.5g}, calibration slope {before['slope']:.3g} and "
        f"{after['slope']:.3g}\n"
    ) in ran.log

    calibration = ran.model.scorer.calibration
    assert calibration is not None
    assert calibration.rows == "the validation channel"
    raw = replace(ran.model, scorer=replace(ran.model.scorer, calibration=None))
    labels, scores = validation(ran, ran.model)
    _, uncalibrated = validation(ran, raw)
    np.testing.assert_array_equal(scores, calibration(uncalibrated))
    assert roc_auc_score(labels, scores) == roc_auc_score(labels, uncalibrated)
    assert scores.mean() == pytest.approx(labels.mean(), rel=0.02)
    assert ran.model.decision is not None
    assert ran.model.decision.threshold in scores  # chosen on them
    page = (ran.opt_ml.output_data / "report.html").read_text()
    assert f"Scores are calibrated (platt): {found['why']}." in page
    assert "The calibration is fitted on these same rows" in page
    assert "The small dots are the same rows before calibration." in page


def test_margins_and_contributions_are_those_before(job: Job):
    ran = job(TABLES, {"num_round": 10})
    scorer = ran.model.scorer
    assert scorer.calibration is not None
    rows = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    sums = scorer.contributions(rows).sum(axis=1)
    np.testing.assert_allclose(sums, scorer.margin(rows), atol=1e-5)
    plain = Scorer.load(*ModelBundle.load(ran.opt_ml.model).models)
    np.testing.assert_array_equal(scorer.margin(rows), plain.margin(rows))
    np.testing.assert_allclose(log_odds(plain.score(rows)), plain.margin(rows), atol=1e-5)


def test_right_scores_stay_as_xgboost_has_them(job: Job):
    ran = job(TABLES, {"num_round": 100, "eta": 0.2})
    found = told(ran)
    assert found["method"] == "none"
    assert found["before"] == found["after"]
    assert ran.model.scorer.calibration is None
    assert not (ran.opt_ml.model / "sagetree/calibration.json").exists()
    assert "Calibration" not in ran.log


def test_scale_pos_weight_is_taken_back(job: Job):
    ran = job(TABLES, {"num_round": 80, "eta": 0.2, "scale_pos_weight": 8})
    found = told(ran)
    why = "scale_pos_weight=8 multiplies the odds by as much; then the calibration slope is "
    assert found["why"].startswith(why)
    assert found["after"]["logloss"] < found["before"]["logloss"] - 0.05
    labels, scores = validation(ran, ran.model)
    assert scores.mean() == pytest.approx(labels.mean(), abs=0.04)  # 0.4 before


def test_it_is_taken_back_where_no_rows_are_left_out(job: Job):
    ran = job({"train": lines(3)}, {"scale_pos_weight": 4})
    assert ran.code == 0, ran.log
    assert told(ran) == {
        "method": "prior",
        "why": "scale_pos_weight=4 multiplies the odds by as much",
        "before": None,
        "after": None,
    }
    assert ran.model.scorer.calibration is not None
    ran = job({"train": lines(3)}, {"calibration": "platt"})
    assert "Warning: calibration=platt is not made: no rows were held out\n" in ran.log
    assert ran.model.scorer.calibration is None


@pytest.mark.parametrize("settings", [{"preset": "xgboost"}, {"calibration": "none"}])
def test_it_stays_where_xgboosts_scores_are_asked_for(job: Job, settings: dict[str, str]):
    ran = job(TABLES, {"num_round": 10, "scale_pos_weight": 8, **settings})
    assert ran.code == 0
    assert ran.model.scorer.calibration is None
    assert "calibration" not in json.loads((ran.opt_ml.output_data / "metrics.json").read_text())


def test_the_test_channel_is_called_by_the_threshold_before_it(job: Job):
    ran = job({**TABLES, "test": table(600, 2)}, {"num_round": 10, "eval_metric": "recall,auc"})
    model = ran.model
    assert model.scorer.calibration is not None
    assert model.decision is not None
    rows = read_table(ran.opt_ml.data / "test", looks_like_header)
    labels = np.array(rows.column("y").to_pylist(), float)
    called = model.score(model.schema.arrange(rows.without("y"))) >= model.decision.threshold
    found = re.search(r"\ttest-recall:(\S+)", ran.log)
    assert found
    assert float(found[1]) == pytest.approx(called[labels == 1].mean(), abs=1e-5)


def test_an_ensembles_mean_is_calibrated_as_one_score(job: Job):
    ran = job({"train": table(600, 0)}, {"num_round": 10, "_kfold": 2, "_num_cv_round": 2})
    assert told(ran)["method"] == "platt"
    scorer = ran.model.scorer
    assert len(scorer.boosters) == 4
    assert scorer.calibration is not None
    rows = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    mean = replace(scorer, calibration=None).score(rows)
    np.testing.assert_array_equal(scorer.score(rows), scorer.calibration(mean))


@pytest.mark.long
def test_rows_that_an_earlier_model_knows_are_not_trusted(job: Job):
    first = job(TABLES, {"num_round": 10})
    earlier = {
        str(path.relative_to(first.opt_ml.model)): path.read_bytes()
        for path in first.opt_ml.model.rglob("*")
        if path.is_file()
    }
    (first.opt_ml.data / "validation" / "data.csv").unlink()
    (first.opt_ml.data / "validation").rmdir()
    ran = job({"model": earlier}, {"num_round": 2, "nfold": 2})
    assert ran.code == 0, ran.log
    assert told(ran)["why"] == "the earlier model has learnt from the held-out rows"
    assert ran.model.scorer.calibration is None
    ran = job({"validation": TABLES["validation"]}, {"num_round": 2})
    assert told(ran)["method"] == "platt"


def test_other_objectives_have_none_and_the_log_says_so():
    settings = TrainSettings.of({"objective": "multi:softprob", "calibration": "platt"})
    assert settings.notes == (
        "calibration has no effect: it is for objective binary:logistic, and objective is "
        "multi:softprob",
    )


def test_a_calibration_of_another_objective_is_damage(job: Job):
    ran = job(TABLES, {"num_round": 10})
    bundle = ModelBundle.load(ran.opt_ml.model)
    raw = job(TABLES, {"num_round": 2, "objective": "binary:logitraw"})
    other = ModelBundle.load(raw.opt_ml.model)
    with pytest.raises(ArtifactError) as caught:
        Model.of_bundle(replace(other, calibration=bundle.calibration))
    assert str(caught.value) == (
        "sagetree/calibration.json: it calibrates a probability, and the model's objective is "
        "binary:logitraw. Train again"
    )
