"""The channels `model` and `test`: rounds on top of an earlier model's, and rows only scored."""

import json
import re
import tarfile
from pathlib import Path

import pytest
from sklearn.metrics import roc_auc_score

from sagetree.bundle.bundle import ModelBundle
from sagetree.files.header import looks_like_header
from sagetree.files.reading import read_table
from sagetree.machine.paths import OptMl
from tests.train.conftest import Job, lines

FILES = {"train": lines(), "validation": lines(90, seed=1)}
SETTINGS = {"preset": "xgboost"}


@pytest.fixture
def earlier(job: Job, opt_ml: OptMl) -> Path:
    """The model of a job of six rounds, packed, in the channel `model` of the next job."""
    assert job(FILES, {**SETTINGS, "num_round": 6}).code == 0
    folder = opt_ml.data / "model"
    folder.mkdir()
    with tarfile.open(folder / "model.tar.gz", "w:gz") as tar:
        tar.add(opt_ml.model, ".")
    return folder


def test_new_rounds_come_after_those_of_the_earlier_model(
    job: Job, opt_ml: OptMl, earlier: Path
) -> None:
    """Six rounds and then four are ten, where no round draws anything."""
    assert job({}, {**SETTINGS, "num_round": 4}).code == 0
    continued = ModelBundle.load(opt_ml.model)
    (earlier / "model.tar.gz").unlink()
    earlier.rmdir()
    assert job({}, {**SETTINGS, "num_round": 10}).code == 0
    whole = ModelBundle.load(opt_ml.model)
    assert continued.models == whole.models
    assert set(continued.data) - set(whole.data) == {"model"}


def test_other_rows_meet_the_columns_the_model_knows(
    job: Job, opt_ml: OptMl, earlier: Path
) -> None:
    """A category the model has never seen scores as missing, and stays unknown."""
    known = ModelBundle.load(opt_ml.model)
    seen_again = lines(60, seed=5).replace(",a,", ",new,")
    ran = job({"train": seen_again}, {**SETTINGS, "num_round": 3})
    assert ran.code == 0, ran.log
    assert "New rounds come after those of the model in the channel model\n" in ran.log
    made = ModelBundle.load(opt_ml.model)
    assert (made.schema, made.features) == (known.schema, known.features)
    # the rows that the earlier model has learnt are the new one's too
    assert known.rows is not None
    assert made.rows is not None
    assert (known.rows.rows, made.rows.rows) == (120, 180)
    assert made.rows.repeats(known.rows.hashes).share == 1
    assert job({"test": lines(60)}, SETTINGS, arguments=["--check"]).code == 0


MISFITS = [
    (lines().replace("\n1,", "\n2,"), {},
     "channel train: the label is 'fraud' of '0' and '2'; the model to train on from has learnt "
     "'fraud' of '0' and '1'. Give rows with the same label and the same values of it\n"),
    (lines(header="fraud,amount,sort,state\n"), {},
     "data.csv: column 'kind' is missing; column 'sort' is unknown. The model needs amount, kind, "
     "state\n"),
    (lines(), {"objective": "binary:logitraw", "eval_metric": "auc"},
     "channel model: objective is binary:logitraw, and the model has learnt binary:logistic. "
     "Set objective=binary:logistic, or leave the channel out\n"),
]  # fmt: skip


def test_what_does_not_fit_the_model_is_refused(job: Job, earlier: Path) -> None:
    for text, settings, reason in MISFITS:
        ran = job({"train": text}, {**SETTINGS, **settings})
        assert ran.code == 1
        assert reason in ran.failure


def test_an_ensemble_is_not_trained_on(job: Job, opt_ml: OptMl) -> None:
    assert job({"train": lines()}, {"_kfold": 2}).code == 0
    opt_ml.model.rename(opt_ml.data / "model")
    assert job({}).failure == (
        "channel model: it holds 2 models that are served as one. "
        "Give a model that was trained without _kfold\n"
    )


def test_without_a_validation_channel_a_warning_says_what_metrics_are_worth(
    job: Job, opt_ml: OptMl
) -> None:
    assert job({"train": lines()}).code == 0
    opt_ml.model.rename(opt_ml.data / "model")
    ran = job({})
    assert ran.code == 0
    assert "their metrics are too good" in ran.log


def test_the_test_channel_is_scored_and_nothing_more(job: Job, opt_ml: OptMl) -> None:
    assert job({"train": lines()}, {"eval_metric": "accuracy,auc"}).code == 0
    without = ModelBundle.load(opt_ml.model)
    ran = job({"test": lines(90, seed=1)}, {"eval_metric": "accuracy,auc"})
    assert ran.code == 0, ran.log
    made = ModelBundle.load(opt_ml.model)
    assert (made.models, made.decision) == (without.models, without.decision)
    added = {name: made.metrics[name] for name in set(made.metrics) - set(without.metrics)}
    assert sorted(added) == ["test-accuracy", "test-auc"]
    line = rf"^\[\d\]\t.*test-auc:{added['test-auc']:.5f}"
    assert re.search(line, ran.log, re.MULTILINE)
    metrics = json.loads((opt_ml.output_data / "metrics.json").read_text())
    assert metrics["binary_classification_metrics"]["test:auc"]["value"] == added["test-auc"]


def test_the_test_channels_auc_is_that_of_serving(job: Job, opt_ml: OptMl) -> None:
    ran = job({"train": lines(), "test": lines(90, seed=1)})
    table = read_table(opt_ml.data / "test", looks_like_header)
    scores = ran.model.score(table.without("fraud"))
    labels = [row[0] == "1" for row in lines(90, seed=1).splitlines()[1:]]
    auc = ModelBundle.load(opt_ml.model).metrics["test-auc"]
    assert auc == pytest.approx(roc_auc_score(labels, scores), abs=1e-6)
