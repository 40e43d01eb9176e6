"""_kfold: a model of each fold, served as one, and nothing said about rows a model has seen."""

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sagetree.bundle.bundle import ModelBundle
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.tables.schema import Column, Schema
from sagetree.train.boosting.plan import BoostingPlan, RunOptions
from sagetree.train.boosting.results import TrainedModels
from sagetree.train.boosting.strategies import fit
from sagetree.train.examples.examples import Examples
from sagetree.train.settings.settings import TrainSettings
from tests.sagetree.models import table_of
from tests.train.conftest import Job
from tests.train.tasks import CASES, FEATURES, ROWS, Case

QUICK = {"preset": "xgboost", "num_round": 4}


def predictions(ran) -> np.ndarray:
    return np.loadtxt(ran.opt_ml.output_data / "predictions.csv", delimiter=",", ndmin=2)


def test_every_fold_of_every_repeat_gives_a_model_of_the_ensemble(job: Job) -> None:
    one = CASES["binary:logistic"]
    settings = {**QUICK, "_kfold": 3, "_num_cv_round": 2, **one.hyperparameters}
    channels = {"train": one.csv(slice(0, 90)), "validation": one.csv(slice(90, None))}
    ran = job(channels, settings)
    assert ran.code == 0, ran.log
    names = sorted(path.name for path in ran.opt_ml.model.glob("xgboost-model*"))
    assert names == [f"xgboost-model-{number}" for number in range(6)]
    bundle, model = ModelBundle.load(ran.opt_ml.model), ran.model
    assert len(model.scorer.boosters) == 6
    assert model.self_check(bundle.selfcheck) == 0
    # served: the mean of what each says
    table = table_of(FEATURES)
    matrix = model.matrix(table).values
    each = [np.asarray(b.predict_in_place(matrix, 0))[:, 0] for b in model.scorer.boosters]
    np.testing.assert_allclose(model.score(table), np.mean(each, axis=0), rtol=1e-6)
    # the file: train's rows, then validation's, each scored by models that have not seen it
    found = predictions(ran)
    labels = np.array([int(cell) for cell in one.columns["y"]])
    np.testing.assert_array_equal(found[:, 0], labels)
    assert found.shape == (ROWS, 3)
    called = found[:, 1] >= bundle.decision.threshold
    assert np.mean(called == found[:, 2]) > 0.9  # the mode of two calls, not the call of a mean
    assert bundle.metrics["auc"] == pytest.approx(roc_auc_score(labels, found[:, 1]), abs=1e-3)
    metrics = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())
    assert metrics["rounds"] == [4] * 6
    said = "the held-out rows of 3-fold cross-validation, repeated 2 times"
    assert metrics["validation_rows"] == said
    assert "Ensemble of 6 models of 4 rounds each." in ran.log


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("multi:softprob", 3),
        pytest.param("multi:softmax", 3, marks=pytest.mark.long),
        pytest.param("binary:logitraw", 3, marks=pytest.mark.long),
        ("reg:squarederror", 2),
        ("reg:quantileerror", 4),
        pytest.param("rank:map", 2, marks=pytest.mark.long),
        ("survival:aft", 3),
    ],
)
def test_every_task_has_its_file(job: Job, name: str, columns: int) -> None:
    one = CASES[name]
    ran = job({"train": one.csv()}, {**QUICK, "_kfold": 2, **one.hyperparameters})
    assert ran.code == 0, ran.log
    found = predictions(ran)
    assert found.shape == (ROWS, columns)
    if name.startswith("multi"):
        assert set(found[:, 2]) <= {0, 1, 2}
        assert np.mean(found[:, 0] == found[:, 2]) > 0.6
    assert len(ran.model.scorer.boosters) == 2


def test_the_same_seed_gives_the_same_models(job: Job) -> None:
    one = CASES["reg:squarederror"]
    models = []
    for seed in (1, 1, 2):
        ran = job({"train": one.csv()}, {**QUICK, "_kfold": 2, "seed": seed, **one.hyperparameters})
        models.append((ran.opt_ml.model / "xgboost-model-0").read_bytes())
    assert models[0] == models[1] != models[2]


def test_what_is_printed_is_of_rows_left_out(job: Job) -> None:
    """Noise as the only column: models know the labels of their own rows by heart."""
    rows = [f"{n % 2},{(n * 7919 % 1009) / 7}" for n in range(300)]
    settings = {"preset": "xgboost", "num_round": 20, "max_depth": 8, "_kfold": 3}
    ran = job({"train": "\n".join(["y,noise", *rows])}, settings)
    bundle = ModelBundle.load(ran.opt_ml.model)
    assert bundle.metrics["train-auc"] > 0.8
    assert bundle.metrics["validation-auc"] < 0.65
    assert bundle.metrics["auc"] < 0.65


def twins() -> Case:
    """Groups of four rows that are all but equal, each with a label of its own by chance."""
    random = np.random.default_rng(3)
    groups = np.repeat(np.arange(60), 4)
    label, place = random.integers(0, 2, 60)[groups], random.permutation(60)[groups]
    order = random.permutation(240)
    return Case(
        {
            "y": label[order].tolist(),
            "customer": [f"c{g}" for g in groups[order]],
            "place": (place + random.random(240) / 10)[order].round(4).tolist(),
        }
    )


@pytest.mark.parametrize("setting", ["nfold", pytest.param("_kfold", marks=pytest.mark.long)])
def test_groups_do_not_leak(job: Job, setting: str) -> None:
    settings = {"preset": "xgboost", "num_round": 15, "max_depth": 8, setting: 4, "target": "y"}
    leaks = job({"train": twins().csv()}, {**settings, "drop_columns": "customer"})
    assert ModelBundle.load(leaks.opt_ml.model).metrics["auc"] > 0.85
    honest = job({"train": twins().csv()}, {**settings, "group_column": "customer"})
    assert honest.code == 0, honest.log
    assert ModelBundle.load(honest.opt_ml.model).metrics["auc"] < 0.6
    assert honest.model.schema.input_names == ("place",)


def test_time_does_not_leak(job: Job) -> None:
    """A label that goes up and down: known between its neighbours, unknown before its time."""
    days = np.random.default_rng(0).permutation(300)
    label = (days // 10 % 2).tolist()
    day = [str(np.datetime64("2024-01-01") + np.timedelta64(int(d), "D")) for d in days]
    case = Case({"y": label, "day": day, "clock": days.tolist(), "x": (days % 3).tolist()})
    settings = {
        "preset": "xgboost", "num_round": 15, "max_depth": 8, "nfold": 4, "target": "y",
        "column_types": '{"clock": "number"}',
    }  # fmt: skip
    leaks = job({"train": case.csv()}, {**settings, "drop_columns": "day"})
    assert ModelBundle.load(leaks.opt_ml.model).metrics["auc"] > 0.85
    honest = job({"train": case.csv()}, {**settings, "time_column": "day"})
    assert honest.code == 0, honest.log
    assert ModelBundle.load(honest.opt_ml.model).metrics["auc"] < 0.7


def numbers(rows: int = 60) -> tuple[FeaturePipeline, Examples]:
    random = np.random.default_rng(1)
    matrix = random.normal(size=(rows, 2)).astype(np.float32)
    features = FeaturePipeline(
        missing_values=(),
        unknown_category="missing",
        features=(Number(column="a"), Number(column="b")),
    )
    return features, Examples(matrix, matrix[:, 0] + matrix[:, 1] ** 2)


def fitted(run: RunOptions, **more: str) -> TrainedModels:
    """Fit three rounds of two folds, twice."""
    texts = {"objective": "reg:squarederror", "num_round": "3", "max_depth": "4", "_kfold": "2"}
    settings = TrainSettings.of({**texts, "_num_cv_round": "2", **more}).boosting
    features, rows = numbers()
    columns = tuple(Column(name=n, kind="number", missing=0, distinct=60) for n in features.names)
    schema = Schema(columns=columns, label=None, named=True)
    return fit(BoostingPlan.of(settings, schema, features, rows, run=run), rows, None)


@pytest.mark.parametrize(("asked", "models"), [(1, 2), (3, 2), (4, 2), (5, 2), (6, 4), (9, 4)])
def test_a_stopped_ensemble_is_of_the_repeats_that_are_whole(asked: int, models: int) -> None:
    """`is_stopped` is asked before each of the three rounds of both repeats."""
    calls, told = iter(range(100)), []
    run = RunOptions(is_stopped=lambda: next(calls) >= asked, check_stopped=told.append)
    found = fitted(run, nthread="1")  # one fold at a time
    assert len(found.models) == len(found.validation.best) == models
    assert bool(told) == (asked < 6)
    assert np.isfinite(found.validation.scores).all()


def test_a_linear_model_that_stops_early_has_the_best_rounds_only(job: Job) -> None:
    one = CASES["reg:squarederror"]
    settings = {
        **one.hyperparameters, "booster": "gblinear", "updater": "coord_descent", "eta": 0.9,
        "num_round": 200, "early_stopping_rounds": 2, "nfold": 2,
    }  # fmt: skip
    ran = job({"train": one.csv()}, settings)
    assert ran.code == 0, ran.log
    metrics = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())
    assert 1 <= metrics["rounds"] < 200
    assert f"Fitting all {ROWS} rows for {metrics['rounds']} rounds" in ran.log


def test_a_group_in_both_channels_is_in_one_fold(job: Job) -> None:
    one = twins()
    settings = {"preset": "xgboost", "num_round": 15, "max_depth": 8, "_kfold": 4, "target": "y"}
    channels = {"train": one.csv(slice(0, 120)), "validation": one.csv(slice(120, None))}
    ran = job(channels, {**settings, "group_column": "customer"})
    assert ran.code == 0, ran.log
    assert ModelBundle.load(ran.opt_ml.model).metrics["auc"] < 0.6
    np.testing.assert_array_equal(predictions(ran)[:, 0], one.columns["y"])
