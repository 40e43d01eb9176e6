"""Reasons say in the score's own unit what each column did to it."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray

from sagetree.boosters.explainer import contributions_by_column
from sagetree.boosters.objectives import OBJECTIVES
from sagetree.bundle.model import Model
from sagetree.predictions.reasons import explain, gives_reasons, unit_of
from sagetree.tables.label import ClassLabel
from sagetree.tables.table import Source, Table
from tests.train.tasks import HAS_EXPECTILES

Floats = NDArray[np.float32]

ROWS = 200
SHOWN = 60  # of them
_RANDOM = np.random.default_rng(7)
MATRIX = _RANDOM.random((ROWS, 3)).round(3).astype(np.float32)
VALUE = 20 * MATRIX[:, 0] - 9 * MATRIX[:, 1] + _RANDOM.random(ROWS)
TIME = np.exp(2 * MATRIX[:, 0] - MATRIX[:, 1])

# Each objective's words around the number, and whether that is a factor.
UNITS = {
    "binary:logistic": ("the score (odds x #)", True),
    "binary:logitraw": ("the score by # (log-odds)", False),
    "binary:hinge": ("the margin by #", False),
    "reg:squarederror": ("the score by #", False),
    "reg:squaredlogerror": ("the score by #", False),
    "reg:pseudohubererror": ("the score by #", False),
    "reg:absoluteerror": ("the score by #", False),
    "reg:quantileerror": ("the score by #", False),
    "reg:expectileerror": ("the score by #", False),
    "reg:logistic": ("the score (odds x #)", True),
    "reg:gamma": ("the score (x #)", True),
    "reg:tweedie": ("the score (x #)", True),
    "count:poisson": ("the score (x #)", True),
    "rank:ndcg": ("the score by # (margin)", False),
    "rank:pairwise": ("the score by # (margin)", False),
    "rank:map": ("the score by # (margin)", False),
    "survival:aft": ("the score (time x #)", True),
    "survival:cox": ("the score (hazard ratio #)", True),
}
MADE_HERE = [name for name in UNITS if name != "reg:expectileerror" or HAS_EXPECTILES]


def matrix_for(objective: str) -> xgboost.DMatrix:
    data = xgboost.DMatrix(MATRIX)
    if objective == "survival:aft":
        data.set_float_info("label_lower_bound", TIME)
        data.set_float_info("label_upper_bound", TIME)
    elif objective.startswith(("binary:", "rank:")):
        data.set_label(VALUE.mean() < VALUE)
    elif objective.startswith("multi:"):
        data.set_label(np.digitize(VALUE, [2, 8]))
    elif objective == "reg:logistic":
        data.set_label(1 / (1 + np.exp(-VALUE / 9)))
    else:
        data.set_label(VALUE if "error" in objective and "log" not in objective else TIME)
    if objective.startswith("rank:"):
        data.set_group([10] * (ROWS // 10))
    return data


def make(folder: Path, objective: str, **params: object) -> Model:
    given = {"objective": objective, "max_depth": 3, "eta": 0.5, "nthread": 1, **params}
    xgboost.train(given, matrix_for(objective), 8).save_model(folder / "model.ubj")
    return Model.load(folder)


def table(matrix: Floats = MATRIX) -> Table:
    cells = tuple([float(f"{cell:.3g}") for cell in column] for column in matrix.T)
    return Table(("f0", "f1", "f2"), cells, len(matrix), True, (Source(len(matrix)),))


def reasons(model: Model, rows: Table) -> tuple[list[list[str]], Floats]:
    matrix = model.matrix(rows)
    found = model.scorer.contributions(matrix.values)
    contributions = contributions_by_column(found, model.features.owners)
    scores = model.scorer.score(matrix.values)
    return explain(model, rows, matrix, scores, contributions), contributions


def numbers(sentences: list[str], words: str) -> dict[str, float]:
    """Return the number of each column's sentence, negative where it lowers and adds."""
    pattern = re.escape(words).replace(r"\#", r"(\S+?)")
    found = {}
    for text in sentences:
        match = re.fullmatch(rf"(f\d) = \S+ (raises|lowers) {pattern}", text)
        assert match, text
        found[match[1]] = float(match[3])
    return found


def test_every_objective_has_its_unit() -> None:
    assert {*UNITS, "multi:softprob", "multi:softmax"} == {o.name for o in OBJECTIVES.values()}


@pytest.mark.parametrize("objective", MADE_HERE)
def test_reasons_add_up_to_the_score_in_its_own_unit(tmp_path: Path, objective: str) -> None:
    params = {"expectile_alpha": 0.5} if "expectile" in objective else {"quantile_alpha": 0.5}
    model = make(tmp_path, objective, **(params if "tile" in objective else {}))
    assert gives_reasons(model)
    words, is_factor = UNITS[objective]
    texts, contributions = reasons(model, table(MATRIX[:SHOWN]))
    raw = xgboost.Booster(model_file=tmp_path / "model.ubj").predict(
        matrix_for(objective), pred_contribs=True
    )
    assert sum(map(len, texts)) > SHOWN
    for sentences, theirs, ours in zip(texts, raw[:SHOWN], contributions, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-4)
        found = numbers(sentences, words)
        sizes = {f"f{place}": abs(value) for place, value in enumerate(ours[:-1])}
        assert [*found] == sorted(sizes, key=lambda name: -sizes[name])[: len(found)]
        for name, number in found.items():
            value = float(ours[int(name[1])])
            expected = math.exp(value) if is_factor else abs(value)
            assert number == pytest.approx(expected, rel=0.051 if is_factor else 0.0051)
            assert any(f"{name} = " in s and (" raises " in s) == (value > 0) for s in sentences)


def test_the_whole_sentence_of_a_regression(tmp_path: Path) -> None:
    model = make(tmp_path, "reg:squarederror", eta=1, max_depth=1, base_score=0)
    row = np.array([[0.9, np.nan, 0.5]], np.float32)
    cells = ([0.9], [None], [0.5])
    rows = Table(("f0", "f1", "f2"), cells, 1, True, (Source(1),))
    (texts,), (values,) = reasons(model, rows)
    assert texts[0] == f"f0 = 0.9 raises the score by {values[0]:.3g}"
    assert any(text.startswith("f1 is missing, which lowers the score by ") for text in texts)
    assert model.scorer.score(row)[0] == pytest.approx(values.sum(), abs=1e-4)


def test_large_and_small_amounts_are_numbers_that_a_person_reads(tmp_path: Path) -> None:
    data = matrix_for("reg:squarederror")
    for scale, pattern in ((1e6, r"by \d{4,9}"), (1e-4, r"by (0\.000\d{1,3}|\d(\.\d+)?e-\d\d)")):
        data.set_label(VALUE * scale)
        params = {"nthread": 1, "gamma": 0, "min_child_weight": 0, "lambda": 0}
        xgboost.train(params, data, 5).save_model(tmp_path / "model.ubj")
        texts, _ = reasons(Model.load(tmp_path), table(MATRIX[:20]))
        assert all(re.search(rf"{pattern}$", row[0]) for row in texts), texts


@pytest.mark.parametrize("objective", ["multi:softprob", "multi:softmax"])
@pytest.mark.parametrize("is_named", [True, False])
def test_reasons_of_classes_are_factors_on_the_odds_of_the_predicted_one(
    tmp_path: Path, objective: str, is_named: bool
) -> None:
    model = make(tmp_path, objective, num_class=3)
    if is_named:
        label = ClassLabel(name="size", classes=("big", "mid", "small"))
        schema = model.schema.model_copy(update={"label": label})
        model = Model(schema, model.features, model.scorer, None)
    texts, contributions = reasons(model, table(MATRIX[:SHOWN]))
    assert unit_of(model).before == "the probability of the predicted class (odds x "
    margins = contributions.sum(axis=2, dtype=np.float64)
    seen = set()
    for row, (sentences, values) in enumerate(zip(texts, contributions, strict=True)):
        chosen = int(margins[row].argmax())
        seen.add(chosen)
        name = repr(("big", "mid", "small")[chosen]) if is_named else f"class {chosen}"
        found = numbers(sentences, f"the probability of {name} (odds x #)")
        assert found
        for column, number in found.items():
            without = margins[row] - values[:, int(column[1])]
            expected = odds(margins[row], chosen) / odds(without, chosen)
            assert number == pytest.approx(expected, rel=0.051)
    assert seen == {0, 1, 2}


def odds(margins: NDArray[np.float64], chosen: int) -> float:
    shares = np.exp(margins)
    return float(shares[chosen] / (shares.sum() - shares[chosen]))


def test_two_classes_of_softprob_have_the_odds_of_the_one_against_the_other(
    tmp_path: Path,
) -> None:
    data = xgboost.DMatrix(MATRIX, VALUE.mean() < VALUE)
    params = {"objective": "multi:softprob", "num_class": 2, "nthread": 1}
    xgboost.train(params, data, 5).save_model(tmp_path / "model.ubj")
    texts, contributions = reasons(Model.load(tmp_path), table(MATRIX[:30]))
    for sentences, (zero, one) in zip(texts, contributions, strict=True):
        chosen, other = (zero, one) if zero.sum() > one.sum() else (one, zero)
        factor = math.exp(np.abs(chosen - other)[:-1].max())
        name = f"class {int(chosen is one)}"
        found = numbers(sentences, f"the probability of {name} (odds x #)")
        assert max(max(n, 1 / n) for n in found.values()) == pytest.approx(factor, rel=0.06)


def test_several_quantiles_have_the_reasons_of_the_one_nearest_to_the_median(
    tmp_path: Path,
) -> None:
    model = make(tmp_path, "reg:quantileerror", quantile_alpha=[0.1, 0.6, 0.95])
    assert gives_reasons(model)
    assert model.scorer.quantiles == (0.1, 0.6, 0.95)
    texts, contributions = reasons(model, table())
    for sentences, values in zip(texts, contributions, strict=True):
        found = numbers(sentences, "the score of quantile 0.6 by #")
        for column, number in found.items():
            assert number == pytest.approx(abs(values[1, int(column[1])]), rel=0.0051)


def test_several_targets_have_no_reasons(tmp_path: Path) -> None:
    data = xgboost.DMatrix(MATRIX, np.stack([VALUE, TIME], axis=1))
    xgboost.train({"nthread": 1}, data, 2).save_model(tmp_path / "model.ubj")
    assert not gives_reasons(Model.load(tmp_path))
