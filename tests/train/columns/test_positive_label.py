"""A label of two words means the same in the log, the bundle, evaluation and what is served."""

import json

import numpy as np
import pytest
from sklearn import metrics as sk

from sagetree.bundle.model import Model
from sagetree.evaluate.cli import main as evaluate
from tests.train.conftest import Job

RANDOM = np.random.default_rng(11)
ROWS = 500
RARE = np.arange(ROWS) % 25 == 0  # 4 %
AMOUNTS = RANDOM.normal(RARE * 1.5, 1.0).round(3)
SETTINGS = {"preset": "xgboost", "num_round": 5, "nfold": 2, "max_depth": 2}


def table(common: str, rare: str) -> str:
    lines = [
        f"{rare if is_rare else common},{amount}"
        for is_rare, amount in zip(RARE, AMOUNTS, strict=True)
    ]
    return "\n".join(["status,amount", *lines, ""])


@pytest.mark.parametrize(
    ("common", "rare"),
    [
        ("legit", "fraud"),
        *(
            pytest.param(*words, marks=pytest.mark.long)
            for words in (("paid", "default"), ("good", "bad"), ("stayed", "churned"))
        ),
    ],
)
def test_the_rarer_word_is_what_is_scored_and_evaluated(
    job: Job, capsys: pytest.CaptureFixture[str], common: str, rare: str
) -> None:
    ran = job({"train": table(common, rare)}, SETTINGS)
    assert ran.code == 0, ran.log
    assert f"Positive label: '{rare}' (the rarer one); scores are P(status = {rare})\n" in ran.log
    assert f"label status: 20 are '{rare}' (4.00%), the rest '{common}'" in ran.log
    assert f"Rows whose score, P(status = {rare}), is at least " in ran.log
    folder = ran.opt_ml.processing
    folder.mkdir()
    (folder / "model").symlink_to(ran.opt_ml.model)
    (folder / "test").symlink_to(ran.opt_ml.data / "train")
    assert evaluate([]) == 0
    assert f"500 rows, 20 positive: scores are P(status = {rare})\n" in capsys.readouterr().out
    model = Model.load(ran.opt_ml.model)
    from tests.sagetree.models import table_of

    called = model.score(table_of({"amount": AMOUNTS.tolist()})) >= model.decision.threshold
    found = json.loads((folder / "evaluation" / "evaluation.json").read_text())
    metrics = found["binary_classification_metrics"]
    assert metrics["precision"]["value"] == sk.precision_score(RARE, called)
    assert metrics["recall"]["value"] == sk.recall_score(RARE, called)


def test_a_label_in_two_spellings_has_two_values(job: Job) -> None:
    """As a table has that was joined of a boolean column and one of 0 and 1."""
    rows = table("0", "1").replace("\n0,", "\nFalse,", 200).replace("\n1,", "\nTrue,", 5)
    ran = job({"train": rows}, SETTINGS)
    assert ran.code == 0, ran.log
    assert "Positive label: '1' (the usual word); scores are P(status = 1)\n" in ran.log
    assert "label status: 20 are '1' (4.00%), the rest '0'" in ran.log
    plain = job({"train": table("0", "1")}, SETTINGS).model
    assert ran.model.baseline == plain.baseline
    ran = job({"train": rows}, {**SETTINGS, "positive_label": "false"})
    assert "Positive label: '0' (positive_label says so); scores are P(status = 0)\n" in ran.log


def test_usual_words_and_a_declaration_are_said(job: Job) -> None:
    ran = job({"train": table("1", "0")}, SETTINGS)
    assert "Positive label: '1' (the usual word); scores are P(status = 1)\n" in ran.log
    ran = job({}, {**SETTINGS, "positive_label": "0.0"})
    assert "Positive label: '0' (positive_label says so); scores are P(status = 0)\n" in ran.log
    ran = job({}, {**SETTINGS, "objective": "binary:hinge"})
    assert "Positive label: '1' (the usual word)\n" in ran.log


def test_about_equally_frequent_words_are_a_warning(job: Job) -> None:
    rows = [f"{['bad', 'good'][row % 2]},{row % 7}" for row in range(60)]
    ran = job({"train": "\n".join(["status,n", *rows])}, SETTINGS)
    assert (ran.model.schema.label.negative, ran.model.schema.label.positive) == ("bad", "good")
    assert (
        "Warning: The values 'bad' and 'good' of the label 'status' are about equally frequent, "
        "and 'good', the second in order, is taken as positive: set positive_label to the one "
        "that is\n"
    ) in ran.log


def test_an_earlier_model_keeps_its_positive_label(job: Job) -> None:
    first = job({"train": table("legit", "fraud")}, SETTINGS)
    earlier = (first.opt_ml.model / "sagetree", first.opt_ml.model / "xgboost-model")
    files = {
        path.relative_to(first.opt_ml.model).as_posix(): path.read_bytes()
        for top in earlier
        for path in ([top] if top.is_file() else top.iterdir())
    }
    ran = job({"train": table("fraud", "legit"), "model": files}, SETTINGS)
    assert ran.code == 0, ran.log
    assert "Positive label: 'fraud' (as the earlier model has it)" in ran.log
    assert "label status: 480 are 'fraud' (96.00%), the rest 'legit'" in ran.log
    ran = job({}, {**SETTINGS, "positive_label": "legit"})
    assert ran.code == 1
    assert "the label is 'status' of 'fraud' and 'legit'; the model to train on" in ran.failure
