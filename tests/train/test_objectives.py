"""Every objective trains, saves, reloads and answers; what labels it takes, and what it refuses."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from sagetree.boosters.objectives import OBJECTIVES
from sagetree.bundle.bundle import ModelBundle
from sagetree.tables.label import ClassLabel, IntervalLabel, Label, NumberLabel
from tests.sagetree.models import table_of
from tests.train.conftest import Job
from tests.train.tasks import CASES, FEATURES, HAS_EXPECTILES, ROWS, WORDS, Case, case

LABELS = {
    "binary": Label, "multiclass": ClassLabel, "regression": NumberLabel,
    "quantile": NumberLabel, "ranking": NumberLabel,
}  # fmt: skip

OUTPUTS = {"multi:softprob": 3, "reg:quantileerror": 3}


def test_every_objective_has_its_case() -> None:
    tried = {one.hyperparameters["objective"] for one in CASES.values()}
    assert tried | {"reg:expectileerror"} == set(OBJECTIVES)
    assert ("reg:expectileerror" in tried) == HAS_EXPECTILES


@pytest.mark.skipif(HAS_EXPECTILES, reason="this XGBoost has reg:expectileerror")
def test_an_objective_this_xgboost_lacks_is_named(job: Job) -> None:
    settings = {"objective": "reg:expectileerror", "expectile_alpha": 0.8, "target": "x"}
    ran = job({"train": CASES["reg:squarederror"].csv()}, settings)
    assert ran.failure == (
        "XGBoost refuses the training: Unknown objective function: `reg:expectileerror`. "
        "Change the hyperparameter that it names\n"
    )


@pytest.mark.parametrize("name", CASES)
def test_it_trains_and_serves_what_it_trained(job: Job, name: str) -> None:
    one = CASES[name]
    ran = job(
        {"train": one.csv()},
        {"nfold": 2, "num_round": 3, "preset": "xgboost", **one.hyperparameters},
    )
    assert ran.code == 0, ran.log
    objective = OBJECTIVES[str(one.hyperparameters["objective"])]
    bundle, model = ModelBundle.load(ran.opt_ml.model), ran.model
    assert model.objective == objective
    assert model.self_check(bundle.selfcheck) == 0
    assert len(bundle.selfcheck.rows) >= 18
    assert (bundle.decision is not None) == objective.has_threshold
    assert isinstance(bundle.schema.label, LABELS.get(objective.task, NumberLabel | IntervalLabel))
    # what the label's roles are called is not a column that a request needs
    assert bundle.schema.input_names == tuple(FEATURES)
    scores = model.score(table_of({k: v for k, v in one.columns.items() if k in FEATURES}))
    outputs = OUTPUTS.get(name, 1)
    assert scores.shape == ((ROWS,) if outputs == 1 else (ROWS, outputs))
    assert len(np.unique(scores)) > 1
    metrics = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())
    (key,) = set(metrics) & {
        f"{task}_metrics"
        for task in (
            "binary_classification", "multiclass_classification", "regression", "quantile",
            "ranking", "survival",
        )
    }  # fmt: skip
    assert f"validation:{objective.metric.split('@')[0]}" in {
        metric.split("@")[0] for metric in metrics[key]
    }
    assert metrics["validation_rows"] == "the held-out rows of 2-fold cross-validation"


@pytest.mark.parametrize("name", ["rank:ndcg", "survival:aft"])
def test_parquet_gives_the_same_model(job: Job, name: str) -> None:
    one = CASES[name]
    csv = job({"train": one.csv()}, {"preset": "xgboost", "nfold": 2, **one.hyperparameters})
    model = (csv.opt_ml.model / "xgboost-model").read_bytes()
    table = pa_csv.read_csv(
        pa.BufferReader(one.csv().encode()),
        convert_options=pa_csv.ConvertOptions(null_values=[""]),
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    (csv.opt_ml.data / "train" / "data.csv").unlink()
    files = {"t.parquet": sink.getvalue().to_pybytes()}
    ran = job({"train": files}, {"preset": "xgboost", "nfold": 2, **one.hyperparameters})
    assert ran.code == 0, ran.log
    assert (ran.opt_ml.model / "xgboost-model").read_bytes() == model


@pytest.mark.parametrize("name", ["multi:softmax", "reg:absoluteerror", "rank:map", "survival:cox"])
def test_a_validation_channel_chooses_the_rounds(job: Job, name: str) -> None:
    one = CASES[name]
    channels = {"train": one.csv(slice(0, 80)), "validation": one.csv(slice(80, None))}
    settings = {"num_round": 300, "early_stopping_rounds": 3, "eta": 0.9, **one.hyperparameters}
    ran = job(channels, settings)
    assert ran.code == 0, ran.log
    assert "], metrics named validation on the validation channel:\t" in ran.log
    assert ran.model.scorer.boosters[0].rounds < 300


def test_a_multiclass_score_is_a_probability_of_each_class(job: Job) -> None:
    one = CASES["multi:softprob"]
    ran = job({"train": one.csv()}, {"preset": "xgboost", **one.hyperparameters})
    label = ran.model.schema.label
    assert label == ClassLabel(name="y", classes=tuple(sorted(WORDS)))
    assert "label y: 'high' 29.17%, 'low' 30.83%, 'mid' 40.00%" in ran.log
    scores = ran.model.score(table_of(FEATURES))
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)
    found = [label.classes[code] for code in scores.argmax(axis=1)]
    cells = one.columns["y"]
    assert np.mean([a == b for a, b in zip(found, cells, strict=True)]) > 0.6


@pytest.mark.parametrize(
    ("values", "settings", "classes"),
    [
        ((0, 1, 2), {}, ("0", "1", "2")),
        ((0, 2), {"num_class": 4}, ("0", "1", "2", "3")),
        ((1, 2, 10), {}, ("1", "2", "10")),
        (("b", "a", "True"), {}, ("a", "b", "true")),
        (("x", "7"), {"num_class": 2}, ("7", "x")),
    ],
)
def test_classes_are_numbered_in_order(
    job: Job, values: tuple[object, ...], settings: dict[str, object], classes: tuple[str, ...]
) -> None:
    cells = [values[n % len(values)] for n in range(ROWS)]
    quick = {"nfold": 2, "num_round": 1, "objective": "multi:softprob"}
    ran = job({"train": case({"y": cells}).csv()}, quick | settings)
    assert ran.code == 0, ran.log
    assert ran.model.schema.label == ClassLabel(name="y", classes=classes)
    assert ran.model.scorer.outputs == len(classes)


def with_last_label(one: Case, *values: object) -> Case:
    """The case with another last row's label (of two columns, both)."""
    names = [name for name in one.columns if name not in FEATURES][: len(values)]
    labels = dict(zip(names, values, strict=True))
    columns = {
        name: [*cells[:-1], labels.get(name, cells[-1])] for name, cells in one.columns.items()
    }
    return Case(columns, one.hyperparameters)


REFUSED: list[tuple[str, tuple[object, ...], str]] = [
    ("count:poisson", (-1,), "the label is '-1'. Every label must be a number from 0"),
    ("reg:tweedie", (-0.5,), "the label is '-0.5'. Every label must be a number from 0"),
    ("reg:gamma", (0,), "the label is '0'. Every label must be a number above 0"),
    ("reg:logistic", (1.5,), "the label is '1.5'. Every label must be a number from 0 to 1"),
    ("reg:squaredlogerror", (-1,), "the label is '-1'. Every label must be a number above -1"),
    ("reg:squarederror", ("much",), "the label is 'much'. Every label must be a number"),
    ("reg:squarederror", ("inf",), "the label is 'inf'. Every label must be a number"),
    ("reg:squarederror", ("",), "the label is empty. Leave out the rows without a label. "
     "Every label must be a number"),
    ("rank:ndcg", (32,), "the label is '32'. Every label must be a whole number from 0 to 31"),
    ("rank:ndcg", (0.5,), "the label is '0.5'. Every label must be a whole number from 0 to 31"),
    ("rank:map", (2,), "the label is '2'. Every label must be a whole number from 0 to 1"),
    ("survival:cox", ("",), "the label is empty. Leave out the rows without a label. "
     "Every label must be a number"),
    ("multi:softprob", ("",),
     "the label is empty. Leave out the rows without a label. Every label "
     "must be one of 'high', 'low', 'mid'"),
    ("multi:softmax", (3,), "the label is '3' where num_class is 3. Number the classes from 0 to "
     "2, or leave num_class out to have them numbered"),
    ("multi:softmax", ("x",), "the label has 4 values ('0', '1', '2', ...) where num_class is 3. "
     "Correct num_class, or leave it out"),
    ("binary:hinge", (2,), "the label has 3 values ('0', '1', '2'), and two are needed. Name the "
     "label column with target; it is 'y' now"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values", "text"), REFUSED)
def test_a_label_out_of_range_is_named(
    job: Job, name: str, values: tuple[object, ...], text: str
) -> None:
    one = with_last_label(CASES[name], *values)
    ran = job({"train": one.csv()}, one.hyperparameters)
    assert ran.failure == f"data.csv line {ROWS + 1}, column 'y': {text}\n"
    assert not list(ran.opt_ml.model.rglob("*"))


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        ((-1, 2), "column 'from': the label is '-1'. Every label must be a number from 0"),
        (
            ("", 2),
            "column 'from': the label is empty. Leave out the rows without a label. "
            "Every label must be a number from 0",
        ),
        (
            (3, 2),
            "column 'to': the label is '2'. Every label must be a number not below the lower "
            "bound in column 'from', or empty if it is unknown",
        ),
    ],
)
def test_bounds_that_are_none(job: Job, bounds: tuple[object, object], text: str) -> None:
    one = with_last_label(CASES["survival:aft"], *bounds)
    ran = job({"train": one.csv()}, one.hyperparameters)
    assert ran.failure == f"data.csv line {ROWS + 1}, {text}\n"


def test_an_upper_bound_may_be_infinite_or_empty(job: Job) -> None:
    empty = CASES["survival:aft"]
    columns = {**empty.columns, "to": [cell or "inf" for cell in empty.columns["to"]]}
    ran = job({"train": empty.csv()}, empty.hyperparameters)
    model = (ran.opt_ml.model / "xgboost-model").read_bytes()
    again = job({"train": Case(columns).csv()}, empty.hyperparameters)
    assert (again.opt_ml.model / "xgboost-model").read_bytes() == model
    assert "label from .. to: " in again.log


def test_a_wrong_label_in_validation_is_named_too(job: Job) -> None:
    one = CASES["count:poisson"]
    wrong = with_last_label(one, -3)
    ran = job({"train": one.csv(), "validation": wrong.csv()}, one.hyperparameters)
    assert ran.failure == (
        f"channel validation, data.csv line {ROWS + 1}, column 'y': the label is '-3'. "
        "Every label must be a number from 0\n"
    )


SETTINGS = [
    (
        {"objective": "rank:ndcg"},
        "objective rank:ndcg ranks the rows of a group, and group_column is not set. "
        "Set it to the column that says which query each row belongs to",
    ),
    (
        {"objective": "survival:aft", "label_lower_bound": "x", "label_upper_bound": "until"},
        "label_upper_bound is 'until', which is not a column. "
        "The columns are 'y', 'x', 'noise', 'kind'",
    ),
]


@pytest.mark.parametrize(("settings", "text"), SETTINGS, ids=[str(s[0])[:60] for s in SETTINGS])
def test_settings_that_do_not_fit(job: Job, settings: dict[str, object], text: str) -> None:
    assert job({"train": CASES["reg:gamma"].csv()}, settings).failure == text + "\n"
