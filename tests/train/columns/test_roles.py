"""Weights, margins, groups, times: what they change, what they may be, what requests hold."""

import json

import numpy as np
import pytest
import xgboost

from sagetree.bundle.bundle import ModelBundle
from sagetree.errors import SchemaError
from tests.sagetree.models import table_of
from tests.train.conftest import Job
from tests.train.tasks import CASES, FEATURES, ROWS, Case

QUICK = {"preset": "xgboost", "num_round": 3, "nfold": 2}
VALUE = CASES["reg:squarederror"]
RANK = CASES["rank:ndcg"]

_RANDOM = np.random.default_rng(9)
WEIGHTS: list[object] = _RANDOM.integers(0, 4, ROWS).tolist()
MARGINS: list[object] = _RANDOM.normal(size=ROWS).round(2).tolist()


def plus(one: Case, **columns: list[object]) -> Case:
    """The case with more columns, directly behind the label."""
    names = list(one.columns)
    first = {name: one.columns[name] for name in names[:1]}
    rest = {name: one.columns[name] for name in names[1:]}
    return Case({**first, **columns, **rest}, one.hyperparameters)


def bare(one: Case, columns: tuple[str, ...], **roles: object) -> bytes:
    """The model XGBoost makes by itself of a case's numbers."""
    matrix = np.array([one.columns[name] for name in columns], np.float32).T
    data = xgboost.DMatrix(
        matrix, one.columns["y"], feature_names=columns, feature_types=["float"] * 2, **roles
    )
    params = {"objective": "reg:squarederror", "nthread": 1, "seed": 0}
    return bytes(xgboost.train(params, data, 3).save_raw("ubj"))


def numbers(one: Case) -> Case:
    return Case({k: v for k, v in one.columns.items() if k != "kind"}, one.hyperparameters)


def columns_shown(ran) -> list[str]:
    return [" ".join(line.split()) for line in ran.log.splitlines()]


def scores(ran) -> np.ndarray:
    return ran.model.score(table_of(FEATURES))


def test_weights_are_xgboosts(job: Job) -> None:
    one = numbers(plus(VALUE, w=WEIGHTS))
    settings = {**QUICK, **one.hyperparameters, "weight_column": "w"}
    ran = job({"train": one.csv()}, settings)
    assert ran.code == 0, ran.log
    expected = xgboost.Booster(model_file=bytearray(bare(one, ("x", "noise"), weight=WEIGHTS)))
    data = xgboost.DMatrix(
        np.array([FEATURES["x"], FEATURES["noise"]], np.float32).T, feature_names=["x", "noise"],
        feature_types=["float"] * 2,
    )  # fmt: skip
    table = table_of({name: FEATURES[name] for name in ("x", "noise")})
    np.testing.assert_allclose(ran.model.score(table), expected.predict(data), rtol=1e-6)
    assert "w weight 0 0 no feature: how much a row counts" in columns_shown(ran)


def test_a_row_of_weight_0_counts_no_more_than_none(job: Job) -> None:
    kept = [n % 5 > 0 for n in range(ROWS)]
    one = plus(VALUE, w=[int(k) for k in kept])
    fewer = Case({name: [c for c, k in zip(cells, kept, strict=True) if k]
                  for name, cells in VALUE.columns.items()})  # fmt: skip
    settings = {**QUICK, **VALUE.hyperparameters, "tree_method": "exact", "encoding": "onehot"}
    without = scores(job({"train": fewer.csv()}, settings))
    with_zeros = scores(job({"train": one.csv()}, {**settings, "weight_column": "w"}))
    np.testing.assert_allclose(with_zeros[kept], without[kept], rtol=1e-5)


def test_the_second_column_is_the_weight_of_csv_weights(job: Job) -> None:
    one = plus(VALUE, w=WEIGHTS)
    named = job({"train": one.csv()}, {**QUICK, **VALUE.hyperparameters, "weight_column": "w"})
    expected = scores(named)
    headerless = one.csv().partition("\n")[2]
    for text in (one.csv(), headerless):
        ran = job({"train": text}, {**QUICK, **VALUE.hyperparameters, "csv_weights": "1"})
        assert ran.code == 0, ran.log
        assert len(ran.model.schema.input_names) == 3
        table = table_of(dict(zip(ran.model.schema.input_names, FEATURES.values(), strict=True)))
        np.testing.assert_array_equal(ran.model.score(table), expected)
    kinds = {column.name: column.kind for column in ran.model.schema.columns}
    assert kinds == {"weight": "weight", "f0": "number", "f1": "number", "f2": "category"}


def test_validation_rows_have_weights_too(job: Job) -> None:
    one = plus(VALUE, w=WEIGHTS)
    settings = {"preset": "xgboost", "num_round": 3, **VALUE.hyperparameters, "weight_column": "w"}
    ran = job({"train": one.csv(slice(0, 80)), "validation": one.csv(slice(80, None))}, settings)
    assert ran.code == 0, ran.log
    metrics = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())
    labels = np.array(VALUE.columns["y"][80:], float)
    table = table_of({name: cells[80:] for name, cells in FEATURES.items()})
    squares = (labels - ran.model.score(table)) ** 2
    rmse = np.average(squares, weights=np.array(WEIGHTS[80:], float)) ** 0.5
    logged = metrics["regression_metrics"]["validation:rmse"]["value"]
    assert logged == pytest.approx(rmse, rel=1e-5)
    mse = np.average(squares, weights=np.array(WEIGHTS[80:], float))
    assert metrics["regression_metrics"]["mse"]["value"] == pytest.approx(mse, rel=1e-5)
    missing = VALUE.csv(slice(80, None))
    ran = job({"validation": missing}, settings)
    assert ran.failure == (
        "channel validation: weight_column is 'w', which is not a column. "
        "The columns are 'y', 'x', 'noise', 'kind'\n"
    )


def test_weights_count_in_everything_that_is_said_of_rows_left_out(job: Job) -> None:
    """Rows of weight 0 whose labels are flipped: rounds, threshold, interval and summary agree."""
    x = [n % 10 for n in range(100)]
    rows = [(int(value > 4), value, 1) for value in x] + [(int(value < 5), value, 0) for value in x]
    text = "y,x,w\n" + "".join(f"{y},{value},{w}\n" for y, value, w in rows)
    ran = job({"train": text, "validation": text}, {"weight_column": "w", "num_round": 20})
    assert ran.code == 0, ran.log
    found = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())
    metrics = found["binary_classification_metrics"]
    for name in ("validation:auc", "auc", "accuracy", "f1"):
        assert metrics[name]["value"] == 1.0, name
    assert found["auc_interval"][1] == 1.0
    assert "AUC 1.0000 (95 % interval" in ran.log
    decision = ran.model.decision
    assert (decision.precision, decision.recall) == (1.0, 1.0)


def test_several_outputs_need_a_margin_each(job: Job) -> None:
    margins = {f"m{n}": _RANDOM.normal(size=ROWS).round(2).tolist() for n in range(3)}
    one = plus(CASES["multi:softmax"], **margins)
    settings = {**QUICK, **one.hyperparameters}
    ran = job({"train": one.csv()}, {**settings, "base_margin_column": "m0,m1"})
    assert ran.failure == (
        "base_margin_column names 2 columns, and the model has 3 outputs. Name one for each\n"
    )


def test_a_request_may_hold_roles_and_need_not(job: Job) -> None:
    one = plus(RANK, w=[n // 8 + 1 for n in range(ROWS)])
    settings = {**QUICK, **RANK.hyperparameters, "weight_column": "w"}
    ran = job({"train": one.csv()}, settings)
    assert ran.code == 0, ran.log
    model = ran.model
    assert model.schema.input_names == tuple(FEATURES)
    every = {name: cells for name, cells in one.columns.items() if name != "y"}
    np.testing.assert_array_equal(model.score(table_of(every)), model.score(table_of(FEATURES)))
    with pytest.raises(SchemaError) as caught:
        model.score(table_of(one.columns))
    assert "column 'y' is the label: leave it out of the request" in str(caught.value)


def test_folds_by_time_take_dates_and_numbers(job: Job) -> None:
    days = [str(np.datetime64("2024-01-01") + np.timedelta64(n, "D")) for n in range(ROWS)]
    settings = {**QUICK, **VALUE.hyperparameters, "time_column": "t"}
    metrics = []
    for moments in (days, list(range(ROWS)), [f"{day}T12:00:00" for day in days]):
        ran = job({"train": plus(VALUE, t=moments).csv()}, settings)
        assert ran.code == 0, ran.log
        metrics.append(ModelBundle.load(ran.opt_ml.model).metrics)
    assert metrics[0] == metrics[1] == metrics[2]
    assert "t time 0 0 no feature: which rows come first" in columns_shown(ran)


LAST = f"data.csv line {ROWS + 1}, column"

REFUSED: list[tuple[str, dict[str, list[object]], dict[str, object], str]] = [
    (
        "a negative weight",
        {"w": [*WEIGHTS[:-1], -1]},
        {"weight_column": "w"},
        f"{LAST} 'w': the weight is '-1'. Every weight must be a number from 0",
    ),
    (
        "an empty weight",
        {"w": [*WEIGHTS[:-1], ""]},
        {"weight_column": "w"},
        f"{LAST} 'w': the weight is empty. Every weight must be a number from 0",
    ),
    (
        "an infinite weight",
        {"w": [*WEIGHTS[:-1], "inf"]},
        {"weight_column": "w"},
        f"{LAST} 'w': the weight is 'inf'. Every weight must be a number from 0",
    ),
    (
        "a word for a weight",
        {"w": [*WEIGHTS[:-1], "heavy"]},
        {"csv_weights": "1"},
        f"{LAST} 'w': the weight is 'heavy'. Every weight must be a number from 0",
    ),
    (
        "no weight at all",
        {"w": [0] * ROWS},
        {"weight_column": "w"},
        "column 'w': the weight is 0 in every row. "
        "A row of weight 0 does not count: give some rows a weight above 0",
    ),
    (
        "a weight that all others vanish beside",
        {"w": [1] * (ROWS - 1) + ["1e30"]},
        {"weight_column": "w"},
        f"column 'w': one row has the weight 1e+30, beside which the other {ROWS - 1} do not "
        "count. Correct it: all other weights together are too small for float32",
    ),
    (
        "an empty margin",
        {"m": [*MARGINS[:-1], ""]},
        {"base_margin_column": "m"},
        f"{LAST} 'm': the base margin is empty. Every base margin must be a number",
    ),
    (
        "an empty group",
        {"g": [*range(ROWS - 1), ""]},
        {"group_column": "g"},
        f"{LAST} 'g': the group is empty. Every group must be the name or number of a group",
    ),
    (
        "an empty time",
        {"t": [*range(ROWS - 1), ""]},
        {"time_column": "t"},
        f"{LAST} 't': the time is empty. Every time must be a number, or a date written as "
        "2026-01-31 or 2026-01-31T13:45:00",
    ),
    (
        "a word for a time",
        {"t": [*(f"2026-01-{1 + n % 28:02}" for n in range(ROWS - 1)), "soon"]},
        {"time_column": "t"},
        f"{LAST} 't': the time is 'soon'. Every time must be a number, or a date written as "
        "2026-01-31 or 2026-01-31T13:45:00",
    ),
    (
        "a column that is not there",
        {},
        {"time_column": "t"},
        "channel train: time_column is 't', which is not a column. "
        "The columns are 'y', 'x', 'noise', 'kind'",
    ),
    (
        "the label",
        {},
        {"weight_column": "y"},
        "channel train: weight_column is 'y', which is the label. Name another column",
    ),
    (
        "too few moments",
        {"t": [1] * ROWS},
        {"time_column": "t", "nfold": 2},
        "channel train: there are 1 moments in time, too few for 3 folds. "
        "Add rows, set neither nfold nor _kfold, or give a validation channel",
    ),
    (
        "too few groups",
        {"g": ["one"] * ROWS},
        {"group_column": "g", "nfold": 2},
        "channel train: there are 1 groups, too few for 2 folds. "
        "Add rows, set neither nfold nor _kfold, or give a validation channel",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "settings", "text"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_roles_that_are_none(
    job: Job, columns: dict[str, list[object]], settings: dict[str, object], text: str
) -> None:
    ran = job({"train": plus(VALUE, **columns).csv()}, {**VALUE.hyperparameters, **settings})
    assert ran.failure == text + "\n"
    assert not list(ran.opt_ml.model.rglob("*"))


def test_rows_of_a_query_stand_together(job: Job) -> None:
    apart = [*RANK.columns["query"][:-1], "q0"]
    one = Case({**RANK.columns, "query": apart}, RANK.hyperparameters)
    assert job({"train": one.csv()}, one.hyperparameters).failure == (
        f"{LAST} 'query': the rows of its group are not all together. Sort the rows by 'query'\n"
    )


def test_rows_of_a_query_weigh_the_same(job: Job) -> None:
    one = plus(RANK, w=[1, 1, 2, *[1] * (ROWS - 3)])
    ran = job({"train": one.csv()}, {**RANK.hyperparameters, "weight_column": "w"})
    assert ran.failure == (
        "data.csv line 4: the weight is not that of the row before it in its group. "
        "Ranking weighs whole groups: give all rows of one the same weight\n"
    )
