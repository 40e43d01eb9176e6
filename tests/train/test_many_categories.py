"""Jobs on categories of many values: what is learnt, served, measured, and what falls back."""

import re
import shutil
from collections.abc import Iterator, Mapping

import numpy as np
import orjson
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from sagetree.boosters.explainer import contributions_by_column
from sagetree.boosters.objectives import objective_of
from sagetree.bundle.absent_cells import AbsentCells
from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.training_rows import row_hashes
from sagetree.features.category import Category, OneHot
from sagetree.features.statistics import ClassShares, ManyCategories, TargetMean
from sagetree.files.reading import read_table
from sagetree.machine.paths import OptMl
from sagetree.predictions.reasons import explain
from sagetree.serve.telemetry.drift import Monitor
from sagetree.tables.table import Table
from sagetree.train.columns.labels import Goal
from sagetree.train.columns.plan import facts_of, fit_plan
from sagetree.train.settings.settings import TrainSettings
from tests.sagetree.columns import table
from tests.train.conftest import Job, Ran

MANY = 70
SETTINGS: Mapping[str, object] = {"max_depth": "2", "num_round": "10", "nthread": "1"}


def table_cells(
    shops: int, count: int, seed: int = 1, first: int = 0
) -> Iterator[tuple[int, str, float]]:
    """A label, a shop of many that says something of it, and a number that says nothing."""
    random = np.random.default_rng(seed)
    found = np.append(np.arange(shops), random.integers(0, shops, count - shops)) + first
    effects = np.random.default_rng(9).normal(size=shops + first) * 2
    labels = (random.logistic(size=count) < effects[found]).astype(int).tolist()
    numbers = random.normal(size=count).round(3).tolist()
    for label, shop, number in zip(labels, found.tolist(), numbers, strict=True):
        yield label, f"s{shop:02d}", number


def rows(seed: int, count: int = 500, *, first: int = 0) -> str:
    """The same as a CSV file."""
    lines = (",".join(map(str, cells)) for cells in table_cells(MANY, count, seed, first))
    return "\n".join(["y,shop,x", *lines]) + "\n"


def shops_table(shops: int) -> Table:
    """The same as train reads it, 200 rows of it."""
    columns = zip(*table_cells(shops, 200), strict=True)
    named = zip(("y", "shop", "x"), columns, strict=True)
    return table(**{name: pa.chunked_array([pa.array(cells)]) for name, cells in named})


def feature_of(ran: Ran, column: str = "shop") -> object:
    return next(f for f in ran.model.features.features if f.column == column)


def read(ran: Ran, channel: str) -> Table:
    return read_table(ran.opt_ml.data / channel, lambda _: True)


def labels_of(text: str) -> list[int]:
    return [int(line.split(",")[0]) for line in text.splitlines()[1:]]


def test_many_categories_are_mean_labels_and_every_measure_is_of_what_is_served(job: Job) -> None:
    """Train, validation and test as serving scores them, new categories among them."""
    channels = {"train": rows(1), "validation": rows(2, first=5), "test": rows(3, 300, first=5)}
    ran = job(channels, {**SETTINGS, "eval_metric": "auc"})
    assert ran.code == 0, ran.log
    assert "The categories of 'shop' are encoded as mean labels of other rows" in ran.log
    feature = feature_of(ran)
    assert isinstance(feature, TargetMean)
    assert len(feature.means) == MANY
    metrics = orjson.loads((ran.opt_ml.output_data / "metrics.json").read_bytes())
    found = metrics["binary_classification_metrics"]
    assert set(metrics["importance"]) == {"shop", "x"}
    for channel in ("validation", "test"):
        scores = ran.model.score(read(ran, channel).without("y"))
        reached = roc_auc_score(labels_of(channels[channel]), scores)
        assert found[f"{channel}:auc"]["value"] == pytest.approx(reached, abs=1e-6)
    assert found["test:auc"]["value"] > 0.75


def test_the_hashes_of_trainings_rows_are_of_what_serving_makes_of_them(job: Job) -> None:
    """So that an evaluation on them knows them."""
    ran = job({"train": rows(1)}, SETTINGS)
    bundle = ModelBundle.load(ran.opt_ml.model)
    matrix = ran.model.matrix(read(ran, "train").without("y")).values
    labels = np.array(labels_of(rows(1)), np.float32)
    assert bundle.rows is not None
    assert bundle.rows.repeats(row_hashes(matrix, labels).rows).repeated == 500


def test_a_category_of_noise_promises_nothing(job: Job) -> None:
    """As many values as a third of the rows, and labels that nothing predicts."""
    random = np.random.default_rng(4)
    lines = [
        f"{y},n{noise},{x:.3f}"
        for y, noise, x in zip(
            random.integers(0, 2, 600),
            random.integers(0, 200, 600),
            random.normal(size=600),
            strict=True,
        )
    ]
    ran = job({"train": "\n".join(["y,noise,x", *lines])}, {**SETTINGS, "num_round": "30"})
    assert isinstance(feature_of(ran, "noise"), TargetMean)
    metrics = orjson.loads((ran.opt_ml.output_data / "metrics.json").read_bytes())
    low, high = metrics["auc_interval"]
    assert low < 0.5 < high


def test_several_classes_have_a_share_each(job: Job) -> None:
    text = re.sub(r"^(\d)", lambda m: "ab"[int(m[1])], rows(1, 400), flags=re.MULTILINE)
    text = re.sub(r"^a(,s.[05])", r"c\1", text, flags=re.MULTILINE)
    ran = job({"train": text}, {**SETTINGS, "objective": "multi:softprob"})
    assert ran.code == 0, ran.log
    feature = feature_of(ran)
    assert isinstance(feature, ClassShares)
    assert feature.names == ("shop.a", "shop.b", "shop.c")
    assert set(ran.model.features.owners) == {0, 1}
    sums = np.array(feature.shares).sum(axis=1)
    np.testing.assert_allclose(sums, 1, atol=1e-5)


def test_ways_of_missing_cells_are_those_of_the_features_behind_shares(job: Job) -> None:
    """Three shares move the places of what comes after them."""
    random = np.random.default_rng(0)
    lines = ["y,shop,z,x"]
    for number in range(600):
        label, shop = random.integers(3), f"s{number % MANY}"
        x = "" if label == 2 else f"{label + random.random():.3f}"
        lines.append(f"{'abc'[label]},{shop},{random.random():.3f},{x}")
    ran = job({"train": "\n".join(lines) + "\n"}, {**SETTINGS, "num_round": "30"})
    assert ran.code == 0, ran.log
    assert isinstance(feature_of(ran), ClassShares)
    found = table(shop=["s1"] * 3, z=[0.5] * 3, x=[0.2, 1.8, None])
    np.testing.assert_array_equal(ran.model.score(found).argmax(axis=1), [0, 1, 2])


@pytest.mark.parametrize(
    ("hyperparameters", "kind"),
    [
        ({}, ManyCategories),
        ({"objective": "reg:squarederror"}, ManyCategories),
        ({"objective": "reg:quantileerror", "quantile_alpha": "0.5"}, ManyCategories),
        ({"encoding": "target", "preset": "xgboost"}, ManyCategories),
        ({"preset": "xgboost"}, Category),
        ({"encoding": "native"}, Category),
        ({"encoding": "onehot"}, OneHot),
        ({"booster": "gblinear"}, OneHot),
        ({"objective": "rank:pairwise", "group_column": "x"}, Category),
        ({"objective": "count:poisson", "base_margin_column": "x"}, Category),
        ({"objective": "survival:cox"}, Category),
    ],
)
def test_how_many_categories_are_given_to_the_model(
    hyperparameters: dict[str, str], kind: type
) -> None:
    settings = TrainSettings.of(hyperparameters)
    goal = Goal(objective_of(settings.boosting.objective))
    found = fit_plan(facts_of(shops_table(MANY), settings.columns), settings.columns, goal)
    assert type(found.features.features[0]) is kind


@pytest.mark.parametrize(("encoding", "kind"), [(None, Category), ("target", ManyCategories)])
def test_few_categories_are_split_one_by_one(encoding: str | None, kind: type) -> None:
    """As XGBoost is set, whatever its own default is."""
    settings = TrainSettings.of({"encoding": encoding} if encoding else {})
    goal = Goal(objective_of("binary:logistic"))
    found = fit_plan(facts_of(shops_table(64), settings.columns), settings.columns, goal)
    assert type(found.features.features[0]) is kind
    assert settings.boosting.params["max_cat_to_onehot"] == 65
    assert TrainSettings.of({"preset": "xgboost"}).boosting.params["max_cat_to_onehot"] == 4
    assert TrainSettings.of({"max_cat_to_onehot": "9"}).boosting.params["max_cat_to_onehot"] == 9
    assert "max_cat_to_onehot" not in TrainSettings.of({"booster": "gblinear"}).boosting.params


@pytest.mark.parametrize(
    "hyperparameters",
    [
        {"tree_method": "exact"},
        {"objective": "reg:squarederror", "_kfold": "2"},
        {"nfold": "2", "external_memory": "true"},
    ],
)
def test_every_way_of_training_takes_mean_labels(
    job: Job, hyperparameters: dict[str, object]
) -> None:
    """That a job ends well says that its model, loaded again, scores its stored rows alike."""
    ran = job({"train": rows(1, 200)}, {**SETTINGS, "num_round": "3", **hyperparameters})
    assert ran.code == 0, ran.log
    assert isinstance(feature_of(ran), TargetMean)


@pytest.mark.parametrize(
    ("hyperparameters", "reason"),
    [
        ({"objective": "survival:cox"}, "the objective is survival:cox"),
        (
            {"base_margin_column": "x"},
            "the meaning of a label depends on its row's base margin",
        ),
        (
            {"objective": "multi:softprob", "target": "x"},
            "the label has more than 10 classes",
        ),
    ],
)
def test_mean_labels_that_say_nothing_are_refused(
    job: Job, hyperparameters: dict[str, object], reason: str
) -> None:
    text = re.sub(r",-?\d\.(\d\d)\d*$", r",c\1", rows(1), flags=re.MULTILINE)
    ran = job(
        {"train": text if "target" in hyperparameters else rows(1)},
        {**SETTINGS, "encoding": "target", **hyperparameters},
    )
    assert ran.code == 1
    assert ran.failure == (
        f"encoding=target uses mean labels, and {reason}. Set encoding=native or onehot, or leave "
        "it out\n"
    )


def test_a_direction_is_not_for_mean_labels(job: Job) -> None:
    ran = job({"train": rows(1)}, {**SETTINGS, "monotone_constraints": '{"shop": 1}'})
    assert ran.failure == (
        "monotone_constraints gives a direction to 'shop', whose categories have no order. "
        "Give them one with ordinal_columns, or set encoding=onehot\n"
    )


def test_a_job_goes_on_from_its_checkpoints_to_the_same_model(job: Job, opt_ml: OptMl) -> None:
    opt_ml.config.mkdir(parents=True)
    (opt_ml.config / "checkpointconfig.json").write_text('{"LocalPath": "/opt/ml/checkpoints"}')
    settings = {**SETTINGS, "num_round": "6", "checkpoint_interval": "2", "nfold": "2"}
    whole = ModelBundle.load(job({"train": rows(1, 300)}, settings).opt_ml.model)
    for path in opt_ml.checkpoints.iterdir():
        if path.suffix == ".6":
            path.unlink()
    ran = job({}, settings)
    assert "Going on after round 3" in ran.log
    again = ModelBundle.load(ran.opt_ml.model)
    assert (again.models, again.features) == (whole.models, whole.features)


def test_training_on_keeps_the_earlier_statistics(job: Job, opt_ml: OptMl) -> None:
    ran = job({"train": rows(1)}, SETTINGS)
    earlier = feature_of(ran)
    shutil.copytree(opt_ml.model, opt_ml.data / "model")
    ran = job({"train": rows(4)}, SETTINGS)
    assert ran.code == 0, ran.log
    assert feature_of(ran) == earlier
    assert "Mean labels" not in ran.log  # this job takes none


def test_what_is_said_and_counted_of_a_new_category_and_of_a_missing_one(job: Job) -> None:
    model = job({"train": rows(1)}, SETTINGS).model
    asked = table(shop=["new", "", "s01"], x=[0.5, 0.5, 0.5])
    matrix = model.matrix(asked)
    counted = AbsentCells.count(asked, matrix, model.features)
    assert (counted.unseen, counted.missing) == ({"shop": 1}, {"shop": 1})
    scores = model.score(asked)
    monitor = Monitor("m", model.sha256, model.features, model.baseline)
    monitor.note(matrix, scores)
    assert (monitor.counts().unseen, monitor.counts().missing) == ([1, 0], [1, 0])
    explained = contributions_by_column(
        model.scorer.contributions(matrix.values), model.features.owners
    )
    new, missing, known = explain(model, asked, matrix, scores, explained)
    assert "shop = 'new' was never seen in training and counts as the mean of all rows" in new
    assert not any("was never seen" in reason for reason in (*missing, *known))
    assert any(reason.startswith("shop = 's01' ") for reason in known)
