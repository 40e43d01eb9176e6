"""Every task's metrics of two models of XGBoost's own: scikit-learn's values, and refusals."""

from pathlib import Path

import numpy as np
import pytest
import xgboost
from sklearn import metrics as sk

from sagetree.decisions.rules import LeastCost
from sagetree.errors import UserError
from sagetree.evaluate.cases import read_rows
from sagetree.evaluate.comparison.answers import Alike, Answers, Contender, Costs, naming
from sagetree.evaluate.comparison.result import Comparison, compare
from sagetree.tables.roles import RowRoles

ROWS = 400
COLUMNS = ["one", "two"]


def example() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    features = random.normal(size=(ROWS, 2)).round(4)
    return features, features[:, 0] + features[:, 1] + random.normal(size=ROWS)


LABELS = {
    "reg": example()[1].round(3),
    "binary": (example()[1] > 1).astype(int),
    "multi": np.digitize(example()[1], [-1, 1]),
    "rank": np.digitize(example()[1], [-1, 1]),
    # of each third row it is only known until when nothing had come
    "survival": np.round(np.exp(-example()[1]), 3) * np.where(np.arange(ROWS) % 3, 1, -1),
}

GROUPS = np.arange(ROWS) // 10


def save(folder: Path, objective: str, columns: list[str], **parameters: object) -> Path:
    """Save a model of some columns."""
    features, labels = example()[0], LABELS[objective.partition(":")[0]]
    places = [COLUMNS.index(name) for name in columns]
    data = xgboost.DMatrix(features[:, places], labels, feature_names=columns)
    if objective == "survival:aft":
        data.set_float_info("label_lower_bound", np.abs(labels))
        data.set_float_info("label_upper_bound", np.where(labels < 0, np.inf, labels))
    if objective.startswith("rank"):
        data.set_info(qid=GROUPS)
    settings = {"objective": objective, "max_depth": 2, "nthread": 1, **parameters}
    folder.mkdir()
    xgboost.train(settings, data, 10).save_model(folder / "xgboost-model.json")
    return folder


def answers_of(
    tmp_path: Path, objectives: tuple[str, str], **parameters: object
) -> tuple[Answers, Answers]:
    """Return what a model of one column, and one of two, say about the rows."""
    labels, features = LABELS[objectives[0].partition(":")[0]], example()[0]
    lines = [f"{label},{one},{two}" for label, (one, two) in zip(labels, features, strict=True)]
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "rows.csv").write_text("\n".join(["y,one,two", *lines, ""]))
    first, second = (
        Contender.load(save(tmp_path / name, objective, columns, **parameters), "best")
        for name, objective, columns in zip(
            "ab", objectives, (["one"], ["one", "two"]), strict=True
        )
    )
    table = read_rows(tmp_path / "test", second.model)
    return first.answer(table, second.model), second.answer(table, first.model)


def compared(
    tmp_path: Path,
    objectives: tuple[str, str],
    costs: LeastCost | None = None,
    **parameters: object,
) -> tuple[Comparison, list[np.ndarray], np.ndarray]:
    """Compare a model of one column with one of two; return their scores and the labels, too."""
    answers = answers_of(tmp_path, objectives, **parameters)
    found = compare(*answers, "the rows", costs)
    return found, [each.scores for each in answers], answers[0].labels


def values(found: Comparison) -> dict[str, tuple[float, float]]:
    return {each.metric: (each.champion, each.challenger) for each in found.differences}


def test_two_classes(tmp_path: Path) -> None:
    objective = "binary:logistic"
    found, scores, labels = compared(tmp_path, (objective, objective), LeastCost(1200.0, 35.0))
    assert list(values(found)) == ["cost", "auc", "au_prc", "logloss"]
    for name, measure in (
        ("auc", sk.roc_auc_score),
        ("au_prc", sk.average_precision_score),
        ("logloss", sk.log_loss),
    ):
        expected = [measure(labels, each) for each in scores]
        assert values(found)[name] == pytest.approx(expected)
    paid = [np.where(labels, 1200 * (s < 0.5), 35 * (s >= 0.5)).mean() for s in scores]
    assert values(found)["cost"] == pytest.approx(paid)
    assert {each.word for each in found.differences} == {"better"}
    assert found.decisive.metric == "cost"


def test_margins_have_no_log_loss(tmp_path: Path) -> None:
    found, _scores, _labels = compared(tmp_path, ("binary:logitraw", "binary:logistic"))
    assert list(values(found)) == ["auc", "au_prc"]


def test_several_classes(tmp_path: Path) -> None:
    objective = "multi:softprob"
    found, scores, labels = compared(tmp_path, (objective, objective), num_class=3)
    assert list(values(found)) == ["logloss", "accuracy"]
    assert values(found)["logloss"] == pytest.approx(
        [sk.log_loss(labels, each / each.sum(axis=1, keepdims=True)) for each in scores], rel=1e-5
    )
    right = [sk.accuracy_score(labels, each.argmax(axis=1)) for each in scores]
    assert values(found)["accuracy"] == pytest.approx(right)
    assert found.decisive.word == "better"


def test_classes_without_probabilities_have_accuracy_alone(tmp_path: Path) -> None:
    found, *_ = compared(tmp_path, ("multi:softmax", "multi:softprob"), num_class=3)
    assert list(values(found)) == ["accuracy"]


def test_numbers(tmp_path: Path) -> None:
    objective = "reg:squarederror"
    found, scores, labels = compared(tmp_path, (objective, objective))
    assert list(values(found)) == ["rmse", "mae", "r2"]
    for name, measure in (
        ("rmse", sk.root_mean_squared_error),
        ("mae", sk.mean_absolute_error),
        ("r2", sk.r2_score),
    ):
        assert values(found)[name] == pytest.approx([measure(labels, each) for each in scores])
    assert {each.word for each in found.differences} == {"better"}


def test_quantiles(tmp_path: Path) -> None:
    objective = "reg:quantileerror"
    found, scores, labels = compared(tmp_path, (objective, objective), quantile_alpha=[0.1, 0.9])
    expected = [
        np.mean(
            [sk.mean_pinball_loss(labels, each[:, k], alpha=a) for k, a in ((0, 0.1), (1, 0.9))]
        )
        for each in scores
    ]
    assert values(found) == {"pinball_loss": pytest.approx(expected)}


def test_ranks(tmp_path: Path) -> None:
    """Groups are drawn as wholes, and the interval is that of a paired bootstrap of them."""
    both = [each._replace(groups=GROUPS) for each in answers_of(tmp_path, ("rank:ndcg",) * 2)]
    found = compare(*both, "the rows")
    gains = 2.0 ** both[0].labels.reshape(-1, 10) - 1
    has_order = np.ptp(gains, axis=1) > 0
    ndcg = np.array([
        [sk.ndcg_score([true], [said]) for true, said in zip(gains, scores, strict=True)]
        for scores in (each.scores.reshape(-1, 10) for each in both)
    ])[:, has_order]  # fmt: skip
    assert list(values(found)) == ["ndcg", "map"]
    assert values(found)["ndcg"] == pytest.approx(ndcg.mean(axis=1))
    precisions = [
        np.mean([
            sk.average_precision_score(true > 0, said)
            for true, said in zip(gains[has_order], scores[has_order], strict=True)
        ])
        for scores in (each.scores.reshape(-1, 10) for each in both)
    ]  # fmt: skip
    assert values(found)["map"] == pytest.approx(precisions)
    drawn = np.random.default_rng(0).choice(ndcg[1] - ndcg[0], (2000, has_order.sum()))
    expected = np.percentile(drawn.mean(axis=1), [2.5, 97.5])
    low, high = found.decisive.interval
    assert [low, high] == pytest.approx(expected, abs=(high - low) / 10)
    assert found.decisive.word == "better"


def pairs_of(labels: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs whose first event came before the other, and how right that is."""
    at, came = np.abs(labels), labels > 0
    first = came[:, None] & ((at[:, None] < at) | ((at[:, None] == at) & ~came))
    return first.astype(float), first * ((times[:, None] < times) + 0.5 * (times[:, None] == times))


def test_times_of_models_that_write_them_differently(tmp_path: Path) -> None:
    """The interval is that of a paired bootstrap of the rows."""
    old, new = answers_of(tmp_path, ("survival:cox", "survival:aft"))
    labels = old.labels
    bounds = np.column_stack([np.abs(labels), np.where(labels < 0, np.inf, labels)])
    found = compare(old, new._replace(labels=bounds.astype(np.float32)), "the rows")
    times = -old.scores, new.scores
    (pairs, first), (_, second) = (pairs_of(labels, each) for each in times)
    expected = [first.sum() / pairs.sum(), second.sum() / pairs.sum()]
    assert values(found) == {"concordance_index": pytest.approx(expected)}
    counts = np.random.default_rng(0).multinomial(ROWS, np.full(ROWS, 1 / ROWS), 400)
    drawn = [(c @ (second - first) @ c) / (c @ pairs @ c) for c in counts.astype(float)]
    low, high = found.decisive.interval
    assert high - low == pytest.approx(np.std(drawn) * 2 * 1.96, rel=0.15)
    assert found.decisive.word == "better"


def test_models_that_rank_other_rows_together(tmp_path: Path) -> None:
    old, new = answers_of(tmp_path, ("rank:ndcg", "rank:ndcg"))
    with pytest.raises(UserError) as caught:
        compare(old._replace(groups=GROUPS), new._replace(groups=GROUPS // 2), "the rows")
    assert str(caught.value) == (
        "the rows: the champion and the challenger do not rank the same rows together. Compare "
        "two models of one group column"
    )


def test_ranks_without_an_order(tmp_path: Path) -> None:
    alone = [
        each._replace(groups=np.arange(ROWS)) for each in answers_of(tmp_path, ("rank:ndcg",) * 2)
    ]
    with pytest.raises(UserError) as caught:
        compare(*alone, "the rows")
    assert str(caught.value) == (
        "the rows: no group has rows of different labels. Give groups with relevant rows and "
        "others: only these have an order"
    )


def test_costs_are_those_given_else_the_challengers_else_the_champions(tmp_path: Path) -> None:
    old, new = answers_of(tmp_path, ("binary:logistic",) * 2)
    random = np.random.default_rng(1)
    amounts = RowRoles(miss=random.uniform(0, 900, ROWS), alarm=random.uniform(0, 90, ROWS))
    of_columns = Costs.of(LeastCost("lost", "work"), old.labels, amounts)
    of_numbers = Costs.of(LeastCost(1200.0, 35.0), old.labels)

    def paid(costs: Costs) -> list[float]:
        return [
            np.where(old.labels, costs.miss * (s < 0.5), costs.alarm * (s >= 0.5)).mean()
            for s in (old.scores, new.scores)
        ]

    told = (
        "the champion's decision is cost: miss=1200 alarm=35, the challenger's cost: miss=lost "
        "alarm=work: both are judged by the challenger's costs"
    )
    for olds, news, given, costs, warnings in (
        (of_numbers, of_columns, None, of_columns, (told,)),
        (of_columns, None, None, of_columns, ()),
        (of_columns, of_columns, LeastCost(1200.0, 35.0), of_numbers, ()),
    ):
        both = old._replace(costs=olds), new._replace(costs=news)
        found = compare(*both, "the rows", given)
        assert found.decisive.metric == "cost"
        assert values(found)["cost"] == pytest.approx(paid(costs))
        assert (found.costs, found.warnings) == (costs.rule, warnings)
        assert f"A row's mean cost is by {costs.rule}\n" in str(found)
    weights = (np.arange(ROWS) < 200).astype(np.float32)
    half = compare(old._replace(costs=of_columns), new._replace(weights=weights), "the rows")
    cut = [
        each._replace(
            labels=each.labels[:200],
            scores=each.scores[:200],
            costs=Costs(of_columns.miss[:200], of_columns.alarm[:200], of_columns.rule),
        )
        for each in (old, new)
    ]
    assert half == compare(*cut, "the rows")


def test_copies_that_cost_differently_are_rows_of_their_own(tmp_path: Path) -> None:
    old, new = answers_of(tmp_path, ("binary:logistic",) * 2)
    twice = np.tile(np.arange(ROWS), 2)
    alike = Alike(old.alike.hashes[twice], has_copies=True)
    amounts = np.arange(2.0 * ROWS)
    costs = Costs(amounts, amounts, "cost: miss=a alarm=a")
    both = [
        each._replace(
            labels=each.labels[twice], scores=each.scores[twice], alike=alike, costs=costs
        )
        for each in (old, new)
    ]
    found = compare(*both, "the rows")
    wrong = [(each.scores >= 0.5) != each.labels for each in both]
    assert values(found)["cost"] == pytest.approx([(amounts * each).mean() for each in wrong])


def test_models_of_different_kinds(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        compared(tmp_path, ("binary:logistic", "reg:squarederror"))
    assert str(caught.value) == (
        "comparison: the champion's objective is binary:logistic, the challenger's "
        "reg:squarederror. Compare two models of one kind: of two classes, of several, of "
        "numbers, of quantiles, of ranks, or of times"
    )


def test_rows_of_no_weight_are_no_rows(tmp_path: Path) -> None:
    objective = "binary:logistic"
    compared(tmp_path, (objective, objective))
    first, second = (Contender.load(tmp_path / name, "best") for name in "ab")
    table = read_rows(tmp_path / "test", second.model)
    one, other = first.answer(table, second.model), second.answer(table, first.model)
    weights = (np.arange(ROWS) < 200).astype(np.float32)
    half = compare(one, other._replace(weights=weights), "the rows")
    cut = [each._replace(labels=each.labels[:200], scores=each.scores[:200])
           for each in (one, other)]  # fmt: skip
    assert half == compare(*cut, "the rows")
    assert half.rows == 200


@pytest.mark.parametrize(
    "objective", ["binary:logistic", "multi:softprob", "reg:squarederror", "multi:softmax"]
)
def test_copied_rows_show_no_more_than_the_rows_themselves(tmp_path: Path, objective: str) -> None:
    parameters = {"num_class": 3} if objective.startswith("multi") else {}
    once = compared(tmp_path, (objective, objective), **parameters)[0]
    path = tmp_path / "test" / "rows.csv"
    head, *lines = path.read_text().splitlines()
    path.write_text("\n".join([head, *lines * 9, ""]))
    first, second = (Contender.load(tmp_path / name, "best") for name in "ab")
    table = read_rows(tmp_path / "test", second.model)
    answers = first.answer(table, second.model), second.answer(table, first.model)
    found = compare(*answers, "the rows")
    for each, of_copies in zip(once.differences, found.differences, strict=True):
        assert of_copies.value == pytest.approx(each.value)
        assert of_copies.interval == pytest.approx(each.interval, rel=1e-6)
    assert found.rows == 9 * ROWS
    assert found.warnings == (
        f"{8 * ROWS} of {9 * ROWS} rows are copies of other rows: intervals and standard "
        "deviations count each once",
    )


def test_errors_of_rows_name_the_model_that_cannot_score_them(tmp_path: Path) -> None:
    compared(tmp_path, ("binary:logistic", "binary:logistic"))
    (tmp_path / "test" / "rows.csv").write_text("y,two\n1,2.5\n0,1.5\n")
    champion = Contender.load(tmp_path / "a", "best")
    table = read_rows(tmp_path / "test", champion.model)
    with pytest.raises(UserError) as caught, naming("champion"):
        champion.answer(table, champion.model)
    assert str(caught.value) == (
        "champion, rows.csv: column 'one' is missing; column 'two' is unknown. The model needs one"
    )
