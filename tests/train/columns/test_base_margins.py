"""Base margins: rows start from them in training, in scores and in contributions alike.

What is right is what XGBoost itself says with DMatrix.set_base_margin.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xgboost

from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.model import Model
from sagetree.tables.schema import Schema
from tests.sagetree.models import table_of
from tests.train.conftest import Job, Ran
from tests.train.tasks import CASES, ROWS, Case

OWN = {"preset": "xgboost"}
QUICK = {**OWN, "num_round": 3, "nfold": 2}

NUMBERS = ("x", "noise")
OUTPUTS = {"multi:softprob": 3, "multi:softmax": 3, "reg:quantileerror": 3}


def started(objective: str) -> tuple[Case, list[str]]:
    """A case of numbers with a base margin for each output, the last output's column first."""
    one, random = CASES[objective], np.random.default_rng(11)
    names = [f"m{n}" for n in range(OUTPUTS.get(objective, 1))]
    margins = {
        name: random.normal(size=ROWS).round(2).tolist() for name in reversed(names)
    }  # fmt: skip
    columns = {**{k: v for k, v in one.columns.items() if k != "kind"}, **margins}
    return Case(columns, one.hyperparameters), names


def trained(job: Job, objective: str, **settings: object) -> tuple[Ran, Case, list[str]]:
    one, names = started(objective)
    asked = {**QUICK, **one.hyperparameters, "base_margin_column": json.dumps(names), **settings}
    ran = job({"train": one.csv()}, asked)
    assert ran.code == 0, ran.log
    return ran, one, names


def rows_of(one: Case, names: list[str]) -> dict[str, list[object]]:
    return {name: one.columns[name] for name in (*NUMBERS, *names)}


def by_xgboost(
    one: Case, names: list[str], **params: object
) -> tuple[xgboost.Booster, xgboost.DMatrix]:
    """The booster that xgboost.train makes of the case, and its rows with their margins."""
    matrix = np.array([one.columns[name] for name in NUMBERS], np.float32).T
    label = one.columns["y"]
    words = ["high", "low", "mid"]
    label = [words.index(str(y)) if y in words else y for y in label]
    margin = np.array([one.columns[name] for name in names], np.float32).T
    data = xgboost.DMatrix(
        matrix, label, feature_names=NUMBERS, feature_types=["float"] * 2,
        base_margin=margin if len(names) > 1 else margin[:, 0],
    )  # fmt: skip
    objective = one.hyperparameters["objective"]
    classes = {"num_class": 3} if str(objective).startswith("multi:") else {}
    given = {"objective": objective, "nthread": 1, "seed": 0, **classes, **params}
    if objective == "reg:quantileerror":
        given["quantile_alpha"] = [0.1, 0.5, 0.9]
    return xgboost.train(given, data, 3), data


OBJECTIVES = ("count:poisson", "binary:logistic", "multi:softprob", "reg:quantileerror")
MORE = (
    "reg:squarederror", "multi:softmax", "reg:gamma", "reg:tweedie", "binary:logitraw",
    "reg:logistic",
)  # fmt: skip


@pytest.mark.parametrize(
    "objective", [*OBJECTIVES, *(pytest.param(name, marks=pytest.mark.long) for name in MORE)]
)
def test_scores_are_xgboosts_with_a_base_margin(job: Job, objective: str) -> None:
    ran, one, names = trained(job, objective)
    power = {"tweedie_variance_power": 1.4} if objective == "reg:tweedie" else {}
    booster, data = by_xgboost(one, names, **power)
    model = ran.model
    table = table_of(rows_of(one, names))
    np.testing.assert_allclose(model.score(table), booster.predict(data), rtol=2e-5, atol=1e-6)
    # a row without a margin starts from 0, wherever XGBoost's own estimate of it lies
    data = xgboost.DMatrix(
        data.get_data(), feature_names=NUMBERS, feature_types=["float"] * 2,
        base_margin=np.zeros((ROWS, len(names)), np.float32),
    )  # fmt: skip
    expected = booster.predict(data)
    bare = table_of({name: one.columns[name] for name in NUMBERS})
    np.testing.assert_allclose(model.score(bare), expected, rtol=2e-5, atol=1e-6)
    empty = table_of({**rows_of(one, names), **dict.fromkeys(names, [None] * ROWS)})
    np.testing.assert_array_equal(model.score(empty), model.score(bare))


@pytest.mark.parametrize("booster", ["gblinear", "dart"])
def test_other_boosters_start_from_a_base_margin_too(job: Job, booster: str) -> None:
    more = {"booster": booster, "updater": "coord_descent"} if booster == "gblinear" else {}
    ran, one, names = trained(job, "count:poisson", **{"booster": booster, **more})
    expected, data = by_xgboost(one, names, **{"booster": booster, **more})
    found = ran.model.score(table_of(rows_of(one, names)))
    np.testing.assert_allclose(found, expected.predict(data), rtol=2e-5)


@pytest.mark.parametrize(
    "objective",
    [
        "count:poisson",
        pytest.param("binary:logistic", marks=pytest.mark.long),
        "multi:softprob",
    ],
)
def test_contributions_and_base_value_add_up_to_the_margin(job: Job, objective: str) -> None:
    ran, one, names = trained(job, objective)
    booster, data = by_xgboost(one, names)
    rows = table_of(rows_of(one, names))
    model = ran.model
    matrix, start = model.matrix(rows).values, model.base_margin(rows)
    found = model.scorer.contributions(matrix, start)
    np.testing.assert_allclose(found, booster.predict(data, pred_contribs=True), atol=1e-5)
    margins = booster.predict(data, output_margin=True)
    np.testing.assert_allclose(found.sum(axis=-1), margins, atol=1e-5)
    np.testing.assert_allclose(model.scorer.margin(matrix, start), margins, atol=1e-5)
    by_library = Model.load(ran.opt_ml.model, shap="xgboost").scorer
    np.testing.assert_allclose(by_library.contributions(matrix, start), found, atol=1e-5)


def test_many_rows_are_shared_by_threads_with_their_margins(job: Job) -> None:
    ran, one, names = trained(job, "multi:softprob")
    rows = {name: cells * 40 for name, cells in rows_of(one, names).items()}
    model = Model.load(ran.opt_ml.model, threads=3)
    once = ran.model.score(table_of(rows_of(one, names)))
    np.testing.assert_array_equal(model.score(table_of(rows)), np.tile(once, (40, 1)))


MEANS = [
    ("count:poisson", [2] * 20, [4] * 20, [2, 4]),
    pytest.param("reg:squarederror", [2] * 20, [4] * 20, [2, 4], marks=pytest.mark.long),
    pytest.param("reg:gamma", [2] * 20, [4] * 20, [2, 4], marks=pytest.mark.long),
    ("binary:logistic", [1] * 10 + [0] * 90, [1] * 30 + [0] * 70, [0.1, 0.3]),
]


@pytest.mark.parametrize(("objective", "low", "high", "means"), MEANS)
def test_a_model_of_equal_margins_learns_the_mean_of_each_group(
    job: Job, objective: str, low: list[int], high: list[int], means: list[float]
) -> None:
    labels = [y for pair in zip(low, high, strict=True) for y in pair]
    text = "y,m,a\n" + "".join(f"{y},0,{n % 2}\n" for n, y in enumerate(labels))
    settings = {**OWN, "objective": objective, "base_margin_column": "m", "num_round": 300,
                "max_depth": 1}  # fmt: skip
    ran = job({"train": text}, {**settings, "lambda": 0, "min_child_weight": 0})
    assert ran.code == 0, ran.log
    np.testing.assert_allclose(ran.model.score(table_of({"a": [0, 1]})), means, rtol=1e-3)
    metrics = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())
    if "regression_metrics" in metrics:
        assert metrics["regression_metrics"]["r2"]["value"] > 0.999


def test_an_exposure_counts_in_training_and_serving(job: Job) -> None:
    """Claims per year are 0.5 and 1.5; a policy of half a year has half of them."""
    years = [0.5, 1.0, 2.0, 4.0] * 30
    risk = [n // 4 % 2 for n in range(120)]
    claims = [year * (1.5 if r else 0.5) for year, r in zip(years, risk, strict=True)]
    rows = zip(claims, np.log(years), risk, strict=True)
    text = "y,log_years,a\n" + "".join(f"{y},{m:.9f},{r}\n" for y, m, r in rows)
    settings = {**OWN, "objective": "count:poisson", "base_margin_column": "log_years"}
    ran = job({"train": text}, {**settings, "num_round": 300, "max_depth": 1, "lambda": 0})
    assert ran.code == 0, ran.log
    asked = {"a": [0, 1, 0, 1], "log_years": [None, 0, np.log(0.5), np.log(3)]}
    np.testing.assert_allclose(ran.model.score(table_of(asked)), [0.5, 1.5, 0.25, 4.5], rtol=1e-3)


def test_rows_left_out_are_scored_from_their_margins(job: Job) -> None:
    one, names = started("reg:squarederror")
    channels = {"train": one.csv(slice(0, 80)), "validation": one.csv(slice(80, None)),
                "test": one.csv(slice(40, None))}  # fmt: skip
    settings = {**OWN, "num_round": 3, **one.hyperparameters, "base_margin_column": "m0"}
    ran = job(channels, settings)
    assert ran.code == 0, ran.log
    found = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())["regression_metrics"]
    scores = ran.model.score(table_of(rows_of(one, names)))
    squares = (np.array(one.columns["y"], float) - scores) ** 2
    assert found["validation:rmse"]["value"] == pytest.approx(squares[80:].mean() ** 0.5, rel=1e-4)
    assert found["mse"]["value"] == pytest.approx(squares[80:].mean(), rel=1e-4)
    assert found["test:rmse"]["value"] == pytest.approx(squares[40:].mean() ** 0.5, rel=1e-4)


def test_an_ensemble_starts_from_the_margins(job: Job) -> None:
    one, names = started("reg:squarederror")
    settings = {**OWN, "num_round": 3, "_kfold": 3, **one.hyperparameters}
    ran = job({"train": one.csv()}, {**settings, "base_margin_column": "m0"})
    assert ran.code == 0, ran.log
    model = ran.model
    start = np.array(one.columns["m0"], np.float32)
    bare = model.score(table_of({name: one.columns[name] for name in NUMBERS}))
    np.testing.assert_allclose(model.score(table_of(rows_of(one, names))), bare + start, atol=1e-5)


def test_the_bundle_knows_its_margins_and_checks_itself_with_them(job: Job) -> None:
    ran, _, names = trained(job, "multi:softprob")
    bundle = ModelBundle.load(ran.opt_ml.model)
    assert bundle.schema.base_margins == tuple(names)
    assert bundle.selfcheck.columns == (*NUMBERS, *names)
    assert any(cell != 0 for row in bundle.selfcheck.rows for cell in row[2:])


def test_a_bundle_that_lists_no_margins_ignores_those_of_requests(job: Job, tmp_path: Path) -> None:
    """As bundles did before they listed them: scores start from the model's own base_score."""
    ran, one, names = trained(job, "multi:softprob")
    bare = ran.model.score(table_of({name: one.columns[name] for name in NUMBERS}))
    new = ModelBundle.load(ran.opt_ml.model)
    schema = Schema.model_validate(new.schema.model_dump(exclude={"base_margins"}))
    stored = {name: list(cells) for name, cells in zip(
        new.selfcheck.columns, zip(*new.selfcheck.rows, strict=True), strict=True
    )}  # fmt: skip
    plain = ran.model.score(table_of({name: stored[name] for name in NUMBERS}))
    check = new.selfcheck.model_copy(update={"scores": tuple(map(tuple, plain.tolist()))})
    replace(new, schema=schema, selfcheck=check).save(tmp_path / "old")
    old = Model.load(tmp_path / "old")
    np.testing.assert_array_equal(old.score(table_of(rows_of(one, names))), bare)


def test_rounds_are_put_on_a_model_of_the_same_margins(job: Job) -> None:
    ran, one, names = trained(job, "count:poisson")
    ran.opt_ml.model.rename(ran.opt_ml.data / "model")
    settings = {**QUICK, **one.hyperparameters, "num_round": 2}
    ran = job({}, {**settings, "base_margin_column": "m0"})
    assert ran.code == 0, ran.log
    once = job({"train": one.csv()}, settings)
    assert once.failure == (
        "channel model: base_margin_column is not set; rows of the model to train on from start "
        "from 'm0'. Name the same columns, or leave the channel out\n"
    )
    shutil.rmtree(ran.opt_ml.data / "model")
    whole = job({}, {**settings, "num_round": 5, "base_margin_column": "m0"}).model
    table = table_of(rows_of(one, names))
    np.testing.assert_allclose(ran.model.score(table), whole.score(table), rtol=1e-5)
