"""Held-out rows by one booster: each half is scored by what the other half chooses."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.metrics import log_loss, roc_auc_score

from sagetree.tables.roles import RowRoles
from sagetree.train.boosting.folds import part_numbers
from sagetree.train.boosting.judging import choosing_history, in_halves, spread_as
from sagetree.train.boosting.phases import boost_until_best, booster_data
from sagetree.train.boosting.plan import BoostingPlan, RunOptions
from sagetree.train.boosting.strategies import fit
from sagetree.train.examples.examples import Examples
from tests.train.boosting.test_depths import planned


def split(
    rows: int, left_out: int, seed: int, *, columns: int = 5, signal: float = 0.0, **given: str
) -> tuple[BoostingPlan, Examples, Examples]:
    """Return a plan, rows to learn from and held-out rows; three of ten rows are positive."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows + left_out, columns)).round(4)
    odds = 0.43 * np.exp(signal * x[:, 0])
    labels = (random.random(len(x)) < odds / (1 + odds)).astype(int)
    names = ",".join(["y", *(f"c{n}" for n in range(columns))])
    body = (",".join(map(str, [y, *cells])) for y, cells in zip(labels, x, strict=True))
    plan, examples = planned("\n".join([names, *body, ""]), RunOptions(), **given)
    numbers = np.arange(len(x))
    return plan, examples.take(numbers[:rows]), examples.take(numbers[rows:])


@pytest.mark.parametrize(
    ("metric", "objective"),
    [
        ("logloss", ""),
        ("auc", ""),
        ("recall_at_precision@0.4", ""),
        ("rmse", "reg:squarederror"),
        ("mae", "count:poisson"),
    ],
)
def test_the_metric_of_a_half_is_that_of_a_booster_that_has_no_other_rows(
    metric: str, objective: str
) -> None:
    given = {"objective": objective} if objective else {}
    plan, train, validation = split(
        120, 90, 1, signal=1, eval_metric=metric, num_round="12", max_depth="3", **given
    )
    data = in_halves(plan, booster_data(plan, train, validation), validation)
    result = boost_until_best(plan, "watched", [data])
    history = choosing_history(plan, [data], result)
    assert history is not None
    for half, part in enumerate(data.parts):
        alone = booster_data(plan, train, validation.take(part.rows))
        expected = boost_until_best(plan, "alone", [alone]).history["validation"][metric]
        found = [values[half] for values in history["validation"][metric]]
        assert found == pytest.approx([value for (value,) in expected[:12]], rel=1e-5)


def test_each_half_is_scored_at_the_round_that_the_other_chooses() -> None:
    plan, train, validation = split(200, 80, 3, signal=0.7, num_round="60", max_depth="4")
    found = fit(plan, train, validation).validation
    data = booster_data(plan, train, validation)
    result = boost_until_best(plan, "watched", [data])
    (booster,) = result.boosters
    numbers = part_numbers(validation, 2, by_label=True, seed=plan.settings.seed)
    assert numbers is not None
    each = [booster[: n + 1].predict(data.validation) for n in range(result.rounds)]
    chosen, best = logit(found.scores.astype(float)), []
    for half in (0, 1):
        rows, others = numbers == half, numbers != half
        best.append(np.argmin([log_loss(validation.labels[others], s[others]) for s in each]))
        # as far apart as at the best round, so that halves may be held against each other
        odds = logit(each[best[half]].astype(float))
        expected = expit((odds - odds.mean()) / odds.std() * chosen.std() + chosen.mean())
        np.testing.assert_allclose(found.judged[rows], expected[rows], rtol=1e-5)
    assert {*best} - {found.best[0] - 1}
    np.testing.assert_array_equal(found.scores, each[found.best[0] - 1])


@pytest.mark.parametrize("apart", [pytest.param(0.06, marks=pytest.mark.long), 0.9, 0.0])
def test_one_row_set_apart_among_very_many_has_a_score(apart: float) -> None:
    """Its log odds are a thousand times the spread, which no exponential holds."""
    others = np.full(1_000_000, 0.05, np.float32)
    others[0] = apart
    best = np.random.default_rng(0).beta(0.2, 0.8, len(others)).astype(np.float32)
    found = spread_as(best, others)
    assert 0 < found.min() <= found.max() < 1
    assert np.sign(found[0] - found[1]) == np.sign(apart - 0.05)


def test_scores_that_tell_no_row_from_another_stay_equal() -> None:
    best, same = np.array([0.1, 0.9], np.float32), np.array([0.3, 0.3], np.float32)
    assert spread_as(best, same) == pytest.approx([0.5, 0.5])
    assert spread_as(same, best) == pytest.approx([0.3, 0.3])


def test_what_belongs_together_is_in_one_part() -> None:
    random = np.random.default_rng(0)
    names = random.integers(0, 30, 200)
    rows = Examples(np.zeros((200, 1), np.float32), (names % 3 == 0).astype(np.float32))

    def parts(roles: RowRoles, copies: np.ndarray | None = None) -> np.ndarray:
        given = Examples(rows.source, rows.labels, roles, copies=copies)
        found = part_numbers(given, 5, by_label=True, seed=0)
        assert found is not None
        assert np.unique(found).tolist() == [0, 1, 2, 3, 4]
        return found

    for found in (parts(RowRoles(groups=names)), parts(RowRoles(), names)):
        assert all(len(np.unique(found[names == name])) == 1 for name in names)
    found = parts(RowRoles(times=names.astype(np.float64)))
    assert (np.diff(found[np.argsort(names, kind="stable")]) >= 0).all()
    alone = parts(RowRoles())
    shares = [rows.labels[alone == part].sum() for part in range(5)]
    assert max(shares) - min(shares) <= 1


def test_parts_that_would_lack_a_label_are_none() -> None:
    labels = np.array([1, 0, 0, 0, 0], np.float32)
    rows = Examples(np.zeros((5, 1), np.float32), labels)
    assert part_numbers(rows, 2, by_label=True, seed=0) is None
    assert part_numbers(rows, 2, by_label=False, seed=0) is not None
    assert part_numbers(rows.take(np.array([0])), 2, by_label=False, seed=0) is None


@pytest.mark.long
def test_halves_at_different_rounds_are_ranked_among_each_other() -> None:
    """The AUC of all rows is the mean of either half's."""
    whole, of_halves = [], []
    for seed in range(30):
        plan, train, validation = split(300, 200, seed, signal=0.7, num_round="500")
        judged = fit(plan, train, validation).validation.judged
        numbers = part_numbers(validation, 2, by_label=True, seed=plan.settings.seed)
        assert numbers is not None
        halves = [validation.labels[numbers == half] for half in (0, 1)]
        scores = [judged[numbers == half] for half in (0, 1)]
        whole.append(roc_auc_score(validation.labels, judged))
        of_halves.append(np.mean([*map(roc_auc_score, halves, scores)]))
    assert np.mean(whole) == pytest.approx(np.mean(of_halves), abs=0.003)


@pytest.mark.long
@pytest.mark.parametrize(("rows", "left_out", "columns"), [(300, 300, 5), (1000, 2000, 10)])
def test_nothing_to_be_learnt_is_an_auc_of_one_half(rows: int, left_out: int, columns: int) -> None:
    """On a validation channel too, the choice of depth and round makes nothing look better."""
    judged, chosen = [], []
    for seed in range(40):
        plan, train, validation = split(rows, left_out, seed, columns=columns, num_round="2000")
        found = fit(plan, train, validation).validation
        judged.append(roc_auc_score(validation.labels, found.judged))
        chosen.append(roc_auc_score(validation.labels, found.scores))
    assert np.mean(judged) == pytest.approx(0.5, abs=0.01)
    assert np.mean(chosen) > 0.51  # what the choice alone makes of it
