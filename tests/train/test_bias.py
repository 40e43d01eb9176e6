"""Facets of a training job: what is written of them, and weights by facets and label."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sagetree.evaluate.cli import main as evaluate
from sagetree.machine.paths import OptMl
from sagetree.tables.roles import RowRoles
from sagetree.tables.table import Source, Table
from sagetree.train.boosting.dmatrix import DMatrixBuilder
from sagetree.train.channels.ingest import ingest
from sagetree.train.examples.examples import Examples
from sagetree.train.settings.configuration import read_settings
from tests.train.conftest import Job

FACETS = json.dumps([{"column": "gender", "values": ["f"]}, {"column": "age", "threshold": 50}])
QUICK = {"target": "label", "facets": FACETS, "num_round": 15, "max_depth": 2, "nfold": 2}


def people(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """Women have the label 1 less often, which `job` shows as well as their gender."""
    random = np.random.default_rng(seed)
    gender = random.choice(["f", "m"], rows, p=[0.4, 0.6])
    skill = random.normal(size=rows)
    label = (skill + 1.2 * (gender == "m") + random.normal(size=rows) > 0.9).astype(int)
    return pd.DataFrame(
        {
            "label": label,
            "skill": skill.round(3),
            "job": np.where(random.random(rows) < 0.8, gender, "x"),
            "age": random.integers(20, 70, rows),
            "gender": gender,
        }
    )


def csv(frame: pd.DataFrame) -> str:
    text: str = frame.to_csv(index=False)
    return text


def metrics(path: Path, stage: str, column: str = "gender") -> dict[str, float]:
    content = json.loads((path / "bias_analysis.json").read_text())
    (found,) = content[f"{stage}_training_bias_metrics"]["facets"][column]
    return {metric["name"]: metric["value"] for metric in found["metrics"]}


def test_a_column_that_is_left_out_is_a_facet_of_labels_and_held_out_predictions(job: Job) -> None:
    frame = people()
    ran = job({"train": csv(frame)}, {**QUICK, "drop_columns": "gender", "report": "true"})
    assert ran.code == 0
    assert "gender" not in ran.model.schema.input_names
    folder, woman, good = ran.opt_ml.output_data, frame.gender == "f", frame.label == 0
    before, after = (metrics(folder, stage) for stage in ("pre", "post"))
    assert before["DPL"] == pytest.approx(good[~woman].mean() - good[woman].mean())
    assert before["DPL"] < -0.1
    assert before["CI"] == pytest.approx(1 - 2 * woman.mean())
    assert after["DPPL"] < -0.05
    assert -1 <= after["FT"] <= 1
    assert metrics(folder, "pre", "age")["CI"] == pytest.approx(1 - 2 * (frame.age > 50).mean())
    assert (
        f"gender = f ({woman.sum()} of 400 rows): label = 0 in {good[woman].mean():.1%}" in ran.log
    )
    assert "Whom labels and predictions favour" in (folder / "report.html").read_text()


def test_predictions_of_a_validation_channel_are_its_own(job: Job) -> None:
    later = people(150, seed=1)
    tables = {"train": csv(people()), "validation": csv(later)}
    settings = {name: value for name, value in QUICK.items() if name != "nfold"}
    ran = job(tables, {**settings, "favourable": 1, "decision": "alerts<=40%"})
    assert ran.code == 0
    after = metrics(ran.opt_ml.output_data, "post")
    columns = [later[name].astype(str).tolist() for name in ran.model.schema.input_names]
    names = ran.model.schema.input_names
    scores = ran.model.score(Table(names, tuple(columns), 150, True, (Source(150),)))
    called, woman = scores.astype(float) >= ran.model.threshold, later.gender == "f"
    # rows are called by what others of them choose: near the threshold of all
    assert after["DPPL"] == pytest.approx(called[~woman].mean() - called[woman].mean(), abs=0.1)
    assert metrics(ran.opt_ml.output_data, "pre")["DPL"] > 0.1


def test_evaluate_takes_the_facets_that_the_model_was_trained_with(
    job: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = job({"train": csv(people())}, {**QUICK, "drop_columns": "gender", "favourable": "1"})
    processing = ran.opt_ml.processing
    shutil.copytree(ran.opt_ml.model, processing / "model")
    (processing / "test").mkdir()
    later = people(200, seed=1)
    (processing / "test" / "t.csv").write_text(csv(later))
    assert evaluate([]) == 0
    woman, good = later.gender == "f", later.label == 1
    found = metrics(processing / "evaluation", "pre")
    assert found["DPL"] == pytest.approx(good[~woman].mean() - good[woman].mean())
    # of rows that nobody chose for it, a facet that has none is reported
    (processing / "test" / "t.csv").write_text(csv(later[~woman]))
    capsys.readouterr()
    assert evaluate([]) == 0
    assert metrics(processing / "evaluation", "post")["DPPL"] is None
    said = "WARNING: no row is in the facet gender = f: it cannot be compared\n"
    assert said in capsys.readouterr().out
    # nothing else needs the column: who has it not learns how to do without
    (processing / "test" / "t.csv").write_text(csv(later.drop(columns="gender")))
    assert evaluate([]) == 1
    assert ran.opt_ml.message.read_text().endswith(
        ". The model was trained with this facet: --facets FILE names others, and none where FILE "
        "holds []\n"
    )


def test_of_several_classes_the_favourable_one_is_named(job: Job) -> None:
    frame = people()
    frame["label"] = np.where(frame.label == 1, "yes", np.where(frame.skill > 0, "later", "no"))
    settings = {**QUICK, "objective": "multi:softprob", "favourable": "yes"}
    ran = job({"train": csv(frame)}, settings)
    assert ran.code == 0
    woman, good = frame.gender == "f", frame.label == "yes"
    found = metrics(ran.opt_ml.output_data, "pre")
    assert found["DPL"] == pytest.approx(good[~woman].mean() - good[woman].mean())
    assert metrics(ran.opt_ml.output_data, "post")["DPPL"] > 0.02


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"facets": '[{"column": "sex"}]'},
         "data.csv line 2, column of a facet: column 'sex' is missing. The columns are 'label', "
         "'skill', 'job', 'age', 'gender'"),
        ({"facets": '[{"column": "gender", "values": ["F"]}]'},
         "column 'gender': no row is in the facet gender = F. The column's values are "),
        ({"favourable": "2"},
         "favourable is '2', which is not a value of the label 'label'. Its values are '0', '1'"),
        ({"objective": "reg:squarederror"},
         "facets need a label of two or more classes, and 'label' is not one. Leave facets out"),
        ({"objective": "multi:softprob", "num_class": 2},
         "the label 'label' has 2 classes, and none is set as the one that is good for a person. "
         "Set "
         "favourable to one of '0', '1'"),
    ],
)  # fmt: skip
def test_facets_that_cannot_be_are_errors(job: Job, settings: dict[str, object], said: str) -> None:
    ran = job({"train": csv(people(60))}, {**QUICK, **settings})
    assert ran.code == 1
    assert ran.failure.startswith(said)
    assert not (ran.opt_ml.output_data / "bias_analysis.json").exists()


def test_a_validation_channel_without_a_facets_column_is_an_error(job: Job) -> None:
    tables = {"train": csv(people()), "validation": csv(people(80).drop(columns="gender"))}
    ran = job(tables, {**QUICK, "drop_columns": "gender"})
    assert ran.code == 1
    assert ran.failure.startswith(
        "channel validation, data.csv line 2, column of a facet: column 'gender' is missing. "
    )


def test_what_an_earlier_job_said_of_facets_is_gone(job: Job, opt_ml: OptMl) -> None:
    opt_ml.output_data.mkdir(parents=True)
    (opt_ml.output_data / "bias_analysis.json").write_text("of an earlier run")
    assert job({"train": csv(people(60))}, {"target": "label", "nfold": 2}).code == 0
    assert not (opt_ml.output_data / "bias_analysis.json").exists()


def test_reweighing_parts_label_and_facet_and_says_what_it_costs(job: Job) -> None:
    frame = people(600)
    settings = {**QUICK, "facets": json.dumps([{"column": "gender", "values": ["f"]}])}
    bare = job({"train": csv(frame)}, {**settings, "drop_columns": "gender"})
    without = metrics(bare.opt_ml.output_data, "post")["DPPL"]
    auc = json.loads((bare.opt_ml.output_data / "metrics.json").read_text())
    ran = job({"train": csv(frame)}, {**settings, "drop_columns": "gender", "reweigh": "facet"})
    assert ran.code == 0
    found = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())
    cost, (facet,) = found["reweighing"]["auc"], found["reweighing"]["facets"]
    quality = "binary_classification_metrics"
    # the model without it is that of the same job without it, and both are of the rows as they are
    assert cost["without"] == pytest.approx(auc[quality]["auc"]["value"], rel=1e-12)
    assert cost["with"] == pytest.approx(found[quality]["auc"]["value"], rel=1e-12)
    low, high = cost["interval"]
    assert low <= cost["with"] - cost["without"] <= high
    assert facet["DPPL"]["without"] == without
    assert facet["DPPL"]["with"] == metrics(ran.opt_ml.output_data, "post")["DPPL"]
    assert abs(facet["DPPL"]["with"]) < abs(without) - 0.05
    assert f"reweigh=facet: auc {cost['with']:.4f}, without it {cost['without']:.4f}: " in ran.log
    # SageMaker reads metrics from the log: those of the other model are not in it
    assert ran.log.count("[0]\t") == bare.log.count("[0]\t")


def test_where_no_rows_are_held_out_labels_are_measured_alone(job: Job) -> None:
    frame = pd.DataFrame({"label": [0, 1, 0], "x": [1, 2, 3], "gender": ["f", "m", "f"]})
    settings = {"facets": '[{"column": "gender", "values": ["f"]}]', "reweigh": "facet"}
    ran = job({"train": csv(frame)}, {"target": "label", **settings})
    assert ran.code == 0
    said = "Warning: reweigh=facet: 3 rows are in facets in which all have the same label: no "
    assert f"{said}weights make these independent of it\n" in ran.log
    assert "Warning: what reweigh=facet costs is unknown: no rows were held out\n" in ran.log
    content = json.loads((ran.opt_ml.output_data / "bias_analysis.json").read_text())
    assert [*content] == ["version", "pre_training_bias_metrics"]
    assert metrics(ran.opt_ml.output_data, "pre")["DPL"] == -1


def test_weights_are_of_what_is_learnt_alone(opt_ml: OptMl) -> None:
    """XGBoost is given the row's weight times that of its facet and label; metrics have its own."""
    frame = people(200).assign(w=np.where(np.arange(200) % 2, 1.0, 3.0))
    path = opt_ml.data / "train" / "t.csv"
    path.parent.mkdir(parents=True)
    path.write_text(csv(frame))
    opt_ml.config.mkdir(parents=True)
    texts = {"target": "label", "facets": FACETS, "reweigh": "facet", "weight_column": "w"}
    train = ingest(opt_ml, read_settings(opt_ml, texts)).examples["train"]
    assert train.roles.weight.tolist() == frame.w.tolist()
    inside = np.column_stack([frame.gender == "f", frame.age > 50])
    expected = frame.w.to_numpy().copy()
    for kind in np.unique(inside, axis=0):
        part = (inside == kind).all(axis=1)
        for label in (0, 1):
            cell = part & (frame.label == label)
            due = frame.w[part].sum() * frame.w[frame.label == label].sum() / frame.w.sum()
            expected[cell] *= due / frame.w[cell].sum()
    builder = DMatrixBuilder(["a"], ["q"], None, 1, False, False, None)
    given = builder.build(
        Examples(np.zeros((200, 1), np.float32), train.labels, train.roles)
    ).get_weight()
    assert given == pytest.approx(expected, rel=1e-5)
    assert RowRoles(emphasis=np.array([2.0], np.float32)).learning_weight.tolist() == [2]
