"""Which columns count: in the log's last lines and in metrics.json, against XGBoost's own."""

import json
import re

import numpy as np
import pytest
import xgboost

from sagetree.evaluate.importance import Importance
from sagetree.features.category import OneHot
from sagetree.features.moment import PARTS, Moment
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.train.examples.examples import Examples, Matrix
from sagetree.train.results.importance import (
    LEAST_ROWS,
    MANY_SPLITS,
    MOST_ROWS,
    measure_importance,
)  # fmt: skip
from tests.train.conftest import Job, lines

FEATURES = FeaturePipeline(
    missing_values=(),
    unknown_category="missing",
    features=(
        Number(column="x[1]"),
        OneHot(column="word", categories=("a", "b", "c")),
        Moment(column="when"),
    ),
)
NAMES = ("x[1]", "word", "when")
OWNERS = [0, 1, 1, 1, *[2] * len(PARTS)]


_RANDOM = np.random.default_rng(3)
MATRIX = _RANDOM.random((400, len(OWNERS))).astype(np.float32)
MATRIX[:, 1:4] = np.eye(3)[_RANDOM.integers(3, size=400)]
LABELS = 3 * MATRIX[:, 0] + MATRIX[:, 2] + 2 * MATRIX[:, 5] * MATRIX[:, 6]

# So few that every one of them is explained, whatever the model.
FEW = MATRIX[:LEAST_ROWS]
EXAMPLES = Examples(FEW, LABELS[:LEAST_ROWS])


def train(params: dict[str, object], rounds: int) -> xgboost.Booster:
    classes = np.digitize(LABELS, [1.5, 3])
    label = classes if "num_class" in params else LABELS
    data = xgboost.DMatrix(MATRIX, label, feature_names=list(FEATURES.safe_names))
    return xgboost.train({"nthread": 1, **params}, data, rounds)


def measure(*boosters: xgboost.Booster) -> dict[str, Importance]:
    models = [bytes(booster.save_raw("ubj")) for booster in boosters]
    return measure_importance(models, FEATURES, EXAMPLES)


def by_hand(booster: xgboost.Booster) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns' shares of mean |SHAP| and of gain, from XGBoost's values of features."""
    data = xgboost.DMatrix(FEW, feature_names=list(FEATURES.safe_names))
    values = booster.predict(data, pred_contribs=True).reshape(-1, len(OWNERS) + 1)
    owners = np.array([*OWNERS, -1])
    columns = [values[:, owners == column].sum(axis=1) for column in range(3)]
    shap = np.abs(columns).mean(axis=1)
    scores = booster.get_score(importance_type="total_gain")
    gain = np.zeros(3)
    for name, owner in zip(FEATURES.safe_names, OWNERS, strict=True):
        gain[owner] += scores.get(name, 0.0)
    return shap / shap.sum(), gain / gain.sum()


@pytest.mark.parametrize(
    ("params", "rounds"),
    [
        ({"max_depth": 3}, 10),
        ({"objective": "multi:softprob", "num_class": 3, "max_depth": 2}, 5),
        ({"booster": "dart", "rate_drop": 0.3, "max_depth": 3}, 8),
        pytest.param(
            {"max_depth": 10, "lambda": 0, "eta": 0.1},  # by our own SHAP values
            30,
            marks=pytest.mark.long,
        ),
    ],
)
def test_what_was_made_of_a_column_counts_together(params: dict[str, object], rounds: int) -> None:
    booster = train(params, rounds)
    found = measure(booster)
    splits = sum(booster.get_score(importance_type="weight").values())
    assert (splits > MANY_SPLITS) == (params["max_depth"] == 10)
    shap, gain = by_hand(booster)
    assert {*found} == {*NAMES}
    for place, name in enumerate(NAMES):
        assert found[name].gain == pytest.approx(gain[place], rel=1e-5)
        assert found[name].mean_abs_shap == pytest.approx(shap[place], rel=1e-3)
    order = [importance.mean_abs_shap for importance in found.values()]
    assert order == sorted(order, reverse=True)


def test_an_ensemble_is_measured_as_it_answers() -> None:
    one, other = train({"max_depth": 1}, 4), train({"max_depth": 3, "eta": 1}, 4)
    found = measure(one, other)
    data = xgboost.DMatrix(FEW, feature_names=list(FEATURES.safe_names))
    values = (one.predict(data, pred_contribs=True) + other.predict(data, pred_contribs=True)) / 2
    shap = [np.abs(values[:, np.array([*OWNERS, -1]) == c].sum(axis=1)).mean() for c in range(3)]
    for name, share in zip(NAMES, shap / np.sum(shap), strict=True):
        assert found[name].mean_abs_shap == pytest.approx(share, rel=1e-3)
    assert sum(importance.gain or 0 for importance in found.values()) == pytest.approx(1)


def test_a_linear_model_has_no_gain_and_one_without_splits_no_importance() -> None:
    linear = measure(train({"booster": "gblinear"}, 5))
    assert [importance.gain for importance in linear.values()] == [None] * 3
    assert sum(importance.mean_abs_shap or 0 for importance in linear.values()) == pytest.approx(1)
    nothing = measure(train({"gamma": 1e9}, 2))
    assert {*nothing.values()} == {Importance(0.0, 0.0)}


def test_the_rows_are_bounded_by_the_splits() -> None:
    asked: list[int] = []

    class Watched(Examples):
        def some(self, most: int) -> Matrix:
            asked.append(most)
            return super().some(most)

    for depth in (1, 9):
        model = bytes(train({"max_depth": depth, "lambda": 0}, 40).save_raw("ubj"))
        measure_importance([model], FEATURES, Watched(MATRIX, LABELS))
    assert asked[0] == MOST_ROWS > asked[1] >= LEAST_ROWS


def test_the_log_ends_with_the_columns_that_count_and_metrics_json_has_all(job: Job) -> None:
    ran = job({"train": lines(), "validation": lines(seed=1)}, {"encoding": "onehot"})
    metrics = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())
    importance = metrics["importance"]
    assert {*importance} == {"amount", "kind", "state"}
    for share in ("gain", "mean_abs_shap"):
        assert sum(found[share] for found in importance.values()) == pytest.approx(1)
    summary = ran.log[ran.log.rindex("\nModel of ") + 1 :].splitlines()
    head = "The columns that count most, with their shares of the mean |SHAP| and of the gain:"
    table = " ".join(summary[summary.index(head) + 1 : -1])
    told = re.findall(r"(\d+) (\w+) +(\S+)%  +(\S+)%", table)
    assert sorted(told) == [
        (str(place), name, f"{100 * found['mean_abs_shap']:.1f}", f"{100 * found['gain']:.1f}")
        for place, (name, found) in enumerate(importance.items(), start=1)
        if found["gain"]
    ]


def test_ten_columns_are_told_in_five_lines_of_at_most_ten(job: Job) -> None:
    random = np.random.default_rng(0)
    cells = random.normal(size=(200, 13)).round(3)
    names = [*(f"x{n}" for n in range(12)), "a_name_that_is_much_too_long_for_half_a_line"]
    y = (cells[:, :12].sum(axis=1) + 4 * cells[:, 12] > 0).astype(int)
    text = "\n".join(",".join(map(str, [y[n], *row])) for n, row in enumerate(cells.tolist()))
    words = re.sub(r"^\d", lambda digit: ("ok", "fraud")[int(digit[0])], text, flags=re.MULTILINE)
    table = f"status,{','.join(names)}\n{words}\n"
    settings = {"num_round": 40, "positive_label": "fraud"}
    ran = job({"train": table, "validation": table}, settings)
    assert ran.code == 0, ran.log
    summary = ran.log[ran.log.rindex("\nModel of ") + 1 :].splitlines()
    assert len(summary) == 9
    assert "P(status = fraud)" in summary[1]
    assert summary[3].startswith("   1 a_name_that_is_much_too_long_…  ")
    assert [line.split()[0] for line in summary[3:8]] == list("12345")
    assert max(map(len, summary[3:8])) <= 110
    assert re.search(r" 10 x\d", summary[7])


def test_the_summary_says_what_is_positive_where_scores_have_no_threshold(job: Job) -> None:
    ran = job({"train": lines()}, {"objective": "binary:logitraw"})
    said = "\nThe higher a row's score, the more likely is fraud = 1.\nThe columns that count most"
    assert said in ran.log


def test_a_model_that_goes_by_no_column_has_no_table(job: Job) -> None:
    ran = job({"train": lines(), "validation": lines(seed=1)}, {"gamma": 1e9})
    assert "columns that count" not in ran.log
    metrics = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())
    assert metrics["importance"]["amount"] == {"mean_abs_shap": 0.0, "gain": 0.0}
