"""The facts of a report equal what scikit-learn, or a count by hand, says about the same rows."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from sagetree.boosters.objectives import objective_of
from sagetree.decisions.rules import LeastCost
from sagetree.evaluate.cli import main as evaluate
from sagetree.evaluate.metrics.measured import Measured
from sagetree.evaluate.metrics.ordering import measure_survival
from sagetree.evaluate.report.binary import measure_binary
from sagetree.evaluate.report.charts.tasks import survival_chart
from sagetree.evaluate.report.columns import CodedColumn, columns_of
from sagetree.evaluate.report.slices import measure_slices
from sagetree.evaluate.report.subject import JudgedRows
from sagetree.evaluate.report.tasks import SurvivalFacts, measure_task
from sagetree.features.category import Category, OneHot
from sagetree.features.mixed import Mixed
from sagetree.features.moment import Moment
from sagetree.features.number import Boolean, Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.features.statistics import ClassShares, TargetMean
from sagetree.tables.roles import RowRoles
from sagetree.tables.table import Source, Table
from sagetree.train.cli import main as train
from tests.evaluate.labelled import realistic


def judged(labels, scores, weights=None) -> JudgedRows:
    values = np.zeros((len(labels), 1), np.float32)
    return JudgedRows(values, labels, scores, RowRoles(weight=weights), "rows", are_new=True)


def test_workloads_are_counted():
    labels, scores = realistic(2000, 0.1)
    facts = measure_binary(judged(labels, scores), are_probabilities=True)
    order = np.argsort(-scores, kind="stable")
    for load in facts.workloads:
        found = labels[order[: int(load.share * 2000)]].sum()
        assert load.found == pytest.approx(found, abs=1e-6)
        assert load.caught == pytest.approx(found / labels.sum())
        assert load.precision == pytest.approx(found / (load.share * 2000))
        assert load.lift == pytest.approx(load.precision / labels.mean())
        assert load.caught_interval[0] < load.caught < load.caught_interval[1]


def test_rows_that_tie_are_found_as_often_as_in_any_order():
    labels = np.array([1, 0, 0, 0] * 25, np.int8)
    scores = np.full(100, 0.25, np.float32)
    loads = measure_binary(judged(labels, scores), are_probabilities=True).workloads
    assert [load.precision for load in loads] == pytest.approx([0.25] * 4)


@pytest.mark.parametrize("is_weighted", [False, True])
def test_amounts_are_those_of_the_rows_checked(is_weighted: bool):
    labels, scores = realistic(2000, 0.1)
    random = np.random.default_rng(2)
    weights = random.integers(1, 4, 2000).astype(np.float32) if is_weighted else None
    lost = random.exponential(1000, 2000) * labels
    rows = judged(labels, scores, weights)
    rows = replace(rows, roles=replace(rows.roles, miss=lost))
    rule = LeastCost("lost", 35.0)
    facts = measure_binary(rows, are_probabilities=True, rule=rule)
    wide = np.ones(2000) if weights is None else weights.astype(np.float64)
    order = np.argsort(-scores, kind="stable")
    ends = np.cumsum(wide[order])
    drawn = random.multinomial(2000, np.full(2000, 1 / 2000), 500)
    for load in facts.workloads:
        assert load.saving is not None
        # the last row checked may be so by a share
        parts = np.diff(np.minimum(ends, load.rows), prepend=0) / wide[order]
        checked = np.empty(2000)
        checked[order] = parts
        found, alarms = wide * checked * lost, wide * checked * 35 * (labels == 0)
        assert load.saving.found == pytest.approx(found.sum())
        assert load.saving.share == pytest.approx(found.sum() / (wide * lost).sum())
        assert load.saving.saved == pytest.approx(found.sum() - alarms.sum())
        spread = 1.96 * np.std(drawn @ (found - alarms))
        low, high = load.saving.saved_interval
        assert (high - low) / 2 == pytest.approx(spread, rel=0.15)
    assert measure_binary(rows, are_probabilities=True).workloads[0].saving is None
    unknown = measure_binary(judged(labels, scores), are_probabilities=True, rule=rule)
    assert unknown.workloads[0].saving is None


@pytest.mark.parametrize("is_weighted", [False, True])
def test_the_calibration_slope_is_scikit_learns(is_weighted: bool):
    labels, scores = realistic(3000, 0.2)
    weights = np.random.default_rng(1).uniform(0.5, 2, 3000).astype(np.float32)
    weights = weights if is_weighted else None
    facts = measure_binary(judged(labels, scores, weights), are_probabilities=True)
    wide = scores.astype(np.float64)
    odds = np.log(wide / (1 - wide))[:, None]
    model = LogisticRegression(C=np.inf, tol=1e-10).fit(odds, labels, sample_weight=weights)
    assert facts.slope == pytest.approx(model.coef_[0, 0], rel=1e-4)
    assert facts.intercept == pytest.approx(model.intercept_[0], rel=1e-3)


def test_the_groups_of_reliability_hold_all_rows():
    labels, scores = realistic(1000, 0.1)
    groups = measure_binary(judged(labels, scores), are_probabilities=True).reliability
    assert len(groups) == 10
    assert sum(group.rows for group in groups) == 1000
    assert sum(group.rows * group.share for group in groups) == pytest.approx(labels.sum())
    assert [g.score for g in groups] == sorted(g.score for g in groups)


def test_slices_are_weak_where_the_whole_interval_is_below():
    labels, scores = realistic(3000, 0.3)
    noise = np.random.default_rng(0).permutation(scores)
    where = np.arange(3000) % 3 == 0
    scores = np.where(where, noise, scores)  # in a third of the rows scores say nothing
    column = CodedColumn("kind", "category", where.astype(np.float64), ("good", "bad"))
    other = CodedColumn("x", "number", np.random.default_rng(1).random(3000))
    facts = measure_slices(judged(labels, scores), [column, other], objective_of("binary:logistic"))
    assert facts is not None
    assert facts.compared == 2 + 4
    worst = facts.worst[0]
    assert (worst.column, worst.value, worst.is_weak) == ("kind", "bad", True)
    assert worst.metric == pytest.approx(roc_auc_score(labels[where], scores[where]))
    assert (worst.rows, worst.positives) == (1000, int(labels[where].sum()))
    assert facts.weak == 1


def test_a_part_that_is_ordered_by_chance_is_weak_in_ranks():
    groups, random = np.arange(3000) // 10, np.random.default_rng(0)
    labels = random.integers(0, 3, 3000).astype(np.float32)
    scores = (labels + random.normal(size=3000)).astype(np.float32)
    noisy = groups % 4 == 0
    scores[noisy] = random.permutation(scores[noisy])
    rows = replace(judged(labels, scores), roles=RowRoles(groups=groups))
    column = CodedColumn("query", "category", noisy.astype(np.float64), ("short", "long"))
    few = CodedColumn("few", "category", (groups < 5).astype(np.float64), ("no", "yes"))
    facts = measure_slices(rows, [column, few], objective_of("rank:ndcg"))
    assert facts is not None
    assert (facts.metric, facts.weak, facts.too_small) == ("share of pairs in order", 1, 1)
    worst = facts.worst[0]
    assert (worst.column, worst.value, worst.rows, worst.is_weak) == ("query", "long", 750, True)
    shares = []
    for group in np.unique(groups[noisy]):
        label, score = labels[groups == group], scores[groups == group]
        later = label[:, None] > label
        shares.append(np.mean((score[:, None] > score)[later]))
    assert worst.metric == pytest.approx(np.mean(shares))
    assert worst.interval[0] < worst.metric < worst.interval[1]


def test_a_part_that_is_told_by_chance_is_weak_in_times():
    random = np.random.default_rng(0)
    times = random.exponential(1, 1000)
    scores = (np.log(times) + random.normal(size=1000)).astype(np.float32)
    noisy = np.arange(1000) % 4 == 0
    scores[noisy] = random.permutation(scores[noisy])
    came = random.random(1000) < 0.7
    labels = np.column_stack([times, np.where(came, times, np.inf)]).astype(np.float32)
    column = CodedColumn("site", "category", noisy.astype(np.float64), ("one", "two"))
    unseen = CodedColumn("ended", "category", came.astype(np.float64), ("no", "yes"))
    facts = measure_slices(judged(labels, scores), [column, unseen], objective_of("survival:aft"))
    assert facts is not None
    assert (facts.metric, facts.too_small) == ("concordance index", 1)  # without events
    worst = facts.worst[0]
    assert (worst.column, worst.value, worst.rows, worst.is_weak) == ("site", "two", 250, True)
    lower, upper = labels[noisy].astype(np.float64).T
    expected = measure_survival(lower, upper, scores[noisy].astype(np.float64), where="rows")
    assert worst.metric == pytest.approx(expected.scalars["concordance_index"])
    half = (worst.interval[1] - worst.interval[0]) / 2
    assert half == pytest.approx(1.96 * expected.deviations["concordance_index"], rel=1e-3)


def test_some_rows_of_groups_are_whole_groups():
    groups = np.random.default_rng(0).permutation(np.arange(10_000) // 10)
    zeros = np.zeros(10_000, np.float32)
    rows = replace(judged(zeros, zeros), roles=RowRoles(groups=groups))
    taken = rows.some(1000).roles.groups
    assert taken is not None
    assert 900 <= len(taken) <= 1000
    assert set(np.unique(taken, return_counts=True)[1]) == {10}
    assert len(replace(rows, roles=RowRoles(groups=groups * 0)).some(1000).labels) == 1000


def test_columns_are_in_the_users_own_words():
    features = FeaturePipeline(
        missing_values=(),
        unknown_category="missing",
        features=(
            Number(column="amount"),
            Category(column="state", categories=("CA", "WA")),
            OneHot(column="kind", categories=("a", "b", "c")),
            Boolean(column="open"),
            Moment(column="when"),
        ),
    )
    nan = np.nan
    moments = Moment(column="when").expand(np.array([86400.0 * 365, nan]))
    matrix = np.column_stack(
        [[1.5, nan], [1, nan], [0, 0], [0, 0], [1, 0], [1, 0], moments]
    ).astype(np.float32)
    columns = columns_of(features, matrix)
    assert [[c.text(v) for v in c.values.tolist()] for c in columns] == [
        ["1.5", "missing"],
        ["WA", "missing"],
        ["c", "missing"],
        ["true", "false"],
        ["1971-01-01", "missing"],
    ]


def test_statistics_of_the_label_are_named_by_the_categories_they_stand_for():
    shares = ((0.5, 0.5), (0.25, 0.75), (0.1, 0.9), (0.3, 0.7))
    features = FeaturePipeline(
        missing_values=(),
        unknown_category="missing",
        features=(
            TargetMean(
                column="town", categories=("a", "b", "c"), means=(0.25, 0.5, 0.25), mean=0.3125
            ),
            ClassShares(
                column="shop", categories=("x", "y", "z"), classes=("no", "yes"), shares=shares
            ),
        ),
    )
    cells = ["a", "b", "c", "", "new"], ["z", "y", "x", "", "new"]
    table = Table(("town", "shop"), cells, 5, True, (Source(5, "rows"),))
    columns = columns_of(features, features.transform(table).values)
    assert [[c.text(v) for v in c.values.tolist()] for c in columns] == [
        ["a or c", "b", "a or c", "missing", "missing"],
        ["z", "y", "x", "missing", "missing"],
    ]
    assert [column.kind for column in columns] == ["category", "category"]


@pytest.mark.parametrize("kind", [Category, OneHot])
def test_words_beside_numbers_are_not_missing(kind: type[Category | OneHot]):
    number, words = Number(column="code"), kind(column="code", categories=("a", "b"))
    features = FeaturePipeline(
        missing_values=(),
        unknown_category="missing",
        features=(Mixed(column="code", number=number, words=words),),
    )
    cells = ["5", "b", "", "new", "b", "a"]
    table = Table(("code",), (cells,), 6, True, (Source(6, "rows"),))
    (column,) = columns_of(features, features.transform(table).values)
    assert column.is_missing.tolist() == [False, False, True, True, False, False]
    assert [(text, np.flatnonzero(mask).tolist()) for text, mask in column.parts()] == [
        ("5", [0]), ("b", [1, 4]), ("a", [5]), ("missing", [2, 3])
    ]  # fmt: skip
    some = column.take(np.array([1, 2]))
    assert [text for text, _ in some.parts()] == ["b", "missing"]


def test_parts_of_a_column_hold_each_row_once():
    values = np.random.default_rng(0).normal(size=500)
    values[::10] = np.nan
    for column in (
        CodedColumn("x", "number", values),
        CodedColumn("n", "number", np.arange(500) % 4.0),
    ):
        masks = [mask for _, mask in column.parts()]
        assert (np.sum(masks, axis=0) == 1).all()
        assert len(masks) >= 4


def test_quarters_of_survival_follow_the_score():
    times = np.arange(1.0, 41)
    rows = judged(np.column_stack([times, times]), times.astype(np.float32))
    measured = Measured(40, {}, {}, "concordance_index", 0.5)
    facts = measure_task(rows, objective_of("survival:aft"), measured)
    assert isinstance(facts, SurvivalFacts)
    # of ten rows, all with an event, half are without one up to the fifth
    assert [quarter.median for quarter in facts.quarters] == [5, 15, 25, 35]
    assert all(quarter.curve[-1, 1] == 0 for quarter in facts.quarters)


def test_the_last_few_times_do_not_squeeze_the_curves_of_survival():
    times = np.append(np.arange(1.0, 100), 10_000.0)
    rows = judged(np.column_stack([times, times]), times.astype(np.float32))
    measured = Measured(100, {}, {}, "concordance_index", 0.5)
    facts = measure_task(rows, objective_of("survival:aft"), measured)
    assert isinstance(facts, SurvivalFacts)
    assert 99 <= survival_chart(facts).x.high < 110


def test_a_key_figure_has_no_exponent(tmp_path: Path):
    random = np.random.default_rng(0)
    labels = random.normal(5000, 900, 200)
    text = "".join(f"{label:.1f},{label + random.normal(0, 300):.1f}\n" for label in labels)
    files = {"train.csv": text, "test.csv": text}
    for name, content in files.items():
        (tmp_path / name).write_text("cost,x\n" + content)
    out = str(tmp_path / "out")
    settings = ["--target", "cost", "--set", "num_round=3", "--set", "max_depth=2"]
    assert train([str(tmp_path / "train.csv"), "--out", out, *settings]) == 0
    assert evaluate([out, str(tmp_path / "test.csv")]) == 0
    page = (tmp_path / "out" / "processing" / "evaluation" / "report.html").read_text()
    keys = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))
    assert re.fullmatch(r"\d{2,3}(,\d{3})+", keys["mse"])
    assert re.search(r"<dt>mse</dt><dd>[\d,]+</dd><dd>95 %: \d[\d,]+ to \d[\d,]+</dd>", page)
    assert re.fullmatch(r"\d{3}", keys["mae"])


def test_an_interval_that_is_not_known_is_not_spoken_of(tmp_path: Path):
    """All rows are called right, and the spread of their share says nothing."""
    rows = "".join(f"{'abc'[n % 3]},{n % 3 * 10 + n % 7}\n" for n in range(150))
    (tmp_path / "rows.csv").write_text("kind,x\n" + rows)
    table, out = str(tmp_path / "rows.csv"), str(tmp_path / "out")
    assert train([table, "--target", "kind", "--out", out, "--set", "num_round=3"]) == 0
    assert evaluate([out, table]) == 0
    page = (tmp_path / "out" / "processing" / "evaluation" / "report.html").read_text()
    assert "The accuracy is 1; a constant prediction would give 0.3333." in page
    assert "<dt>accuracy</dt><dd>1</dd><dd></dd>" in page
